//! How many sessions ended, and when.

use super::{EndReason, Timestamp};
use std::time::{Duration, SystemTime};

/// Stretches of time of the same length, one after the other: such as the thirty days up to now.
///
/// ```
/// # use std::time::{Duration, SystemTime};
/// use thin_session::archive::Steps;
///
/// let day = Duration::from_secs(86_400);
/// let month = Steps::new(SystemTime::now() - 30 * day, day, 30);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    from: Timestamp,
    each: u64,
    number: u64,
}

/// How many sessions of a kind ended for a reason, in a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// When the stretch began.
    pub from: Timestamp,
    /// Their kind.
    pub kind: String,
    /// Why they ended.
    pub reason: EndReason,
    /// How many there were: one at least.
    pub sessions: u64,
}

impl Steps {
    /// As many as there can be.
    pub const MAX: usize = 1000;

    /// So many stretches from then on, at most [`MAX`](Self::MAX): the rest is left out. Each is as long as `each`, which counts in
    /// whole milliseconds, and is one at least.
    pub fn new(from: SystemTime, each: Duration, number: usize) -> Self {
        let each = u64::try_from(each.as_millis()).unwrap_or(u64::MAX).max(1);
        Self { from: from.into(), each, number: number.min(Self::MAX) as u64 }
    }

    /// When the first begins.
    pub fn from(&self) -> Timestamp {
        self.from
    }

    /// How long each is, in milliseconds.
    pub fn each(&self) -> u64 {
        self.each
    }

    /// When the last is over: what ends then is in none.
    pub fn to(&self) -> Timestamp {
        self.begin(self.number)
    }

    /// When the stretch of this number begins, from 0 on.
    pub fn begin(&self, number: u64) -> Timestamp {
        Timestamp::from_millis(self.from.as_millis().saturating_add(self.each.saturating_mul(number)))
    }

    /// The number of the stretch in which something ended, if that is one of these.
    pub fn number_of(&self, ended: Timestamp) -> Option<u64> {
        let after = ended.as_millis().checked_sub(self.from.as_millis())?;
        Some(after / self.each).filter(|number| *number < self.number)
    }
}

impl Count {
    /// When the stretch began.
    pub fn from_time(&self) -> SystemTime {
        self.from.into()
    }
}
