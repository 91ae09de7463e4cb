//! Who decides what time it is.

use super::link::Value;
use crate::clock::{Clock, Timestamp};
use std::time::Duration;

/// The time of a store: the database's where several servers share one, else a clock of this process.
#[derive(Clone)]
pub(super) struct Time(Option<Clock>);

impl Time {
    #[cfg(feature = "postgres")]
    pub(super) fn of_database() -> Self {
        Self(None)
    }

    #[cfg(feature = "sqlite")]
    pub(super) fn of_process() -> Self {
        Self(Some(Clock::system()))
    }

    pub(super) fn of(clock: Clock) -> Self {
        Self(Some(clock))
    }

    /// What a statement is given in the place of `{now}`.
    pub(super) fn now(&self) -> Value<'static> {
        self.0.as_ref().map_or(Value::Nothing, |clock| Value::time(clock.now()))
    }

    /// The same, near enough to decide in this process what is due.
    pub(super) fn about_now(&self) -> Timestamp {
        self.0.clone().unwrap_or_default().now()
    }
}

impl Value<'_> {
    pub(super) fn time(time: Timestamp) -> Self {
        // Timestamps have 48 bits.
        Self::Number(i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
    }

    /// At most how many.
    pub(super) fn limit(limit: usize) -> Self {
        Self::Number(i64::try_from(limit).unwrap_or(i64::MAX))
    }

    /// For how many milliseconds to keep something: for ever is some thousand years.
    pub(super) fn span(keep_for: Duration) -> Self {
        const LONGEST: i64 = 1 << 48;
        Self::Number(i64::try_from(keep_for.as_millis()).unwrap_or(LONGEST).min(LONGEST))
    }
}
