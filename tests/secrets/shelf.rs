//! An archive that is asked, and to which nothing can be moved: what has ended stays in the store's outbox, to be looked at.

use super::evidence::note;
use std::io;
use thin_session::archive::{Answer, Archive, Completion, EndedSession, Quota, StoreError, WriteId};
use thin_session::{MemoryStore, UserId};
use uuid::Uuid;

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

    async fn settle(&self, layer: &'static str, ended: &EndedSession, attempt: Option<&WriteId>) -> Answer<bool> {
        self.0.settle(layer, ended, attempt).await
    }

    async fn history(
        &self,
        layer: &'static str,
        user: &UserId,
        before: Option<Uuid>,
        limit: usize,
    ) -> Answer<Vec<EndedSession>> {
        self.0.history(layer, user, before, limit).await
    }
}
