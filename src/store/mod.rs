//! The port behind which sessions are kept. Implement [`Store`] to keep them somewhere else.
//!
//! [`Store`] is five operations on one session each, four on the sessions of a user, and two that tell all processes what has
//! been revoked; [`LastingStore`] adds ten, for [user sessions](crate::UserSession) and for what waits until an archive has it. The
//! comments on them are the whole contract. What a conflict or a lost reply means is decided above this port, once for all stores.
//!
//! # Writing one
//!
//! Start from the sources of [`MemoryStore`](crate::MemoryStore). A `realm` is the name of a
//! [named](crate::SessionLayer::named) layer, else empty; keys of different layers never collide. With the feature `testing`
//! there are keys, users and markers to test with, and [checks](https://docs.rs/thin-session/latest/thin_session/testing/conformance/)
//! for each sentence below, which all stores of this crate pass.
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
mod lasting;
mod meter;
mod patience;
mod patient;
mod patient_lasting;
mod user;

pub use crate::clock::Timestamp;
pub use crate::id::{Epoch, UserDigest, WriteId};
pub use crate::record::{Entry, Malformed, Marker};
pub use crate::revocation::{Revocation, Revocations, Revoked};

pub use error::StoreError;
pub use key::Key;
#[cfg(feature = "redis")]
pub(crate) use key::{due_name, expiries_name, mark_name, news_name, outbox_name};
pub(crate) use lasting::lives_until;
pub use lasting::{LastingStore, Outgoing, Replaced, Replacement, Standing};
pub(crate) use meter::{Meter, Timer};
pub(crate) use patience::{Patience, Tries};
pub(crate) use patient::{Commit, Ending, Entered, PatientStore};
pub(crate) use patient_lasting::Swap;
pub use user::{Admission, Admitted, Departure, Member, Owner, Sweep, Swept};

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
/// A store that is full, or out of memory, may refuse [`create`](Self::create), [`commit`](Self::commit) and
/// [`admit`](Self::admit), and evicts nothing that lives. Ending is never refused.
///
/// There is no smaller port: a layer that cannot end sessions everywhere must not sign anybody in.
///
/// What does not count as an error: a key that is absent, has expired, or holds a marker.
pub trait Store: Send + Sync + 'static {
    /// For how long at most a call waits for anything before it looks at the time by itself, if there is such a limit. The layer then
    /// sets a timer of its own only for the last such wait before the [deadline](crate::SessionLayer::store_deadline), which
    /// saves one for nearly every call.
    fn longest_wait(&self) -> Option<Duration> {
        None
    }

    /// Reads what is under `key`, markers included. What has expired is absent, swept or not.
    ///
    /// Never from a replica that may lag behind: a stale "absent" would begin a second session.
    fn load(&self, key: &Key) -> impl Future<Output = Answer<Option<Entry>>> + Send;

    /// Puts `entry`, an anonymous session, under `key` for `keep_for`, if nothing is there: no session and no marker.
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

    /// The same, for whoever has the whole entry that it expects: a store that can compare values, and put another in the place of one,
    /// in one command of its own does so here. Where the entry has only been touched meanwhile, it may answer that it found that.
    fn commit_over(
        &self,
        key: &Key,
        base: &Entry,
        entry: &Entry,
        keep_for: Duration,
    ) -> impl Future<Output = Answer<Outcome>> + Send {
        self.commit(key, base.write_id(), entry, keep_for)
    }

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

    /// Puts [`Entry::ended`] in the place of a live entry, an anonymous session's, for [`Marker::KEPT`].
    ///
    /// With `expected`, only if that is its write id; without, whatever it is.
    fn end(
        &self,
        key: &Key,
        expected: Option<WriteId>,
        marker: &Marker,
    ) -> impl Future<Output = Answer<Outcome>> + Send;

    /// Creates a session of a user and adds it to the index of the user's sessions, in one step. The first of these that
    /// applies is the answer, and only the last changes anything:
    ///
    /// 1. Something stands under the new key: [`Admitted::Found`].
    /// 2. The user's epoch in the store is later than [`Admission::epoch`]: [`Admitted::Outdated`].
    /// 3. There is a predecessor, and it is not live or not of the expected write id: [`Admitted::Predecessor`].
    /// 4. The index names [`limit`](Admission::limit) sessions or more, without those past their deadline, the predecessor and
    ///    those to be evicted: [`Admitted::Full`].
    /// 5. Otherwise [`Admitted::Admitted`]: the entry is created; the predecessor and those to be evicted depart as by
    ///    [`depart`](Self::depart), or only leave the index if they are not live; and if the user's epoch is earlier than the
    ///    named one, it becomes that, and is kept for [`Epoch::SPARE`] longer than [`Admission::epoch_until`].
    fn admit(&self, owner: &Owner, admission: &Admission<'_>) -> impl Future<Output = Answer<Admitted>> + Send;

    /// Ends a session of a user as [`end`](Self::end) does; takes it out of the index; and tells the news to all processes.
    ///
    /// Under an absent key the index and the news are seen to as well; under a marker, or another write id than the expected
    /// one, nothing happens.
    fn depart(&self, owner: &Owner, departure: &Departure) -> impl Future<Output = Answer<Outcome>> + Send;

    /// The user's sessions, the one whose deadline comes first in front, with what stands under their keys. Those that have
    /// gone, or left a marker, are taken out of the index and not named. No session comes back under the same key, so that this
    /// can wait for another time.
    fn members(&self, owner: &Owner) -> impl Future<Output = Answer<Vec<(Member, Entry)>>> + Send;

    /// Ends all sessions of a user but one, as one step: none that is admitted before it survives, none after it is touched.
    ///
    /// Moves the user's epoch to the [`next`](Epoch::next) by the store's clock, keeps it for [`Epoch::SPARE`] longer than
    /// [`Sweep::until`], and tells the [`news`](Sweep::news) to all processes. None if the session to be kept is not there:
    /// then nothing happens.
    fn end_all(&self, owner: &Owner, sweep: &Sweep) -> impl Future<Output = Answer<Option<Swept>>> + Send;

    /// Tells news to all processes of the layer of this name.
    fn publish(&self, realm: &'static str, news: &Revocation) -> impl Future<Output = Answer<()>> + Send;

    /// Keeps `known` up to date with what is published in the layer of this name: first all that has not run out, then each
    /// piece of news as it comes, by [`learn`](Revocations::learn).
    ///
    /// Calls [`heard`](Revocations::heard) at least once a second, but only when nothing is left to be read; a store in the same
    /// process calls [`heard_for_good`](Revocations::heard_for_good) instead, once. Runs until it is
    /// dropped, and goes on after every failure.
    ///
    /// A store that finds that it has lost news publishes [all that is known](Revocations::all) again. For a
    /// [`Revoked::User`] it also puts the user's epoch back, unless the one that it has is later.
    fn follow(&self, realm: &'static str, known: &Revocations) -> impl Future<Output = ()> + Send;
}

impl<S: Store> Store for Arc<S> {
    fn longest_wait(&self) -> Option<Duration> {
        (**self).longest_wait()
    }

    async fn load(&self, key: &Key) -> Answer<Option<Entry>> {
        (**self).load(key).await
    }

    async fn create(&self, key: &Key, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        (**self).create(key, entry, keep_for).await
    }

    async fn commit(&self, key: &Key, expected: WriteId, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        (**self).commit(key, expected, entry, keep_for).await
    }

    async fn commit_over(&self, key: &Key, base: &Entry, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        (**self).commit_over(key, base, entry, keep_for).await
    }

    async fn touch(&self, key: &Key, seen: Timestamp, now: Timestamp, keep_for: Duration) -> Answer<bool> {
        (**self).touch(key, seen, now, keep_for).await
    }

    async fn end(&self, key: &Key, expected: Option<WriteId>, marker: &Marker) -> Answer<Outcome> {
        (**self).end(key, expected, marker).await
    }

    async fn admit(&self, owner: &Owner, admission: &Admission<'_>) -> Answer<Admitted> {
        (**self).admit(owner, admission).await
    }

    async fn depart(&self, owner: &Owner, departure: &Departure) -> Answer<Outcome> {
        (**self).depart(owner, departure).await
    }

    async fn members(&self, owner: &Owner) -> Answer<Vec<(Member, Entry)>> {
        (**self).members(owner).await
    }

    async fn end_all(&self, owner: &Owner, sweep: &Sweep) -> Answer<Option<Swept>> {
        (**self).end_all(owner, sweep).await
    }

    async fn publish(&self, realm: &'static str, news: &Revocation) -> Answer<()> {
        (**self).publish(realm, news).await
    }

    async fn follow(&self, realm: &'static str, known: &Revocations) {
        (**self).follow(realm, known).await;
    }
}
