//! All that this process has heard, merged.

use super::news::{Revocation, Revoked};
use crate::clock::{Clock, Timestamp};
use crate::id::{Epoch, SessionHandle, UserDigest};
use crate::telemetry;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

/// What a process has heard of revocations so far. Clones share it.
///
/// News are merged: of one user the later epoch counts, in whatever order and how often they come. Nothing is taken back
/// before it has run out, so that a store that lost something does not un-revoke it here.
#[derive(Clone)]
pub struct Revocations(Arc<Inner>);

struct Inner {
    clock: Clock,
    limit: usize,
    known: RwLock<Known>,
    /// Counts what was learnt, so that a request can tell what was known when it began.
    version: AtomicU64,
    /// When the store was last heard, in milliseconds; 0 if never.
    heard: AtomicU64,
}

#[derive(Default)]
struct Known {
    sessions: HashMap<SessionHandle, Timestamp>,
    users: HashMap<UserDigest, Moved>,
    everybody: Option<Moved>,
    /// Cookies that expire up to here count no more: what there was about them had to be forgotten.
    floor: Timestamp,
}

/// An epoch that has moved.
#[derive(Clone, Copy)]
struct Moved {
    epoch: Epoch,
    kept: Option<SessionHandle>,
    until: Timestamp,
    learnt: AsOf,
}

/// How much was known at some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AsOf(u64);

/// What is asked about: a session, or the cookie that was set at its sign-in.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) user: &'a UserDigest,
    pub(crate) handle: &'a SessionHandle,
    /// The user's epoch at the sign-in.
    pub(crate) stamp: Epoch,
}

impl Revocations {
    /// Sessions and users about whom something is known, at most: about 100 MiB.
    const LIMIT: usize = 1_000_000;
    /// A process that has not heard the store for longer is cut off.
    pub(crate) const FRESH: Duration = Duration::from_secs(10);

    pub(crate) fn new(clock: Clock) -> Self {
        Self::with_limit(clock, Self::LIMIT)
    }

    fn with_limit(clock: Clock, limit: usize) -> Self {
        let (known, version, heard) = (RwLock::default(), AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(Inner { clock, limit, known, version, heard }))
    }

    /// Takes news in. Answers whether they were news.
    pub fn learn(&self, news: &Revocation) -> bool {
        let now = self.0.clock.now();
        if news.until <= now {
            return false;
        }
        let mut known = self.write();
        let version = AsOf(self.0.version.load(Ordering::Relaxed) + 1);
        let is_new = known.merge(news, version);
        if is_new {
            // Under the lock: whoever sees this version also sees what it came with.
            self.0.version.store(version.0, Ordering::Release);
            known.make_room(self.0.limit, now);
        }
        is_new
    }

    /// Notes that the store was heard just now, and that nothing it has said is outstanding.
    ///
    /// A store that follows the news says so at least once a second; after ten seconds without, the process counts as cut
    /// off.
    pub fn heard(&self) {
        self.0.heard.store(self.0.clock.now().as_millis().max(1), Ordering::Relaxed);
    }

    /// Notes that the store is in this process, so that it is always heard.
    pub fn heard_for_good(&self) {
        self.0.heard.store(u64::MAX, Ordering::Relaxed);
    }

    /// All that is known and has not run out: what a store is told that has lost it.
    pub fn all(&self) -> Vec<Revocation> {
        let now = self.0.clock.now();
        let known = self.read();
        let sessions = known.sessions.iter().map(|(handle, until)| (Revoked::Session(*handle), *until));
        let users = known.users.iter().map(|(user, of)| (Revoked::User(*user, of.epoch, of.kept), of.until));
        let everybody = known.everybody.iter().map(|of| (Revoked::Everybody(of.epoch), of.until));
        let all = sessions.chain(users).chain(everybody).filter(|(_, until)| *until > now);
        all.map(|(revoked, until)| Revocation { revoked, until }).collect()
    }

    /// Whether the store was heard lately.
    pub(crate) fn is_fresh(&self) -> bool {
        let heard = self.0.heard.load(Ordering::Relaxed);
        heard == u64::MAX || heard != 0 && self.0.clock.now().since(Timestamp::from_millis(heard)) <= Self::FRESH
    }

    /// How much is known now.
    pub(crate) fn as_of_now(&self) -> AsOf {
        AsOf(self.0.version.load(Ordering::Acquire))
    }

