//! The real store behind the gate.

use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use thin_session::archive::Archive;
use thin_session::store::{LastingStore, Store};
use thin_session::testing::forward;
use thin_session::{Clock, MemoryStore, RedisStore, SqlStore};

/// How long to wait for a database on a busy machine: no test is right by being fast.
const WAIT: Duration = Duration::from_secs(10);

/// The stores that stand behind a gate.
pub(crate) enum Inner {
    Memory(MemoryStore),
    /// With an archive in memory beside it.
    Redis(RedisStore, MemoryStore),
    /// On a file that goes with it, or in a Postgres that is somebody else's.
    Sql(SqlStore, Option<TempDir>),
}

impl Inner {
    /// In a file of its own.
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        Self::sqlite_at(&folder.path().join("store.db"), Some(folder)).await
    }

    /// In this file, whose folder may go with it.
    pub(crate) async fn sqlite_at(file: &Path, folder: Option<TempDir>) -> Self {
        let store = SqlStore::sqlite(file).await.expect("the file can be opened");
        Self::Sql(store.with_timeout(WAIT), folder)
    }

    /// In a database of Postgres.
    pub(crate) async fn postgres(url: &str) -> Self {
        Self::Sql(SqlStore::postgres(url).await.expect("Postgres is up").with_timeout(WAIT), None)
    }

    /// The same, by this clock if it can be told one.
    pub(crate) fn by(self, clock: &Clock) -> Self {
        match self {
            Self::Sql(store, folder) => Self::Sql(store.with_clock(clock.clone()), folder),
            other => other,
        }
    }
}

/// Calls the store, whichever it is.
macro_rules! on_store {
    ($inner:ident, $store:ident => $call:expr) => {
        match $inner {
            Inner::Memory($store) => $call,
            Inner::Redis($store, _) => $call,
            Inner::Sql($store, _) => $call,
        }
    };
}

/// Calls the archive, whichever it is.
macro_rules! on_archive {
    ($inner:ident, $archive:ident => $call:expr) => {
        match $inner {
            Inner::Memory($archive) => $call,
            Inner::Redis(_, $archive) => $call,
            Inner::Sql($archive, _) => $call,
        }
    };
}

impl Store for Inner {
    forward! {
        self by on_store;
        load, create, commit, commit_over, touch, end, admit, depart, members, end_all, publish, follow
    }
}

impl LastingStore for Inner {
    forward! {
        self by on_store;
        load_both, load_several, replace, renew, outbox, full_outboxes, due, put_off, retire, sent
    }
}

impl Archive for Inner {
    forward! {
        self by on_archive;
        add, complete, settle, history, counts, add_dead, dead, remove_dead, forget, erase
    }
}
