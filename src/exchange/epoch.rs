//! Which epoch of a user a request goes by.

use super::state::Exchange;
use crate::id::{Epoch, UserDigest};
use std::sync::{Mutex, PoisonError};

/// An epoch that a request itself has moved: for whom, and to where.
#[derive(Debug, Default)]
pub(super) struct OwnEpoch(Mutex<Option<(UserDigest, Epoch)>>);

impl OwnEpoch {
    /// Notes that this request has ended all sessions of a user: a sign-in that comes after that in the same request is meant.
    pub(super) fn moved(&self, user: UserDigest, to: Epoch) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((user, to));
    }

    fn of(&self, user: &UserDigest) -> Option<Epoch> {
        let moved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        moved.filter(|(whose, _)| whose == user).map(|(_, epoch)| epoch)
    }
}

impl Exchange {
    /// The user's epoch as it was known when this request began, or as this request itself has moved it.
    pub(super) fn epoch_when_it_began(&self, user: &UserDigest) -> Epoch {
        let known = self.realm.revoked.epoch_of(user, self.began.known);
        self.own_epoch.of(user).map_or(known, |own| known.max(own))
    }
}
