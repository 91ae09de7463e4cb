//! Beginning an anonymous session.

use super::live::Live;
use super::realm::Realm;
use super::reply::{Cookies, Reply};
use super::runtime::to_the_end;
use super::state::{Current, Exchange, Guard};
use crate::cookie::CookieKind;
use crate::error::{SessionError, SessionErrorKind};
use crate::record::{Body, EndReason, Marker, Slot};
use crate::telemetry;
use std::sync::Arc;

impl Exchange {
    /// Begins a session with these slots, under an id of our own.
    ///
    /// On a task of its own that holds `current`: if this request is dropped while the store works, the record does not
    /// stay behind without a cookie.
    pub(super) async fn begin(&self, mut current: Guard, slots: Vec<Slot>) -> Result<(), SessionError> {
        if self.reply.is_closed() {
            return Err(SessionErrorKind::ResponseStarted.into());
        }
        let (realm, reply) = (Arc::clone(&self.realm), Arc::clone(&self.reply));
        let body = Body { created: realm.clock.now(), authentication: None, slots: slots.clone() };
        let new = Live::begin(&realm, body)?.within_budget(&realm, &slots)?;
        to_the_end(async move {
            realm.store.create(&new.live.key, &new.entry, new.keep_for).await?;
            telemetry::created(false);
            let cookies = Cookies::default().session(&realm, CookieKind::Anonymous, &new.live.token);
            hand_over(&realm, &reply, cookies, &new.live).await?;
            *current = Current::Live(new.live);
            Ok(())
        })
        .await
    }
}

/// Gives a new session's cookies to the response; if that has left already, the session ends at once.
pub(super) async fn hand_over(realm: &Realm, reply: &Reply, cookies: Cookies, new: &Live) -> Result<(), SessionError> {
    let Err(closed) = reply.set(cookies) else { return Ok(()) };
    discard(realm, new).await;
    Err(closed.into())
}

/// Ends a session that no browser knows of. Should that fail, it idles out unused.
pub(super) async fn discard(realm: &Realm, unknown: &Live) {
    let reason = EndReason::Unclaimed;
    match realm.store.end(&unknown.key, None, &Marker::ended(reason)).await {
        Ok(_) => telemetry::ended(reason.as_str()),
        Err(error) => telemetry::end_failed(reason.as_str(), &error),
    }
}
