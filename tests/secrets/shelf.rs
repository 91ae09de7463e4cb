//! An archive that is asked, and to which nothing can be moved: what has ended stays in the store's outbox, to be looked at.

use super::evidence::note;
use std::io;
use thin_session::archive::{
    Answer, Archive, Completion, Count, DeadLetter, EndedSession, HistoryPage, Quota, Steps, StoreError, Timestamp,
    WriteId,
};
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

    async fn history(&self, layer: &'static str, user: &UserId, page: &HistoryPage<'_>) -> Answer<Vec<EndedSession>> {
        self.0.history(layer, user, page).await
    }

    async fn counts(&self, layer: &'static str, kind: Option<&str>, steps: Steps) -> Answer<Vec<Count>> {
        self.0.counts(layer, kind, steps).await
    }

    async fn add_dead(&self, layer: &'static str, letters: &[DeadLetter]) -> Answer<()> {
        self.0.add_dead(layer, letters).await
    }

    async fn dead(&self, layer: &'static str, from: Uuid, limit: usize) -> Answer<Vec<DeadLetter>> {
        self.0.dead(layer, from, limit).await
    }

    async fn remove_dead(&self, layer: &'static str, ids: &[Uuid]) -> Answer<()> {
        self.0.remove_dead(layer, ids).await
    }

    async fn forget(&self, layer: &'static str, before: Timestamp, limit: usize) -> Answer<u64> {
        self.0.forget(layer, before, limit).await
    }

    async fn erase(&self, layer: &'static str, user: &UserId, limit: usize) -> Answer<u64> {
        self.0.erase(layer, user, limit).await
    }
}
