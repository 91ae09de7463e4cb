//! The real store behind the gate.

use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use thin_session::archive::{Archive, Completion, Count, DeadLetter, EndedSession, HistoryPage, Quota, Steps};
use thin_session::store::{
    Admission, Admitted, Answer, Departure, Entry, Key, LastingStore, Marker, Member, Outcome, Outgoing, Owner,
    Replaced, Replacement, Revocation, Revocations, Store, Sweep, Swept, Timestamp, WriteId,
};
use thin_session::{Clock, MemoryStore, RedisStore, SqlStore, UserId};
use uuid::Uuid;

/// How long to wait for a database on a busy machine: no test is right by being fast.
const WAIT: Duration = Duration::from_secs(10);

/// The stores that stand behind a gate.
pub(crate) enum Inner {
    Memory(MemoryStore),
    /// With an archive in memory beside it.
    Redis(RedisStore, MemoryStore),
    /// On a file that goes with it, or in a Postgres that is somebody else's.
    Sql(SqlStore, Option<TempDir>),
}

impl Inner {
    /// In a file of its own.
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        Self::sqlite_at(&folder.path().join("store.db"), Some(folder)).await
    }

    /// In this file, whose folder may go with it.
    pub(crate) async fn sqlite_at(file: &Path, folder: Option<TempDir>) -> Self {
        let store = SqlStore::sqlite(file).await.expect("the file can be opened");
        Self::Sql(store.with_timeout(WAIT), folder)
    }

    /// In a database of Postgres.
    pub(crate) async fn postgres(url: &str) -> Self {
        Self::Sql(SqlStore::postgres(url).await.expect("Postgres is up").with_timeout(WAIT), None)
    }

    /// The same, by this clock if it can be told one.
    pub(crate) fn by(self, clock: &Clock) -> Self {
        match self {
            Self::Sql(store, folder) => Self::Sql(store.with_clock(clock.clone()), folder),
            other => other,
        }
    }
}

/// Calls the store, whichever it is.
macro_rules! on_store {
    ($inner:ident, $store:ident => $call:expr) => {
        match $inner {
            Inner::Memory($store) => $call,
            Inner::Redis($store, _) => $call,
            Inner::Sql($store, _) => $call,
        }
    };
}

/// Calls the archive, whichever it is.
macro_rules! on_archive {
    ($inner:ident, $archive:ident => $call:expr) => {
        match $inner {
            Inner::Memory($archive) => $call,
            Inner::Redis(_, $archive) => $call,
            Inner::Sql($archive, _) => $call,
        }
    };
}

impl Store for Inner {
    async fn load(&self, key: &Key) -> Answer<Option<Entry>> {
        on_store!(self, store => store.load(key).await)
    }

    async fn create(&self, key: &Key, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        on_store!(self, store => store.create(key, entry, keep_for).await)
    }

    async fn commit(&self, key: &Key, expected: WriteId, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        on_store!(self, store => store.commit(key, expected, entry, keep_for).await)
    }

    async fn touch(&self, key: &Key, seen: Timestamp, now: Timestamp, keep_for: Duration) -> Answer<bool> {
        on_store!(self, store => store.touch(key, seen, now, keep_for).await)
    }

    async fn end(&self, key: &Key, expected: Option<WriteId>, marker: &Marker) -> Answer<Outcome> {
        on_store!(self, store => store.end(key, expected, marker).await)
    }

    async fn admit(&self, owner: &Owner, admission: &Admission<'_>) -> Answer<Admitted> {
        on_store!(self, store => store.admit(owner, admission).await)
    }

    async fn depart(&self, owner: &Owner, departure: &Departure) -> Answer<Outcome> {
        on_store!(self, store => store.depart(owner, departure).await)
    }

    async fn members(&self, owner: &Owner) -> Answer<Vec<(Member, Entry)>> {
        on_store!(self, store => store.members(owner).await)
    }

    async fn end_all(&self, owner: &Owner, sweep: &Sweep) -> Answer<Option<Swept>> {
        on_store!(self, store => store.end_all(owner, sweep).await)
    }

    async fn publish(&self, realm: &'static str, news: &Revocation) -> Answer<()> {
        on_store!(self, store => store.publish(realm, news).await)
    }

