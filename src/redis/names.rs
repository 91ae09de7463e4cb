//! What the things of a user are called.

use crate::store::{Key, Owner, news_name};

/// The names of all that is one user's, which are in one shard.
pub(super) struct Names {
    pub(super) owner: Owner,
    /// A sorted set: [members](crate::store::Member::to_bytes) by their deadlines in milliseconds.
    pub(super) index: String,
    /// A decimal number.
    pub(super) epoch: String,
    /// A stream, which all users of the shard share. What is told is in the field `r`.
    pub(super) news: String,
    record: fn(&Key) -> String,
}

impl Names {
    pub(super) fn of(owner: &Owner) -> Self {
        Self {
            owner: *owner,
            index: owner.to_string(),
            epoch: owner.epoch_name(),
            news: news_name(owner.realm(), owner.shard()),
            record: Key::to_string,
        }
    }

    /// Names that no user has, in a place where one could be.
    pub(super) fn on_trial(owner: &Owner) -> Self {
        let at = trial(&owner.to_string());
        let [index, epoch, news] = ["u", "e", "n"].map(|kind| format!("{at}:{kind}"));
        Self { owner: *owner, index, epoch, news, record: |key| trial(&key.to_string()) }
    }

    pub(super) fn record(&self, key: &Key) -> String {
        (self.record)(key)
    }
}

/// The name that stands in for a session's or a user's when Redis is tried.
pub(super) fn trial(name: &str) -> String {
    name.replacen(":s:", ":probe:", 1).replacen(":u:", ":probe:", 1)
}
