//! A store between the layer and another, in which calls wait for a while, get lost or come late, as a seed says.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use thin_session::store::{
    Admission, Admitted, Answer, Departure, Entry, Key, LastingStore, Marker, Member, Outcome, Owner, Replaced,
    Replacement, Revocation, Store, StoreError, Sweep, Swept, Timestamp, WriteId,
};
use thin_session::testing::forward;

/// Of a thousand calls of the layer, how many fare like this.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) lost_requests: u32,
    pub(crate) lost_replies: u32,
    pub(crate) refused: u32,
    /// Nothing is heard, and it arrives later, perhaps after it was sent again.
    pub(crate) late: u32,
}

impl Faults {
    /// Of none that takes no turn, others get in between.
    const TURNS: std::ops::Range<u32> = 0..4;

    /// A network that fails often enough for every kind of failure to meet every other.
    pub(crate) const SOME: Self = Self { lost_requests: 10, lost_replies: 10, refused: 10, late: 10 };

    pub(crate) fn any(&self) -> bool {
        self.lost_requests + self.lost_replies + self.refused + self.late > 0
    }
}

pub(crate) struct Shaken<S> {
    inner: Arc<S>,
    faults: Faults,
    random: Mutex<StdRng>,
}

enum Fate {
    Passes,
    LosesRequest,
    LosesReply,
    IsRefused,
    IsLate(Duration),
}

impl<S: Store> Shaken<S> {
    pub(crate) fn new(inner: Arc<S>, faults: Faults, seed: u64) -> Self {
        Self { inner, faults, random: Mutex::new(StdRng::seed_from_u64(seed)) }
    }

    fn fate(&self) -> Fate {
        let Faults { lost_requests, lost_replies, refused, late } = self.faults;
        let mut random = self.random.lock().unwrap();
        let mut drawn = random.random_range(0..1000);
        let mut is = |rate: u32| {
            let hit = drawn < rate;
            drawn = drawn.saturating_sub(rate).max(if hit { 1000 } else { 0 });
            hit
        };
        if is(lost_requests) {
            Fate::LosesRequest
        } else if is(lost_replies) {
            Fate::LosesReply
        } else if is(refused) {
            Fate::IsRefused
        } else if is(late) {
            Fate::IsLate(Duration::from_micros(random.random_range(0..60_000)))
        } else {
            Fate::Passes
        }
    }

    async fn wait_some_turns(&self) {
        let turns = self.random.lock().unwrap().random_range(Faults::TURNS);
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    }

    async fn carry<T, F, W>(&self, request: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(Arc<S>) -> W,
        W: Future<Output = Answer<T>> + Send + 'static,
    {
        let request = request(Arc::clone(&self.inner));
        self.wait_some_turns().await;
        let answer = match self.fate() {
            Fate::Passes => request.await,
            Fate::LosesRequest => Err(StoreError::unknown("the request was lost")),
            Fate::LosesReply => request.await.and_then(|_| Err(StoreError::unknown("the reply was lost"))),
            Fate::IsRefused => Err(StoreError::not_applied("it was refused")),
            Fate::IsLate(by) => {
                tokio::spawn(async move {
                    tokio::time::sleep(by).await;
                    // What is answered then nobody hears.
                    drop(request.await);
                });
                Err(StoreError::unknown("the request is late"))
            }
        };
        self.wait_some_turns().await;
        answer
    }
}

impl<S: Store> Store for Shaken<S> {
    async fn load(&self, key: &Key) -> Answer<Option<Entry>> {
        let key = *key;
        self.carry(move |inner| async move { inner.load(&key).await }).await
    }

    async fn create(&self, key: &Key, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        let (key, entry) = (*key, entry.clone());
        self.carry(move |inner| async move { inner.create(&key, &entry, keep_for).await }).await
    }

    async fn commit(&self, key: &Key, expected: WriteId, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        let (key, entry) = (*key, entry.clone());
        self.carry(move |inner| async move { inner.commit(&key, expected, &entry, keep_for).await }).await
    }

