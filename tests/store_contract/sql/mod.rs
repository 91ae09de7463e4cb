//! What is peculiar to `SqlStore`.
//!
//! | page | what it holds |
//! |---|---|
//! | [`crowd`] | all that a few users do at once, without a deadlock |
//! | [`lasting`] | how Postgres carries out a replacement, and that sweeps leave what lasts |
//! | [`archive`] | the tables that analysts read, and a quota that processes share |
//! | [`start`] | several who start at once, and what errors say |
//! | [`child`] | a writer in a process of its own, killed |
//! | [`plan`] | how Postgres carries out what changes with each request |
//! | [`retention`] | what is kept for years, and that nobody waits for what goes |
//! | [`outage`] | a Postgres that is frozen, killed, restarted |
//! | [`mid_commit`] | a Postgres that falls while a commit is under way |
//! | [`cancel`] | operations that are dropped in the middle |
//! | [`feed`] | news between processes, and a database that was emptied |
//! | [`sweep`] | what has expired goes, and by whose time |

mod archive;
mod cancel;
mod child;
mod crowd;
mod feed;
mod lasting;
mod mid_commit;
mod outage;
mod plan;
mod retention;
mod start;
mod sweep;

use crate::bench::{PATIENCE, postgres};
use crate::entries::{KEPT, parts};
use crate::markers::ended;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use testbed::PostgresServer;
use thin_session::SqlStore;
use thin_session::store::{
    Admission, Admitted, Departure, Entry, Epoch, Key, Member, Owner, Revocation, Revoked, Store, StoreError, Sweep,
    Timestamp,
};
use thin_session::testing;

/// A file that goes with the test.
struct File {
    folder: TempDir,
}

impl File {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder can be made") }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("sessions.db")
    }

    async fn open(&self) -> SqlStore {
        SqlStore::sqlite(self.path()).await.unwrap().with_timeout(PATIENCE)
    }
}

/// The server that tests share, from where it may be waited for.
fn server() -> &'static PostgresServer {
    tokio::task::block_in_place(PostgresServer::shared)
}

/// What that server says to a command, past all stores.
fn psql(url: &str, command: &str) -> String {
    tokio::task::block_in_place(|| server().command(url, command))
}

/// A store in a database of its own, on the server that tests share; and where that is reached.
async fn shared() -> (SqlStore, String) {
    let url = tokio::task::block_in_place(|| server().database());
    (postgres(&url).await.with_timeout(PATIENCE), url)
}

/// A store on that file, or that server.
async fn open(place: &str) -> SqlStore {
    if place.starts_with("postgres:") {
        postgres(place).await.with_timeout(PATIENCE)
    } else {
        SqlStore::sqlite(place).await.unwrap().with_timeout(PATIENCE)
    }
}

/// Somebody else in the middle of a transaction.
struct Other(PgConnection);

impl Other {
    /// Begins, and has said this.
    async fn says(url: &str, words: &str) -> Self {
        let mut link = PgConnection::connect(url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("BEGIN; {words}"))).execute(&mut link).await.unwrap();
        Self(link)
    }

    async fn commits(mut self) {
        sqlx::raw_sql("COMMIT").execute(&mut self.0).await.unwrap();
    }
}

/// The key of this number.
fn key_of(number: u32) -> Key {
    let [a, b, c, d] = number.to_be_bytes();
    testing::key(d, [a, b, c, d, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2])
}

fn owner() -> Owner {
    testing::owner("", [9; 16])
}

fn member(number: u8) -> Member {
    testing::member(&owner(), [number; 16], [number; 16])
}

/// An hour after it was first asked for.
fn later() -> Timestamp {
    static LATER: LazyLock<SystemTime> = LazyLock::new(|| SystemTime::now() + Duration::from_secs(3600));
    (*LATER).into()
}

fn entry(number: u8) -> Entry {
    parts(number.into()).with_deadline(later()).entry()
}

async fn admit(store: &SqlStore, number: u8) -> Result<Admitted, StoreError> {
    let entry = entry(number);
    let admission = Admission {
        member: member(number),
        entry: &entry,
        keep_for: KEPT,
        epoch: Epoch::default(),
        epoch_until: later(),
        limit: 1000,
        predecessor: None,
        evicted: &[],
    };
    store.admit(&owner(), &admission).await
}

fn departure(number: u8) -> Departure {
    let news = Some(session(number));
    Departure { member: member(number), expected: None, marker: ended().clone(), news }
}

fn session(number: u8) -> Revocation {
    testing::revocation(Revoked::Session(member(number).handle), later())
}

fn end_of_all() -> Sweep {
    Sweep { except: None, marker: ended().clone(), until: later() }
}
