//! Sessions in the memory of this process.

mod account;
mod archive;
mod due;
mod lasting;
mod news;
mod outbox;
mod shard;
mod users;

use crate::clock::Clock;
use crate::store::{
    Admission, Admitted, Answer, Departure, Entry, Key, Marker, Member, Outcome, Owner, Revocation, Revocations, Store,
    StoreError, Sweep, Swept, Timestamp, WriteId,
};
use archive::Ended;
use news::News;
use shard::{Shard, Times};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use thiserror::Error;

/// Sessions in the memory of this process: for one server, and sessions that may end with it.
///
/// Keeps the whole contract of [`Store`], of [`LastingStore`](crate::store::LastingStore), and of
/// [`Archive`](crate::archive::Archive) but that nothing survives a crash. Bounded: when it is full of live sessions it refuses to create, and neither
/// evicts one nor refuses an ending. What has expired is swept as the store is used, without a task of its own.
///
/// To share it, put it into an `Arc`, which is a store too.
pub struct MemoryStore {
    shards: Box<[Mutex<Shard>]>,
    /// Told under the lock of the user's shard, and locked after it.
    news: News,
    kept: AtomicUsize,
    limit: usize,
    clock: Clock,
    /// Nothing expires before this, in milliseconds: until then a full store is not worth sweeping.
    earliest: AtomicU64,
    ended: Ended,
    archive_limit: usize,
}

/// The store holds as many sessions as it may.
#[derive(Debug, Error)]
#[error("the store is full: it holds its limit of {0} sessions")]
struct Full(usize);

impl MemoryStore {
    /// As many sessions as a new store holds: with records at the default budget of 4 KiB, about 400 MiB.
    pub const DEFAULT_LIMIT: usize = 100_000;
    /// As many ended sessions as a new store holds as an archive.
    pub const DEFAULT_ARCHIVE_LIMIT: usize = 100_000;

    /// An empty store.
    pub fn new() -> Self {
        let shards = std::iter::repeat_with(Mutex::default).take(256).collect();
        Self {
            shards,
            news: News::default(),
            kept: AtomicUsize::new(0),
            limit: Self::DEFAULT_LIMIT,
            clock: Clock::system(),
            earliest: AtomicU64::new(u64::MAX),
            ended: Ended::default(),
            archive_limit: Self::DEFAULT_ARCHIVE_LIMIT,
        }
    }

    /// Limits how many sessions, markers of ended ones, and ended ones that wait for an archive are held. Defaults to
    /// [`DEFAULT_LIMIT`](Self::DEFAULT_LIMIT).
    ///
    /// While it is reached nobody new can begin a session or sign in: where strangers can write, limit their rate.
    #[must_use]
    pub fn with_limit(self, sessions: usize) -> Self {
        Self { limit: sessions, ..self }
    }

    /// Limits how many ended sessions are held as an archive: more are refused, and none is dropped. Defaults to
    /// [`DEFAULT_ARCHIVE_LIMIT`](Self::DEFAULT_ARCHIVE_LIMIT).
    #[must_use]
    pub fn with_archive_limit(self, sessions: usize) -> Self {
        Self { archive_limit: sessions, ..self }
    }

    /// Takes the time from this clock. Defaults to the system's.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Makes room for one more, or says that there is none.
    fn reserve(&self, now: Timestamp) -> Result<(), StoreError> {
        let take = || {
            let more = |kept| (kept < self.limit).then_some(kept + 1);
            self.kept.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
        };
        if take() {
            return Ok(());
        }
        // What has expired counts as absent everywhere, also here; but a flood must not sweep in vain at each request.
        if self.earliest.load(Ordering::Relaxed) <= now.as_millis() {
            self.sweep(now);
        }
        if take() { Ok(()) } else { Err(StoreError::refused(Full(self.limit))) }
    }

    fn sweep(&self, now: Timestamp) {
        // First, so that whatever comes in meanwhile counts.
        self.earliest.store(u64::MAX, Ordering::Relaxed);
        for number in 0..=u8::MAX {
            let mut shard = self.shard_of(number);
            self.forget(shard.sweep(now));
            if let Some(expires) = shard.earliest() {
                self.expires(expires);
            }
        }
    }

    /// Notes that something will expire then; under the lock of its shard, so that a sweep sees either it or the note.
    fn expires(&self, at: Timestamp) -> Timestamp {
        self.earliest.fetch_min(at.as_millis(), Ordering::Relaxed);
        at
    }

    /// Notes what came in without asking for room.
    fn count(&self, count: usize) {
        self.kept.fetch_add(count, Ordering::Relaxed);
    }

    fn forget(&self, count: usize) {
        self.kept.fetch_sub(count, Ordering::Relaxed);
    }

