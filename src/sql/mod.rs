//! Sessions in SQLite or Postgres.
//!
//! | page | what it holds |
//! |---|---|
//! | [`dialect`] | all that differs between the engines in words, and in how their errors read |
//! | [`link`] | one connection of either: what is sent, and what comes back |
//! | [`pool`] | connections that are ready |
//! | [`database`] | the one place where anything is asked: reads, single writes, transactions, and what a failure means |
//! | [`failure`] | why there is no answer |
//! | [`time`] | who decides what time it is |
//! | [`schema`] | the tables; a new one is a new version |
//! | [`entries`] | the operations on one entry |
//! | [`account`] | a user's row, which is held by whoever changes the user's sessions |
//! | [`users`] | the operations on the sessions of a user |
//! | [`lasting`] | the operations on user sessions and outboxes |
//! | [`due`] | at which user sessions to look |
//! | [`archive`] | ended sessions: added, read, counted |
//! | [`dead`] | ended sessions that could not be converted |
//! | [`retention`] | ended sessions that are kept no longer |
//! | [`quota`] | completions, which a quota limits |
//! | [`parting`] | endings of browsers' sessions, with what goes to the archive |
//! | [`news`], [`feed`], [`ears`] | telling news, following them, waiting for them |
//! | [`sweep`] | forgetting what has expired |

mod account;
mod archive;
mod database;
mod dead;
mod dialect;
mod due;
mod ears;
mod entries;
mod failure;
mod feed;
mod lasting;
mod link;
mod news;
mod parting;
mod pool;
mod quota;
mod retention;
mod schema;
mod sweep;
mod time;
mod users;

use crate::archive::{Archive, Completion, Count, DeadLetter, EndedSession, HistoryPage, Quota, Steps};
use crate::clock::Clock;
use crate::id::UserId;
use crate::store::{
    Admission, Admitted, Answer, Departure, Entry, Key, LastingStore, Marker, Member, Outcome, Outgoing, Owner,
    Replaced, Replacement, Revocation, Revocations, Store, StoreError, Sweep, Swept, Timestamp, WriteId,
};
use database::Database;
use link::Target;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use sweep::Sweeper;
use time::Time;
use uuid::Uuid;

/// Sessions in SQLite, for one server without any other; or in Postgres 13 or newer, for several. Also an
/// [`Archive`]: for its own user sessions, or for those of another store.
///
/// The tables are called `thin_…`, and are created or brought up to date by whichever process starts first. A session that
/// is changed is one row that is found by its name and written in one statement. Waiting for a connection takes at most
/// 250 ms, an operation on it 500 ms, [unless said otherwise](Self::with_timeout). What has expired counts as absent, and is
/// deleted as the store is used.
///
/// # What it promises
///
/// What was answered is on the disk, unless the database was told otherwise: SQLite is opened with `synchronous=FULL`, and
/// survives the loss of the process and of power; of Postgres see its `synchronous_commit`. All that concerns a user's
/// sessions is one transaction. Where the disk is full, nothing can be ended either.
///
/// User sessions stand in the same table. With Postgres a change of one is one statement; all else about them is one transaction.
///
/// A database that was emptied is recognised, and is told again what the processes that are up know to be revoked.
///
/// # Time
///
/// The clock of Postgres decides what has expired, so that servers need not agree; with SQLite the process's does.
///
/// # The archive
///
/// What has ended is in `thin_archive`, and for people to read in the view `thin_history`, with times as such. What a session
/// held is JSON, with Postgres JSONB in the view, where U+0000 is U+FFFD. In names of users and kinds U+0000 is the character
/// U+001A and `00`, and U+001A itself `1a` after it, since Postgres keeps no U+0000. Nothing is deleted from it until
/// [`Sessions::forget_before`](crate::Sessions::forget_before) or [`Sessions::erase`](crate::Sessions::erase) is called; more is in
/// [a guide](crate::guide::archive).
///
/// # What Postgres must be
///
/// The primary: a replica may lag behind. Reached directly, or through a pooler that gives each connection a session of its
/// own, since one listens for news. Whoever starts first must be allowed to create tables; later starts, and all else, need
/// `SELECT`, `INSERT`, `UPDATE` and `DELETE` on `thin_…`.
///
/// Clones share the connections.
#[derive(Clone)]
pub struct SqlStore {
    database: Database,
    sweeper: Arc<Sweeper>,
}

