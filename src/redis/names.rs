//! What everything in Redis is called: what is of a browser's session, of a user, and of a user session.

use crate::store::{Key, Owner, due_name, expiries_name, news_name, outbox_name};

/// The names of all that one browser's session needs, which are in one shard.
pub(super) struct Record<'a> {
    pub(super) key: &'a Key,
    on_trial: bool,
}

impl<'a> Record<'a> {
    pub(super) fn of(key: &'a Key) -> Self {
        Self { key, on_trial: false }
    }

    /// Names that no session has, in a place where one could be.
    pub(super) fn on_trial(key: &'a Key) -> Self {
        Self { key, on_trial: true }
    }

    pub(super) fn name(&self) -> String {
        if self.on_trial { trial(&self.key.name()) } else { self.key.name() }
    }

    /// The same once more, if it goes to the archive: it is there when the time of the other has run out.
    pub(super) fn copy(&self) -> String {
        self.trial_of("c").unwrap_or_else(|| self.key.copy_name())
    }

    /// A sorted set, which all of the shard share: digests of keys by when to look whether they have expired, in milliseconds. It has
    /// no expiry.
    pub(super) fn expiries(&self) -> String {
        self.trial_of("x").unwrap_or_else(|| expiries_name(self.key.realm(), self.key.shard()))
    }

    /// See [`Places`].
    pub(super) fn outbox(&self) -> String {
        self.trial_of("o").unwrap_or_else(|| outbox_name(self.key.realm(), self.key.shard()))
    }

    fn trial_of(&self, kind: &str) -> Option<String> {
        self.on_trial.then(|| format!("{}:{kind}", trial(&self.key.name())))
    }
}

/// The names of all that is one user's, which are in one shard.
pub(super) struct Names {
    pub(super) owner: Owner,
    /// A sorted set: [members](crate::store::Member::to_bytes) by their deadlines in milliseconds.
    pub(super) index: String,
    /// A decimal number.
    pub(super) epoch: String,
    /// A stream, which all users of the shard share. What is told is in the field `r`.
    pub(super) news: String,
    on_trial: bool,
}

impl Names {
    pub(super) fn of(owner: &Owner) -> Self {
        Self {
            owner: *owner,
            index: owner.to_string(),
            epoch: owner.epoch_name(),
            news: news_name(owner.realm(), owner.shard()),
            on_trial: false,
        }
    }

    /// Names that no user has, in a place where one could be.
    pub(super) fn on_trial(owner: &Owner) -> Self {
        let at = trial(&owner.to_string());
        let [index, epoch, news] = ["u", "e", "n"].map(|kind| format!("{at}:{kind}"));
        Self { owner: *owner, index, epoch, news, on_trial: true }
    }

    pub(super) fn record<'a>(&self, key: &'a Key) -> Record<'a> {
        Record { key, on_trial: self.on_trial }
    }

    /// Of all sessions of the user alike, as the shard is one.
    pub(super) fn expiries(&self) -> String {
        self.of_shard("x").unwrap_or_else(|| expiries_name(self.owner.realm(), self.owner.shard()))
    }

    pub(super) fn outbox(&self) -> String {
        self.of_shard("o").unwrap_or_else(|| outbox_name(self.owner.realm(), self.owner.shard()))
    }

    fn of_shard(&self, kind: &str) -> Option<String> {
        self.on_trial.then(|| format!("{}:{kind}", self.index))
    }
}

/// The names of all that a user session needs, which are in one shard.
pub(super) struct Places {
    pub(super) record: String,
    /// A hash: what has ended, by the bytes of its id. It has no expiry.
    pub(super) outbox: String,
    /// A sorted set, which all users of the shard share: digests of keys by when to look, in milliseconds. It has no expiry.
    pub(super) due: String,
    session: fn(&Key) -> String,
}

impl Places {
    pub(super) fn of(key: &Key) -> Self {
        let (outbox, due) = (outbox_name(key.realm(), key.shard()), due_name(key.realm(), key.shard()));
        Self { record: key.name(), outbox, due, session: Key::name }
    }

    /// Names that no user session has, in a place where one could be.
    pub(super) fn on_trial(key: &Key) -> Self {
        let record = trial(&key.name());
        let [outbox, due] = ["o", "d"].map(|kind| format!("{record}:{kind}"));
        Self { record, outbox, due, session: |key| trial(&key.name()) }
    }

    /// The browser's session that asks.
    pub(super) fn session(&self, key: &Key) -> String {
        (self.session)(key)
    }
}

/// The name that stands in for a session's or a user's when Redis is tried.
pub(super) fn trial(name: &str) -> String {
    [":s:", ":l:", ":u:"].iter().fold(name.to_owned(), |name, kind| name.replacen(kind, ":probe:", 1))
}
