//! What a shard knows of a user: which sessions there are, and of which epoch new ones must be.

use crate::store::{Epoch, Member, Timestamp};

#[derive(Default)]
pub(super) struct Account {
    /// The one whose deadline comes first in front.
    seats: Vec<Seat>,
    epoch: Epoch,
    epoch_until: Timestamp,
}

/// A session's place in the index.
pub(super) struct Seat {
    pub(super) member: Member,
    pub(super) deadline: Timestamp,
}

impl Account {
    pub(super) fn members(&self) -> impl Iterator<Item = &Member> {
        self.seats.iter().map(|seat| &seat.member)
    }

    pub(super) fn seats(&self) -> &[Seat] {
        &self.seats
    }

    pub(super) fn seat(&mut self, member: Member, deadline: Timestamp) {
        let place = self.seats.partition_point(|seat| seat.deadline <= deadline);
        self.seats.insert(place, Seat { member, deadline });
    }

    pub(super) fn retain(&mut self, keep: impl FnMut(&Seat) -> bool) {
        self.seats.retain(keep);
    }

    /// The epoch, which counts as lost when its time is up.
    pub(super) fn epoch(&self, now: Timestamp) -> Epoch {
        if self.epoch_until > now { self.epoch } else { Epoch::default() }
    }

    /// Moves the epoch on, never back.
    pub(super) fn raise(&mut self, epoch: Epoch, until: Timestamp, now: Timestamp) {
        if epoch > self.epoch(now) {
            self.epoch = epoch;
            self.epoch_until = until.plus(Epoch::SPARE).max(self.epoch_until);
        }
    }

    /// Whether there is nothing to remember.
    pub(super) fn is_empty(&self, now: Timestamp) -> bool {
        self.seats.is_empty() && self.epoch(now) == Epoch::default()
    }
}
