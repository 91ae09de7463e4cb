//! A store with a deadline: each write is sent until its fate is known or its time is up.

use super::boxed::BoxedStore;
use super::fate::{Fate, fate};
use super::meter::Meter;
use super::{Answer, Entry, Key, Marker, Outcome, Store, StoreError};
use crate::clock::Timestamp;
use crate::error::{SessionError, SessionErrorKind};
use crate::id::WriteId;
use crate::telemetry;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// What the layer speaks to.
#[derive(Clone)]
pub(crate) struct PatientStore {
    store: Arc<dyn BoxedStore>,
    patience: Duration,
    meter: Arc<Meter>,
}

/// What became of a commit.
#[derive(Debug)]
pub(crate) enum Commit {
    /// Applied. If others have written since, what is there now.
    Applied(Option<Entry>),
    /// Not applied, because of what is there: a session or a marker.
    Conflict(Entry),
    /// Not applied: nothing is there.
    Absent,
}

/// What became of an ending.
#[derive(Debug)]
pub(crate) enum Ending {
    Applied,
    /// Not applied, because of what is there: another write, or somebody else's marker.
    Found(Entry),
    Absent,
}

/// The tries of one operation.
struct Tries {
    until: Instant,
    made: u32,
    /// Whether one of them had no reply, so that it may have been applied.
    silent: bool,
}

impl PatientStore {
    pub(crate) fn new(store: impl Store, patience: Duration) -> Self {
        Self { store: Arc::new(store), patience, meter: Arc::default() }
    }

    pub(crate) fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The same store, counting its calls elsewhere.
    pub(crate) fn counting(self, meter: Arc<Meter>) -> Self {
        Self { meter, ..self }
    }

    /// When an operation that begins now must have ended.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.patience
    }

    /// Whether a further try is worth beginning: one that is cut off in its course would end as unknown.
    pub(crate) fn has_time(&self, until: Instant) -> bool {
        Instant::now() + self.patience / 4 < until
    }

    pub(crate) async fn load(&self, key: &Key) -> Result<Option<Entry>, SessionError> {
        let mut tries = Tries::until(self.deadline());
        loop {
            match self.within(tries.until, self.store.load(key)).await {
                Ok(found) => return Ok(found),
                Err(error) => tries.again(error.of_read()).await?,
            }
        }
    }

    /// Makes a new entry. Its key is random, so that what is found there was made by an earlier transmission.
    pub(crate) async fn create(&self, key: &Key, entry: &Entry, keep_for: Duration) -> Result<(), SessionError> {
        let mut tries = Tries::until(self.deadline());
        loop {
            let error = match self.within(tries.until, self.store.create(key, entry, keep_for)).await {
                Ok(Outcome::Applied) => return Ok(()),
                Ok(Outcome::Found(found)) if !found.header()?.knows(entry.write_id()) => {
                    StoreError::not_applied("another session has this random id")
                }
                Ok(Outcome::Found(found)) if found.is_live() => return Ok(()),
                Ok(Outcome::Found(_)) => return Err(SessionErrorKind::Ended.into()),
                Ok(Outcome::Absent) => StoreError::not_applied("what stood in the way has just expired"),
                Err(error) => error,
            };
            tries.again(error).await?;
        }
    }

    pub(crate) async fn commit(
        &self,
        key: &Key,
        base: WriteId,
        entry: &Entry,
        keep_for: Duration,
        until: Instant,
    ) -> Result<Commit, SessionError> {
        let mut tries = Tries::until(until);
        loop {
            let error = match self.within(until, self.store.commit(key, base, entry, keep_for)).await {
                Ok(Outcome::Applied) => return Ok(Commit::Applied(None)),
                Ok(Outcome::Found(found)) => {
                    return match fate(&found.header()?, entry.write_id(), base, tries.silent) {
                        Fate::Applied => Ok(Commit::Applied(Some(found))),
                        Fate::NotApplied => Ok(Commit::Conflict(found)),
                        Fate::Unknown => Err(SessionErrorKind::Unknown.into()),
                    };
                }
                Ok(Outcome::Absent) if tries.silent => return Err(SessionErrorKind::Unknown.into()),
                Ok(Outcome::Absent) => return Ok(Commit::Absent),
                Err(error) => error,
            };
            tries.again(error).await?;
        }
    }

    /// Notes activity, trying once: the next request tries again.
    pub(crate) async fn touch(&self, key: &Key, seen: Timestamp, now: Timestamp, keep_for: Duration) -> Answer<bool> {
        self.within(self.deadline(), self.store.touch(key, seen, now, keep_for)).await
    }

    pub(crate) async fn end(
        &self,
        key: &Key,
        expected: Option<WriteId>,
        marker: &Marker,
    ) -> Result<Ending, SessionError> {
        let mut tries = Tries::until(self.deadline());
        loop {
            match self.within(tries.until, self.store.end(key, expected, marker)).await {
                Ok(Outcome::Applied) => return Ok(Ending::Applied),
                Ok(Outcome::Found(found)) => {
                    let (header, tail) = found.parse()?;
                    let own = header.state == marker.state && tail == marker.tail();
                    return Ok(if own { Ending::Applied } else { Ending::Found(found) });
                }
                Ok(Outcome::Absent) => return Ok(Ending::Absent),
                Err(error) => tries.again(error).await?,
            }
        }
    }
}

impl PatientStore {
    /// The store's answer, or "unknown" when the time is up.
    async fn within<T>(&self, until: Instant, call: impl Future<Output = Answer<T>>) -> Answer<T> {
        self.meter.count();
        let mut call = pin!(call);
        // A store in memory answers at once; it needs no timer, and so no runtime.
        if let Poll::Ready(answer) = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await {
            return answer;
        }
        match tokio::time::timeout_at(until, call).await {
            Ok(answer) => answer,
            Err(elapsed) => Err(StoreError::unknown(elapsed)),
        }
    }
}

impl Tries {
    /// Tries of a write that surely was not applied. More would only keep a client waiting for its 503.
    const MAX: u32 = 3;

    fn until(until: Instant) -> Self {
        Self { until, made: 0, silent: false }
    }

    /// Waits before the next try.
    ///
    /// # Errors
    ///
    /// That there is none: unknown if some try had no reply, else unavailable.
    async fn again(&mut self, error: StoreError) -> Result<(), SessionError> {
        self.made += 1;
        self.silent |= error.maybe_applied();
        let pause = Duration::from_millis(rand::random_range(5..25 << self.made.min(4)));
        let in_vain = error.is_for_good() || self.made >= Self::MAX;
        // Where no runtime runs there is nothing to wait with.
        let no_time = Instant::now() + pause >= self.until || Handle::try_current().is_err();
        let give_up = no_time || (!self.silent && in_vain);
        if give_up {
            let kind = if self.silent { SessionErrorKind::Unknown } else { SessionErrorKind::unavailable() };
            return Err(SessionError::with_source(kind, error));
        }
        telemetry::store_retry(&error);
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

impl fmt::Debug for PatientStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PatientStore").field("patience", &self.patience).finish_non_exhaustive()
    }
}
