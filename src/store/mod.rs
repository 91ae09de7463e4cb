//! The port to where sessions are kept, for those who write a store.
//!
//! [`Store`] is five operations on one key each; the comments on them are the whole contract. What a conflict or a lost
//! reply means is decided above this port, once for all stores.
//!
//! # The bytes of an entry
//!
//! For a store that compares and changes them by a script of its own; [`Entry`] does so in Rust. Numbers have their highest
//! byte first.
//!
#![doc = include_str!("../docs/record.md")]

mod boxed;
mod error;
mod fate;
mod key;
mod meter;
mod patient;

pub use crate::clock::Timestamp;
pub use crate::id::WriteId;
pub use crate::record::{Entry, Malformed, Marker};

pub use error::StoreError;
pub use key::Key;
pub(crate) use meter::Meter;
pub(crate) use patient::{Commit, Ending, PatientStore};

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// What a store answers.
pub type Answer<T> = Result<T, StoreError>;

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// It was applied.
    Applied,
    /// It was not, because of the entry that is there.
    Found(Entry),
    /// It was not, because nothing is there.
    Absent,
}

/// Where sessions are kept. Implement it with `async fn`.
///
/// Each operation is atomic, and happens at most once for each call: a store never sends a write again on its own,
/// and switches off a client library that would. Every operation answers in bounded time.
///
/// What does not count as an error: a key that is absent, has expired, or holds a marker.
pub trait Store: Send + Sync + 'static {
    /// Reads what is under `key`, markers included. What has expired is absent, swept or not.
    ///
    /// Never from a replica that may lag behind: a stale "absent" would begin a second session.
    fn load(&self, key: &Key) -> impl Future<Output = Answer<Option<Entry>>> + Send;

    /// Puts `entry` under `key` for `keep_for`, if nothing is there: no session and no marker.
    ///
    /// Value and expiry are set as one. A full store refuses here, and evicts nothing that lives.
    fn create(&self, key: &Key, entry: &Entry, keep_for: Duration) -> impl Future<Output = Answer<Outcome>> + Send;

    /// Puts `entry` in the place of a live one whose write id is `expected`, with `keep_for` from now as its new time.
    ///
    /// Never creates: under an absent key or a marker nothing happens.
    fn commit(
        &self,
        key: &Key,
        expected: WriteId,
        entry: &Entry,
        keep_for: Duration,
    ) -> impl Future<Output = Answer<Outcome>> + Send;

    /// Notes activity at `now` in a live entry that was last touched at `seen`, and keeps it for `keep_for` from now.
    ///
    /// Answers whether it did. Everything else in the entry stays, its write id too. Of many requests that find a touch
    /// due, one writes.
    fn touch(
        &self,
        key: &Key,
        seen: Timestamp,
        now: Timestamp,
        keep_for: Duration,
    ) -> impl Future<Output = Answer<bool>> + Send;

    /// Puts [`Entry::ended`] in the place of a live entry, for [`Marker::KEPT`].
    ///
    /// With `expected`, only if that is its write id; without, whatever it is. A store that is full or out of memory
    /// carries it out all the same: ending is never refused.
    fn end(
        &self,
        key: &Key,
        expected: Option<WriteId>,
        marker: &Marker,
    ) -> impl Future<Output = Answer<Outcome>> + Send;
}

impl<S: Store> Store for Arc<S> {
    async fn load(&self, key: &Key) -> Answer<Option<Entry>> {
        (**self).load(key).await
    }

    async fn create(&self, key: &Key, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        (**self).create(key, entry, keep_for).await
    }

    async fn commit(&self, key: &Key, expected: WriteId, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        (**self).commit(key, expected, entry, keep_for).await
    }

    async fn touch(&self, key: &Key, seen: Timestamp, now: Timestamp, keep_for: Duration) -> Answer<bool> {
        (**self).touch(key, seen, now, keep_for).await
    }

    async fn end(&self, key: &Key, expected: Option<WriteId>, marker: &Marker) -> Answer<Outcome> {
        (**self).end(key, expected, marker).await
    }
}
