//! What time it is: the system's clock, or one that a test moves by hand.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The source of time for a layer or a store. Clones of a manual clock move together.
///
/// Wall-clock time, not a monotonic counter: limits of sessions go on while a machine is suspended.
#[derive(Clone, Default)]
pub struct Clock(Source);

#[derive(Clone, Default)]
enum Source {
    #[default]
    System,
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// The system's clock. The default everywhere.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands still at the present moment until [`advance`](Self::advance) moves it.
    pub fn manual() -> Self {
        let now = Self::system().now();
        Self(Source::Manual(Arc::new(AtomicU64::new(now.0))))
    }

    /// Moves a manual clock, and all its clones, forward. The system's clock cannot be moved: no effect there.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(now) = &self.0 {
            let later = |now| Some(Timestamp(now).plus(by).0);
            // Never fails: there is always a later moment, or the last.
            let _ = now.fetch_update(Ordering::SeqCst, Ordering::SeqCst, later);
        }
    }

    /// What time it is by this clock.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::from(SystemTime::now()),
            Source::Manual(now) => Timestamp(now.load(Ordering::SeqCst)),
        }
    }
}

/// A moment that can be told both as a time and as how long ago it is, at the price of one look at a clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    instant: Instant,
    /// By a manual clock, which stands still while time passes.
    manual: Option<Timestamp>,
}

impl Clock {
    pub(crate) fn moment(&self) -> Moment {
        let manual = matches!(self.0, Source::Manual(_)).then(|| self.now());
        Moment { instant: Instant::now(), manual }
    }

    /// What time it was then; `instant` is now.
    pub(crate) fn at(&self, moment: Moment, instant: Instant) -> Timestamp {
        moment.manual.unwrap_or_else(|| self.now().minus(instant.duration_since(moment.instant)))
    }
}

impl Moment {
    /// How long ago it is, whatever was done to clocks since; but for the time for which the machine slept.
    pub(crate) fn elapsed(&self) -> Duration {
        self.instant.elapsed()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Clock::system",
            Source::Manual(_) => "Clock::manual",
        })
    }
}

/// Servers that share sessions agree on the time within this.
pub(crate) const LEEWAY: Duration = Duration::from_secs(60);

/// A moment, in milliseconds since the Unix epoch. Stored in six bytes, which last until the year 10889.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    pub(crate) const SIZE: usize = 6;
    const MAX: u64 = (1 << 48) - 1;

    /// The moment that is so many milliseconds after 1970, at most 2^48 - 1.
    pub fn from_millis(millis: u64) -> Self {
        Self(millis.min(Self::MAX))
    }

    /// The bytes of the moment in an entry's header, the highest first.
    pub fn to_bytes(self) -> [u8; 6] {
        let [_, _, bytes @ ..] = self.0.min(Self::MAX).to_be_bytes();
        bytes
    }

    pub(crate) fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        let [a, b, c, d, e, f] = bytes;
        Self(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
    }

    /// Milliseconds since 1970.
    pub fn as_millis(self) -> u64 {
        self.0
    }

    /// Saturates at the largest moment that can be stored.
    pub(crate) fn plus(self, duration: Duration) -> Self {
        Self::from_millis(self.0.saturating_add(millis(duration)))
    }

    /// Saturates at 1970.
    pub(crate) fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// How long after `earlier` this is; zero if it is not.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self::from_millis(millis(time.duration_since(UNIX_EPOCH).unwrap_or_default()))
    }
}

impl From<Timestamp> for SystemTime {
    fn from(time: Timestamp) -> Self {
        UNIX_EPOCH + Duration::from_millis(time.0)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_manual_clock_move_together() {
        let clock = Clock::manual();
        let before = clock.clone().now();
        clock.clone().advance(Duration::from_secs(5));
        assert_eq!(clock.now().since(before), Duration::from_secs(5));
    }

    #[test]
    fn extremes_saturate() {
        assert_eq!(Timestamp::from_millis(u64::MAX).as_millis(), 281_474_976_710_655);
        let last = Timestamp::default().plus(Duration::MAX);
        assert_eq!(last, last.plus(Duration::MAX));
        assert_eq!(Timestamp::from_bytes(last.to_bytes()), last);
        assert_eq!(Timestamp::default().since(last), Duration::ZERO);
    }
}