    fn shard(&self, key: &Key) -> Locked<'_> {
        self.shard_of(key.shard())
    }

    fn shard_of(&self, number: u8) -> Locked<'_> {
        // Nothing in a shard is ever half changed, so that a panic of another thread while it held the lock does no harm.
        let shard = self.shards[usize::from(number)].lock().unwrap_or_else(PoisonError::into_inner);
        Locked { store: self, shard }
    }

    /// Where all that is a user's lives: whoever holds the lock changes it in one step.
    fn user_shard(&self, owner: &Owner) -> Locked<'_> {
        self.shard_of(owner.shard())
    }

    fn times(&self, now: Timestamp) -> Times {
        Times { now, marker: self.expires(now.plus(Marker::KEPT)) }
    }
}

/// A shard under its lock. Whatever came into its outbox meanwhile counts in the store.
struct Locked<'a> {
    store: &'a MemoryStore,
    shard: MutexGuard<'a, Shard>,
}

impl Deref for Locked<'_> {
    type Target = Shard;

    fn deref(&self) -> &Shard {
        &self.shard
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Shard {
        &mut self.shard
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.store.count(self.shard.outbox.count());
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Store for MemoryStore {
    async fn load(&self, key: &Key) -> Answer<Option<Entry>> {
        Ok(self.shard(key).get(key, self.clock.now()).cloned())
    }

    async fn create(&self, key: &Key, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        let now = self.clock.now();
        if let Some(found) = self.shard(key).get(key, now) {
            return Ok(Outcome::Found(found.clone()));
        }
        self.reserve(now)?;
        let mut shard = self.shard(key);
        let swept = shard.sweep_if_due(now);
        let found = shard.get(key, now).cloned();
        let (outcome, unused) = match found {
            Some(found) => (Outcome::Found(found), 1),
            None => {
                let replaced = shard.put(key, entry.clone(), self.expires(now.plus(keep_for)));
                (Outcome::Applied, usize::from(replaced))
            }
        };
        self.forget(swept + unused);
        Ok(outcome)
    }

    async fn commit(&self, key: &Key, expected: WriteId, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        let now = self.clock.now();
        let new = |_: &Entry| (entry.clone(), self.expires(now.plus(keep_for)));
        Ok(self.shard(key).replace(key, Some(expected), now, new))
    }

    async fn touch(&self, key: &Key, seen: Timestamp, now: Timestamp, keep_for: Duration) -> Answer<bool> {
        let clock = self.clock.now();
        let mut shard = self.shard(key);
        let expires = self.expires(clock.plus(keep_for));
        Ok(shard.touch(key, seen, now, expires, clock))
    }

    async fn end(&self, key: &Key, expected: Option<WriteId>, marker: &Marker) -> Answer<Outcome> {
        let times = self.times(self.clock.now());
        Ok(self.shard(key).end(key, expected, marker, times))
    }

    async fn admit(&self, owner: &Owner, admission: &Admission<'_>) -> Answer<Admitted> {
        let now = self.clock.now();
        if let Err(refusal) = self.user_shard(owner).may_admit(owner, admission, now) {
            return Ok(refusal);
        }
        self.reserve(now)?;
        let mut shard = self.user_shard(owner);
        let swept = shard.sweep_if_due(now);
        // Again: the lock was given back.
        let (outcome, unused) = match shard.may_admit(owner, admission, now) {
            Err(refusal) => (refusal, 1),
            Ok(()) => {
                let expires = self.expires(now.plus(admission.keep_for));
                let (replaced, news) = shard.admit(owner, admission, expires, self.times(now));
                self.news.tell(owner.realm(), news, now);
                (Admitted::Admitted, usize::from(replaced))
            }
        };
        self.forget(swept + unused);
        Ok(outcome)
    }

    async fn depart(&self, owner: &Owner, departure: &Departure) -> Answer<Outcome> {
        let now = self.clock.now();
        let mut shard = self.user_shard(owner);
        let (outcome, news) = shard.depart(owner, departure, self.times(now));
        self.news.tell(owner.realm(), news, now);
        Ok(outcome)
    }

    async fn members(&self, owner: &Owner) -> Answer<Vec<(Member, Entry)>> {
        Ok(self.user_shard(owner).members(owner, self.clock.now()))
    }

    async fn end_all(&self, owner: &Owner, sweep: &Sweep) -> Answer<Option<Swept>> {
        let now = self.clock.now();
        let mut shard = self.user_shard(owner);
        let swept = shard.end_all(owner, sweep, self.times(now));
        self.news.tell(owner.realm(), swept.map(|swept| swept.news), now);
        Ok(swept)
    }

    async fn publish(&self, realm: &'static str, news: &Revocation) -> Answer<()> {
        self.news.tell(realm, [*news], self.clock.now());
        Ok(())
    }

    async fn follow(&self, realm: &'static str, known: &Revocations) {
        self.news.follow(realm, known).await;
    }
}