impl SqlStore {
    /// Opens a file, and creates it where there is none. Several processes of one machine may share it; not over a network.
    /// If others are in the way it tries for ten seconds.
    ///
    /// # Errors
    ///
    /// If it cannot be opened, is no database of SQLite, or the tables cannot be created.
    #[cfg(feature = "sqlite")]
    pub async fn sqlite(path: impl AsRef<std::path::Path>) -> Result<Self, StoreError> {
        /// Readers do not wait for the writer, nor for each other.
        const READERS: usize = 4;
        Self::of(Database::with_one_writer(Target::sqlite(path.as_ref()), READERS)).await
    }

    /// Connects to `postgres://[user[:password]@]host[:port]/database`. Without TLS. If it is too busy to answer it is tried
    /// for ten seconds.
    ///
    /// # Errors
    ///
    /// If the URL is not valid, Postgres is not reached, or the tables cannot be created. No error contains the password.
    #[cfg(feature = "postgres")]
    pub async fn postgres(url: &str) -> Result<Self, StoreError> {
        const CONNECTIONS: usize = 16;
        Self::of(Database::shared(Target::postgres(url)?, CONNECTIONS)).await
    }

    /// Takes the time from this clock, in this process. Defaults to the database's with Postgres, to the system's with SQLite.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { database: self.database.with_time(Time::of(clock)), ..self }
    }

    /// How long to wait for a connection, and the database for a lock; what is carried out may take twice as long. Defaults
    /// to 250 ms: the layer gives all tries of one operation a second. Comes before the first use, as connections are made anew.
    #[must_use]
    pub fn with_timeout(self, wait: Duration) -> Self {
        Self { database: self.database.with_wait(wait), ..self }
    }

    async fn of(database: Database) -> Result<Self, StoreError> {
        schema::lay_out(&database).await?;
        Ok(Self { database, sweeper: Arc::default() })
    }
}

impl Store for SqlStore {
    async fn load(&self, key: &Key) -> Answer<Option<Entry>> {
        Ok(entries::load(&self.database, key).await?)
    }

    async fn create(&self, key: &Key, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        self.sweeper.sweep_if_due(&self.database);
        Ok(entries::create(&self.database, key, entry, keep_for).await?)
    }

    async fn commit(&self, key: &Key, expected: WriteId, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        Ok(entries::commit(&self.database, key, expected, entry, keep_for).await?)
    }

    async fn touch(&self, key: &Key, seen: Timestamp, now: Timestamp, keep_for: Duration) -> Answer<bool> {
        Ok(entries::touch(&self.database, key, seen, now, keep_for).await?)
    }

    async fn end(&self, key: &Key, expected: Option<WriteId>, marker: &Marker) -> Answer<Outcome> {
        Ok(entries::end(&self.database, key, expected, marker).await?)
    }

    async fn admit(&self, owner: &Owner, admission: &Admission<'_>) -> Answer<Admitted> {
        self.sweeper.sweep_if_due(&self.database);
        Ok(users::admit(&self.database, owner, admission).await?)
    }

    async fn depart(&self, owner: &Owner, departure: &Departure) -> Answer<Outcome> {
        Ok(users::depart(&self.database, owner, departure).await?)
    }

    async fn members(&self, owner: &Owner) -> Answer<Vec<(Member, Entry)>> {
        Ok(users::members(&self.database, owner).await?)
    }

    async fn end_all(&self, owner: &Owner, sweep: &Sweep) -> Answer<Option<Swept>> {
        Ok(users::end_all(&self.database, owner, sweep).await?)
    }

    async fn publish(&self, realm: &'static str, news: &Revocation) -> Answer<()> {
        Ok(news::publish(&self.database, realm, news).await?)
    }

    async fn follow(&self, realm: &'static str, known: &Revocations) {
        feed::follow(&self.database, realm, known).await;
    }
}

