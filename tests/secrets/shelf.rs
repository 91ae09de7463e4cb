//! An archive that is asked, and to which nothing can be moved: what has ended stays in the store's outbox, to be looked at.

use super::evidence::note;
use std::io;
use thin_session::MemoryStore;
use thin_session::archive::{Answer, Archive, Completion, EndedSession, Quota, StoreError, WriteId};
use thin_session::testing::forward;

#[derive(Default)]
pub(crate) struct Shelf(MemoryStore);

impl Archive for Shelf {
    async fn add(&self, _: &'static str, ended: &[EndedSession]) -> Answer<()> {
        note(&ended);
        Err(StoreError::not_applied(io::Error::from(io::ErrorKind::ConnectionRefused)))
    }

    async fn complete(
        &self,
        layer: &'static str,
        ended: &EndedSession,
        attempt: &WriteId,
        quota: Quota,
    ) -> Answer<Completion> {
        note(&(ended, quota));
        let answer = self.0.complete(layer, ended, attempt, quota).await;
        note(&answer);
        answer
    }

    forward!(self => self.0; settle, history, counts, add_dead, dead, remove_dead, forget, erase);
}
