//! How long sessions live. Pure rules, time as an argument.

use crate::clock::Timestamp;
use crate::error::ConfigError;
use std::time::Duration;

/// The longest that any cookie lives: browsers cap it there (RFC 6265bis, section 5.6).
pub(crate) const LONGEST: Duration = days(400);

/// The two limits of a session: without activity, and whatever happens.
///
/// Activity pushes the first out, at most once in a tenth of it. Only proving anew who one is begins the second again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    idle: Duration,
    absolute: Duration,
}

impl Limits {
    /// Of an anonymous session unless configured: idle 24 hours, absolute 7 days.
    pub const ANONYMOUS: Self = Self { idle: hours(24), absolute: days(7) };
    /// Of a signed-in session unless configured: idle 30 minutes, absolute 12 hours.
    pub const SIGNED_IN: Self = Self { idle: minutes(30), absolute: hours(12) };
    /// NIST SP 800-63B-4, assurance level 1 (section 2.1.3): 30 days in all, no limit on idleness.
    pub const NIST_AAL1: Self = Self { idle: days(30), absolute: days(30) };
    /// NIST SP 800-63B-4, assurance level 2 (section 2.2.3): idle an hour, 24 hours in all.
    pub const NIST_AAL2: Self = Self { idle: hours(1), absolute: hours(24) };
    /// NIST SP 800-63B-4, assurance level 3 (section 2.3.3): idle 15 minutes, 12 hours in all.
    pub const NIST_AAL3: Self = Self { idle: minutes(15), absolute: hours(12) };

    /// Limits of one's own.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Limits`] unless 1 second ≤ `idle` ≤ `absolute` ≤ 400 days.
    pub fn new(idle: Duration, absolute: Duration) -> Result<Self, ConfigError> {
        if idle < Duration::from_secs(1) || idle > absolute || absolute > LONGEST {
            return Err(ConfigError::Limits);
        }
        Ok(Self { idle, absolute })
    }

    /// The longest that a session lives.
    pub(crate) fn absolute(&self) -> Duration {
        self.absolute
    }

    /// When a session that began, or was proved anew, at `start` ends whatever happens.
    pub(crate) fn deadline(&self, start: Timestamp) -> Timestamp {
        start.plus(self.absolute)
    }

    /// How long a store keeps a session that is active now; none if its deadline has passed.
    pub(crate) fn keep_for(&self, now: Timestamp, deadline: Timestamp) -> Option<Duration> {
        (now < deadline).then(|| self.idle.min(deadline.since(now)))
    }

    /// Whether activity now is worth a write: once in a tenth of the idle limit.
    pub(crate) fn touch_is_due(&self, touched: Timestamp, now: Timestamp) -> bool {
        now.since(touched) >= self.idle / 10
    }
}

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

const fn hours(count: u64) -> Duration {
    minutes(count * 60)
}

const fn days(count: u64) -> Duration {
    hours(count * 24)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In seconds, since the words for longer times are used on both sides elsewhere.
    #[test]
    fn frozen_limits() {
        for (limits, idle, absolute) in [
            (Limits::ANONYMOUS, 86_400, 604_800),
            (Limits::SIGNED_IN, 1_800, 43_200),
            (Limits::NIST_AAL1, 2_592_000, 2_592_000),
            (Limits::NIST_AAL2, 3_600, 86_400),
            (Limits::NIST_AAL3, 900, 43_200),
        ] {
            assert_eq!((limits.idle, limits.absolute()), (Duration::from_secs(idle), Duration::from_secs(absolute)));
        }
        assert_eq!(LONGEST, Duration::from_secs(34_560_000));
    }

    #[test]
    fn limits_that_cannot_work_are_refused() {
        let second = Duration::from_secs(1);
        for (idle, absolute, fits) in [
            (second, second, true),
            (second, LONGEST, true),
            (Duration::ZERO, second, false),
            (second * 2, second, false),
            (second, LONGEST + second, false),
        ] {
            assert_eq!(Limits::new(idle, absolute).is_ok(), fits);
        }
    }

    #[test]
    fn near_the_deadline_a_session_is_kept_no_longer_than_to_it() {
        let start = Timestamp::default().plus(days(1));
        let deadline = Limits::SIGNED_IN.deadline(start);
        let late = start.plus(hours(12) - Duration::from_millis(1));
        assert_eq!(Limits::SIGNED_IN.keep_for(start, deadline), Some(minutes(30)));
        assert_eq!(Limits::SIGNED_IN.keep_for(late, deadline), Some(Duration::from_millis(1)));
        assert_eq!(Limits::SIGNED_IN.keep_for(deadline, deadline), None);
    }

    #[test]
    fn a_touch_is_due_once_in_a_tenth_of_the_idle_limit() {
        let start = Timestamp::default();
        assert!(!Limits::SIGNED_IN.touch_is_due(start, start.plus(minutes(3) - Duration::from_millis(1))));
        assert!(Limits::SIGNED_IN.touch_is_due(start, start.plus(minutes(3))));
    }
}
