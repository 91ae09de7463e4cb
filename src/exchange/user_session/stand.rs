//! What stands under a user's key.

use super::super::realm::Realm;
use crate::clock::Timestamp;
use crate::error::{SessionError, SessionErrorKind};
use crate::id::{WriteId, ordered_id};
use crate::record::{EndReason, Entry, Header, History, Past, Slot, State, UserBody};
use crate::sealing;
use crate::store::{Key, lives_until};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// What a type says of its user sessions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) idle: Duration,
    pub(crate) lifetime: Duration,
}

/// A user session as a handle saw it: what its holder may decide on.
#[derive(Clone, Debug)]
pub(crate) struct Sight {
    pub(crate) id: Uuid,
    pub(crate) body: Arc<UserBody>,
}

impl Kind {
    /// When a store is to be asked again whether one has run out; none if nobody wants to know.
    pub(super) fn look_in(&self, realm: &Realm) -> Option<Duration> {
        realm.archive.as_ref().map(|_| self.idle)
    }
}

/// What stands under a user's key.
#[derive(Clone, Debug)]
pub(super) enum Stand {
    /// None, or the marker of one that has ended.
    Vacant(Option<Base>),
    /// One whose time has run out.
    Lapsed(Held),
    Live(Held),
    /// One that is being completed: the archive is asked, or nobody could tell what it said.
    Completing(Held),
}

/// What a write must follow.
#[derive(Clone, Debug)]
pub(super) struct Base {
    /// Of the user session, which may have ended.
    id: Uuid,
    pub(super) write_id: WriteId,
    history: History,
    touched: Timestamp,
}

/// A user session, and all that a commit needs to know of it.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) base: Base,
    pub(super) body: Arc<UserBody>,
    deadline: Timestamp,
    /// Bytes of its record, as the budget counts them.
    size: usize,
    /// When it ends if nothing more happens.
    lives_until: Timestamp,
}

/// A record that is ready to be sent, and what will stand there then.
pub(super) struct Prepared {
    pub(super) entry: Entry,
    pub(super) keep_for: Duration,
    pub(super) stand: Stand,
}

/// For how much longer than it lives a user session is kept, so that it is archived with all that it held.
const KEPT_FOR_THE_ARCHIVE: Duration = Duration::from_secs(90 * 86_400);

impl Stand {
    /// What an entry is at `now`.
    pub(super) fn see(
        realm: &Realm,
        key: &Key,
        kind: &Kind,
        entry: Option<&Entry>,
        now: Timestamp,
    ) -> Result<Self, SessionError> {
        let Some(entry) = entry else { return Ok(Self::Vacant(None)) };
        let (header, rest) = entry.parse()?;
        let id = sealing::id_of_user_session(rest)?;
        let (write_id, history, touched) = (header.write_id, header.history.clone(), header.touched);
        let base = Base { id, write_id, history, touched };
        match header.state {
            State::Live => {}
            State::Ended | State::Moved => return Ok(Self::Vacant(Some(base))),
        }
        let body = sealing::open_user_session(&realm.keys, realm.place(key), &header, rest)?;
        let Header { deadline, .. } = header;
        let (size, lives_until) = (entry.size(), lives_until(entry, kind.idle));
        let held = Held { base, body: Arc::new(body), deadline, size, lives_until };
        Ok(held.at(now))
    }

    /// What a handle may be shown.
    pub(super) fn sight(&self) -> Option<Sight> {
        match self {
            Self::Live(held) | Self::Completing(held) => Some(held.sight()),
            Self::Vacant(_) | Self::Lapsed(_) => None,
        }
    }
}

impl Base {
    fn following(&self, now: Timestamp) -> History {
        self.history.following(self.write_id, now.since(self.touched))
    }
}

impl Held {
    /// What it is at `now`, by whoever's clock counts.
    pub(super) fn at(self, now: Timestamp) -> Stand {
        if self.body.is_completing {
            Stand::Completing(self)
        } else if self.lives_until <= now {
            Stand::Lapsed(self)
        } else {
            Stand::Live(self)
        }
    }

    pub(super) fn sight(&self) -> Sight {
        Sight { id: self.id(), body: Arc::clone(&self.body) }
    }

    pub(super) fn id(&self) -> Uuid {
        self.base.id
    }

    pub(super) fn lives_until(&self) -> Timestamp {
        self.lives_until
    }

