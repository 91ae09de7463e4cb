//! A store with a deadline: each write is sent until its fate is known or its time is up.

use super::boxed::{BoxedLasting, BoxedStore};
use super::fate::{Fate, fate};
use super::meter::Meter;
use super::patience::{Patience, Tries, unknown};
use super::{
    Admission, Admitted, Answer, Departure, Entry, Key, LastingStore, Marker, Member, Outcome, Owner, Revocation,
    Revocations, Store, StoreError, Sweep, Swept,
};
use crate::clock::Timestamp;
use crate::error::{SessionError, SessionErrorKind};
use crate::id::{Epoch, WriteId};
use crate::telemetry;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What the layer speaks to.
#[derive(Clone)]
pub(crate) struct PatientStore {
    store: Arc<dyn BoxedStore>,
    /// The same, if it can keep user sessions.
    pub(super) lasting: Option<Arc<dyn BoxedLasting>>,
    pub(super) patience: Patience,
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
    /// It was admitted, and has left this marker since.
    Left(Entry),
    /// All of the user's sessions were ended, and the epoch is this; with the time by the store's clock.
    Outdated {
        epoch: Epoch,
        now: Timestamp,
    },
    /// The predecessor is not what was expected, but this.
    Predecessor(Option<Entry>),
    Full,
}

impl PatientStore {
    pub(crate) fn new(store: impl Store, patience: Duration) -> Self {
        let patience = Patience::new(patience, store.longest_wait());
        Self { store: Arc::new(store), lasting: None, patience }
    }

    pub(crate) fn with_user_sessions(store: impl LastingStore, patience: Duration) -> Self {
        let patience = Patience::new(patience, store.longest_wait());
        let store = Arc::new(store);
        Self { store: store.clone(), lasting: Some(store), patience }
    }

    /// How long all tries of one operation may take together.
    pub(crate) fn patience(&self) -> Duration {
        self.patience.time()
    }

    pub(crate) fn with_patience(self, patience: Duration) -> Self {
        Self { patience: self.patience.with_time(patience), ..self }
    }

    /// The same store, counting its calls elsewhere.
    pub(crate) fn counting(self, meter: Arc<Meter>) -> Self {
        Self { patience: self.patience.counting(meter), ..self }
    }

    /// When an operation that begins now must have ended.
    pub(crate) fn deadline(&self) -> Instant {
        self.patience.deadline()
    }

    /// Whether a further try is worth beginning: one that is cut off in its course would end as unknown.
    pub(crate) fn has_time(&self, until: Instant) -> bool {
        self.patience.has_time(until)
    }

    pub(crate) async fn load(&self, key: &Key) -> Result<Option<Entry>, SessionError> {
        let found = self.patience.answered("load", || self.store.load(key)).await?;
        found.iter().for_each(|entry| telemetry::record_bytes("load", entry.as_bytes().len()));
        Ok(found)
    }

    /// Makes a new entry. Its key is random, so that what is found there was made by an earlier transmission.
    pub(crate) async fn create(&self, key: &Key, entry: &Entry, keep_for: Duration) -> Result<(), SessionError> {
        telemetry::record_bytes("create", entry.as_bytes().len());
        let mut tries = Tries::until(self.deadline());
        loop {
            let error =
                match self.patience.within("create", tries.deadline(), self.store.create(key, entry, keep_for)).await {
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
        base: &Entry,
        entry: &Entry,
        keep_for: Duration,
        until: Instant,
    ) -> Result<Commit, SessionError> {
        telemetry::record_bytes("commit", entry.as_bytes().len());
        let mut tries = Tries::until(until);
        loop {
            let call = self.store.commit_over(key, base, entry, keep_for);
            let error = match self.patience.within("commit", until, call).await {
                Ok(Outcome::Applied) => return Ok(Commit::Applied(None)),
                Ok(Outcome::Found(found)) => {
                    return match fate(&found.header()?, entry.write_id(), base.write_id(), tries.were_silent()) {
                        Fate::Applied => Ok(Commit::Applied(Some(found))),
                        Fate::NotApplied => Ok(Commit::Conflict(found)),
                        Fate::Unknown => Err(unknown()),
                    };
                }
                Ok(Outcome::Absent) if tries.were_silent() => return Err(unknown()),
                Ok(Outcome::Absent) => return Ok(Commit::Absent),
                Err(error) => error,
            };
            tries.again(error).await?;
        }
    }

    /// Notes activity, trying once: the next request tries again.
    pub(crate) async fn touch(&self, key: &Key, seen: Timestamp, now: Timestamp, keep_for: Duration) -> Answer<bool> {
        self.patience.within("touch", self.deadline(), self.store.touch(key, seen, now, keep_for)).await
    }

    pub(crate) async fn end(
        &self,
        key: &Key,
        expected: Option<WriteId>,
        marker: &Marker,
    ) -> Result<Ending, SessionError> {
        Ending::of(self.patience.answered("end", || self.store.end(key, expected, marker)).await?, marker)
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
            let error = match self.patience.within("admit", until, self.store.admit(owner, admission)).await {
                Ok(Admitted::Found(found)) if !found.header()?.knows(admission.entry.write_id()) => {
                    StoreError::not_applied("another session has this random id")
                }
                Ok(Admitted::Found(found)) if found.is_live() => return Ok(Entered::Admitted),
                Ok(Admitted::Found(found)) => return Ok(Entered::Left(found)),
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
        Ending::of(self.patience.answered("depart", || self.store.depart(owner, departure)).await?, &departure.marker)
    }

    pub(crate) async fn members(&self, owner: &Owner) -> Result<Vec<(Member, Entry)>, SessionError> {
        self.patience.answered("members", || self.store.members(owner)).await
    }

    /// Ends all sessions of a user. Sent again after a lost reply it ends them again, of which there are none then. If the one
    /// that was to be kept has gone meanwhile, nobody knows whether the others were ended before that.
    pub(crate) async fn end_all(&self, owner: &Owner, sweep: &Sweep) -> Result<Option<Swept>, SessionError> {
        let mut tries = Tries::until(self.deadline());
        loop {
            match self.patience.within("end_all", tries.deadline(), self.store.end_all(owner, sweep)).await {
                Ok(None) if tries.were_silent() => return Err(unknown()),
                Ok(swept) => return Ok(swept),
                Err(error) => tries.again(error).await?,
            }
        }
    }

    pub(crate) async fn publish(&self, realm: &'static str, news: &Revocation) -> Result<(), SessionError> {
        self.patience.answered("publish", || self.store.publish(realm, news)).await
    }

    /// Goes on until it is dropped.
    pub(crate) async fn follow(&self, realm: &'static str, known: &Revocations) {
        self.store.follow(realm, known).await;
    }
}

impl fmt::Debug for PatientStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PatientStore").field("patience", &self.patience).finish_non_exhaustive()
    }
}
