//! The one place where anything is asked of the database: for how long, and what a failure then means.

use super::dialect::{Dialect, Statement};
use super::ears::Ears;
use super::failure::{Cause, Failure};
use super::link::{Link, Row, Target, Value};
use super::pool::{Lease, Pool};
use super::time::Time;
use crate::store::Revocation;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// The database, and who decides what time it is. Clones share the connections.
#[derive(Clone)]
pub(super) struct Database {
    pub(super) time: Time,
    pub(super) dialect: Dialect,
    reads: Arc<Pool>,
    writes: Arc<Pool>,
    /// That news were told in this process.
    signal: watch::Sender<()>,
}

/// Several statements as one step. Dropped, or after a failure, it never was.
pub(super) struct Transaction<'a> {
    lease: Lease<'a>,
    dialect: Dialect,
    until: Instant,
}

impl Database {
    /// Connections for all.
    #[cfg(feature = "postgres")]
    pub(super) fn shared(target: Target, most: usize) -> Self {
        let (dialect, pool) = (target.dialect(), Arc::new(Pool::new(target, most)));
        Self { time: Time::of_database(), dialect, reads: pool.clone(), writes: pool, signal: watch::Sender::default() }
    }

    /// One connection for those who write, and some for those who read.
    #[cfg(feature = "sqlite")]
    pub(super) fn with_one_writer(target: Target, readers: usize) -> Self {
        let (dialect, writes) = (target.dialect(), Arc::new(Pool::new(target.clone(), 1)));
        Self {
            time: Time::of_process(),
            dialect,
            reads: Arc::new(Pool::new(target, readers)),
            writes,
            signal: watch::Sender::default(),
        }
    }

    pub(super) fn with_time(self, time: Time) -> Self {
        Self { time, ..self }
    }

    /// The same with connections of its own, for which one waits for so long.
    pub(super) fn with_wait(self, wait: Duration) -> Self {
        let writes = Arc::new(self.writes.with_wait(wait));
        let is_shared = Arc::ptr_eq(&self.reads, &self.writes);
        let reads = if is_shared { writes.clone() } else { Arc::new(self.reads.with_wait(wait)) };
        Self { reads, writes, ..self }
    }

    /// When one statement, or one whole transaction, that begins now is given up. The database itself gives up earlier, and
    /// says so.
    fn until(&self) -> Instant {
        Instant::now() + 2 * self.writes.wait
    }

    /// Asks for something that changes nothing.
    pub(super) async fn read(&self, statement: &'static Statement, values: &[Value<'_>]) -> Result<Vec<Row>, Failure> {
        let mut lease = self.reads.lease().await?;
        let rows = answered(self.dialect, self.until(), lease.link.fetch(statement, values)).await;
        settle(lease, rows).map_err(Failure::harmless)
    }

    /// One statement that is committed by itself. Answers how many rows were written.
    pub(super) async fn write(&self, statement: &'static Statement, values: &[Value<'_>]) -> Result<u64, Failure> {
        let mut lease = self.writes.lease().await?;
        let written = answered(self.dialect, self.until(), lease.link.execute(statement, values)).await;
        settle(lease, written)
    }

    pub(super) async fn begin(&self) -> Result<Transaction<'_>, Failure> {
        let mut lease = self.writes.lease().await?;
        let (dialect, until) = (self.dialect, self.until());
        let begun = answered(dialect, until, lease.link.say(dialect.begin())).await;
        match begun {
            Ok(()) => Ok(Transaction { lease, dialect, until }),
            Err(failure) => {
                lease.close(&failure);
                Err(failure.harmless())
            }
        }
    }

    /// Notes that news were told, for those in this process who wait for them.
    pub(super) fn told(&self, news: &[Revocation]) {
        if !news.is_empty() {
            self.signal.send_replace(());
        }
    }

    /// For one who waits for news.
    pub(super) async fn ears(&self) -> Result<Ears, Failure> {
        match self.reads.target() {
            #[cfg(feature = "sqlite")]
            Target::Sqlite(_) => Ok(Ears::Signal(self.signal.subscribe())),
            #[cfg(feature = "postgres")]
            Target::Postgres(options) => Ears::listen(options).await,
        }
    }

    /// A connection for one who keeps it.
    pub(super) async fn own(&self) -> Result<OwnLink<'_>, Failure> {
        Ok(OwnLink { link: self.reads.connect().await?, database: self })
    }
}

impl Transaction<'_> {
    pub(super) async fn fetch(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Failure> {
        let rows = self.lease.link.fetch(statement, values);
        answered(self.dialect, self.until, rows).await.map_err(Failure::harmless)
    }

    /// What answers with one row.
    pub(super) async fn fetch_one(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<Row, Failure> {
        let rows = self.fetch(statement, values).await?;
        rows.into_iter().next().ok_or(Cause::Reply(sqlx::Error::RowNotFound).into())
    }

    /// Answers how many rows were written.
    pub(super) async fn execute(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<u64, Failure> {
        let written = self.lease.link.execute(statement, values);
        answered(self.dialect, self.until, written).await.map_err(Failure::harmless)
    }

    /// Sends words of the dialect.
    pub(super) async fn say(&mut self, words: &str) -> Result<(), Failure> {
        answered(self.dialect, self.until, self.lease.link.say(words)).await.map_err(Failure::harmless)
    }

    /// Waits until all who tell news have ended, and lets none begin before this ends.
    pub(super) async fn before_news(&mut self) -> Result<(), Failure> {
        match self.dialect.before_news() {
            Some(words) => self.say(words).await,
            None => Ok(()),
        }
    }

    /// From here on it may have been carried out.
    pub(super) async fn commit(mut self) -> Result<(), Failure> {
        let committed = answered(self.dialect, self.until, self.lease.link.say("COMMIT")).await;
        settle(self.lease, committed)
    }

    /// It is not to be. Whatever becomes of that: what is not committed is not carried out.
    pub(super) async fn take_back(mut self) {
        let taken_back = answered(self.dialect, self.until, self.lease.link.say("ROLLBACK")).await;
        let _ = settle(self.lease, taken_back);
    }

    /// Gives it more time. For laying out tables.
    pub(super) fn until(&mut self, until: Instant) {
        self.until = until;
    }
}

/// A connection that is one follower's alone.
pub(super) struct OwnLink<'a> {
    link: Link,
    database: &'a Database,
}

impl OwnLink<'_> {
    pub(super) async fn read(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, Failure> {
        answered(self.database.dialect, self.database.until(), self.link.fetch(statement, values))
            .await
            .map_err(Failure::harmless)
    }
}

/// A failure says whether what was asked can have been carried out.
async fn answered<T>(
    dialect: Dialect,
    until: Instant,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, Failure> {
    match timeout_at(until, answer).await {
        Ok(answer) => answer.map_err(|error| Failure::of(error, dialect)),
        Err(_) => Err(Failure::silent()),
    }
}

/// A connection goes back after an answer and is closed after a failure.
fn settle<T>(lease: Lease<'_>, answer: Result<T, Failure>) -> Result<T, Failure> {
    match answer {
        Ok(answer) => {
            lease.give_back();
            Ok(answer)
        }
        Err(failure) => {
            lease.close(&failure);
            Err(failure)
        }
    }
}
