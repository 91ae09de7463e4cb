//! Stores that break a promise each: the checker is to find them all.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use thin_session::MemoryStore;
use thin_session::store::{
    Admission, Admitted, Answer, Departure, Entry, Epoch, Key, LastingStore, Marker, Member, Outcome, Owner, Replaced,
    Replacement, Revoked, Store, Sweep, Swept, Timestamp, WriteId,
};
use thin_session::testing::{self, forward};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A commit overwrites what others have written meanwhile.
    CommitIgnoresWhatIsExpected,
    /// Now and then a commit is acknowledged, and not made.
    CommitForgotten,
    /// Now and then a commit is made, and said to have met what was there before.
    CommitMadeAndDenied,
    /// A commit puts a session back in the place of its end marker.
    CommitResurrects,
    /// Now and then what was there before the last commit is read.
    StaleRead,
    /// Now and then the entry of another session is read.
    ReadOfAnother,
    /// Nothing ever expires.
    ExpiryLost,
    /// An ending is acknowledged, and not made.
    EndForgotten,
    /// No marker stays behind.
    MarkerDropped,
    /// The session that gives way to another stays.
    PredecessorStays,
    /// The index of a user's sessions has lost one when all are ended.
    IndexForgetsOne,
    /// What is admitted while all are being ended is missed.
    EndAllMissesNewcomers,
    /// All are acknowledged to have ended, and are not.
    EndAllForgotten,
    /// A change of a user session overwrites what others have written meanwhile.
    ReplaceIgnoresWhatIsExpected,
    /// A change of a user session does not ask for the browser's session.
    ReplaceUnasked,
    /// What is completed does not go to the archive.
    OutboxForgets,
}

impl Flaw {
    pub(crate) const ALL: [Self; 16] = [
        Self::CommitIgnoresWhatIsExpected,
        Self::CommitForgotten,
        Self::CommitMadeAndDenied,
        Self::CommitResurrects,
        Self::StaleRead,
        Self::ReadOfAnother,
        Self::ExpiryLost,
        Self::EndForgotten,
        Self::MarkerDropped,
        Self::PredecessorStays,
        Self::IndexForgetsOne,
        Self::EndAllMissesNewcomers,
        Self::EndAllForgotten,
        Self::ReplaceIgnoresWhatIsExpected,
        Self::ReplaceUnasked,
        Self::OutboxForgets,
    ];
}

/// Longer than any test lets pass.
const FOR_EVER: Duration = Duration::from_secs(300 * 86_400);

pub(crate) struct Flawed {
    inner: MemoryStore,
    flaw: Flaw,
    calls: AtomicU32,
    /// What was there before the last commit.
    before: Mutex<HashMap<Key, Entry>>,
    /// What is found there whatever the store has.
    overlay: Mutex<HashMap<Key, Option<Entry>>>,
}

impl Flawed {
    pub(crate) fn new(inner: MemoryStore, flaw: Flaw) -> Self {
        Self { inner, flaw, calls: AtomicU32::new(0), before: Mutex::default(), overlay: Mutex::default() }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    /// The same every third time.
    fn now_and_then(&self, flaw: Flaw) -> bool {
        self.has(flaw) && self.calls.fetch_add(1, Ordering::Relaxed) % 3 == 2
    }

    fn overlaid(&self, key: &Key) -> Option<Option<Entry>> {
        self.overlay.lock().unwrap().get(key).cloned()
    }

    fn keep_for(&self, keep_for: Duration) -> Duration {
        if self.has(Flaw::ExpiryLost) { FOR_EVER } else { keep_for }
    }

    /// Ends these one by one, and claims to have ended all; nobody's epoch moves.
    async fn end_these(&self, owner: &Owner, sweep: &Sweep, members: Vec<(Member, Entry)>) -> Answer<Option<Swept>> {
        let mut ended = 0;
        for (member, _) in members {
            if sweep.except != Some(member.handle) {
                let departure = Departure { member, expected: None, marker: sweep.marker.clone(), news: None };
                ended += u64::from(self.inner.depart(owner, &departure).await? == Outcome::Applied);
            }
        }
        let nobody = Revoked::User(*owner.user(), Epoch::default(), None);
        Ok(Some(Swept { ended, news: testing::revocation(nobody, sweep.until) }))
    }
}

impl Store for Flawed {
    async fn load(&self, key: &Key) -> Answer<Option<Entry>> {
        if let Some(overlaid) = self.overlaid(key) {
            return Ok(overlaid);
        }
        if self.now_and_then(Flaw::StaleRead)
            && let Some(before) = self.before.lock().unwrap().get(key)
        {
            return Ok(Some(before.clone()));
        }
        if self.now_and_then(Flaw::ReadOfAnother)
            && let Some((_, others)) = self.before.lock().unwrap().iter().find(|(other, _)| *other != key)
        {
            return Ok(Some(others.clone()));
        }
        self.inner.load(key).await
    }

