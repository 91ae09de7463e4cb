//! A store between the layer and a real one, where the test decides what befalls each call.

mod inner;
mod lasting;
mod store;

pub(crate) use inner::Inner;

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use thin_session::store::{Answer, Entry, Key, Marker, Store, StoreError};
use tokio::sync::watch;

/// The operations of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Op {
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
    LoadBoth,
    LoadSeveral,
    Replace,
    Renew,
    /// Of the archive, as are the next.
    Add,
    Complete,
    Settle,
    /// Of the store again: what the archive has leaves the outbox.
    Sent,
    History,
}

impl Op {
    /// Whether it begins a session.
    fn begins(self) -> bool {
        matches!(self, Self::Create | Self::Admit)
    }
}

/// What befalls a call.
pub(crate) enum Step {
    Pass,
    /// It is carried out, but the layer hears nothing.
    LoseReply,
    /// It is never carried out, and the layer hears nothing.
    LoseRequest,
    /// The store refuses: surely nothing was changed.
    Refuse,
    /// Something else happens first.
    Before(Work),
    /// Something else happens before the layer hears of it.
    After(Work),
    /// The layer hears nothing, and the request is still on its way: until [`Delayed::arrive`].
    Delay(Delayed),
}

pub(crate) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Step {
    pub(crate) fn before(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self::Before(Box::pin(work))
    }

    pub(crate) fn after(work: impl Future<Output = ()> + Send + 'static) -> Self {
        Self::After(Box::pin(work))
    }
}

/// A call as it arrived at the gate.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) op: Op,
    /// The key of the one session that it is about.
    pub(crate) key: Option<Key>,
    /// What was to be stored.
    pub(crate) entry: Option<Entry>,
    /// What was to be left where sessions give way.
    pub(crate) markers: Vec<Marker>,
}

impl Call {
    /// About no session in particular.
    fn of(op: Op) -> Self {
        Self { op, key: None, entry: None, markers: Vec::new() }
    }
}

type Rule = Box<dyn Fn(Op) -> Step + Send + Sync>;

/// The store that the layer is given.
pub(crate) struct Gate {
    inner: Arc<Inner>,
    plans: Mutex<HashMap<Op, Vec<Step>>>,
    rule: Mutex<Option<Rule>>,
    calls: Mutex<Vec<Call>>,
    touches: Mutex<usize>,
    dues: Mutex<usize>,
    under_way: Arc<AtomicUsize>,
}

impl Gate {
    pub(crate) fn new(inner: Inner) -> Self {
        Self::to(Arc::new(inner))
    }

    /// Another gate to the same store, with plans of its own.
    pub(crate) fn beside(&self) -> Self {
        Self::to(self.inner())
    }

    fn to(inner: Arc<Inner>) -> Self {
        Self {
            inner,
            plans: Mutex::default(),
            rule: Mutex::default(),
            calls: Mutex::default(),
            touches: Mutex::default(),
            dues: Mutex::default(),
            under_way: Arc::default(),
        }
    }

    /// What is to befall the next calls of `op`, one after the other.
    pub(crate) fn plan(&self, op: Op, steps: impl IntoIterator<Item = Step>) {
        let steps = steps.into_iter().collect();
        let left = self.plans.lock().unwrap().insert(op, steps);
        assert!(left.is_none_or(|left| left.is_empty()), "the plan before was carried out");
    }

    /// What is to befall every call that no plan speaks of.
    pub(crate) fn rule(&self, rule: impl Fn(Op) -> Step + Send + Sync + 'static) {
        *self.rule.lock().unwrap() = Some(Box::new(rule));
    }

    /// Lets everything pass again.
    pub(crate) fn no_rule(&self) {
        *self.rule.lock().unwrap() = None;
    }

    /// Whether every step that was planned has come to pass: a test that planned in vain shows nothing.
    pub(crate) fn plans_are_done(&self) -> bool {
        self.plans.lock().unwrap().values().all(Vec::is_empty)
    }

    /// All calls so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// How many calls of `op` there were.
    pub(crate) fn count(&self, op: Op) -> usize {
        self.calls().iter().filter(|call| call.op == op).count()
    }

    /// How many touches wrote.
    pub(crate) fn touches(&self) -> usize {
        *self.touches.lock().unwrap()
    }

