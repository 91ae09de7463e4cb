//! One connection: what is sent on it, and what comes back.

use super::dialect::{Dialect, Statement};
use super::failure::{Cause, Failure};
use crate::record::Malformed;
use crate::store::{Entry, Timestamp};
#[cfg(feature = "postgres")]
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, Postgres};
#[cfg(feature = "sqlite")]
use sqlx::sqlite::{
    Sqlite, SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous,
};
use sqlx::{Arguments, AssertSqlSafe, ConnectOptions as _, Connection as _, Encode, Row as _, Type};
#[cfg(feature = "sqlite")]
use std::path::Path;
use std::time::Duration;
use uuid::Uuid;

/// For how long the database waits for others, unless told otherwise, and so how long one waits for a connection.
pub(super) const WAIT: Duration = Duration::from_millis(250);

/// A connection. Dropped in the middle of something it takes its transaction back, or whatever was sent is carried out.
pub(super) enum Link {
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(PgConnection),
}

/// Where connections are made to, and how. Holds a password, and so has no `Debug`.
#[derive(Clone)]
pub(super) enum Target {
    #[cfg(feature = "sqlite")]
    Sqlite(Box<SqliteConnectOptions>),
    #[cfg(feature = "postgres")]
    Postgres(Box<PgConnectOptions>),
}

/// A parameter of a statement.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Bytes(&'a [u8]),
    Text(&'a str),
    Number(i64),
    /// A number that the database is to find itself.
    Nothing,
}

/// One row of an answer.
pub(super) enum Row {
    #[cfg(feature = "sqlite")]
    Sqlite(sqlx::sqlite::SqliteRow),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::postgres::PgRow),
}

impl Target {
    /// Many readers and a writer at a time, who waits for those of other processes; and what was answered is on the disk.
    #[cfg(feature = "sqlite")]
    pub(super) fn sqlite(path: &Path) -> Self {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
        let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
        Self::Sqlite(Box::new(options.disable_statement_logging())).giving_up_after(WAIT)
    }

    #[cfg(feature = "postgres")]
    pub(super) fn postgres(url: &str) -> Result<Self, Failure> {
        let options = url.parse::<PgConnectOptions>().map_err(|_| Cause::Url)?;
        Ok(Self::Postgres(Box::new(options.disable_statement_logging())).giving_up_after(WAIT))
    }

    /// When the database gives up waiting for others. Before whoever asked does, who then knows that nothing was done.
    pub(super) fn giving_up_after(self, wait: Duration) -> Self {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(options) => Self::Sqlite(Box::new(options.busy_timeout(wait))),
            // A process that was stopped in the middle of something does not hold others up for long either.
            #[cfg(feature = "postgres")]
            Self::Postgres(options) => {
                let limits = [("statement_timeout", wait), ("idle_in_transaction_session_timeout", 4 * wait)];
                let limits = limits.map(|(name, limit)| (name, limit.as_millis().max(1)));
                Self::Postgres(Box::new(options.options(limits)))
            }
        }
    }

    pub(super) fn dialect(&self) -> Dialect {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Dialect::Sqlite,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    pub(super) async fn connect(&self) -> Result<Link, Cause> {
        Ok(match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(options) => {
                Link::Sqlite(SqliteConnection::connect_with(options).await.map_err(Cause::Unreachable)?)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(options) => {
                Link::Postgres(PgConnection::connect_with(options).await.map_err(Cause::Unreachable)?)
            }
        })
    }
}

impl Link {
    pub(super) async fn fetch(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, sqlx::Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(link) => {
                let text = statement.text(Dialect::Sqlite);
                let rows =
                    sqlx::query_with::<Sqlite, _>(text, arguments::<SqliteArguments>(values)?).fetch_all(link).await?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(link) => {
                let text = statement.text(Dialect::Postgres);
                let rows =
                    sqlx::query_with::<Postgres, _>(text, arguments::<PgArguments>(values)?).fetch_all(link).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// Answers how many rows were written.
    pub(super) async fn execute(
        &mut self,
        statement: &'static Statement,
        values: &[Value<'_>],
    ) -> Result<u64, sqlx::Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(link) => {
                let text = statement.text(Dialect::Sqlite);
                Ok(sqlx::query_with::<Sqlite, _>(text, arguments::<SqliteArguments>(values)?)
                    .execute(link)
                    .await?
                    .rows_affected())
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(link) => {
                let text = statement.text(Dialect::Postgres);
                Ok(sqlx::query_with::<Postgres, _>(text, arguments::<PgArguments>(values)?)
                    .execute(link)
                    .await?
                    .rows_affected())
            }
        }
    }

    /// Sends words without parameters.
    pub(super) async fn say(&mut self, words: &str) -> Result<(), sqlx::Error> {
        // Only words of this module's own come here.
        let words = sqlx::raw_sql(AssertSqlSafe(words));
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(link) => words.execute(link).await.map(drop),
            #[cfg(feature = "postgres")]
            Self::Postgres(link) => words.execute(link).await.map(drop),
        }
    }
}

fn arguments<A: Arguments>(values: &[Value<'_>]) -> Result<A, sqlx::Error>
where
    for<'q> &'q [u8]: Encode<'q, A::Database> + Type<A::Database>,
    for<'q> &'q str: Encode<'q, A::Database> + Type<A::Database>,
    for<'q> Option<i64>: Encode<'q, A::Database> + Type<A::Database>,
{
    let mut arguments = A::default();
    for value in values {
        match *value {
            Value::Bytes(bytes) => arguments.add(bytes),
            Value::Text(text) => arguments.add(text),
            Value::Number(number) => arguments.add(Some(number)),
            Value::Nothing => arguments.add(None::<i64>),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

impl Row {
    pub(super) fn bytes(&self, column: usize) -> Result<Vec<u8>, Failure> {
        Ok(self.bytes_if_any(column)?.unwrap_or_default())
    }

    pub(super) fn entry(&self, column: usize) -> Result<Option<Entry>, Failure> {
        Ok(self.bytes_if_any(column)?.map(Entry::from_bytes).transpose()?)
    }

    pub(super) fn id(&self, column: usize) -> Result<Uuid, Failure> {
        Ok(Uuid::from_slice(&self.bytes(column)?).map_err(|_| Malformed("id"))?)
    }

    pub(super) fn text(&self, column: usize) -> Result<String, Failure> {
        let text = match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(row) => row.try_get(column),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => row.try_get(column),
        };
        Ok(text.map_err(Cause::Reply)?)
    }

    pub(super) fn number(&self, column: usize) -> Result<i64, Failure> {
        let number = match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(row) => row.try_get(column),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => row.try_get(column),
        };
        Ok(number.map_err(Cause::Reply)?)
    }

    pub(super) fn time(&self, column: usize) -> Result<Timestamp, Failure> {
        // Nothing that is stored is before 1970.
        Ok(Timestamp::from_millis(self.number(column)?.try_into().unwrap_or_default()))
    }

    fn bytes_if_any(&self, column: usize) -> Result<Option<Vec<u8>>, Failure> {
        let bytes = match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(row) => row.try_get(column),
            #[cfg(feature = "postgres")]
            Self::Postgres(row) => row.try_get(column),
        };
        Ok(bytes.map_err(Cause::Reply)?)
    }
}
