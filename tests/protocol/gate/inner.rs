//! The real store behind the gate.

use std::time::Duration;
use thin_session::store::{
    Admission, Admitted, Answer, Departure, Entry, Key, Marker, Member, Outcome, Owner, Revocation, Revocations, Store,
    Sweep, Swept, Timestamp, WriteId,
};
use thin_session::{MemoryStore, RedisStore};

/// The stores that stand behind a gate.
pub(crate) enum Inner {
    Memory(MemoryStore),
    Redis(RedisStore),
}

impl Store for Inner {
    async fn load(&self, key: &Key) -> Answer<Option<Entry>> {
        match self {
            Self::Memory(store) => store.load(key).await,
            Self::Redis(store) => store.load(key).await,
        }
    }

    async fn create(&self, key: &Key, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        match self {
            Self::Memory(store) => store.create(key, entry, keep_for).await,
            Self::Redis(store) => store.create(key, entry, keep_for).await,
        }
    }

    async fn commit(&self, key: &Key, expected: WriteId, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        match self {
            Self::Memory(store) => store.commit(key, expected, entry, keep_for).await,
            Self::Redis(store) => store.commit(key, expected, entry, keep_for).await,
        }
    }

    async fn touch(&self, key: &Key, seen: Timestamp, now: Timestamp, keep_for: Duration) -> Answer<bool> {
        match self {
            Self::Memory(store) => store.touch(key, seen, now, keep_for).await,
            Self::Redis(store) => store.touch(key, seen, now, keep_for).await,
        }
    }

    async fn end(&self, key: &Key, expected: Option<WriteId>, marker: &Marker) -> Answer<Outcome> {
        match self {
            Self::Memory(store) => store.end(key, expected, marker).await,
            Self::Redis(store) => store.end(key, expected, marker).await,
        }
    }

    async fn admit(&self, owner: &Owner, admission: &Admission<'_>) -> Answer<Admitted> {
        match self {
            Self::Memory(store) => store.admit(owner, admission).await,
            Self::Redis(store) => store.admit(owner, admission).await,
        }
    }

    async fn depart(&self, owner: &Owner, departure: &Departure) -> Answer<Outcome> {
        match self {
            Self::Memory(store) => store.depart(owner, departure).await,
            Self::Redis(store) => store.depart(owner, departure).await,
        }
    }

    async fn members(&self, owner: &Owner) -> Answer<Vec<(Member, Entry)>> {
        match self {
            Self::Memory(store) => store.members(owner).await,
            Self::Redis(store) => store.members(owner).await,
        }
    }

    async fn end_all(&self, owner: &Owner, sweep: &Sweep) -> Answer<Option<Swept>> {
        match self {
            Self::Memory(store) => store.end_all(owner, sweep).await,
            Self::Redis(store) => store.end_all(owner, sweep).await,
        }
    }

    async fn publish(&self, realm: &'static str, news: &Revocation) -> Answer<()> {
        match self {
            Self::Memory(store) => store.publish(realm, news).await,
            Self::Redis(store) => store.publish(realm, news).await,
        }
    }

    async fn follow(&self, realm: &'static str, known: &Revocations) {
        match self {
            Self::Memory(store) => store.follow(realm, known).await,
            Self::Redis(store) => store.follow(realm, known).await,
        }
    }
}
