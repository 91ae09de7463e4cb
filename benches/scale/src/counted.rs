//! An archive that counts what the mover brings.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use thin_session::archive::{
    Answer, Archive, Completion, Count, DeadLetter, EndedSession, HistoryPage, Quota, Steps, Timestamp, WriteId,
};
use thin_session::{SqlStore, UserId};
use uuid::Uuid;

/// The archive in Postgres, as it is.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    archive: SqlStore,
    moved: Arc<AtomicU64>,
}

impl Counted {
    pub(crate) fn new(archive: SqlStore) -> Self {
        Self { archive, moved: Arc::default() }
    }

    /// How many have come so far.
    pub(crate) fn moved(&self) -> u64 {
        self.moved.load(Ordering::SeqCst)
    }
}

impl Archive for Counted {
    async fn add(&self, layer: &'static str, ended: &[EndedSession]) -> Answer<()> {
        self.archive.add(layer, ended).await?;
        self.moved.fetch_add(ended.len() as u64, Ordering::SeqCst);
        Ok(())
    }

    async fn complete(
        &self,
        layer: &'static str,
        ended: &EndedSession,
        attempt: &WriteId,
        quota: Quota,
    ) -> Answer<Completion> {
        self.archive.complete(layer, ended, attempt, quota).await
    }

    async fn settle(&self, layer: &'static str, ended: &EndedSession, attempt: Option<&WriteId>) -> Answer<bool> {
        self.archive.settle(layer, ended, attempt).await
    }

    async fn history(&self, layer: &'static str, user: &UserId, page: &HistoryPage<'_>) -> Answer<Vec<EndedSession>> {
        self.archive.history(layer, user, page).await
    }

    async fn counts(&self, layer: &'static str, kind: Option<&str>, steps: Steps) -> Answer<Vec<Count>> {
        self.archive.counts(layer, kind, steps).await
    }

    async fn forget(&self, layer: &'static str, before: Timestamp, limit: usize) -> Answer<u64> {
        self.archive.forget(layer, before, limit).await
    }

    async fn erase(&self, layer: &'static str, user: &UserId, limit: usize) -> Answer<u64> {
        self.archive.erase(layer, user, limit).await
    }

    async fn add_dead(&self, layer: &'static str, dead: &[DeadLetter]) -> Answer<()> {
        self.archive.add_dead(layer, dead).await
    }

    async fn dead(&self, layer: &'static str, from: Uuid, limit: usize) -> Answer<Vec<DeadLetter>> {
        self.archive.dead(layer, from, limit).await
    }

    async fn remove_dead(&self, layer: &'static str, ids: &[Uuid]) -> Answer<()> {
        self.archive.remove_dead(layer, ids).await
    }
}
