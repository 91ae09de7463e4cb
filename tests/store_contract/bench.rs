//! A store, and the hand on its time.

use std::time::{Duration, Instant};
use testbed::RedisServer;
use thin_session::store::{Key, Store};
use thin_session::{Clock, MemoryStore, RedisStore};

pub(crate) trait Bench {
    type Store: Store + Clone;

    fn store(&self) -> &Self::Store;

    /// Asserts that what is under `key` is kept for `time` from now on, and lets the time pass.
    async fn passes(&self, key: &Key, time: Duration);

    /// Asserts what holds after every test.
    fn check(&self);
}

pub(crate) struct Memory {
    store: std::sync::Arc<MemoryStore>,
    clock: Clock,
}

impl Memory {
    pub(crate) async fn start() -> Self {
        let clock = Clock::manual();
        Self { store: MemoryStore::new().with_clock(clock.clone()).into(), clock }
    }
}

impl Bench for Memory {
    type Store = std::sync::Arc<MemoryStore>;

    fn store(&self) -> &Self::Store {
        &self.store
    }

    async fn passes(&self, key: &Key, time: Duration) {
        let last = Duration::from_millis(1);
        self.clock.advance(time - last);
        assert!(self.store.load(key).await.unwrap().is_some(), "it goes too soon");
        self.clock.advance(last);
    }

    fn check(&self) {}
}

pub(crate) struct Redis {
    pub(crate) store: RedisStore,
    pub(crate) server: RedisServer,
}

impl Redis {
    pub(crate) async fn start() -> Self {
        let server = RedisServer::start();
        Self { store: connect(&server.url()).await, server }
    }
}

impl Bench for Redis {
    type Store = RedisStore;

    fn store(&self) -> &Self::Store {
        &self.store
    }

    async fn passes(&self, key: &Key, time: Duration) {
        let name = key.to_string();
        let left = ttl(&self.server, name.as_bytes());
        let time = i64::try_from(time.as_millis()).unwrap();
        // It was set not long ago: within the ten seconds that anything here is given.
        assert!((time - 10_000..=time).contains(&left), "{left} ms are left of {time}");
        let soon = self.server.command(&[b"PEXPIRE", name.as_bytes(), b"1"]).int();
        assert_eq!(soon, 1);
        let now =
            || self.server.command(&[b"TIME"]).items().into_iter().map(|part| part.text().parse::<u64>().unwrap());
        let micros = || now().reduce(|seconds, micros| seconds * 1_000_000 + micros).unwrap();
        let start = micros();
        while micros() <= start + 2_000 {}
    }

    fn check(&self) {
        for key in self.server.keys() {
            let left = ttl(&self.server, &key);
            assert!(left >= 0 || left == -2, "{} never goes", String::from_utf8_lossy(&key));
        }
    }
}

/// A store that is connected. The machine that runs the tests may be too busy for its 250 ms at first.
pub(crate) async fn connect(url: &str) -> RedisStore {
    let give_up = Instant::now() + Duration::from_secs(10);
    loop {
        match RedisStore::connect(url).await {
            Ok(store) => return store,
            Err(error) => assert!(Instant::now() < give_up, "{error:?}"),
        }
    }
}

/// How many milliseconds a key is kept for; -1 is for ever, -2 says that it is gone.
pub(crate) fn ttl(server: &RedisServer, name: &[u8]) -> i64 {
    server.command(&[b"PTTL", name]).int()
}