    /// How often it was asked what is due.
    pub(crate) fn dues(&self) -> usize {
        *self.dues.lock().unwrap()
    }

    /// Whether no call is under way. What the layer does between two calls that are answered takes no turn of the runtime.
    pub(crate) fn is_idle(&self) -> bool {
        self.under_way.load(Ordering::SeqCst) == 0
    }

    /// The keys under which a session lives now.
    pub(crate) async fn live(&self) -> Vec<Key> {
        let mut live = Vec::new();
        for key in self.calls().into_iter().filter(|call| call.op.begins()).filter_map(|call| call.key) {
            let found = self.inner.load(&key).await.expect("the real store answers");
            if found.is_some_and(|entry| entry.is_live()) && !live.contains(&key) {
                live.push(key);
            }
        }
        live
    }

    /// The key of the latest session that was begun.
    pub(crate) fn newest(&self) -> Key {
        let calls = self.calls();
        calls.iter().rfind(|call| call.op.begins()).and_then(|call| call.key).expect("a session was begun")
    }

    /// The real store, past all plans.
    pub(crate) fn inner(&self) -> Arc<Inner> {
        Arc::clone(&self.inner)
    }

    fn next_step(&self, op: Op) -> Step {
        let mut plans = self.plans.lock().unwrap();
        match plans.get_mut(&op).filter(|steps| !steps.is_empty()) {
            Some(steps) => steps.remove(0),
            None => self.rule.lock().unwrap().as_ref().map_or(Step::Pass, |rule| rule(op)),
        }
    }

    async fn carry<T: Send + 'static>(
        &self,
        call: Call,
        request: impl Future<Output = Answer<T>> + Send + 'static,
    ) -> Answer<T> {
        let op = call.op;
        let _under_way = UnderWay::begin(&self.under_way);
        self.calls.lock().unwrap().push(call);
        match self.next_step(op) {
            Step::Pass => request.await,
            // A real store on a busy machine may have none to lose.
            Step::LoseReply => request.await.and_then(|_| Err(StoreError::unknown("the test lost the reply"))),
            Step::LoseRequest => Err(StoreError::unknown("the test lost the request")),
            Step::Refuse => Err(StoreError::not_applied("the test has the store refuse")),
            Step::Before(work) => {
                work.await;
                request.await
            }
            Step::After(work) => {
                let answer = request.await;
                work.await;
                answer
            }
            Step::Delay(delayed) => {
                delayed.keep(async move { drop(request.await.expect("the real store answers")) });
                Err(StoreError::unknown("the test delays the request"))
            }
        }
    }
}

/// A call that has not been answered, and that nobody has dropped.
struct UnderWay(Arc<AtomicUsize>);

impl UnderWay {
    fn begin(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A request that is on its way for longer than the layer waits.
#[derive(Clone, Default)]
pub(crate) struct Delayed(Arc<Mutex<Option<Work>>>);

impl Delayed {
    fn keep(&self, request: impl Future<Output = ()> + Send + 'static) {
        *self.0.lock().unwrap() = Some(Box::pin(request));
    }

    /// Lets it arrive.
    pub(crate) async fn arrive(&self) {
        let request = self.0.lock().unwrap().take().expect("a request is on its way");
        request.await;
    }
}

/// A point at which a call waits for the test.
#[derive(Clone, Default)]
pub(crate) struct Hold(Arc<watch::Sender<At>>);

#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum At {
    #[default]
    Away,
    Waiting,
    Released,
}

impl Hold {
    /// The work of a step that waits here.
    pub(crate) fn point(&self) -> impl Future<Output = ()> + Send + 'static {
        let hold = self.clone();
        async move {
            hold.0.send_replace(At::Waiting);
            hold.until(At::Released).await;
        }
    }

    /// Waits until a call waits here.
    pub(crate) async fn reached(&self) {
        self.until(At::Waiting).await;
    }

    /// Lets it go on.
    pub(crate) fn release(&self) {
        self.0.send_replace(At::Released);
    }

    async fn until(&self, at: At) {
        let mut state = self.0.subscribe();
        let waited = tokio::time::timeout(Duration::from_secs(30), state.wait_for(|now| *now >= at)).await;
        waited.expect("nobody waits that long").expect("the sender is borrowed, so it lives");
    }
}
