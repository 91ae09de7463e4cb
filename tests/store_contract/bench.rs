//! The stores of this crate, and the hand on their time.

use std::time::{Duration, Instant};
use testbed::{PostgresServer, RedisServer};
use thin_session::store::{Key, LastingStore as _};
use thin_session::testing::conformance::{Bench, LastingBench};
use thin_session::{Clock, MemoryStore, RedisStore, SqlStore};

pub(crate) struct Memory {
    store: std::sync::Arc<MemoryStore>,
    clock: Clock,
}

impl Bench for Memory {
    type Store = std::sync::Arc<MemoryStore>;

    async fn start() -> Self {
        let clock = Clock::manual();
        Self { store: MemoryStore::new().with_clock(clock.clone()).into(), clock }
    }

    fn store(&self) -> &Self::Store {
        &self.store
    }

    async fn wait(&self, time: Duration) {
        self.clock.advance(time);
    }

    fn clock(&self) -> Clock {
        self.clock.clone()
    }
}

impl LastingBench for Memory {
    async fn retire(&self, realm: &'static str) {
        assert!(!self.store.retire(realm, 100).await.unwrap());
    }
}

/// How long those wait who come in crowds, on a machine that may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A store in a database, whose time the test decides.
pub(crate) struct Sql<D> {
    store: SqlStore,
    clock: Clock,
    /// What goes with the test.
    _database: D,
}

/// A database with nothing in it.
pub(crate) trait Database: Sized + 'static {
    async fn open() -> (SqlStore, Self);
}

/// A file.
pub(crate) struct File(#[expect(dead_code, reason = "it goes when this is dropped")] tempfile::TempDir);

/// One of many on a server.
pub(crate) struct Served;

pub(crate) type Sqlite = Sql<File>;
pub(crate) type Postgres = Sql<Served>;

impl Database for File {
    async fn open() -> (SqlStore, Self) {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        (SqlStore::sqlite(folder.path().join("sessions.db")).await.unwrap(), Self(folder))
    }
}

impl Database for Served {
    async fn open() -> (SqlStore, Self) {
        let url = tokio::task::block_in_place(|| PostgresServer::shared().database());
        (postgres(&url).await, Self)
    }
}

impl<D: Database> Bench for Sql<D> {
    type Store = SqlStore;

    async fn start() -> Self {
        let (store, database) = D::open().await;
        // It stands still at the present, and to open one takes a while.
        let clock = Clock::manual();
        Self { store: store.with_clock(clock.clone()).with_timeout(PATIENCE), clock, _database: database }
    }

    fn store(&self) -> &Self::Store {
        &self.store
    }

    async fn wait(&self, time: Duration) {
        self.clock.advance(time);
    }

    fn clock(&self) -> Clock {
        self.clock.clone()
    }
}

impl<D: Database> LastingBench for Sql<D> {
    /// It is swept beside, and at most once in a minute.
    async fn retire(&self, realm: &'static str) {
        self.clock.advance(Duration::from_secs(61));
        assert!(!self.store.retire(realm, 100).await.unwrap());
    }
}

pub(crate) struct Redis {
    pub(crate) store: RedisStore,
    pub(crate) server: RedisServer,
}

impl Bench for Redis {
    type Store = RedisStore;

    async fn start() -> Self {
        let server = RedisServer::start();
        Self { store: connect(&server.url()).await, server }
    }

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

    async fn look_over(&self) {
        // One key of a layer is to last as long as the rest: it shows that nothing was lost. What waits for the archive is
        // there until that has it, and what is due until somebody has looked.
        let lasts = |key: &[u8]| [&b":mark"[..], b":o", b":d", b":x"].iter().any(|end| key.ends_with(end));
        for key in self.server.keys().into_iter().filter(|key| !lasts(key)) {
            let left = ttl(&self.server, &key);
            assert!(left >= 0 || left == -2, "{} never goes", String::from_utf8_lossy(&key));
        }
    }
}

impl LastingBench for Redis {
    async fn retire(&self, realm: &'static str) {
        while self.store.retire(realm, 2).await.unwrap() {}
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
