//! Why there is no answer, and whether the command can have been carried out.

use crate::record::Malformed;
use crate::store::StoreError;
use redis::{RedisError, ServerError};
use std::time::Duration;
use thiserror::Error;

/// Why there is no answer.
#[derive(Debug, Error)]
pub(super) enum Failure {
    #[error("this is not a valid URL of Redis")]
    Url(#[source] RedisError),
    #[error("Redis could not be reached")]
    Unreachable(#[source] RedisError),
    /// Nothing was tried, since trying failed a moment ago.
    #[error("Redis failed a moment ago")]
    Pausing(#[source] RedisError),
    #[error("Redis refused")]
    Refused(#[source] ServerError),
    #[error("the connection to Redis was lost")]
    Lost(#[source] RedisError),
    #[error("Redis did not answer within {0:?}")]
    Silent(Duration),
    #[error("Redis answered something else than was asked")]
    Reply,
    /// Something was read, and is no entry.
    #[error("Redis holds something else than was stored")]
    Entry(#[source] Malformed),
    /// A write that was refused found something there, which could not be read then.
    #[error("what is in the way could not be read")]
    Reading(#[source] Box<Failure>),
    /// Each time that it was tried somebody else was faster.
    #[error("the sessions of this user change all the time")]
    Overtaken,
}

/// The code with which a script says that it was stopped after its first write.
pub(super) const HALF_DONE: &str = "HALFDONE";

/// What Redis answers before it carries anything out, or when a script's first write is refused.
const REFUSALS: [&str; 17] = [
    "ASK",
    "BUSY",
    "CLUSTERDOWN",
    "CROSSSLOT",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "MOVED",
    "NOAUTH",
    "NOPERM",
    "NOREPLICAS",
    "NOSCRIPT",
    "OOM",
    "READONLY",
    "TRYAGAIN",
    "WRONGPASS",
    "WRONGTYPE",
];

impl Failure {
    pub(super) fn is_no_script(&self) -> bool {
        matches!(self, Self::Refused(error) if error.code() == "NOSCRIPT")
    }

    /// Whether Redis does not know an option of a command.
    pub(super) fn is_syntax(&self) -> bool {
        matches!(self, Self::Refused(error) if error.code() == "ERR" && error.details() == Some("syntax error"))
    }

    /// Whether Redis takes nothing new in for now, of anybody.
    pub(super) fn takes_nothing_in(&self) -> bool {
        matches!(self, Self::Refused(error) if matches!(error.code(), "OOM" | "NOREPLICAS" | "MISCONF"))
    }

    fn maybe_applied(&self) -> bool {
        match self {
            Self::Refused(error) => !is_refusal(error),
            Self::Lost(_) | Self::Silent(_) | Self::Reply => true,
            Self::Url(_) | Self::Unreachable(_) | Self::Pausing(_) | Self::Entry(_) | Self::Reading(_) => false,
            Self::Overtaken => false,
        }
    }
}

/// Whether this error says that nothing was written. Of codes that are not known it is not assumed: proxies answer
/// with their own when they lost the server behind them.
fn is_refusal(error: &ServerError) -> bool {
    let code = error.code();
    // Our scripts say HALF_DONE if they have written. All else that stops them comes before: Redis 6.2 reports even a
    // full memory as an error "of user_script".
    let of_script = || code == "ERR" && error.details().is_some_and(|details| details.contains("user_script"));
    REFUSALS.contains(&code) || of_script()
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        if failure.maybe_applied() { Self::unknown(failure) } else { Self::not_applied(failure) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(reply: &str) -> Failure {
        let value = redis::parse_redis_value(format!("-{reply}\r\n").as_bytes()).unwrap();
        Failure::Refused(ServerError::try_from(value.extract_error().unwrap_err()).unwrap())
    }

    #[test]
    fn refusals_of_redis_6_and_7_change_nothing() {
        for reply in [
            "OOM command not allowed when used memory > 'maxmemory'.",
            "OOM command not allowed when used memory > 'maxmemory'. script: 2a, on @user_script:3.",
            "ERR Error running script (call to f_2a): @user_script:3: @user_script: 3: -OOM command not allowed",
            "LOADING Redis is loading the dataset in memory",
            "READONLY You can't write against a read only replica.",
            "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
            "CLUSTERDOWN The cluster is down",
            "MISCONF Redis is configured to save RDB snapshots",
            "NOREPLICAS Not enough good replicas to write.",
            "BUSY Redis is busy running a script.",
            "TRYAGAIN Multiple keys request during rehashing of slot",
            "NOPERM User app has no permissions to run the 'evalsha' command",
            "NOAUTH Authentication required.",
            "WRONGTYPE Operation against a key holding the wrong kind of value",
            "NOSCRIPT No matching script. Please use EVAL.",
            "MOVED 3999 127.0.0.1:6381",
        ] {
            assert!(!StoreError::from(refused(reply)).maybe_applied(), "{reply}");
        }
    }

    #[test]
    fn what_may_have_come_after_a_write_is_unknown() {
        for reply in ["HALFDONE OOM command not allowed", "ERR upstream failure", "ERR Connection timed out", "ODD"] {
            assert!(StoreError::from(refused(reply)).maybe_applied(), "{reply}");
        }
        let lost = || RedisError::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        for failure in [Failure::Lost(lost()), Failure::Silent(Duration::ZERO), Failure::Reply] {
            assert!(StoreError::from(failure).maybe_applied());
        }
        for failure in [Failure::Unreachable(lost()), Failure::Pausing(lost())] {
            assert!(!StoreError::from(failure).maybe_applied());
        }
    }
}
