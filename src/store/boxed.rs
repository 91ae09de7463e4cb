//! [`Store`] and [`LastingStore`] with their futures boxed, so that the layer has no type parameter. One allocation for each call of a store.

use super::{
    Admission, Admitted, Answer, Departure, Entry, Key, LastingStore, Marker, Member, Outcome, Outgoing, Owner,
    Replaced, Replacement, Revocation, Revocations, Store, Sweep, Swept, Timestamp, WriteId,
};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;
use uuid::Uuid;

pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = Answer<T>> + Send + 'a>>;
pub(crate) type Endless<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

pub(crate) trait BoxedStore: Send + Sync {
    fn load<'a>(&'a self, key: &'a Key) -> Boxed<'a, Option<Entry>>;
    fn create<'a>(&'a self, key: &'a Key, entry: &'a Entry, keep_for: Duration) -> Boxed<'a, Outcome>;
    fn commit_over<'a>(
        &'a self,
        key: &'a Key,
        base: &'a Entry,
        entry: &'a Entry,
        keep_for: Duration,
    ) -> Boxed<'a, Outcome>;
    fn touch<'a>(&'a self, key: &'a Key, seen: Timestamp, now: Timestamp, keep_for: Duration) -> Boxed<'a, bool>;
    fn end<'a>(&'a self, key: &'a Key, expected: Option<WriteId>, marker: &'a Marker) -> Boxed<'a, Outcome>;
    fn admit<'a>(&'a self, owner: &'a Owner, admission: &'a Admission<'_>) -> Boxed<'a, Admitted>;
    fn depart<'a>(&'a self, owner: &'a Owner, departure: &'a Departure) -> Boxed<'a, Outcome>;
    fn members<'a>(&'a self, owner: &'a Owner) -> Boxed<'a, Vec<(Member, Entry)>>;
    fn end_all<'a>(&'a self, owner: &'a Owner, sweep: &'a Sweep) -> Boxed<'a, Option<Swept>>;
    fn publish<'a>(&'a self, realm: &'static str, news: &'a Revocation) -> Boxed<'a, ()>;
    fn follow<'a>(&'a self, realm: &'static str, known: &'a Revocations) -> Endless<'a>;
}

impl<S: Store> BoxedStore for S {
    fn load<'a>(&'a self, key: &'a Key) -> Boxed<'a, Option<Entry>> {
        Box::pin(Store::load(self, key))
    }

    fn create<'a>(&'a self, key: &'a Key, entry: &'a Entry, keep_for: Duration) -> Boxed<'a, Outcome> {
        Box::pin(Store::create(self, key, entry, keep_for))
    }

    fn commit_over<'a>(
        &'a self,
        key: &'a Key,
        base: &'a Entry,
        entry: &'a Entry,
        keep_for: Duration,
    ) -> Boxed<'a, Outcome> {
        Box::pin(Store::commit_over(self, key, base, entry, keep_for))
    }

    fn touch<'a>(&'a self, key: &'a Key, seen: Timestamp, now: Timestamp, keep_for: Duration) -> Boxed<'a, bool> {
        Box::pin(Store::touch(self, key, seen, now, keep_for))
    }

    fn end<'a>(&'a self, key: &'a Key, expected: Option<WriteId>, marker: &'a Marker) -> Boxed<'a, Outcome> {
        Box::pin(Store::end(self, key, expected, marker))
    }

    fn admit<'a>(&'a self, owner: &'a Owner, admission: &'a Admission<'_>) -> Boxed<'a, Admitted> {
        Box::pin(Store::admit(self, owner, admission))
    }

    fn depart<'a>(&'a self, owner: &'a Owner, departure: &'a Departure) -> Boxed<'a, Outcome> {
        Box::pin(Store::depart(self, owner, departure))
    }

    fn members<'a>(&'a self, owner: &'a Owner) -> Boxed<'a, Vec<(Member, Entry)>> {
        Box::pin(Store::members(self, owner))
    }

    fn end_all<'a>(&'a self, owner: &'a Owner, sweep: &'a Sweep) -> Boxed<'a, Option<Swept>> {
        Box::pin(Store::end_all(self, owner, sweep))
    }

    fn publish<'a>(&'a self, realm: &'static str, news: &'a Revocation) -> Boxed<'a, ()> {
        Box::pin(Store::publish(self, realm, news))
    }

    fn follow<'a>(&'a self, realm: &'static str, known: &'a Revocations) -> Endless<'a> {
        Box::pin(Store::follow(self, realm, known))
    }
}