    pub(super) fn touched(&self) -> Timestamp {
        self.base.touched
    }

    pub(super) fn note_touch(&mut self, now: Timestamp, kind: &Kind) {
        self.base.touched = now;
        self.lives_until = now.plus(kind.idle).min(self.deadline);
    }

    /// How long a store keeps it if it is active at `now`.
    pub(super) fn keep_for(&self, realm: &Realm, kind: &Kind, now: Timestamp) -> Duration {
        keep_for(realm, kind, self.deadline, now)
    }

    /// The same one with another body, after this one.
    pub(super) fn followed_by(&self, realm: &Realm, key: &Key, kind: &Kind, body: UserBody) -> Prepared {
        let now = realm.clock.now();
        prepare(realm, key, kind, (self.id(), self.deadline), self.base.following(now), body, now)
    }

    /// The same one with another value, if that fits.
    ///
    /// # Errors
    ///
    /// `TooLarge` for a record over its budget, unless it was over it before and shrinks.
    pub(super) fn changed(&self, realm: &Realm, key: &Key, kind: &Kind, slot: Slot) -> Result<Prepared, SessionError> {
        let updates = self.body.updates.saturating_add(1);
        let body = UserBody { updates, slot, idle: kind.idle, ..UserBody::clone(&self.body) };
        let next = self.followed_by(realm, key, kind, body);
        next.within_budget(realm, kind, Some(self.size))
    }

    /// What stands in its place when it has ended.
    pub(super) fn marker(&self, realm: &Realm, reason: EndReason) -> (Entry, Stand) {
        let now = realm.clock.now();
        let history = self.base.following(now);
        let id = self.id();
        let entry = sealing::mark_user_session(&realm.keys, id, self.deadline, now, history.clone(), reason);
        let base = Base { id, write_id: entry.write_id(), history, touched: now };
        (entry, Stand::Vacant(Some(base)))
    }

    /// What an archive is told when it ends at `ended`.
    pub(super) fn past(&self, reason: EndReason, ended: Timestamp) -> Past {
        Past { id: self.id(), reason, ended, body: UserBody::clone(&self.body) }
    }

    /// The same of one whose time has run out: it ended then.
    pub(super) fn expired(&self) -> Past {
        self.past(EndReason::Expired, self.lives_until)
    }
}

impl Prepared {
    /// A new one, after whatever stands there.
    ///
    /// # Errors
    ///
    /// `TooLarge`.
    pub(super) fn begin(
        realm: &Realm,
        key: &Key,
        kind: &Kind,
        after: Option<&Base>,
        body: UserBody,
    ) -> Result<Self, SessionError> {
        let now = realm.clock.now();
        let history = after.map_or_else(History::default, |base| base.following(now));
        let (id, deadline) = (ordered_id(now, after.map(|base| base.id)), now.plus(kind.lifetime));
        prepare(realm, key, kind, (id, deadline), history, body, now).within_budget(realm, kind, None)
    }

    fn within_budget(self, realm: &Realm, kind: &Kind, before: Option<usize>) -> Result<Self, SessionError> {
        let (size, limit) = (self.entry.size(), realm.budget);
        if size <= limit || before.is_some_and(|before| size < before) {
            return Ok(self);
        }
        Err(SessionErrorKind::TooLarge { slot: kind.name, size, limit }.into())
    }
}

fn prepare(
    realm: &Realm,
    key: &Key,
    kind: &Kind,
    (id, deadline): (Uuid, Timestamp),
    history: History,
    body: UserBody,
    now: Timestamp,
) -> Prepared {
    let place = realm.place(key);
    let entry = sealing::seal_user_session(&realm.keys, place, id, deadline, now, history.clone(), &body);
    let base = Base { id, write_id: entry.write_id(), history, touched: now };
    let (size, lives_until) = (entry.size(), now.plus(kind.idle).min(deadline));
    let held = Held { base, body: Arc::new(body), deadline, size, lives_until };
    Prepared { entry, keep_for: keep_for(realm, kind, deadline, now), stand: held.at(now) }
}

fn keep_for(realm: &Realm, kind: &Kind, deadline: Timestamp, now: Timestamp) -> Duration {
    let spare = if realm.archive.is_some() { KEPT_FOR_THE_ARCHIVE } else { Duration::ZERO };
    kind.idle.min(deadline.since(now)) + spare
}
