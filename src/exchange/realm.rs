//! What all requests of one layer have in common.

use crate::clock::{Clock, Timestamp};
use crate::cookie::{self, Candidates, CookieKind, CookiePolicy, Opened, SessionToken, Token};
use crate::data::Registry;
use crate::keyring::Keyring;
use crate::lifetime::Limits;
use crate::record::Body;
use crate::sealing::Place;
use crate::store::{Key, PatientStore};
use std::sync::{Arc, Once};
use std::time::Duration;

/// A layer's settings.
#[derive(Clone, Debug)]
pub(crate) struct Realm {
    /// Empty unless the layer was named.
    pub(crate) name: &'static str,
    pub(crate) store: PatientStore,
    pub(crate) keys: Keyring,
    pub(crate) clock: Clock,
    pub(crate) cookies: CookiePolicy,
    pub(crate) anonymous: Limits,
    pub(crate) signed_in: Limits,
    pub(crate) visitor_lifetime: Duration,
    /// Bytes that a record may have.
    pub(crate) budget: usize,
    pub(crate) registry: Registry,
    /// Said once: browsers drop secure cookies over plain HTTP.
    pub(crate) plain_http_warning: Arc<Once>,
}

impl Realm {
    pub(crate) fn key(&self, token: &SessionToken) -> Key {
        Key::new(self.name, token.shard, &token.id)
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

    pub(crate) fn open<T: Token>(&self, kind: CookieKind, candidates: &Candidates) -> Opened<T> {
        cookie::open(&self.keys, self.name, &self.cookies, kind, candidates, self.clock.now())
    }
}
