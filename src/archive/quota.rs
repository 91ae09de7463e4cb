//! How many may be completed.

use super::Timestamp;
use std::time::Duration;

/// How many sessions of a kind a user may complete, in any stretch of time so long.
///
/// ```
/// # use std::time::Duration;
/// use thin_session::Quota;
///
/// const TRANSFERS: Quota = Quota::rolling(20, Duration::from_secs(30 * 86_400));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    limit: u32,
    window: Duration,
}

impl Quota {
    /// So many in any stretch of time as long as `window`, which counts in whole milliseconds. A limit of 0 allows none.
    pub const fn rolling(limit: u32, window: Duration) -> Self {
        Self { limit, window }
    }

    /// How many may be completed.
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// In any stretch of time so long.
    pub const fn window(&self) -> Duration {
        self.window
    }

    /// What ended at or before this does not count any more.
    pub fn since(&self, now: Timestamp) -> Timestamp {
        now.minus(self.window)
    }

    /// When the next is possible, if there are as many as the quota allows: `last` are when they ended, the latest in front, as many
    /// as the limit.
    pub fn next(&self, last: &[Timestamp], now: Timestamp) -> Timestamp {
        // The one whose time runs out next. With a limit of none, never; then in a window's time, to be asked again.
        last.last().copied().unwrap_or(now).plus(self.window)
    }
}
