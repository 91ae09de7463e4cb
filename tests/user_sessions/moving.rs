//! How those that have ended come into the archive.

use super::{Transfer, step, user};
use std::time::Duration;
use thin_session::archive::{
    Answer, Archive, Completion, Count, DeadLetter, EndedSession, Quota, Steps, StoreError, Timestamp, WriteId,
};
use thin_session::{HistoryPage, Keyring, MemoryStore, SessionLayer, UserId};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

/// An archive that does not take what Ada had.
struct WithoutAda(MemoryStore);

impl Archive for WithoutAda {
    async fn add(&self, layer: &'static str, ended: &[EndedSession]) -> Answer<()> {
        if ended.iter().any(|ended| ended.user == Some(user("ada"))) {
            return Err(StoreError::refused("not hers"));
        }
        self.0.add(layer, ended).await
    }

    async fn complete(
        &self,
        layer: &'static str,
        ended: &EndedSession,
        attempt: &WriteId,
        quota: Quota,
    ) -> Answer<Completion> {
        self.0.complete(layer, ended, attempt, quota).await
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

/// What the archive refuses waits, and does not stand in the way of what is in other shards.
#[tokio::test]
async fn what_cannot_be_archived_does_not_hold_up_the_rest() {
    let archive = std::sync::Arc::new(WithoutAda(MemoryStore::new()));
    let layer = SessionLayer::with_user_sessions(MemoryStore::new(), Keyring::generate());
    let sessions = layer.archive(std::sync::Arc::clone(&archive)).sessions();
    let others: Vec<_> = (0..30).map(|number| user(&format!("user{number}"))).collect();
    for user in std::iter::once(&user("ada")).chain(&others) {
        let mut transfer = sessions.user_session::<Transfer>(user).await.unwrap();
        step(&mut transfer, 1).await;
        transfer.complete().await.unwrap();
    }
    // Some may be in the shard that Ada's are in.
    let most_are_there = async {
        loop {
            let mut there = 0;
            for user in &others {
                there += archive.history("", user, &HistoryPage::of(1)).await.unwrap().len();
            }
            if there + 3 >= others.len() {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), most_are_there).await.expect("they come into the archive");
    assert!(archive.history("", &user("ada"), &HistoryPage::of(1)).await.unwrap().is_empty());
}
