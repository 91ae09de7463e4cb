//! Generations of a user's sessions.

use crate::clock::Timestamp;
use std::time::Duration;

/// Which generation of a user's sessions a session belongs to: the user's epoch moves whenever all of them are ended.
///
/// A session, or a visitor cookie, is of the epoch in which the user signed in, and counts for nothing once the user's has
/// moved past that. It is a counter and not a time: only the user's own place in the store moves it, and never back. That
/// it keeps up with the store's clock makes it move on also after a store that lost it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// How much longer than asked a store keeps an epoch: clocks of servers differ, and what it refuses must not outlive it.
    pub const SPARE: Duration = Duration::from_secs(24 * 60 * 60);

    /// The number, at most 2^48 - 1.
    pub fn as_u64(self) -> u64 {
        self.0
    }

    /// The epoch of this number; a larger one than the largest counts as that.
    pub fn from_u64(number: u64) -> Self {
        Self(Timestamp::from_millis(number).as_millis())
    }

    /// The one that begins when all sessions are ended at `now`, by the store's clock.
    pub fn next(self, now: Timestamp) -> Self {
        Self::from_u64(now.as_millis().max(self.0 + 1))
    }

    /// Whether it began before `moment`, by the store's clock.
    pub(crate) fn began_before(self, moment: Timestamp) -> bool {
        self.0 < moment.as_millis()
    }

    pub(crate) fn to_bytes(self) -> [u8; 6] {
        Timestamp::from_millis(self.0).to_bytes()
    }

    pub(crate) fn from_bytes(bytes: [u8; 6]) -> Self {
        Self(Timestamp::from_bytes(bytes).as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_on_whatever_the_clock_says() {
        let at = Timestamp::from_millis;
        assert_eq!(Epoch::default().next(at(1000)), Epoch(1000));
        assert_eq!(Epoch(1000).next(at(1000)), Epoch(1001));
        assert_eq!(Epoch(1000).next(at(3)), Epoch(1001), "a clock that was set back");
    }
}
