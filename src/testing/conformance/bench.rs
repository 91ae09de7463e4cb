//! A store, and the hand on its time.

use crate::clock::Clock;
use crate::store::{Key, LastingStore, Store};
use std::future::{Future, ready};
use std::time::Duration;

/// A store with nothing in it, and the hand on its time. Implement it with `async fn`.
///
/// A store that goes by a [`Clock`] needs the first three alone. One on a server that has a clock of its own lets little time
/// pass as it is, and has [`passes`](Self::passes) shorten what is left.
pub trait Bench: Sized + 'static {
    /// The store. Clones are the same store: several use it at once. An [`Arc`](std::sync::Arc) of a store is one.
    type Store: Store + Clone;

    /// A store with nothing in it, which no other check uses, and whose time is the present.
    fn start() -> impl Future<Output = Self>;

    /// The store.
    fn store(&self) -> &Self::Store;

    /// Lets time pass for all that is in the store: what is kept for `time` now has gone then.
    ///
    /// Where `passes` is not the provided one, half a second at most.
    fn wait(&self, time: Duration) -> impl Future<Output = ()>;

    /// The store's time. Defaults to the system's: a store that goes by another names it here.
    fn clock(&self) -> Clock {
        Clock::system()
    }

    /// Asserts that what is under `key` is kept for `time` from now on, and lets that pass.
    ///
    /// By default a millisecond before the end it is still there. A store that cannot wait so long reads how long the key is kept,
    /// asserts that it is `time` but for what the check has taken since, which is less than ten seconds, and has the key expire now;
    /// others may stay as they are.
    fn passes(&self, key: &Key, time: Duration) -> impl Future<Output = ()> {
        async move {
            let last = Duration::from_millis(1);
            self.wait(time - last).await;
            assert!(self.store().load(key).await.unwrap().is_some(), "it goes too soon");
            self.wait(last).await;
        }
    }

    /// Asserts what has to hold after every check, whatever it was. By default nothing.
    fn look_over(&self) -> impl Future<Output = ()> {
        ready(())
    }
}

/// The same of a store for user sessions and the archive.
pub trait LastingBench: Bench<Store: LastingStore> {
    /// Has what has run out [go out](LastingStore::retire), or begin to.
    ///
    /// By default asks until there is no more. A store that looks only now and then lets so much time pass before: two minutes at
    /// most.
    fn retire(&self, realm: &'static str) -> impl Future<Output = ()> {
        async move { while self.store().retire(realm, 100).await.unwrap() {} }
    }
}