    /// The user's epoch, as far as it was known then.
    pub(crate) fn epoch_of(&self, user: &UserDigest, then: AsOf) -> Epoch {
        let (known, now) = (self.read(), self.0.clock.now());
        let moved = [known.users.get(user), known.everybody.as_ref()];
        let counts = |moved: &&Moved| moved.learnt <= then && moved.until > now;
        moved.into_iter().flatten().filter(counts).map(|moved| moved.epoch).max().unwrap_or_default()
    }

    /// The latest epoch of anybody that is known.
    pub(crate) fn latest_epoch(&self) -> Epoch {
        let known = self.read();
        known.users.values().chain(&known.everybody).map(|moved| moved.epoch).max().unwrap_or_default()
    }

    /// Whether this session is known to have been ended, by itself.
    pub(crate) fn knows(&self, session: &SessionHandle) -> bool {
        let now = self.0.clock.now();
        self.read().sessions.get(session).is_some_and(|until| *until > now)
    }

    /// Whether a session, or its visitor cookie, counts no more.
    pub(crate) fn cover(&self, subject: Subject<'_>) -> bool {
        // Most processes know of nothing most of the time.
        if self.as_of_now() == AsOf::default() {
            return false;
        }
        let (known, now) = (self.read(), self.0.clock.now());
        let past =
            |moved: &Moved| moved.until > now && subject.stamp < moved.epoch && moved.kept != Some(*subject.handle);
        known.sessions.get(subject.handle).is_some_and(|until| *until > now)
            || known.users.get(subject.user).is_some_and(past)
            || known.everybody.as_ref().is_some_and(past)
    }

    /// Whether so much had to be forgotten that nothing is known about cookies that expire then.
    pub(crate) fn has_forgotten(&self, expires: Timestamp) -> bool {
        self.as_of_now() != AsOf::default() && expires <= self.read().floor
    }

    /// Each change leaves the table whole, so that a panic of another thread does no harm.
    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.0.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.0.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn merge(&mut self, news: &Revocation, version: AsOf) -> bool {
        let until = news.until;
        let moved = |epoch, kept| Moved { epoch, kept, until, learnt: version };
        match news.revoked {
            Revoked::Session(handle) => {
                let known = self.sessions.entry(handle).or_default();
                let is_new = *known < until;
                *known = until.max(*known);
                is_new
            }
            Revoked::User(user, epoch, kept) => {
                let is_new = self.users.get(&user).is_none_or(|known| known.epoch < epoch);
                if is_new {
                    self.users.insert(user, moved(epoch, kept));
                }
                is_new
            }
            Revoked::Everybody(epoch) => {
                let is_new = self.everybody.is_none_or(|known| known.epoch < epoch);
                if is_new {
                    self.everybody = Some(moved(epoch, None));
                }
                is_new
            }
        }
    }

    /// Forgets what has run out, and if that is not enough what runs out next, with all cookies that it may concern.
    fn make_room(&mut self, limit: usize, now: Timestamp) {
        if self.len() <= limit {
            return;
        }
        self.forget(now);
        if self.len() <= limit {
            return;
        }
        let mut untils: Vec<_> =
            self.sessions.values().copied().chain(self.users.values().map(|of| of.until)).collect();
        let quarter = untils.len() / 4;
        let (_, floor, _) = untils.select_nth_unstable(quarter);
        self.floor = self.floor.max(*floor);
        self.forget(self.floor);
        telemetry::revocations_forgotten(limit);
    }

    fn len(&self) -> usize {
        self.sessions.len() + self.users.len()
    }

    fn forget(&mut self, up_to: Timestamp) {
        self.sessions.retain(|_, until| *until > up_to);
        self.users.retain(|_, of| of.until > up_to);
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations").field("known", &self.read().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn user(byte: u8) -> UserDigest {
        UserDigest::from_bytes([byte; 16])
    }

    fn handle(byte: u8) -> SessionHandle {
        SessionHandle::from_bytes([byte; 16])
    }

    fn epoch(number: u64) -> Epoch {
        Epoch::from_u64(number)
    }

    struct Place {
        clock: Clock,
        table: Revocations,
    }

    impl Place {
        fn new(limit: usize) -> Self {
            let clock = Clock::manual();
            Self { table: Revocations::with_limit(clock.clone(), limit), clock }
        }

