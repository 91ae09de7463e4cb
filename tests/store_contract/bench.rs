//! A store, and the hand on its time.

use std::time::{Duration, Instant};
use testbed::{PostgresServer, RedisServer};
use thin_session::store::{Key, LastingStore, Store};
use thin_session::{Clock, MemoryStore, RedisStore, SqlStore};

/// Makes of each function a test on every store.
macro_rules! for_all_stores {
    ($($name:ident)+) => {
        mod memory { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { crate::bench::run(crate::bench::Memory::start().await, super::$name).await; })+ }
        mod sqlite { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { crate::bench::run(crate::bench::Sqlite::start().await, super::$name).await; })+ }
        mod postgres { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { crate::bench::run(crate::bench::Postgres::start().await, super::$name).await; })+ }
        mod redis { $(#[tokio::test(flavor = "multi_thread")] async fn $name() { crate::bench::run(crate::bench::Redis::start().await, super::$name).await; })+ }
    };
}
pub(crate) use for_all_stores;

pub(crate) async fn run<B: Bench>(bench: B, test: impl AsyncFn(&B)) {
    test(&bench).await;
    bench.check();
}

pub(crate) trait Bench {
    type Store: LastingStore + Clone;

    fn store(&self) -> &Self::Store;

    /// Asserts that what is under `key` is kept for `time` from now on, and lets the time pass.
    async fn passes(&self, key: &Key, time: Duration);

    /// Lets time pass for all that is in the store: what is kept for `time` now has gone then.
    async fn wait(&self, time: Duration);

    /// Has what has expired go out, if it goes to the archive.
    async fn retire(&self, realm: &'static str);

    /// The store's time.
    fn clock(&self) -> Clock;

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

    async fn wait(&self, time: Duration) {
        self.clock.advance(time);
    }

    async fn retire(&self, realm: &'static str) {
        assert!(!self.store.retire(realm, 100).await.unwrap());
    }

    fn clock(&self) -> Clock {
        self.clock.clone()
    }

    fn check(&self) {}
}

/// How long those wait who come in crowds, on a machine that may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A store in a database, whose time the test decides.
pub(crate) struct Sql {
    store: SqlStore,
    clock: Clock,
    /// That of the file.
    _folder: Option<tempfile::TempDir>,
}

impl Sql {
    fn new(store: SqlStore, folder: Option<tempfile::TempDir>) -> Self {
        let clock = Clock::manual();
        Self { store: store.with_clock(clock.clone()).with_timeout(PATIENCE), clock, _folder: folder }
    }
}

pub(crate) struct Sqlite;

impl Sqlite {
    pub(crate) async fn start() -> Sql {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let store = SqlStore::sqlite(folder.path().join("sessions.db")).await.unwrap();
        Sql::new(store, Some(folder))
    }
}

pub(crate) struct Postgres;

impl Postgres {
    pub(crate) async fn start() -> Sql {
        let url = tokio::task::block_in_place(|| PostgresServer::shared().database());
        Sql::new(postgres(&url).await, None)
    }
}

impl Bench for Sql {
    type Store = SqlStore;

    fn store(&self) -> &Self::Store {
        &self.store
    }

    async fn passes(&self, key: &Key, time: Duration) {
        let last = Duration::from_millis(1);
        self.clock.advance(time - last);
        assert!(self.store.load(key).await.unwrap().is_some(), "it goes too soon");
        self.clock.advance(last);
    }

    async fn wait(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// It is swept beside, and at most once in a minute.
    async fn retire(&self, realm: &'static str) {
        self.clock.advance(Duration::from_secs(61));
        assert!(!self.store.retire(realm, 100).await.unwrap());
    }

    fn clock(&self) -> Clock {
        self.clock.clone()
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
        self.wait(Duration::from_millis(1)).await;
    }

    async fn wait(&self, time: Duration) {
        let now =
            || self.server.command(&[b"TIME"]).items().into_iter().map(|part| part.text().parse::<u64>().unwrap());
        let micros = || now().reduce(|seconds, micros| seconds * 1_000_000 + micros).unwrap();
        // Redis counts in milliseconds, and what expires in one is there to its end.
        let until = micros() + u64::try_from(time.as_micros()).unwrap() + 1_000;
        while micros() <= until {
            tokio::task::yield_now().await;
        }
    }

    async fn retire(&self, realm: &'static str) {
        while self.store.retire(realm, 2).await.unwrap() {}
    }

    fn clock(&self) -> Clock {
        Clock::system()
    }

    fn check(&self) {
        // One key of a layer is to last as long as the rest: it shows that nothing was lost. What waits for the archive is
        // there until that has it, and what is due until somebody has looked.
        let lasts = |key: &[u8]| [&b":mark"[..], b":o", b":d", b":x"].iter().any(|end| key.ends_with(end));
        for key in self.server.keys().into_iter().filter(|key| !lasts(key)) {
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

/// The same of Postgres.
pub(crate) async fn postgres(url: &str) -> SqlStore {
    let give_up = Instant::now() + Duration::from_secs(10);
    loop {
        match SqlStore::postgres(url).await {
            Ok(store) => return store,
            Err(error) => assert!(Instant::now() < give_up, "{error:?}"),
        }
    }
}

/// How many milliseconds a key is kept for; -1 is for ever, -2 says that it is gone.
pub(crate) fn ttl(server: &RedisServer, name: &[u8]) -> i64 {
    server.command(&[b"PTTL", name]).int()
}
