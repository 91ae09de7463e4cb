//! Whom a browser belongs to, by its cookies alone: no store call.

use super::realm::Realm;
use super::state::{Current, Exchange};
use crate::cookie::{Token as _, VisitorToken};
use crate::id::{SessionHandle, UserId};
use crate::telemetry;
use std::sync::PoisonError;

impl Exchange {
    /// Whom the browser belongs to. Opens the cookie when first asked; no store call.
    pub(crate) fn visitor(&self) -> Option<UserId> {
        let open = || {
            let _timer = self.time();
            let token = self.presented.visitor(&self.realm, self.began_at)?;
            self.recognises(token).then(|| token.user.clone())
        };
        self.known_visitor().get_or_insert_with(open).clone()
    }

    /// Whether a visitor cookie that opened still counts.
    fn recognises(&self, token: &VisitorToken) -> bool {
        let Realm { revoked, strict, visitor_lifetime, .. } = &*self.realm;
        let refused = if *strict && !revoked.is_fresh() {
            "the store has not been heard lately"
        } else if token.issued.plus(*visitor_lifetime) <= self.began_at {
            "expired"
        } else if self.realm.is_revoked(&token.login, token.stamp) || revoked.has_forgotten(token.expires()) {
            "revoked"
        } else {
            return true;
        };
        telemetry::cookie_refused(refused);
        false
    }

    /// Whom it belongs to from here on: this request has signed in or out.
    pub(super) fn set_visitor(&self, user: Option<UserId>) {
        *self.known_visitor() = Some(user);
    }

    fn known_visitor(&self) -> std::sync::MutexGuard<'_, Option<Option<UserId>>> {
        self.visitor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The public name of this browser's session, if somebody is signed in; by its cookie, unless this request signed in.
    pub(super) fn handle(&self) -> Option<SessionHandle> {
        let presented = || self.presented.sessions(&self.realm).sessions.first().and_then(|claim| claim.login);
        let login = match self.current().try_lock().as_deref() {
            Ok(Current::Live(live)) => live.claim().login,
            Ok(Current::Vacant(_) | Current::Ended(_)) => None,
            Ok(Current::Unread) | Err(_) => presented(),
        };
        login.map(|login| login.handle)
    }
}