        fn learn(&self, revoked: Revoked) -> bool {
            self.table.learn(&Revocation { revoked, until: self.clock.now().plus(HOUR) })
        }

        fn covers(&self, of: u8, handle_of: u8, stamp: u64) -> bool {
            let (user, handle) = (&user(of), &handle(handle_of));
            self.table.cover(Subject { user, handle, stamp: epoch(stamp) })
        }
    }

    #[test]
    fn the_later_epoch_counts_in_whatever_order_it_is_heard() {
        let place = Place::new(100);
        assert!(!place.covers(1, 1, 0));
        assert!(place.learn(Revoked::User(user(1), epoch(20), None)));
        assert!(!place.learn(Revoked::User(user(1), epoch(10), Some(handle(1)))), "an older one is no news");
        assert!(!place.learn(Revoked::User(user(1), epoch(20), None)), "nor is the same again");
        assert!(place.covers(1, 1, 19) && !place.covers(1, 1, 20));
        assert!(!place.covers(2, 1, 0), "another user's");
    }

    #[test]
    fn the_session_that_is_kept_counts_whatever_its_stamp() {
        let place = Place::new(100);
        place.learn(Revoked::User(user(1), epoch(20), Some(handle(7))));
        assert!(!place.covers(1, 7, 3) && place.covers(1, 8, 3));
        place.learn(Revoked::Session(handle(7)));
        assert!(place.covers(1, 7, 3), "until it is ended itself");
        assert!(place.covers(1, 7, 30));
    }

    #[test]
    fn everybody_is_everybody() {
        let place = Place::new(100);
        place.learn(Revoked::Everybody(epoch(20)));
        assert!(place.covers(1, 1, 19) && place.covers(2, 2, 0) && !place.covers(1, 1, 20));
    }

    #[test]
    fn a_request_is_told_what_was_known_when_it_began() {
        let place = Place::new(100);
        let before = place.table.as_of_now();
        place.learn(Revoked::User(user(1), epoch(20), None));
        let after = place.table.as_of_now();
        assert_eq!(place.table.epoch_of(&user(1), before), Epoch::default());
        assert_eq!(place.table.epoch_of(&user(1), after), epoch(20));
        place.learn(Revoked::Everybody(epoch(30)));
        assert_eq!(place.table.epoch_of(&user(1), after), epoch(20));
        assert_eq!(place.table.epoch_of(&user(2), place.table.as_of_now()), epoch(30));
    }

    #[test]
    fn what_has_run_out_counts_no_more_and_is_not_handed_on() {
        let place = Place::new(100);
        place.learn(Revoked::Session(handle(1)));
        place.learn(Revoked::User(user(1), epoch(20), None));
        place.learn(Revoked::Everybody(epoch(5)));
        assert_eq!(place.table.all().len(), 3);
        place.clock.advance(HOUR);
        assert!(!place.covers(1, 1, 0));
        assert!(place.table.all().is_empty());
        assert_eq!(place.table.epoch_of(&user(1), place.table.as_of_now()), Epoch::default());
        let past = Revocation { revoked: Revoked::Session(handle(2)), until: place.clock.now() };
        assert!(!place.table.learn(&past));
    }

    #[test]
    fn what_had_to_be_forgotten_is_refused_with_all_that_it_may_concern() {
        let place = Place::new(8);
        for byte in 0..8 {
            place.learn(Revoked::Session(handle(byte)));
            place.clock.advance(Duration::from_secs(60));
        }
        let first = place.clock.now().plus(HOUR - Duration::from_secs(8 * 60));
        assert!(!place.table.has_forgotten(first));
        place.learn(Revoked::Session(handle(8)));
        assert!(place.table.all().len() <= 8);
        assert!(place.table.has_forgotten(first) && !place.table.has_forgotten(place.clock.now().plus(HOUR)));
        assert!((0..=8).all(|byte| {
            let expires = first.plus(Duration::from_secs(60) * u32::from(byte));
            place.covers(9, byte, 0) || place.table.has_forgotten(expires)
        }));
    }

    #[test]
    fn a_process_that_has_not_heard_the_store_for_ten_seconds_is_cut_off() {
        let place = Place::new(1);
        assert!(!place.table.is_fresh(), "nor has one that has just begun");
        place.table.heard();
        place.clock.advance(Duration::from_secs(10));
        assert!(place.table.is_fresh());
        place.clock.advance(Duration::from_millis(1));
        assert!(!place.table.is_fresh());
    }
}
