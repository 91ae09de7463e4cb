//! What is kept of a session that has ended.

use super::payload::{all_to_json, to_json};
use super::{EndReason, Timestamp};
use crate::data::BROWSER;
use crate::error::SessionError;
use crate::id::UserId;
use crate::record::{Departed, Past};
use serde::de::DeserializeOwned;
use std::fmt;
use std::time::SystemTime;
use uuid::Uuid;

/// A session that has ended, as the archive has it.
#[derive(Clone, PartialEq, Eq)]
pub struct EndedSession {
    /// Its id, a UUIDv7: those that began later have higher ones, of one user and kind of user session always.
    pub id: Uuid,
    /// Whose it was; none of a browser's session in which nobody was signed in.
    pub user: Option<UserId>,
    /// Of which kind, [`UserSessionData::KIND`](crate::UserSessionData::KIND); or [`BROWSER`](Self::BROWSER).
    pub kind: String,
    /// Why it ended.
    pub reason: EndReason,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// How often it was changed, its beginning included.
    pub updates: u32,
    /// What it held last, as JSON; of a browser's session by the [names](crate::SessionData::NAME) of its types.
    pub payload: String,
}

impl EndedSession {
    /// The kind of browsers' sessions. No kind of user session is called so.
    pub const BROWSER: &'static str = BROWSER;

    /// What the archive is to have.
    ///
    /// # Errors
    ///
    /// If what it held is not what is stored of values.
    pub(crate) fn of(departed: &Departed) -> Result<Self, SessionError> {
        let (archival, reason, ended, body) = match departed {
            Departed::UserSession(past) => return Self::of_user_session(past),
            Departed::Session { archival, reason, ended, body } => (archival, *reason, *ended, body),
        };
        Ok(Self {
            id: archival.id,
            user: body.authentication.as_ref().map(|authentication| authentication.user.clone()),
            kind: Self::BROWSER.to_owned(),
            reason,
            began: body.created,
            ended,
            updates: archival.updates,
            payload: all_to_json(&body.slots)?,
        })
    }

    /// The same of a user session.
    pub(crate) fn of_user_session(past: &Past) -> Result<Self, SessionError> {
        let Past { id, reason, ended, body } = past;
        Ok(Self {
            id: *id,
            user: Some(body.user.clone()),
            kind: body.slot.name.clone().into_owned(),
            reason: *reason,
            began: body.created,
            ended: *ended,
            updates: body.updates,
            payload: to_json(&body.slot)?,
        })
    }

    /// When it began.
    pub fn began_at(&self) -> SystemTime {
        self.began.into()
    }

    /// When it ended.
    pub fn ended_at(&self) -> SystemTime {
        self.ended.into()
    }

    /// What it held last, as a type that JSON of its time decodes to.
    ///
    /// # Errors
    ///
    /// If it does not.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.payload)
    }
}

/// Shows nothing of the user, nor what it held.
impl fmt::Debug for EndedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndedSession").field("kind", &self.kind).field("reason", &self.reason).finish_non_exhaustive()
    }
}
