//! Beginning an anonymous session.

use super::live::Live;
use super::presented::Claim;
use super::reply::Cookies;
use super::runtime::to_the_end;
use super::sign_out::Tell;
use super::state::{Current, Exchange, Guard};
use crate::error::{SessionError, SessionErrorKind};
use crate::record::{Body, EndReason, Slot};
use crate::telemetry;
use std::sync::Arc;

impl Exchange {
    /// Begins a session with these slots, under an id of our own.
    ///
    /// On a task of its own that holds `current`: if this request is dropped while the store works, the record does not
    /// stay behind without a cookie.
    pub(super) async fn begin(self: &Arc<Self>, mut current: Guard, slots: Vec<Slot>) -> Result<(), SessionError> {
        if self.reply.is_closed() {
            return Err(SessionErrorKind::ResponseStarted.into());
        }
        let exchange = Arc::clone(self);
        let body = Body { created: self.realm.clock.now(), authentication: None, slots: slots.clone() };
        let new = Live::begin(&self.realm, Claim::anonymous(&self.realm, &body), body)?.within_budget(
            &self.realm,
            None,
            &slots,
        )?;
        to_the_end(async move {
            exchange.store().create(&new.live.key, &new.live.entry, new.keep_for).await?;
            telemetry::created(exchange.realm.log_name(new.live.claim()), false);
            let cookies = Cookies::default().session(&exchange.realm, &new.live.claim());
            exchange.hand_over(cookies, &new.live).await?;
            *current = Current::Live(new.live);
            Ok(())
        })
        .await
    }

    /// Gives a new session's cookies to the response; if that has left already, the session ends at once.
    pub(super) async fn hand_over(&self, cookies: Cookies, new: &Live) -> Result<(), SessionError> {
        let Err(closed) = self.send(cookies) else { return Ok(()) };
        self.discard(new).await;
        Err(closed.into())
    }

    /// Ends a session that no browser knows of. Should that fail, it idles out unused.
    pub(super) async fn discard(&self, unknown: &Live) {
        let reason = EndReason::Unclaimed;
        if let Err(error) = self.end_at(&unknown.claim(), reason, Tell::Nobody).await {
            telemetry::end_failed(reason.as_str(), &error);
        }
    }
}
