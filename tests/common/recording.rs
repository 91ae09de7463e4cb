//! A store in memory that writes down each call, and can be taken down or held up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use thin_session::store::{
    Admission, Admitted, Answer, Departure, Entry, Key, Marker, Member, Outcome, Owner, Revocation, Store, StoreError,
    Sweep, Swept, Timestamp, WriteId,
};
use thin_session::testing::forward;
use thin_session::{Clock, MemoryStore};
use tokio::sync::Notify;

/// An operation of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Load,
    Create,
    Commit,
    Touch,
    End,
    Admit,
    Depart,
    Members,
    EndAll,
    Publish,
}

/// A store in memory that writes down each call. Share it in an `Arc`, which is a store too.
#[derive(Default)]
pub(crate) struct Recording {
    inner: MemoryStore,
    down: AtomicBool,
    calls: Mutex<Vec<Call>>,
    created: Mutex<Vec<Key>>,
    gates: Mutex<Vec<Gate>>,
}

/// Holds one call of a store up.
#[derive(Clone)]
pub(crate) struct Gate(Arc<Inner>);

struct Inner {
    call: Call,
    /// Whether the call is held before it is applied, or its answer after that.
    before: bool,
    reached: Notify,
    open: Notify,
}

impl Recording {
    /// An empty store.
    pub(crate) fn new(clock: &Clock) -> Arc<Self> {
        Arc::new(Self { inner: MemoryStore::new().with_clock(clock.clone()), ..Self::default() })
    }

    /// What was asked since this was last looked at.
    pub(crate) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut *lock(&self.calls))
    }

    /// Takes the store down, or up again with all that it held.
    pub(crate) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// Holds up the next call of this kind before it is applied.
    pub(crate) fn hold(&self, call: Call) -> Gate {
        self.gate(call, true)
    }

    /// Applies the next call of this kind and holds its answer up.
    pub(crate) fn hold_answer(&self, call: Call) -> Gate {
        self.gate(call, false)
    }

    /// The sessions that live, oldest first.
    pub(crate) async fn live(&self) -> Vec<(Key, Entry)> {
        let keys = lock(&self.created).clone();
        let mut live = Vec::new();
        for key in keys {
            if let Some(entry) = self.inner.load(&key).await.expect("memory answers")
                && entry.is_live()
            {
                live.push((key, entry));
            }
        }
        live
    }

    /// The one session that lives.
    pub(crate) async fn only(&self) -> Entry {
        let mut live = self.live().await;
        assert_eq!(live.len(), 1, "one session lives");
        live.remove(0).1
    }

    fn gate(&self, call: Call, before: bool) -> Gate {
        let gate = Gate(Arc::new(Inner { call, before, reached: Notify::new(), open: Notify::new() }));
        lock(&self.gates).push(gate.clone());
        gate
    }

    /// Writes a call down, and has it carried out if the store is up.
    async fn carry<T>(&self, call: Call, request: impl Future<Output = Answer<T>> + Send) -> Answer<T> {
        lock(&self.calls).push(call);
        self.pass(call, true).await;
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::not_applied("the test took the store down"));
        }
        let answer = request.await;
        self.pass(call, false).await;
        answer
    }

    async fn pass(&self, call: Call, before: bool) {
        let gate = {
            let mut gates = lock(&self.gates);
            let found = gates.iter().position(|gate| gate.0.call == call && gate.0.before == before);
            found.map(|found| gates.remove(found))
        };
        if let Some(gate) = gate {
            gate.0.reached.notify_one();
            gate.0.open.notified().await;
        }
    }
}

impl Gate {
    /// Waits until a call is held.
    pub(crate) async fn reached(&self) {
        super::in_time(self.0.reached.notified()).await;
    }

    /// Lets it go on.
    pub(crate) fn open(&self) {
        self.0.open.notify_one();
    }
}

impl Store for Recording {
    async fn load(&self, key: &Key) -> Answer<Option<Entry>> {
        self.carry(Call::Load, self.inner.load(key)).await
    }

    async fn create(&self, key: &Key, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        let request = async {
            let answer = self.inner.create(key, entry, keep_for).await;
            lock(&self.created).push(*key);
            answer
        };
        self.carry(Call::Create, request).await
    }

    async fn commit(&self, key: &Key, expected: WriteId, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        self.carry(Call::Commit, self.inner.commit(key, expected, entry, keep_for)).await
    }

    async fn touch(&self, key: &Key, seen: Timestamp, now: Timestamp, keep_for: Duration) -> Answer<bool> {
        self.carry(Call::Touch, self.inner.touch(key, seen, now, keep_for)).await
    }

    async fn end(&self, key: &Key, expected: Option<WriteId>, marker: &Marker) -> Answer<Outcome> {
        self.carry(Call::End, self.inner.end(key, expected, marker)).await
    }

    async fn admit(&self, owner: &Owner, admission: &Admission<'_>) -> Answer<Admitted> {
        let request = async {
            let answer = self.inner.admit(owner, admission).await;
            lock(&self.created).push(admission.member.key);
            answer
        };
        self.carry(Call::Admit, request).await
    }

    async fn depart(&self, owner: &Owner, departure: &Departure) -> Answer<Outcome> {
        self.carry(Call::Depart, self.inner.depart(owner, departure)).await
    }

    async fn members(&self, owner: &Owner) -> Answer<Vec<(Member, Entry)>> {
        self.carry(Call::Members, self.inner.members(owner)).await
    }

    async fn end_all(&self, owner: &Owner, sweep: &Sweep) -> Answer<Option<Swept>> {
        self.carry(Call::EndAll, self.inner.end_all(owner, sweep)).await
    }

    async fn publish(&self, realm: &'static str, news: &Revocation) -> Answer<()> {
        self.carry(Call::Publish, self.inner.publish(realm, news)).await
    }

    forward!(self => self.inner; follow);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no test panics while it holds this")
}
