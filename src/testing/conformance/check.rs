//! A promise of the contract, to be held against a store.

use super::Bench;
use std::any::Any;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

/// How long a check may take. A store that answers in bounded time needs seconds, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(120);

type Checking<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// One promise of the contract, to be held against a store.
pub struct Check<B> {
    name: &'static str,
    promise: &'static str,
    run: fn(&B) -> Checking<'_>,
}

impl<B: Bench> Check<B> {
    pub(super) fn new(name: &'static str, promise: &'static str, run: fn(&B) -> Checking<'_>) -> Self {
        Self { name, promise, run }
    }

    /// What it is called: `commit::never_creates`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The sentence of the contract that it is about: what the comments in [`crate::store`] say.
    pub fn promise(&self) -> &'static str {
        self.promise
    }

    /// Holds it against a store of its own.
    ///
    /// # Errors
    ///
    /// If the store breaks it, or takes more than two minutes. What it did is in the error, and where panics are printed.
    pub async fn run(&self) -> Result<(), Broken> {
        let checking = async {
            let bench = B::start().await;
            (self.run)(&bench).await;
            bench.look_over().await;
        };
        let seen = match tokio::time::timeout(PATIENCE, caught(checking)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(panic)) => told(&*panic),
            Err(_) => format!("it is not over after {PATIENCE:?}"),
        };
        Err(Broken { name: self.name, promise: self.promise, seen })
    }
}

impl<B> fmt::Debug for Check<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Check").field(&self.name).finish()
    }
}

/// A promise that a store has broken.
#[derive(Debug, Clone)]
pub struct Broken {
    name: &'static str,
    promise: &'static str,
    seen: String,
}

impl Broken {
    /// The [check](Check::name) that failed.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The [sentence](Check::promise) of the contract.
    pub fn promise(&self) -> &'static str {
        self.promise
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, promise, seen } = self;
        write!(f, "{name}: the store breaks “{promise}”: {seen}")
    }
}

impl std::error::Error for Broken {}

/// Holds all of them against the store, one after the other, and says of each that failed what it is about.
pub(super) async fn all<B: Bench>(checks: Vec<Check<B>>) {
    let (count, mut broken) = (checks.len(), Vec::new());
    for check in checks {
        broken.extend(check.run().await.err());
    }
    let told: String = broken.iter().map(|broken| format!("\n{broken}")).collect();
    assert!(broken.is_empty(), "{} of {count} checks failed:{told}", broken.len());
}

/// Holds the one of this name.
pub(super) async fn one<B: Bench>(checks: Vec<Check<B>>, name: &str) {
    let check = checks.into_iter().find(|check| check.name == name).expect("a check of this name");
    check.run().await.unwrap_or_else(|broken| panic!("{broken}"));
}

/// A panic of one check is not the end of the others.
async fn caught(checking: impl Future<Output = ()>) -> Result<(), Box<dyn Any + Send>> {
    let mut checking = Box::pin(checking);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| checking.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(())) => Poll::Ready(Ok(())),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}

fn told(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked").to_owned()
}
