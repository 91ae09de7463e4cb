//! A session as it was last seen in the store.

use super::presented::Claim;
use super::realm::Realm;
use crate::clock::Timestamp;
use crate::cookie::{LoginToken, Token as _};
use crate::error::{SessionError, SessionErrorKind};
use crate::id::WriteId;
use crate::record::{Archival, Body, Entry, History, Slot, State};
use crate::sealing::{self, Opened};
use crate::store::Key;
use crate::telemetry;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// A live session and all that a commit needs to know of it.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    claim: Claim,
    pub(crate) key: Key,
    pub(crate) body: Arc<Body>,
    /// As it stands in the store, as far as this request knows.
    pub(super) entry: Entry,
    pub(super) deadline: Timestamp,
    history: History,
    /// By what the archive will know it, if it is to.
    archival: Option<Archival>,
}

/// What a record goes on from.
struct Base {
    claim: Claim,
    key: Key,
    deadline: Timestamp,
    history: History,
    archival: Option<Archival>,
}

/// What stands under a session's key.
#[derive(Debug)]
pub(super) enum Seen {
    Live(Arc<Live>),
    /// A marker, with where it leads if the session moved at a sign-in; or what this process knows to be revoked.
    Ended(Option<Claim>),
    /// Nothing that counts.
    Nothing,
}

/// A record that is ready to be sent, and what it will be once it is there.
pub(super) struct Prepared {
    pub(super) keep_for: Duration,
    pub(super) live: Arc<Live>,
}

impl Live {
    /// What an entry, which stood under the claim's key, is to the browser that claims it.
    pub(super) fn see(realm: &Realm, claim: &Claim, key: Key, entry: Entry) -> Result<Seen, SessionError> {
        let (header, rest) = entry.parse()?;
        match header.state {
            State::Live => {}
            State::Ended => return Ok(Seen::Ended(None)),
            State::Moved => return Ok(Seen::Ended(open_destination(realm, &key, rest)?)),
        }
        let body = match sealing::open(&realm.keys, realm.place(&key), &header, rest)? {
            Opened::Body(body) => body,
            Opened::Refused => return Ok(Seen::Nothing),
        };
        // The cookie for anonymous visitors never opens a signed-in session, nor the other way round.
        let is_its_cookie = match (&body.authentication, &claim.login) {
            (Some(authentication), Some(login)) => authentication.handle == login.handle,
            (None, None) => true,
            _ => false,
        };
        if !is_its_cookie {
            telemetry::record_refused("of the other kind than its cookie");
            return Ok(Seen::Nothing);
        }
        // The store has ended it as well, or has lost the ending in a failover.
        if let (Some(authentication), Some(login)) = (&body.authentication, &claim.login)
            && realm.is_revoked(login, authentication.stamp)
        {
            telemetry::revoked_session_refused(realm.log_name(*claim));
            return Ok(Seen::Ended(None));
        }
        let deadline = realm.end_of(&header, &body);
        if deadline <= realm.clock.now() {
            return Ok(Seen::Nothing);
        }
        let archival = sealing::archival_of(&header, rest)?;
        let (claim, body, history) = (*claim, Arc::new(body), header.history);
        Ok(Seen::Live(Arc::new(Self { claim, key, body, entry, deadline, history, archival })))
    }

    /// A record for a session under a new id.
    pub(super) fn begin(realm: &Realm, claim: Claim, body: Body) -> Result<Prepared, SessionError> {
        let (key, deadline, archival) = (realm.key(&claim.token), claim.token.expires, realm.new_archival()?);
        Self::seal(realm, Base { claim, key, deadline, history: History::default(), archival }, body)
    }

    /// A record for a session under a new id, in this one's place.
    pub(super) fn succeeded_by(&self, realm: &Realm, claim: Claim, body: Body) -> Result<Prepared, SessionError> {
        // That it goes on shows: what was never used is the first to make room.
        let history = History::default().following(self.write_id(), Duration::MAX);
        let (key, deadline) = (realm.key(&claim.token), claim.token.expires);
        Self::seal(realm, Base { claim, key, deadline, history, archival: self.archival_after() }, body)
    }

    /// A record with `body` in this one's place.
    pub(super) fn followed_by(&self, realm: &Realm, body: Body) -> Result<Prepared, SessionError> {
        let age = realm.clock.now().since(self.entry.touched());
        let history = self.history.following(self.write_id(), age);
        let Self { claim, key, deadline, .. } = *self;
        Self::seal(realm, Base { claim, key, deadline, history, archival: self.archival_after() }, body)
    }

    /// By what the archive will know it after one commit more.
    fn archival_after(&self) -> Option<Archival> {
        self.archival.map(Archival::updated)
    }

    fn seal(realm: &Realm, base: Base, body: Body) -> Result<Prepared, SessionError> {
        let Base { claim, key, deadline, history, archival } = base;
        let now = realm.clock.now();
        let Some(keep_for) = realm.limits_of(&body).keep_for(now, deadline) else {
            return Err(SessionErrorKind::Ended.into());
        };
        let place = realm.place(&key);
        let entry = sealing::seal(&realm.keys, place, deadline, now, history.clone(), &body, archival.as_ref());
        let live = Self { claim, key, body: Arc::new(body), entry, deadline, history, archival };
        Ok(Prepared { keep_for, live: Arc::new(live) })
    }

    /// Names the write that this is.
    pub(super) fn write_id(&self) -> WriteId {
        self.entry.write_id()
    }

    /// Which of the browser's cookies leads here.
    pub(crate) fn claim(&self) -> Claim {
        self.claim
    }
}

impl Prepared {
    /// Refuses a record that a change made larger than its budget. Where there was a larger one already, since the budget
    /// was lowered or somebody signed in, it may shrink by any number of steps.
    pub(super) fn within_budget(
        self,
        realm: &Realm,
        before: Option<&Live>,
        changed: &[Slot],
    ) -> Result<Self, SessionError> {
        let (size, limit) = (self.live.entry.size(), realm.budget);
        if size <= limit || before.is_some_and(|before| size < before.entry.size()) {
            return Ok(self);
        }
        let largest = changed.iter().max_by_key(|slot| slot.bytes.len());
        let slot = match largest.map(|slot| &slot.name) {
            Some(Cow::Borrowed(name)) => name,
            Some(Cow::Owned(_)) | None => "",
        };
        Err(SessionErrorKind::TooLarge { slot, size, limit }.into())
    }
}

/// Where a session goes on, as it stands sealed in the marker of one that moved from `place`.
pub(super) fn seal_destination(realm: &Realm, place: &Key, destination: &Claim) -> Vec<u8> {
    let plain = destination.login_token().map(|token| token.encode()).unwrap_or_default();
    sealing::seal_destination(&realm.keys, realm.place(place), &plain)
}

/// None for what does not open: then nothing is followed.
fn open_destination(realm: &Realm, place: &Key, tail: &[u8]) -> Result<Option<Claim>, SessionError> {
    let plain = sealing::open_destination(&realm.keys, realm.place(place), tail)?;
    Ok(plain.and_then(|plain| LoginToken::decode(&plain).ok()).map(Claim::from))
}
