//! A store with a deadline: each write is sent until its fate is known or its time is up.

use super::boxed::BoxedStore;
use super::fate::{Fate, fate};
use super::meter::Meter;
use super::{
    Admission, Admitted, Answer, Departure, Entry, Key, Marker, Member, Outcome, Owner, Revocation, Revocations, Store,
    StoreError, Sweep, Swept,
};
use crate::clock::Timestamp;
use crate::error::{SessionError, SessionErrorKind};
use crate::id::{Epoch, WriteId};
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

impl Ending {
    fn of(outcome: Outcome, marker: &Marker) -> Result<Self, SessionError> {
        Ok(match outcome {
            Outcome::Applied => Self::Applied,
            Outcome::Absent => Self::Absent,
            Outcome::Found(found) => {
                let (header, tail) = found.parse()?;
                let own = header.state == marker.state && tail == marker.tail();
                if own { Self::Applied } else { Self::Found(found) }
            }
        })
    }
}

/// What became of an admission.
#[derive(Debug)]
pub(crate) enum Entered {
    Admitted,
    /// All of the user's sessions were ended, and the epoch is this; with the time by the store's clock.
    Outdated {
        epoch: Epoch,
        now: Timestamp,
    },
    /// The predecessor is not what was expected, but this.
    Predecessor(Option<Entry>),
    Full,
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
        let found = self.answered("load", || self.store.load(key)).await?;
        found.iter().for_each(|entry| telemetry::record_bytes("load", entry.as_bytes().len()));
        Ok(found)
    }

    /// Makes a new entry. Its key is random, so that what is found there was made by an earlier transmission.
    pub(crate) async fn create(&self, key: &Key, entry: &Entry, keep_for: Duration) -> Result<(), SessionError> {
        telemetry::record_bytes("create", entry.as_bytes().len());
        let mut tries = Tries::until(self.deadline());
        loop {
            let error = match self.within("create", tries.until, self.store.create(key, entry, keep_for)).await {
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
        telemetry::record_bytes("commit", entry.as_bytes().len());
        let mut tries = Tries::until(until);
        loop {
            let error = match self.within("commit", until, self.store.commit(key, base, entry, keep_for)).await {
                Ok(Outcome::Applied) => return Ok(Commit::Applied(None)),
                Ok(Outcome::Found(found)) => {
                    return match fate(&found.header()?, entry.write_id(), base, tries.silent) {
                        Fate::Applied => Ok(Commit::Applied(Some(found))),
                        Fate::NotApplied => Ok(Commit::Conflict(found)),
                        Fate::Unknown => Err(unknown()),
                    };
                }
                Ok(Outcome::Absent) if tries.silent => return Err(unknown()),
                Ok(Outcome::Absent) => return Ok(Commit::Absent),
                Err(error) => error,
            };
            tries.again(error).await?;
        }
    }

    /// Notes activity, trying once: the next request tries again.
    pub(crate) async fn touch(&self, key: &Key, seen: Timestamp, now: Timestamp, keep_for: Duration) -> Answer<bool> {
        self.within("touch", self.deadline(), self.store.touch(key, seen, now, keep_for)).await
    }

    pub(crate) async fn end(
        &self,
        key: &Key,
        expected: Option<WriteId>,
        marker: &Marker,
    ) -> Result<Ending, SessionError> {
        Ending::of(self.answered("end", || self.store.end(key, expected, marker)).await?, marker)
    }
}

/// The sessions of a user.
impl PatientStore {
    /// Admits a new session. Its key is random, so that what is found there was made by an earlier transmission.
    pub(crate) async fn admit(
        &self,
        owner: &Owner,
        admission: &Admission<'_>,
        until: Instant,
    ) -> Result<Entered, SessionError> {
        telemetry::record_bytes("admit", admission.entry.as_bytes().len());
        let mut tries = Tries::until(until);
        loop {
            let error = match self.within("admit", until, self.store.admit(owner, admission)).await {
                Ok(Admitted::Found(found)) if !found.header()?.knows(admission.entry.write_id()) => {
                    StoreError::not_applied("another session has this random id")
                }
                Ok(Admitted::Found(found)) if found.is_live() => return Ok(Entered::Admitted),
                Ok(Admitted::Found(_)) => return Err(SessionErrorKind::Ended.into()),
                Ok(Admitted::Admitted) => return Ok(Entered::Admitted),
                Ok(Admitted::Outdated { epoch, now }) => return Ok(Entered::Outdated { epoch, now }),
                Ok(Admitted::Predecessor(found)) => return Ok(Entered::Predecessor(found)),
                Ok(Admitted::Full) => return Ok(Entered::Full),
                Err(error) => error,
            };
            tries.again(error).await?;
        }
    }

    pub(crate) async fn depart(&self, owner: &Owner, departure: &Departure) -> Result<Ending, SessionError> {
        Ending::of(self.answered("depart", || self.store.depart(owner, departure)).await?, &departure.marker)
    }

    pub(crate) async fn members(&self, owner: &Owner) -> Result<Vec<(Member, Entry)>, SessionError> {
        self.answered("members", || self.store.members(owner)).await
    }

    /// Ends all sessions of a user. Sent again after a lost reply it ends them again, of which there are none then.
    pub(crate) async fn end_all(&self, owner: &Owner, sweep: &Sweep) -> Result<Option<Swept>, SessionError> {
        self.answered("end_all", || self.store.end_all(owner, sweep)).await
    }

    pub(crate) async fn publish(&self, realm: &'static str, news: &Revocation) -> Result<(), SessionError> {
        self.answered("publish", || self.store.publish(realm, news)).await
    }

    /// Goes on until it is dropped.
    pub(crate) async fn follow(&self, realm: &'static str, known: &Revocations) {
        self.store.follow(realm, known).await;
    }
}

impl PatientStore {
    /// Calls the store until it answers, or there is no time for another try.
    async fn answered<T, F>(&self, operation: &'static str, call: impl Fn() -> F) -> Result<T, SessionError>
    where
        F: Future<Output = Answer<T>>,
    {
        let mut tries = Tries::until(self.deadline());
        loop {
            match self.within(operation, tries.until, call()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => tries.again(error).await?,
            }
        }
    }

    /// The store's answer, or "unknown" when the time is up.
    async fn within<T>(
        &self,
        operation: &'static str,
        until: Instant,
        call: impl Future<Output = Answer<T>>,
    ) -> Answer<T> {
        let counted = telemetry::StoreCall::begin(operation);
        let is_read = matches!(operation, "load" | "members");
        let answer = self.in_time(until, call).await.map_err(|error| if is_read { error.of_read() } else { error });
        counted.end(match &answer {
            Ok(_) => "answered",
            Err(error) if error.maybe_applied() => "unknown",
            Err(_) => "refused",
        });
        answer
    }

    async fn in_time<T>(&self, until: Instant, call: impl Future<Output = Answer<T>>) -> Answer<T> {
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
            let kind = if self.silent {
                telemetry::unknown_outcome();
                SessionErrorKind::Unknown
            } else {
                SessionErrorKind::unavailable()
            };
            return Err(SessionError::with_source(kind, error));
        }
        telemetry::store_retry(&error);
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

fn unknown() -> SessionError {
    telemetry::unknown_outcome();
    SessionErrorKind::Unknown.into()
}

impl fmt::Debug for PatientStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PatientStore").field("patience", &self.patience).finish_non_exhaustive()
    }
}
