//! Signing out.

use super::live::{Live, Seen};
use super::presented::Claim;
use super::reply::Cookies;
use super::runtime::to_the_end;
use super::state::{Current, Exchange, Vacancy};
use crate::cookie::CookieKind;
use crate::error::{SessionError, SessionErrorKind};
use crate::record::{EndReason, Marker};
use crate::store::Ending;
use crate::telemetry;
use std::sync::Arc;

/// Whether the browser still knows whom it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remember {
    Nobody,
    Visitor,
}

impl Exchange {
    /// Ends every session that this browser has, without reading any, and removes its cookies.
    ///
    /// If the store fails the cookies stay, so that signing out can be tried again.
    pub(crate) async fn sign_out(self: &Arc<Self>, remember: Remember) -> Result<(), SessionError> {
        let _timer = self.meter().time();
        let mut current = self.lock().await;
        let signed_out_before = matches!(&*current, Current::Vacant(Vacancy::SignedOut));
        let mut claims = if signed_out_before { Vec::new() } else { self.presented.all_sessions(&self.realm) };
        if let Current::Live(live) = &*current {
            let perhaps_begun_here = live.claim();
            if claims.iter().all(|claim| claim.token.id != perhaps_begun_here.token.id) {
                claims.push(perhaps_begun_here);
            }
        }
        if claims.is_empty() && !signed_out_before && self.presented.is_cross_site() {
            // The browser withheld its cookies; to remove them would sign out somebody who has not asked for it.
            return Err(SessionErrorKind::CrossSite.into());
        }
        let exchange = Arc::clone(self);
        to_the_end(async move {
            // Of what fails halfway this request knows nothing.
            *current = Current::Unread;
            for claim in claims {
                exchange.end(claim, EndReason::SignedOut).await?;
            }
            *current = Current::Vacant(Vacancy::SignedOut);
            let realm = &exchange.realm;
            let mut cookies =
                Cookies::default().remove(realm, CookieKind::Anonymous).remove(realm, CookieKind::SignedIn);
            if remember == Remember::Nobody {
                cookies = cookies.remove(realm, CookieKind::Visitor);
                exchange.set_visitor(None);
            }
            Ok(exchange.reply.set(cookies)?)
        })
        .await
    }

    /// Ends a session, wherever it has moved meanwhile.
    pub(super) async fn end(&self, mut claim: Claim, reason: EndReason) -> Result<(), SessionError> {
        let (marker, until) = (Marker::ended(reason), self.store.deadline());
        loop {
            let moved = match self.store.end(&self.realm.key(&claim.token), None, &marker).await? {
                Ending::Applied => {
                    telemetry::ended(reason.as_str());
                    return Ok(());
                }
                Ending::Absent => return Ok(()),
                Ending::Found(entry) => Live::see(&self.realm, &claim, &entry)?,
            };
            let Seen::Ended(Some(destination)) = moved else { return Ok(()) };
            claim = Claim { kind: CookieKind::SignedIn, token: destination.token };
            if !self.store.has_time(until) {
                return Err(SessionErrorKind::Contended.into());
            }
        }
    }
}