impl LastingStore for SqlStore {
    async fn load_both(&self, session: &Key, user_session: &Key) -> Answer<[Option<Entry>; 2]> {
        Ok(lasting::load_both(&self.database, session, user_session).await?)
    }

    async fn load_several(&self, keys: &[Key]) -> Answer<Vec<Option<Entry>>> {
        Ok(entries::load_several(&self.database, keys).await?)
    }

    async fn replace(&self, key: &Key, replacement: &Replacement<'_>) -> Answer<Replaced> {
        Ok(lasting::replace(&self.database, key, replacement).await?)
    }

    async fn renew(&self, key: &Key, seen: Timestamp, idle: Duration, keep_for: Duration) -> Answer<bool> {
        Ok(lasting::renew(&self.database, key, seen, idle, keep_for).await?)
    }

    async fn outbox(&self, realm: &'static str, shard: u8, limit: usize) -> Answer<Vec<Outgoing>> {
        Ok(lasting::outbox(&self.database, realm, shard, limit).await?)
    }

    async fn full_outboxes(&self, realm: &'static str) -> Answer<Vec<(u8, usize)>> {
        Ok(lasting::full_outboxes(&self.database, realm).await?)
    }

    async fn due(&self, realm: &'static str, limit: usize) -> Answer<Vec<(Key, Entry)>> {
        Ok(due::due(&self.database, realm, limit).await?)
    }

    async fn put_off(&self, key: &Key, look_in: Duration) -> Answer<()> {
        Ok(due::put_off(&self.database, key, look_in).await?)
    }

    async fn retire(&self, _: &'static str, _: usize) -> Answer<bool> {
        self.sweeper.sweep_if_due(&self.database);
        Ok(false)
    }

    async fn sent(&self, realm: &'static str, shard: u8, ids: &[Uuid]) -> Answer<()> {
        Ok(lasting::sent(&self.database, realm, shard, ids).await?)
    }
}

impl Archive for SqlStore {
    async fn add(&self, layer: &'static str, ended: &[EndedSession]) -> Answer<()> {
        Ok(archive::add(&self.database, layer, ended).await?)
    }

    async fn complete(
        &self,
        layer: &'static str,
        ended: &EndedSession,
        attempt: &WriteId,
        quota: Quota,
    ) -> Answer<Completion> {
        Ok(quota::complete(&self.database, layer, ended, attempt, quota).await?)
    }

    async fn settle(&self, layer: &'static str, ended: &EndedSession, attempt: Option<&WriteId>) -> Answer<bool> {
        // What was settled goes in time even where this is but the archive of another store.
        self.sweeper.sweep_if_due(&self.database);
        Ok(quota::settle(&self.database, layer, ended, attempt).await?)
    }

    async fn history(&self, layer: &'static str, user: &UserId, page: &HistoryPage<'_>) -> Answer<Vec<EndedSession>> {
        Ok(archive::history(&self.database, layer, user, page).await?)
    }

    async fn counts(&self, layer: &'static str, kind: Option<&str>, steps: Steps) -> Answer<Vec<Count>> {
        Ok(archive::counts(&self.database, layer, kind, steps).await?)
    }

    async fn add_dead(&self, layer: &'static str, letters: &[DeadLetter]) -> Answer<()> {
        Ok(dead::add(&self.database, layer, letters).await?)
    }

    async fn dead(&self, layer: &'static str, from: Uuid, limit: usize) -> Answer<Vec<DeadLetter>> {
        Ok(dead::some(&self.database, layer, from, limit).await?)
    }

    async fn remove_dead(&self, layer: &'static str, ids: &[Uuid]) -> Answer<()> {
        Ok(dead::remove(&self.database, layer, ids).await?)
    }

    async fn forget(&self, layer: &'static str, before: Timestamp, limit: usize) -> Answer<u64> {
        Ok(retention::forget(&self.database, layer, before, limit).await?)
    }

    async fn erase(&self, layer: &'static str, user: &UserId, limit: usize) -> Answer<u64> {
        Ok(retention::erase(&self.database, layer, user, limit).await?)
    }
}

impl fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore").field("engine", &self.database.dialect).finish_non_exhaustive()
    }
}
