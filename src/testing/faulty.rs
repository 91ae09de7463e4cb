//! A store that can be taken down.

use crate::archive::{Archive, Completion, Count, DeadLetter, EndedSession, HistoryPage, Quota, Steps};
use crate::id::UserId;
use crate::memory::MemoryStore;
use crate::store::{
    Admission, Admitted, Answer, Departure, Entry, Key, LastingStore, Marker, Member, Outcome, Outgoing, Owner,
    Replaced, Replacement, Revocation, Revocations, Store, StoreError, Sweep, Swept, Timestamp, WriteId,
};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use uuid::Uuid;

/// A store in memory that refuses everything while it is down.
#[derive(Debug, Default)]
pub(super) struct FaultyStore {
    inner: MemoryStore,
    down: AtomicBool,
}

impl FaultyStore {
    pub(super) fn new(inner: MemoryStore) -> Self {
        Self { inner, down: AtomicBool::new(false) }
    }

    pub(super) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    fn up(&self) -> Answer<&MemoryStore> {
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::not_applied("the test took the store down"));
        }
        Ok(&self.inner)
    }
}

impl Store for FaultyStore {
    async fn load(&self, key: &Key) -> Answer<Option<Entry>> {
        self.up()?.load(key).await
    }

    async fn create(&self, key: &Key, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        self.up()?.create(key, entry, keep_for).await
    }

    async fn commit(&self, key: &Key, expected: WriteId, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        self.up()?.commit(key, expected, entry, keep_for).await
    }

    async fn touch(&self, key: &Key, seen: Timestamp, now: Timestamp, keep_for: Duration) -> Answer<bool> {
        self.up()?.touch(key, seen, now, keep_for).await
    }

    async fn end(&self, key: &Key, expected: Option<WriteId>, marker: &Marker) -> Answer<Outcome> {
        self.up()?.end(key, expected, marker).await
    }

    async fn admit(&self, owner: &Owner, admission: &Admission<'_>) -> Answer<Admitted> {
        self.up()?.admit(owner, admission).await
    }

    async fn depart(&self, owner: &Owner, departure: &Departure) -> Answer<Outcome> {
        self.up()?.depart(owner, departure).await
    }

    async fn members(&self, owner: &Owner) -> Answer<Vec<(Member, Entry)>> {
        self.up()?.members(owner).await
    }

    async fn end_all(&self, owner: &Owner, sweep: &Sweep) -> Answer<Option<Swept>> {
        self.up()?.end_all(owner, sweep).await
    }

    async fn publish(&self, realm: &'static str, news: &Revocation) -> Answer<()> {
        self.up()?.publish(realm, news).await
    }

    /// Goes on while the store is down: a process counts as cut off only after ten seconds.
    async fn follow(&self, realm: &'static str, known: &Revocations) {
        self.inner.follow(realm, known).await;
    }
}

impl LastingStore for FaultyStore {
    async fn load_both(&self, session: &Key, user_session: &Key) -> Answer<[Option<Entry>; 2]> {
        self.up()?.load_both(session, user_session).await
    }

    async fn load_several(&self, keys: &[Key]) -> Answer<Vec<Option<Entry>>> {
        self.up()?.load_several(keys).await
    }

    async fn replace(&self, key: &Key, replacement: &Replacement<'_>) -> Answer<Replaced> {
        self.up()?.replace(key, replacement).await
    }

    async fn renew(&self, key: &Key, seen: Timestamp, idle: Duration, keep_for: Duration) -> Answer<bool> {
        self.up()?.renew(key, seen, idle, keep_for).await
    }

    async fn outbox(&self, realm: &'static str, shard: u8, limit: usize) -> Answer<Vec<Outgoing>> {
        self.up()?.outbox(realm, shard, limit).await
    }

    async fn full_outboxes(&self, realm: &'static str) -> Answer<Vec<(u8, usize)>> {
        self.up()?.full_outboxes(realm).await
    }

    async fn due(&self, realm: &'static str, limit: usize) -> Answer<Vec<(Key, Entry)>> {
        self.up()?.due(realm, limit).await
    }

    async fn put_off(&self, key: &Key, look_in: Duration) -> Answer<()> {
        self.up()?.put_off(key, look_in).await
    }

    async fn retire(&self, realm: &'static str, limit: usize) -> Answer<bool> {
        self.up()?.retire(realm, limit).await
    }

    async fn sent(&self, realm: &'static str, shard: u8, ids: &[Uuid]) -> Answer<()> {
        self.up()?.sent(realm, shard, ids).await
    }
}

impl Archive for FaultyStore {
    async fn add(&self, layer: &'static str, ended: &[EndedSession]) -> Answer<()> {
        self.up()?.add(layer, ended).await
    }

    async fn complete(
        &self,
        layer: &'static str,
        ended: &EndedSession,
        attempt: &WriteId,
        quota: Quota,
    ) -> Answer<Completion> {
        self.up()?.complete(layer, ended, attempt, quota).await
    }

    async fn settle(&self, layer: &'static str, ended: &EndedSession, attempt: Option<&WriteId>) -> Answer<bool> {
        self.up()?.settle(layer, ended, attempt).await
    }

    async fn history(&self, layer: &'static str, user: &UserId, page: &HistoryPage<'_>) -> Answer<Vec<EndedSession>> {
        self.up()?.history(layer, user, page).await
    }

    async fn counts(&self, layer: &'static str, kind: Option<&str>, steps: Steps) -> Answer<Vec<Count>> {
        self.up()?.counts(layer, kind, steps).await
    }

    async fn add_dead(&self, layer: &'static str, letters: &[DeadLetter]) -> Answer<()> {
        self.up()?.add_dead(layer, letters).await
    }

    async fn dead(&self, layer: &'static str, from: Uuid, limit: usize) -> Answer<Vec<DeadLetter>> {
        self.up()?.dead(layer, from, limit).await
    }

    async fn remove_dead(&self, layer: &'static str, ids: &[Uuid]) -> Answer<()> {
        self.up()?.remove_dead(layer, ids).await
    }

    async fn forget(&self, layer: &'static str, before: Timestamp, limit: usize) -> Answer<u64> {
        self.up()?.forget(layer, before, limit).await
    }

    async fn erase(&self, layer: &'static str, user: &UserId, limit: usize) -> Answer<u64> {
        self.up()?.erase(layer, user, limit).await
    }
}