pub(crate) trait BoxedLasting: Send + Sync {
    fn load_both<'a>(&'a self, session: &'a Key, user_session: &'a Key) -> Boxed<'a, [Option<Entry>; 2]>;
    fn load_several<'a>(&'a self, keys: &'a [Key]) -> Boxed<'a, Vec<Option<Entry>>>;
    fn replace<'a>(&'a self, key: &'a Key, replacement: &'a Replacement<'_>) -> Boxed<'a, Replaced>;
    fn renew<'a>(&'a self, key: &'a Key, seen: Timestamp, idle: Duration, keep_for: Duration) -> Boxed<'a, bool>;
    fn outbox<'a>(&'a self, realm: &'static str, shard: u8, limit: usize) -> Boxed<'a, Vec<Outgoing>>;
    fn full_outboxes<'a>(&'a self, realm: &'static str) -> Boxed<'a, Vec<(u8, usize)>>;
    fn due<'a>(&'a self, realm: &'static str, limit: usize) -> Boxed<'a, Vec<(Key, Entry)>>;
    fn put_off<'a>(&'a self, key: &'a Key, look_in: Duration) -> Boxed<'a, ()>;
    fn retire<'a>(&'a self, realm: &'static str, limit: usize) -> Boxed<'a, bool>;
    fn sent<'a>(&'a self, realm: &'static str, shard: u8, ids: &'a [Uuid]) -> Boxed<'a, ()>;
}

impl<S: LastingStore> BoxedLasting for S {
    fn load_both<'a>(&'a self, session: &'a Key, user_session: &'a Key) -> Boxed<'a, [Option<Entry>; 2]> {
        Box::pin(LastingStore::load_both(self, session, user_session))
    }

    fn load_several<'a>(&'a self, keys: &'a [Key]) -> Boxed<'a, Vec<Option<Entry>>> {
        Box::pin(LastingStore::load_several(self, keys))
    }

    fn replace<'a>(&'a self, key: &'a Key, replacement: &'a Replacement<'_>) -> Boxed<'a, Replaced> {
        Box::pin(LastingStore::replace(self, key, replacement))
    }

    fn renew<'a>(&'a self, key: &'a Key, seen: Timestamp, idle: Duration, keep_for: Duration) -> Boxed<'a, bool> {
        Box::pin(LastingStore::renew(self, key, seen, idle, keep_for))
    }

    fn outbox<'a>(&'a self, realm: &'static str, shard: u8, limit: usize) -> Boxed<'a, Vec<Outgoing>> {
        Box::pin(LastingStore::outbox(self, realm, shard, limit))
    }

    fn full_outboxes<'a>(&'a self, realm: &'static str) -> Boxed<'a, Vec<(u8, usize)>> {
        Box::pin(LastingStore::full_outboxes(self, realm))
    }

    fn due<'a>(&'a self, realm: &'static str, limit: usize) -> Boxed<'a, Vec<(Key, Entry)>> {
        Box::pin(LastingStore::due(self, realm, limit))
    }

    fn put_off<'a>(&'a self, key: &'a Key, look_in: Duration) -> Boxed<'a, ()> {
        Box::pin(LastingStore::put_off(self, key, look_in))
    }

    fn retire<'a>(&'a self, realm: &'static str, limit: usize) -> Boxed<'a, bool> {
        Box::pin(LastingStore::retire(self, realm, limit))
    }

    fn sent<'a>(&'a self, realm: &'static str, shard: u8, ids: &'a [Uuid]) -> Boxed<'a, ()> {
        Box::pin(LastingStore::sent(self, realm, shard, ids))
    }
}
