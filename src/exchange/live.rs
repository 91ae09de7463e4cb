//! A session as it was last seen in the store.

use super::presented::Claim;
use super::realm::Realm;
use crate::clock::Timestamp;
use crate::cookie::{CookieKind, SessionToken, Token as _};
use crate::error::{SessionError, SessionErrorKind};
use crate::id::{SessionId, Shard, UserId, WriteId};
use crate::record::{Body, Entry, Header, History, Slot, State};
use crate::sealing::{self, Opened};
use crate::store::Key;
use crate::telemetry;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// A live session and all that a commit needs to know of it.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) token: SessionToken,
    pub(crate) key: Key,
    pub(crate) body: Arc<Body>,
    pub(super) write_id: WriteId,
    pub(super) deadline: Timestamp,
    pub(super) touched: Timestamp,
    history: History,
    /// Bytes of its record, as the budget counts them.
    size: usize,
}

/// What stands under a session's key.
#[derive(Debug)]
pub(super) enum Seen {
    Live(Live),
    /// A marker.
    Ended(Option<Destination>),
    /// Nothing that counts.
    Nothing,
}

/// Where a session went on when somebody signed in.
#[derive(Clone, Debug)]
pub(super) struct Destination {
    pub(super) user: UserId,
    pub(super) token: SessionToken,
}

/// A record that is ready to be sent, and what it will be once it is there.
pub(super) struct Prepared {
    pub(super) entry: Entry,
    pub(super) keep_for: Duration,
    pub(super) live: Live,
}

impl Live {
    /// What an entry is to the browser that claims it.
    pub(super) fn see(realm: &Realm, claim: &Claim, entry: &Entry) -> Result<Seen, SessionError> {
        let key = realm.key(&claim.token);
        let (header, rest) = entry.parse()?;
        let Header { state, write_id, deadline, touched, .. } = header;
        match state {
            State::Live => {}
            State::Ended => return Ok(Seen::Ended(None)),
            State::Moved => return Ok(Seen::Ended(Destination::open(realm, &key, rest)?)),
        }
        let body = match sealing::open(&realm.keys, realm.place(&key), &header, rest)? {
            Opened::Body(body) => body,
            Opened::Refused => return Ok(Seen::Nothing),
        };
        // The cookie for anonymous visitors never opens a signed-in session, nor the other way round.
        if body.authentication.is_some() != (claim.kind == CookieKind::SignedIn) {
            telemetry::record_refused("of the other kind than its cookie");
            return Ok(Seen::Nothing);
        }
        // An absolute limit that was lowered since holds at once; an idle one from the next activity on.
        let deadline = deadline.min(realm.deadline_of(&body));
        if deadline <= realm.clock.now() {
            return Ok(Seen::Nothing);
        }
        let (token, body, history, size) = (claim.token, Arc::new(body), header.history, entry.size());
        Ok(Seen::Live(Self { token, key, body, write_id, deadline, touched, history, size }))
    }

    /// A record for a session under a new id.
    pub(super) fn begin(realm: &Realm, body: Body) -> Result<Prepared, SessionError> {
        let shard = body.authentication.as_ref().map_or_else(Shard::random, |of| realm.keys.shard_of(&of.user));
        let expires = realm.deadline_of(&body);
        let token = SessionToken { expires, shard, id: SessionId::random() };
        Self::seal(realm, token, expires, History::default(), body)
    }

    /// A record with `body` in this one's place.
    pub(super) fn followed_by(&self, realm: &Realm, body: Body) -> Result<Prepared, SessionError> {
        let age = realm.clock.now().since(self.touched);
        let history = self.history.following(self.write_id, age);
        Self::seal(realm, self.token, self.deadline, history, body)
    }

    fn seal(
        realm: &Realm,
        token: SessionToken,
        deadline: Timestamp,
        history: History,
        body: Body,
    ) -> Result<Prepared, SessionError> {
        let (key, now) = (realm.key(&token), realm.clock.now());
        let Some(keep_for) = realm.limits_of(&body).keep_for(now, deadline) else {
            return Err(SessionErrorKind::Ended.into());
        };
        let entry = sealing::seal(&realm.keys, realm.place(&key), deadline, now, history.clone(), &body);
        let write_id = entry.write_id();
        let (body, size) = (Arc::new(body), entry.size());
        let live = Self { token, key, body, write_id, deadline, touched: now, history, size };
        Ok(Prepared { entry, keep_for, live })
    }

    /// Which of the browser's cookies leads here.
    pub(super) fn claim(&self) -> Claim {
        let kind = if self.body.authentication.is_some() { CookieKind::SignedIn } else { CookieKind::Anonymous };
        Claim { kind, token: self.token }
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
        let (size, limit) = (self.live.size, realm.budget);
        if size <= limit || before.is_some_and(|before| size < before.size) {
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

impl Destination {
    /// As it stands sealed in the marker of a session that moved from `place`.
    pub(super) fn seal(&self, realm: &Realm, place: &Key) -> Vec<u8> {
        let plain = [&self.token.encode(), self.user.as_str().as_bytes()].concat();
        sealing::seal_destination(&realm.keys, realm.place(place), &plain)
    }

    /// None for what does not open: then nothing is followed.
    fn open(realm: &Realm, place: &Key, tail: &[u8]) -> Result<Option<Self>, SessionError> {
        let plain = sealing::open_destination(&realm.keys, realm.place(place), tail)?;
        Ok(plain.and_then(|plain| Self::read(&plain)))
    }

    fn read(plain: &[u8]) -> Option<Self> {
        let (token, user) = plain.split_at_checked(SessionToken::SIZE)?;
        let user = UserId::new(std::str::from_utf8(user).ok()?).ok()?;
        Some(Self { user, token: SessionToken::decode(token).ok()? })
    }
}
