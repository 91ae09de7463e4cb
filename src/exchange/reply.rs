//! The cookies that go out with the response, until its head has left.

use super::live::Live;
use super::presented::Claim;
use super::realm::Realm;
use crate::cookie::{self, CookieKind, VisitorToken};
use crate::error::SessionErrorKind;
use http::header::Entry;
use http::{HeaderMap, HeaderValue, header};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What will be done to the browser's cookies. A later wish for a cookie takes the place of an earlier one.
#[derive(Debug, Default)]
pub(crate) struct Reply(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    closed: bool,
    cookies: Cookies,
}

/// One `Set-Cookie` at most for each kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cookies([Option<HeaderValue>; 3]);

impl Reply {
    /// Whether the head of the response has left, or will never come.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// No cookie can be set from here on. Answers those that were.
    pub(crate) fn close(&self) -> Cookies {
        let mut state = self.lock();
        state.closed = true;
        std::mem::take(&mut state.cookies)
    }

    /// Sets cookies, all of them or none.
    ///
    /// # Errors
    ///
    /// [`SessionErrorKind::ResponseStarted`] if the head has left.
    pub(super) fn set(&self, cookies: Cookies) -> Result<(), SessionErrorKind> {
        let mut state = self.lock();
        if state.closed {
            return Err(SessionErrorKind::ResponseStarted);
        }
        for (old, new) in state.cookies.0.iter_mut().zip(cookies.0) {
            if new.is_some() {
                *old = new;
            }
        }
        Ok(())
    }

    /// What is set so far.
    #[cfg(feature = "testing")]
    pub(crate) fn cookies(&self) -> Cookies {
        self.lock().cookies.clone()
    }

    /// A panic elsewhere leaves cookies whole: each is set in one step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cookies {
    pub(super) fn session(mut self, realm: &Realm, claim: &Claim) -> Self {
        let (kind, token) = (claim.kind(), &claim.token);
        let lifetime = realm.cookies.persistent.then(|| token.expires.since(realm.clock.now()));
        let value = claim.login_token().map_or_else(|| realm.seal(kind, token), |login| realm.seal(kind, &login));
        let header = cookie::set(&realm.cookies, kind, value, lifetime);
        self.0[kind as usize] = Some(header);
        self
    }

    fn visitor(mut self, realm: &Realm, token: &VisitorToken) -> Self {
        let kind = CookieKind::Visitor;
        let header = cookie::set(&realm.cookies, kind, realm.seal(kind, token), Some(realm.visitor_lifetime));
        self.0[kind as usize] = Some(header);
        self
    }

    /// What a browser gets that signs in to `new`: the signed-in cookie and the visitor's; the anonymous one goes.
    pub(super) fn of_login(realm: &Realm, new: &Live) -> Result<Self, SessionErrorKind> {
        let claim = new.claim();
        let (Some(authentication), Some(login)) = (&new.body.authentication, claim.login) else {
            return Err(SessionErrorKind::SignedOut);
        };
        let now = realm.clock.now();
        let visitor = VisitorToken {
            expires: now.plus(realm.visitor_lifetime),
            issued: now,
            login,
            stamp: authentication.stamp,
            user: authentication.user.clone(),
        };
        Ok(Self::default().session(realm, &claim).visitor(realm, &visitor).remove(realm, CookieKind::Anonymous))
    }

    pub(super) fn remove(mut self, realm: &Realm, kind: CookieKind) -> Self {
        self.0[kind as usize] = Some(cookie::removal(&realm.cookies, kind));
        self
    }

    #[cfg(feature = "testing")]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &HeaderValue> {
        self.0.iter().flatten()
    }

    /// Completes the head of a response whose handler asked for a session or a visitor.
    ///
    /// `Set-Cookie` alone does not keep a shared cache from storing a response (RFC 9111, section 7.3). A
    /// `Cache-Control` of the handler's own stands where no cookie is set.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        let sets_any = self.0.iter().any(Option::is_some);
        if sets_any {
            // These would overrule `Cache-Control` in the caches that they are meant for (RFC 9213).
            headers.remove("cdn-cache-control");
            headers.remove("surrogate-control");
        }
        for cookie in self.0.into_iter().flatten() {
            headers.append(header::SET_COOKIE, cookie);
        }
        let kept_private = HeaderValue::from_static("private, no-store");
        match headers.entry(header::CACHE_CONTROL) {
            Entry::Occupied(mut own) if sets_any => drop(own.insert(kept_private)),
            Entry::Occupied(_) => {}
            Entry::Vacant(none) => drop(none.insert(kept_private)),
        }
        let varies = |value: &HeaderValue| {
            let fields = value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            fields.into_iter().any(|field| field.eq_ignore_ascii_case(b"cookie") || field == b"*")
        };
        match headers.entry(header::VARY) {
            Entry::Occupied(own) if own.iter().any(varies) => {}
            Entry::Occupied(mut own) => own.append(HeaderValue::from_static("Cookie")),
            Entry::Vacant(none) => drop(none.insert(HeaderValue::from_static("Cookie"))),
        }
    }
}
