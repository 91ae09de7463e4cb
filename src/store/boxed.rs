//! [`Store`] with its futures boxed, so that the layer has no type parameter. One allocation for each call of a store.

use super::{
    Admission, Admitted, Answer, Departure, Entry, Key, Marker, Member, Outcome, Owner, Revocation, Revocations, Store,
    Sweep, Swept, Timestamp, WriteId,
};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = Answer<T>> + Send + 'a>>;
pub(crate) type Endless<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

pub(crate) trait BoxedStore: Send + Sync {
    fn load<'a>(&'a self, key: &'a Key) -> Boxed<'a, Option<Entry>>;
    fn create<'a>(&'a self, key: &'a Key, entry: &'a Entry, keep_for: Duration) -> Boxed<'a, Outcome>;
    fn commit<'a>(
        &'a self,
        key: &'a Key,
        expected: WriteId,
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

    fn commit<'a>(
        &'a self,
        key: &'a Key,
        expected: WriteId,
        entry: &'a Entry,
        keep_for: Duration,
    ) -> Boxed<'a, Outcome> {
        Box::pin(Store::commit(self, key, expected, entry, keep_for))
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
