//! Why there is no answer, and whether what was asked can have been carried out.

use super::dialect::Dialect;
use crate::record::Malformed;
use crate::store::StoreError;
use std::time::Duration;
use thiserror::Error;

/// Why there is no answer, and whether a write can have been applied.
#[derive(Debug)]
pub(super) struct Failure {
    cause: Cause,
    maybe_applied: bool,
}

#[derive(Debug, Error)]
pub(super) enum Cause {
    /// What is wrong with it would quote a part of it, which may be a part of the password.
    #[cfg(feature = "postgres")]
    #[error("this is not a valid URL of Postgres")]
    Url,
    #[error("the database could not be reached")]
    Unreachable(#[source] sqlx::Error),
    #[error("the database did not let anybody in within {0:?}")]
    NotLetIn(Duration),
    #[error("no connection became free within {0:?}")]
    AllTaken(Duration),
    #[error("somebody else was in the way")]
    Busy(#[source] sqlx::Error),
    #[error("the database is full")]
    Full(#[source] sqlx::Error),
    #[error("the database refused")]
    Refused(#[source] sqlx::Error),
    #[error("the connection to the database was lost")]
    Lost(#[source] sqlx::Error),
    #[error("the database did not answer in time")]
    Silent,
    /// Something was read, and is no entry.
    #[error("the database holds something else than was stored")]
    Entry(#[source] Malformed),
    /// What was in the way is not there any more.
    #[error("somebody else was faster")]
    Overtaken,
    #[error("the database answered something else than was asked")]
    Reply(#[source] sqlx::Error),
}

impl Failure {
    /// Of what the database answered, or of what came instead of an answer.
    pub(super) fn of(error: sqlx::Error, dialect: Dialect) -> Self {
        use sqlx::Error as Sql;
        match &error {
            Sql::Database(reply) => {
                let code = reply.code().unwrap_or_default();
                let (refused, full, busy) = (dialect.is_refusal(&code), dialect.is_full(&code), dialect.is_busy(&code));
                let kind = match () {
                    () if full => Cause::Full,
                    () if busy => Cause::Busy,
                    () if refused => Cause::Refused,
                    () => Cause::Lost,
                };
                Self { cause: kind(error), maybe_applied: !refused }
            }
            // Found before anything is sent.
            Sql::Encode(_) | Sql::InvalidArgument(_) | Sql::Configuration(_) => Cause::Refused(error).into(),
            _ => Self { cause: Cause::Lost(error), maybe_applied: true },
        }
    }

    pub(super) fn silent() -> Self {
        Self { cause: Cause::Silent, maybe_applied: true }
    }

    /// The same of what changes nothing: of a read, or in a transaction that was not committed.
    pub(super) fn harmless(self) -> Self {
        Self { maybe_applied: false, ..self }
    }

    /// Whether other connections are likely to have gone as well.
    pub(super) fn is_of_all(&self) -> bool {
        matches!(self.cause, Cause::Lost(_) | Cause::Silent)
    }

    /// Whether the database itself said no.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self.cause, Cause::Refused(_))
    }

    /// Whether somebody was in the way who may be gone in a moment.
    pub(super) fn is_passing(&self, dialect: Dialect) -> bool {
        match &self.cause {
            Cause::Busy(_) | Cause::AllTaken(_) | Cause::NotLetIn(_) => true,
            Cause::Unreachable(sqlx::Error::Database(reply)) => reply.code().is_some_and(|code| dialect.is_busy(&code)),
            _ => false,
        }
    }
}

impl From<Cause> for Failure {
    /// Of what went wrong before anything was sent.
    fn from(cause: Cause) -> Self {
        Self { cause, maybe_applied: false }
    }
}

impl From<Malformed> for Failure {
    fn from(malformed: Malformed) -> Self {
        Cause::Entry(malformed).into()
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure.cause {
            cause if failure.maybe_applied => Self::unknown(cause),
            cause @ Cause::Full(_) => Self::refused(cause),
            cause => Self::not_applied(cause),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.cause.fmt(f)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.source()
    }
}