    async fn commit_over(&self, key: &Key, base: &Entry, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        let (key, base, entry) = (*key, base.clone(), entry.clone());
        self.carry(move |inner| async move { inner.commit_over(&key, &base, &entry, keep_for).await }).await
    }

    async fn touch(&self, key: &Key, seen: Timestamp, now: Timestamp, keep_for: Duration) -> Answer<bool> {
        let key = *key;
        self.carry(move |inner| async move { inner.touch(&key, seen, now, keep_for).await }).await
    }

    async fn end(&self, key: &Key, expected: Option<WriteId>, marker: &Marker) -> Answer<Outcome> {
        let (key, marker) = (*key, marker.clone());
        self.carry(move |inner| async move { inner.end(&key, expected, &marker).await }).await
    }

    async fn admit(&self, owner: &Owner, admission: &Admission<'_>) -> Answer<Admitted> {
        let owner = *owner;
        let Admission { member, keep_for, epoch, epoch_until, limit, .. } = *admission;
        let (entry, predecessor) = (admission.entry.clone(), admission.predecessor.cloned());
        let evicted = admission.evicted.to_vec();
        let request = move |inner: Arc<S>| async move {
            let (entry, predecessor, evicted) = (&entry, predecessor.as_ref(), &evicted[..]);
            let admission = Admission { member, entry, keep_for, epoch, epoch_until, limit, predecessor, evicted };
            inner.admit(&owner, &admission).await
        };
        self.carry(request).await
    }

    async fn depart(&self, owner: &Owner, departure: &Departure) -> Answer<Outcome> {
        let (owner, departure) = (*owner, departure.clone());
        self.carry(move |inner| async move { inner.depart(&owner, &departure).await }).await
    }

    async fn members(&self, owner: &Owner) -> Answer<Vec<(Member, Entry)>> {
        let owner = *owner;
        self.carry(move |inner| async move { inner.members(&owner).await }).await
    }

    async fn end_all(&self, owner: &Owner, sweep: &Sweep) -> Answer<Option<Swept>> {
        let (owner, sweep) = (*owner, sweep.clone());
        self.carry(move |inner| async move { inner.end_all(&owner, &sweep).await }).await
    }

    async fn publish(&self, realm: &'static str, news: &Revocation) -> Answer<()> {
        let news = *news;
        self.carry(move |inner| async move { inner.publish(realm, &news).await }).await
    }

    forward!(self => self.inner; follow);
}

/// What moves the ended ones to the archive goes past it.
impl<S: LastingStore> LastingStore for Shaken<S> {
    async fn load_both(&self, session: &Key, user_session: &Key) -> Answer<[Option<Entry>; 2]> {
        let (session, user_session) = (*session, *user_session);
        self.carry(move |inner| async move { inner.load_both(&session, &user_session).await }).await
    }

    async fn replace(&self, key: &Key, replacement: &Replacement<'_>) -> Answer<Replaced> {
        let key = *key;
        let Replacement { asked_by, expected, standing, keep_for, look_in, .. } = *replacement;
        let (entry, outgoing) = (replacement.entry.clone(), replacement.outgoing.cloned());
        let request = move |inner: Arc<S>| async move {
            let (entry, outgoing) = (&entry, outgoing.as_ref());
            let replacement = Replacement { asked_by, expected, standing, entry, keep_for, outgoing, look_in };
            inner.replace(&key, &replacement).await
        };
        self.carry(request).await
    }

    async fn renew(&self, key: &Key, seen: Timestamp, idle: Duration, keep_for: Duration) -> Answer<bool> {
        let key = *key;
        self.carry(move |inner| async move { inner.renew(&key, seen, idle, keep_for).await }).await
    }

    forward!(self => self.inner; load_several, outbox, full_outboxes, due, put_off, retire, sent);
}
