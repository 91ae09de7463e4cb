//! User sessions, with a deadline: each write is sent until its fate is known or its time is up.

use super::boxed::BoxedLasting;
use super::fate::{Fate, fate};
use super::patience::{Tries, unknown};
use super::{Answer, Entry, Key, Outgoing, PatientStore, Replaced, Replacement, Standing};
use crate::clock::Timestamp;
use crate::error::SessionError;
use crate::telemetry;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// What became of a replacement.
#[derive(Debug)]
pub(crate) enum Swap {
    /// Applied. If others have written since, what is there now.
    Applied(Option<Entry>),
    /// Not applied, because of what is there.
    Conflict(Entry),
    /// Not applied: nothing is there.
    Absent,
    /// Not applied: the browser's session has ended.
    Unasked,
    /// Not applied: by the store's clock it has idled out, or has not.
    Untimely,
}

impl PatientStore {
    fn lasting(&self) -> Result<&dyn BoxedLasting, SessionError> {
        self.lasting.as_deref().ok_or_else(Self::no_user_sessions)
    }

    /// Why user sessions cannot be had from a layer whose store does not keep them.
    pub(crate) fn no_user_sessions() -> SessionError {
        SessionError::misconfigured(
            "this layer keeps no user sessions; make it by SessionLayer::with_user_sessions(store, keys)",
        )
    }

    /// Whether the store keeps user sessions.
    pub(crate) fn keeps_user_sessions(&self) -> bool {
        self.lasting.is_some()
    }

    pub(crate) async fn load_both(
        &self,
        session: &Key,
        user_session: &Key,
    ) -> Result<[Option<Entry>; 2], SessionError> {
        let store = self.lasting()?;
        let found = self.patience.answered("load_both", || store.load_both(session, user_session)).await?;
        found.iter().flatten().for_each(|entry| telemetry::record_bytes("load_both", entry.as_bytes().len()));
        Ok(found)
    }

    /// What is under each of these keys, which are of one shard.
    pub(crate) async fn load_several(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, SessionError> {
        let store = self.lasting()?;
        let found = self.patience.answered("load_several", || store.load_several(keys)).await?;
        found.iter().flatten().for_each(|entry| telemetry::record_bytes("load_several", entry.as_bytes().len()));
        Ok(found)
    }

    pub(crate) async fn replace(
        &self,
        key: &Key,
        replacement: &Replacement<'_>,
        until: Instant,
    ) -> Result<Swap, SessionError> {
        let (store, entry) = (self.lasting()?, replacement.entry);
        telemetry::record_bytes("replace", entry.as_bytes().len());
        let mut tries = Tries::until(until);
        loop {
            let error = match self.patience.within("replace", until, store.replace(key, replacement)).await {
                Ok(Replaced::Applied) => return Ok(Swap::Applied(None)),
                Ok(Replaced::Found(found)) => {
                    return match self.fate_of(replacement, &found, tries.were_silent())? {
                        Fate::Applied => Ok(Swap::Applied(Some(found))),
                        Fate::NotApplied => Ok(Swap::Conflict(found)),
                        Fate::Unknown => Err(unknown()),
                    };
                }
                Ok(Replaced::Absent) if tries.were_silent() => return Err(unknown()),
                Ok(Replaced::Absent) => return Ok(Swap::Absent),
                // What was expected is still there.
                Ok(Replaced::Unasked) => return Ok(Swap::Unasked),
                // One that is still on its way would be applied when the other has run out.
                Ok(Replaced::Untimely(_))
                    if tries.were_silent() && matches!(replacement.standing, Standing::Lapsed(_)) =>
                {
                    return Err(unknown());
                }
                Ok(Replaced::Untimely(_)) => return Ok(Swap::Untimely),
                Err(error) => error,
            };
            tries.again(error).await?;
        }
    }

    /// Where nothing was expected, there is no base to prove by that it was not applied.
    fn fate_of(&self, replacement: &Replacement<'_>, found: &Entry, silent: bool) -> Result<Fate, SessionError> {
        let (header, own) = (found.header()?, replacement.entry.write_id());
        Ok(match replacement.expected {
            Some(base) => fate(&header, own, base, silent),
            None if header.knows(own) => Fate::Applied,
            None if silent && found.was_written_again() => Fate::Unknown,
            None => Fate::NotApplied,
        })
    }

    /// Notes activity, trying once: the next request tries again.
    pub(crate) async fn renew(
        &self,
        key: &Key,
        seen: Timestamp,
        idle: Duration,
        keep_for: Duration,
    ) -> Result<Answer<bool>, SessionError> {
        let store = self.lasting()?;
        Ok(self.patience.within("renew", self.deadline(), store.renew(key, seen, idle, keep_for)).await)
    }

    pub(crate) async fn outbox(
        &self,
        realm: &'static str,
        shard: u8,
        limit: usize,
    ) -> Result<Vec<Outgoing>, SessionError> {
        let store = self.lasting()?;
        self.patience.answered("outbox", || store.outbox(realm, shard, limit)).await
    }

    pub(crate) async fn full_outboxes(&self, realm: &'static str) -> Result<Vec<(u8, usize)>, SessionError> {
        let store = self.lasting()?;
        self.patience.answered("full_outboxes", || store.full_outboxes(realm)).await
    }

    pub(crate) async fn due(&self, realm: &'static str, limit: usize) -> Result<Vec<(Key, Entry)>, SessionError> {
        let store = self.lasting()?;
        self.patience.answered("due", || store.due(realm, limit)).await
    }

    pub(crate) async fn put_off(&self, key: &Key, look_in: Duration) -> Result<(), SessionError> {
        let store = self.lasting()?;
        self.patience.answered("put_off", || store.put_off(key, look_in)).await
    }

    pub(crate) async fn retire(&self, realm: &'static str, limit: usize) -> Result<bool, SessionError> {
        let store = self.lasting()?;
        self.patience.answered("retire", || store.retire(realm, limit)).await
    }

    pub(crate) async fn sent(&self, realm: &'static str, shard: u8, ids: &[Uuid]) -> Result<(), SessionError> {
        let store = self.lasting()?;
        self.patience.answered("sent", || store.sent(realm, shard, ids)).await
    }
}
