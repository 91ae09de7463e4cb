//! What all requests of one layer have in common.

use super::background::Background;
use super::log_name::{LogName, Named};
use super::mover::Mover;
use super::presented::Claim;
use crate::archive::PatientArchive;
use crate::clock::{Clock, LEEWAY, Timestamp};
use crate::cookie::{self, Candidates, CookieKind, CookiePolicy, Login, Opened, SessionToken, Token};
use crate::data::Registry;
use crate::error::SessionError;
use crate::id::{Epoch, SessionHandle, UserDigest, ordered_id};
use crate::keyring::Keyring;
use crate::lifetime::Limits;
use crate::record::{Archival, Body, Header};
use crate::revocation::{Revocation, Revocations, Revoked, Subject};
use crate::sealing::Place;
use crate::store::{Key, Member, Owner, PatientStore};
use std::sync::{Arc, Once};
use std::time::Duration;

/// A layer's settings.
#[derive(Clone, Debug)]
pub(crate) struct Realm {
    /// Empty unless the layer was named.
    pub(crate) name: &'static str,
    pub(crate) store: PatientStore,
    /// Where ended user sessions go, if they are to be kept.
    pub(crate) archive: Option<PatientArchive>,
    /// Whether browsers' sessions go there too.
    pub(crate) archives_browser_sessions: bool,
    pub(crate) keys: Keyring,
    pub(crate) clock: Clock,
    pub(crate) cookies: CookiePolicy,
    pub(crate) anonymous: Limits,
    pub(crate) signed_in: Limits,
    pub(crate) visitor_lifetime: Duration,
    /// Bytes that a record may have.
    pub(crate) budget: usize,
    pub(crate) registry: Registry,
    /// How many sessions a user may have.
    pub(crate) max_sessions_per_user: usize,
    /// Whether visitors are recognised only while the store is heard.
    pub(crate) strict: bool,
    pub(crate) revoked: Revocations,
    /// Hears of what is revoked.
    pub(crate) follower: Arc<Background>,
    pub(crate) mover: Arc<Mover>,
    /// Said once: browsers drop secure cookies over plain HTTP.
    pub(crate) plain_http_warning: Arc<Once>,
}

impl Realm {
    pub(crate) fn key(&self, token: &SessionToken) -> Key {
        Key::new(self.name, token.shard, &token.id)
    }

    pub(crate) fn owner(&self, user: &UserDigest) -> Owner {
        Owner::new(self.name, *user)
    }

    /// The user of a session, and the session among theirs.
    pub(super) fn member(&self, token: &SessionToken, login: &Login) -> (Owner, Member) {
        (self.owner(&login.user), Member { key: self.key(token), handle: login.handle })
    }

    /// The news that a session has ended.
    pub(super) fn news_of(&self, handle: SessionHandle) -> Revocation {
        Revocation { revoked: Revoked::Session(handle), until: self.news_until() }
    }

    /// Until when what is revoked now matters: all cookies that there are will have expired, by all servers' clocks.
    pub(super) fn news_until(&self) -> Timestamp {
        let longest = self.visitor_lifetime.max(self.signed_in.absolute()).max(self.anonymous.absolute());
        self.clock.now().plus(longest + LEEWAY)
    }

    /// # Errors
    ///
    /// Misconfigured, if there is none.
    pub(super) fn archive(&self) -> Result<&PatientArchive, SessionError> {
        self.archive.as_ref().ok_or_else(Self::no_archive)
    }

    /// A browser's session has ended in this shard.
    pub(super) fn session_ended(&self, shard: u8) {
        if self.archives_browser_sessions {
            self.mover.wake(shard);
        }
    }

    /// By what the archive will know a session that begins now, if browsers' sessions go there.
    ///
    /// # Errors
    ///
    /// Misconfigured, if they are to and cannot.
    pub(super) fn new_archival(&self) -> Result<Option<Archival>, SessionError> {
        if !self.archives_browser_sessions {
            return Ok(None);
        }
        self.archive()?;
        if !self.store.keeps_user_sessions() {
            return Err(PatientStore::no_user_sessions());
        }
        Ok(Some(Archival::new(ordered_id(self.clock.now(), None))))
    }

    pub(super) fn no_archive() -> SessionError {
        SessionError::misconfigured(
            "this layer has no archive, where ended sessions are found and quotas decided; add .archive(…) to it",
        )
    }

    /// Keeps up with what is revoked from here on, and moves what has ended to the archive, if that has not begun yet and can.
    pub(crate) fn follow(self: &Arc<Self>) {
        self.follower.begin(|| {
            let (store, name, known) = (self.store.clone(), self.name, self.revoked.clone());
            async move { store.follow(name, &known).await }
        });
        self.mover.begin(self);
    }

    pub(super) fn log_name(&self, claim: Claim) -> LogName<'_> {
        let session = claim.login.map_or(Named::Anonymous(claim.token), |login| Named::SignedIn(login.handle));
        LogName { realm: self, session }
    }

    pub(super) fn log_name_of(&self, handle: SessionHandle) -> LogName<'_> {
        LogName { realm: self, session: Named::SignedIn(handle) }
    }

    /// When a session ends whatever happens: by its record, and by the limits that are configured now if they are lower. A lower
    /// idle limit holds from the next activity on.
    pub(super) fn end_of(&self, header: &Header, body: &Body) -> Timestamp {
        header.deadline.min(self.deadline_of(body))
    }

    /// Whether this process knows that a session counts no more, whatever the store says.
    pub(super) fn is_revoked(&self, login: &Login, stamp: Epoch) -> bool {
        self.revoked.cover(Subject { user: &login.user, handle: &login.handle, stamp })
    }

    pub(crate) fn place(&self, key: &Key) -> Place<'static> {
        Place { realm: self.name, digest: key.session_digest() }
    }

    /// The limits of the session that a record holds.
    pub(crate) fn limits_of(&self, body: &Body) -> &Limits {
        if body.authentication.is_some() { &self.signed_in } else { &self.anonymous }
    }

    /// When a session ends whatever happens, by the limits that are configured now.
    pub(crate) fn deadline_of(&self, body: &Body) -> Timestamp {
        let start = body.authentication.as_ref().map_or(body.created, |authentication| authentication.at);
        self.limits_of(body).deadline(start)
    }

    pub(crate) fn seal<T: Token>(&self, kind: CookieKind, token: &T) -> String {
        cookie::seal(&self.keys, self.name, &self.cookies, kind, token)
    }

    pub(crate) fn open<T: Token>(&self, kind: CookieKind, candidates: &Candidates, now: Timestamp) -> Opened<T> {
        cookie::open(&self.keys, self.name, &self.cookies, kind, candidates, now)
    }
}