    async fn create(&self, key: &Key, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        self.inner.create(key, entry, self.keep_for(keep_for)).await
    }

    async fn commit(&self, key: &Key, expected: WriteId, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        if let Some(Some(there)) = self.overlaid(key) {
            if there.write_id() != expected {
                return Ok(Outcome::Found(there));
            }
            self.overlay.lock().unwrap().insert(*key, Some(entry.clone()));
            return Ok(Outcome::Applied);
        }
        if self.now_and_then(Flaw::CommitForgotten) {
            return Ok(Outcome::Applied);
        }
        let before = self.inner.load(key).await?;
        let mut expected = expected;
        if let Some(before) = &before {
            self.before.lock().unwrap().insert(*key, before.clone());
            if self.has(Flaw::CommitIgnoresWhatIsExpected) {
                expected = before.write_id();
            }
        }
        let outcome = self.inner.commit(key, expected, entry, self.keep_for(keep_for)).await?;
        match (&outcome, before) {
            (Outcome::Applied, Some(before)) if self.now_and_then(Flaw::CommitMadeAndDenied) => {
                return Ok(Outcome::Found(before));
            }
            (Outcome::Found(there), _) if !there.is_live() && self.has(Flaw::CommitResurrects) => {
                self.overlay.lock().unwrap().insert(*key, Some(entry.clone()));
                return Ok(Outcome::Applied);
            }
            _ => {}
        }
        if outcome == Outcome::Absent && self.overlaid(key).is_some() {
            return Ok(Outcome::Absent);
        }
        Ok(outcome)
    }

    async fn touch(&self, key: &Key, seen: Timestamp, now: Timestamp, keep_for: Duration) -> Answer<bool> {
        self.inner.touch(key, seen, now, self.keep_for(keep_for)).await
    }

    async fn end(&self, key: &Key, expected: Option<WriteId>, marker: &Marker) -> Answer<Outcome> {
        if self.has(Flaw::EndForgotten) {
            return Ok(Outcome::Applied);
        }
        let outcome = self.inner.end(key, expected, marker).await?;
        if self.has(Flaw::MarkerDropped) && outcome == Outcome::Applied {
            self.overlay.lock().unwrap().insert(*key, None);
        }
        Ok(outcome)
    }

    async fn admit(&self, owner: &Owner, admission: &Admission<'_>) -> Answer<Admitted> {
        let &Admission { member, entry, keep_for, epoch, epoch_until, limit, predecessor, evicted } = admission;
        let (keep_for, mut admitted_as) = (self.keep_for(keep_for), predecessor);
        if self.has(Flaw::PredecessorStays) {
            admitted_as = None;
        }
        let predecessor = admitted_as;
        let admission = Admission { member, entry, keep_for, epoch, epoch_until, limit, predecessor, evicted };
        self.inner.admit(owner, &admission).await
    }

    async fn depart(&self, owner: &Owner, departure: &Departure) -> Answer<Outcome> {
        if self.has(Flaw::EndForgotten) {
            return Ok(Outcome::Applied);
        }
        let outcome = self.inner.depart(owner, departure).await?;
        if self.has(Flaw::MarkerDropped) && outcome == Outcome::Applied {
            self.overlay.lock().unwrap().insert(departure.member.key, None);
        }
        Ok(outcome)
    }

    async fn end_all(&self, owner: &Owner, sweep: &Sweep) -> Answer<Option<Swept>> {
        let mut members = self.inner.members(owner).await?;
        match self.flaw {
            Flaw::EndAllForgotten => members.clear(),
            Flaw::IndexForgetsOne => drop(members.pop()),
            Flaw::EndAllMissesNewcomers => {
                for _ in 0..8 {
                    tokio::task::yield_now().await;
                }
            }
            _ => return self.inner.end_all(owner, sweep).await,
        }
        self.end_these(owner, sweep, members).await
    }

    forward!(self => self.inner; members, publish, follow);
}

impl LastingStore for Flawed {
    async fn load_both(&self, session: &Key, user_session: &Key) -> Answer<[Option<Entry>; 2]> {
        Ok([self.load(session).await?, self.inner.load(user_session).await?])
    }

    async fn replace(&self, key: &Key, replacement: &Replacement<'_>) -> Answer<Replaced> {
        let &Replacement { mut asked_by, mut expected, standing, entry, keep_for, mut outgoing, look_in } = replacement;
        match self.flaw {
            Flaw::ReplaceUnasked => asked_by = None,
            Flaw::OutboxForgets => outgoing = None,
            Flaw::ReplaceIgnoresWhatIsExpected => {
                expected = self.inner.load(key).await?.map(|there| there.write_id());
            }
            _ => {}
        }
        let replacement = Replacement { asked_by, expected, standing, entry, keep_for, outgoing, look_in };
        self.inner.replace(key, &replacement).await
    }

    forward!(self => self.inner; load_several, renew, outbox, full_outboxes, due, put_off, retire, sent);
}
