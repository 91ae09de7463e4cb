//! What a history says of a session, whether it has ended or not.

use super::payload::to_json;
use super::{EndReason, EndedSession};
use crate::error::SessionError;
use crate::record::UserBody;
use serde::de::DeserializeOwned;
use std::fmt;
use std::time::SystemTime;
use uuid::Uuid;

/// One of a user's sessions: an active one, or one that has ended.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryEntry {
    /// Its id, a UUIDv7: those that began later have higher ones, of one user and kind always.
    pub id: Uuid,
    /// Of which kind, [`UserSessionData::KIND`](crate::UserSessionData::KIND).
    pub kind: String,
    /// When it began.
    pub began: SystemTime,
    /// How often it was changed, its beginning included.
    pub updates: u32,
    /// What it holds, or held last, as JSON.
    pub payload: String,
    /// How it ended; none as long as it is active.
    pub end: Option<End>,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Why.
    pub reason: EndReason,
    /// When.
    pub at: SystemTime,
}

impl HistoryEntry {
    /// One that is active.
    ///
    /// # Errors
    ///
    /// If what it holds is not what is stored of values.
    pub(crate) fn active(id: Uuid, body: &UserBody) -> Result<Self, SessionError> {
        let (kind, began) = (body.slot.name.clone().into_owned(), body.created.into());
        Ok(Self { id, kind, began, updates: body.updates, payload: to_json(&body.slot)?, end: None })
    }

    /// Whether it has not ended: it can be gone on with.
    pub fn is_active(&self) -> bool {
        self.end.is_none()
    }

    /// Why it ended, if it has.
    pub fn reason(&self) -> Option<EndReason> {
        self.end.map(|end| end.reason)
    }

    /// When it ended, if it has.
    pub fn ended(&self) -> Option<SystemTime> {
        self.end.map(|end| end.at)
    }

    /// What it holds, or held last, as a type that JSON of its time decodes to.
    ///
    /// # Errors
    ///
    /// If it does not.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.payload)
    }
}

impl From<EndedSession> for HistoryEntry {
    fn from(ended: EndedSession) -> Self {
        let end = End { reason: ended.reason, at: ended.ended_at() };
        let (began, EndedSession { id, kind, updates, payload, .. }) = (ended.began_at(), ended);
        Self { id, kind, began, updates, payload, end: Some(end) }
    }
}

/// Shows nothing of what it holds.
impl fmt::Debug for HistoryEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HistoryEntry").field("kind", &self.kind).field("end", &self.end).finish_non_exhaustive()
    }
}
