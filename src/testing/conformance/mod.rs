//! The contract of [`Store`](crate::store::Store) and of [`LastingStore`](crate::store::LastingStore) as checks, for a store of
//! one's own.
//!
//! Each check is about one sentence of the contract, and a failure names it. All stores of this crate pass them. Say how a store
//! comes to be and how its time passes, and make a test of each check, by [`tests!`] or [`lasting_tests!`]:
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use thin_session::testing::conformance::{self, Bench, LastingBench};
//! use thin_session::{Clock, MemoryStore};
//!
//! struct Mine {
//!     store: Arc<MemoryStore>, // your store
//!     clock: Clock,
//! }
//!
//! impl Bench for Mine {
//!     type Store = Arc<MemoryStore>;
//!
//!     async fn start() -> Self {
//!         let clock = Clock::manual();
//!         Self { store: MemoryStore::new().with_clock(clock.clone()).into(), clock }
//!     }
//!
//!     fn store(&self) -> &Self::Store {
//!         &self.store
//!     }
//!
//!     async fn wait(&self, time: Duration) {
//!         self.clock.advance(time);
//!     }
//!
//!     fn clock(&self) -> Clock {
//!         self.clock.clone()
//!     }
//! }
//!
//! impl LastingBench for Mine {} // if it keeps user sessions
//!
//! // A test for each check, as this attribute makes them: several threads show more.
//! mod contract {
//!     use super::Mine;
//!     thin_session::testing::conformance::lasting_tests! {
//!         #[tokio::test(flavor = "multi_thread")]
//!         Mine
//!     }
//! }
//!
//! // Or all of them at once.
//! #[tokio::main]
//! async fn main() {
//!     conformance::run_lasting::<Mine>().await;
//! }
//! ```
//!
//! What is peculiar to a store is not here: lost replies, a server that restarts, a store that is full.

mod archived;
mod bench;
mod check;
mod checks;
#[doc(hidden)]
pub mod entries;
mod lasting;
mod macros;
#[doc(hidden)]
pub mod markers;
mod one;
mod users;

#[doc(inline)]
pub use crate::__conformance_lasting_tests as lasting_tests;
#[doc(inline)]
pub use crate::__conformance_tests as tests;
pub use bench::{Bench, LastingBench};
pub use check::{Broken, Check};
pub use checks::{lasting_checks, store_checks};

use std::time::Duration;

/// How long is waited for what a store does beside.
const LIMIT: Duration = Duration::from_secs(10);

/// Holds all checks of [`Store`](crate::store::Store) against a store.
///
/// # Panics
///
/// If one fails: when all have been tried, with all that failed.
pub async fn run<B: Bench>() {
    check::all(store_checks::<B>()).await;
}

/// The same, and all checks of [`LastingStore`](crate::store::LastingStore).
///
/// # Panics
///
/// If one fails: when all have been tried, with all that failed.
pub async fn run_lasting<B: LastingBench>() {
    run::<B>().await;
    check::all(lasting_checks::<B>()).await;
}

/// What [`tests!`] makes.
#[doc(hidden)]
pub async fn run_one<B: Bench>(name: &str) {
    check::one(store_checks::<B>(), name).await;
}

/// What [`lasting_tests!`] makes.
#[doc(hidden)]
pub async fn run_one_lasting<B: LastingBench>(name: &str) {
    check::one(lasting_checks::<B>(), name).await;
}
