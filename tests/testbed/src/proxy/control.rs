//! What the test and the connections of a proxy share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::{Fault, Request};

pub(super) type Rule = Arc<dyn Fn(&Request) -> Fault + Send + Sync>;

/// The log, the rule and the gate of a proxy.
#[derive(Default)]
pub(super) struct Control {
    connections: AtomicU64,
    /// The names of the requests so far.
    log: Mutex<Vec<String>>,
    rule: Mutex<Option<Rule>>,
    gate: watch::Sender<Gate>,
}

/// Where held requests wait. The two numbers change together, so that after a
/// release nothing of before it looks held.
#[derive(Default)]
struct Gate {
    held: u64,
    releases: u64,
}

impl Control {
    pub(super) fn requests(&self) -> u64 {
        lock(&self.log).len() as u64
    }

    pub(super) fn commands(&self) -> Vec<String> {
        lock(&self.log).clone()
    }

    pub(super) fn reset(&self) {
        lock(&self.log).clear();
    }

    pub(super) fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }

    /// Counts one more, and answers its number.
    pub(super) fn count_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Enters a request into the log, and says what is to befall it.
    pub(super) fn admit(&self, connection: u64, words: Vec<Vec<u8>>) -> Fault {
        let mut request = Request { number: 0, connection, words };
        let mut log = lock(&self.log);
        log.push(request.name());
        request.number = log.len() as u64;
        drop(log);

        // With no lock held, as the rule may well ask the proxy something.
        let rule = lock(&self.rule).clone();
        rule.map_or(Fault::Pass, |rule| rule(&request))
    }

    pub(super) fn set_rule(&self, rule: Option<Rule>) {
        *lock(&self.rule) = rule;
    }

    /// Waits for a release that comes after this call.
    pub(super) async fn hold(&self) {
        let mut before = 0;
        self.gate.send_modify(|gate| {
            gate.held += 1;
            before = gate.releases;
        });
        self.wait(|gate| gate.releases > before).await;
    }

    pub(super) fn held(&self) -> bool {
        self.gate.borrow().held > 0
    }

    pub(super) async fn wait_held(&self) {
        self.wait(|gate| gate.held > 0).await;
    }

    pub(super) fn release(&self) {
        self.gate.send_modify(|gate| {
            gate.held = 0;
            gate.releases += 1;
        });
    }

    async fn wait(&self, condition: impl FnMut(&Gate) -> bool) {
        let mut gate = self.gate.subscribe();
        gate.wait_for(condition).await.expect("the sender is borrowed, so it lives");
    }
}

/// A rule that panics, which fails the request it was asked about, poisons
/// nothing: it runs unlocked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
