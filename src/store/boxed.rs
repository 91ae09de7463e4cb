//! [`Store`] with its futures boxed, so that the layer has no type parameter. One allocation for each call of a store.

use super::{Answer, Entry, Key, Marker, Outcome, Store, Timestamp, WriteId};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = Answer<T>> + Send + 'a>>;

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
}