    async fn follow(&self, realm: &'static str, known: &Revocations) {
        on_store!(self, store => store.follow(realm, known).await)
    }
}

impl LastingStore for Inner {
    async fn load_both(&self, session: &Key, user_session: &Key) -> Answer<[Option<Entry>; 2]> {
        on_store!(self, store => store.load_both(session, user_session).await)
    }

    async fn load_several(&self, keys: &[Key]) -> Answer<Vec<Option<Entry>>> {
        on_store!(self, store => store.load_several(keys).await)
    }

    async fn replace(&self, key: &Key, replacement: &Replacement<'_>) -> Answer<Replaced> {
        on_store!(self, store => store.replace(key, replacement).await)
    }

    async fn renew(&self, key: &Key, seen: Timestamp, idle: Duration, keep_for: Duration) -> Answer<bool> {
        on_store!(self, store => store.renew(key, seen, idle, keep_for).await)
    }

    async fn outbox(&self, realm: &'static str, shard: u8, limit: usize) -> Answer<Vec<Outgoing>> {
        on_store!(self, store => store.outbox(realm, shard, limit).await)
    }

    async fn full_outboxes(&self, realm: &'static str) -> Answer<Vec<(u8, usize)>> {
        on_store!(self, store => store.full_outboxes(realm).await)
    }

    async fn due(&self, realm: &'static str, limit: usize) -> Answer<Vec<(Key, Entry)>> {
        on_store!(self, store => store.due(realm, limit).await)
    }

    async fn put_off(&self, key: &Key, look_in: Duration) -> Answer<()> {
        on_store!(self, store => store.put_off(key, look_in).await)
    }

    async fn retire(&self, realm: &'static str, limit: usize) -> Answer<bool> {
        on_store!(self, store => store.retire(realm, limit).await)
    }

    async fn sent(&self, realm: &'static str, shard: u8, ids: &[Uuid]) -> Answer<()> {
        on_store!(self, store => store.sent(realm, shard, ids).await)
    }
}

impl Archive for Inner {
    async fn add(&self, layer: &'static str, ended: &[EndedSession]) -> Answer<()> {
        on_archive!(self, archive => archive.add(layer, ended).await)
    }

    async fn complete(
        &self,
        layer: &'static str,
        ended: &EndedSession,
        attempt: &WriteId,
        quota: Quota,
    ) -> Answer<Completion> {
        on_archive!(self, archive => archive.complete(layer, ended, attempt, quota).await)
    }

    async fn settle(&self, layer: &'static str, ended: &EndedSession, attempt: Option<&WriteId>) -> Answer<bool> {
        on_archive!(self, archive => archive.settle(layer, ended, attempt).await)
    }

    async fn history(&self, layer: &'static str, user: &UserId, page: &HistoryPage<'_>) -> Answer<Vec<EndedSession>> {
        on_archive!(self, archive => archive.history(layer, user, page).await)
    }

    async fn counts(&self, layer: &'static str, kind: Option<&str>, steps: Steps) -> Answer<Vec<Count>> {
        on_archive!(self, archive => archive.counts(layer, kind, steps).await)
    }

    async fn add_dead(&self, layer: &'static str, letters: &[DeadLetter]) -> Answer<()> {
        on_archive!(self, archive => archive.add_dead(layer, letters).await)
    }

    async fn dead(&self, layer: &'static str, from: Uuid, limit: usize) -> Answer<Vec<DeadLetter>> {
        on_archive!(self, archive => archive.dead(layer, from, limit).await)
    }

    async fn remove_dead(&self, layer: &'static str, ids: &[Uuid]) -> Answer<()> {
        on_archive!(self, archive => archive.remove_dead(layer, ids).await)
    }

    async fn forget(&self, layer: &'static str, before: Timestamp, limit: usize) -> Answer<u64> {
        on_archive!(self, archive => archive.forget(layer, before, limit).await)
    }

    async fn erase(&self, layer: &'static str, user: &UserId, limit: usize) -> Answer<u64> {
        on_archive!(self, archive => archive.erase(layer, user, limit).await)
    }
}
