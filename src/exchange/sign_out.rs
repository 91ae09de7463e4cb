//! Signing out.

use super::live::{Live, Seen};
use super::presented::Claim;
use super::realm::Realm;
use super::reply::Cookies;
use super::runtime::to_the_end;
use super::state::{Current, Exchange, Vacancy};
use crate::cookie::CookieKind;
use crate::error::SessionError;
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
    pub(crate) async fn sign_out(&self, remember: Remember) -> Result<(), SessionError> {
        let mut current = self.lock().await;
        let (realm, reply) = (Arc::clone(&self.realm), Arc::clone(&self.reply));
        let mut claims = match &*current {
            Current::Vacant(Vacancy::SignedOut) => Vec::new(),
            _ => self.presented.all_sessions(&realm),
        };
        if let Current::Live(live) = &*current {
            let begun_here = live.claim();
            if claims.iter().all(|claim| claim.token.id != begun_here.token.id) {
                claims.push(begun_here);
            }
        }
        to_the_end(async move {
            for claim in claims {
                end(&realm, claim, EndReason::SignedOut).await?;
            }
            *current = Current::Vacant(Vacancy::SignedOut);
            let mut cookies =
                Cookies::default().remove(&realm, CookieKind::Anonymous).remove(&realm, CookieKind::SignedIn);
            if remember == Remember::Nobody {
                cookies = cookies.remove(&realm, CookieKind::Visitor);
            }
            Ok(reply.set(cookies)?)
        })
        .await
    }
}

/// How often a session may have moved while a request with its oldest cookie was under way.
const MOVES: usize = 4;

/// Ends a session, wherever it has moved meanwhile.
pub(super) async fn end(realm: &Realm, mut claim: Claim, reason: EndReason) -> Result<(), SessionError> {
    let marker = Marker::ended(reason);
    for _ in 0..=MOVES {
        let moved = match realm.store.end(&realm.key(&claim.token), None, &marker).await? {
            Ending::Applied => {
                telemetry::ended(reason.as_str());
                return Ok(());
            }
            Ending::Absent => return Ok(()),
            Ending::Found(entry) => Live::see(realm, &claim, &entry)?,
        };
        let Seen::Ended(Some(destination)) = moved else { return Ok(()) };
        claim = Claim { kind: CookieKind::SignedIn, token: destination.token };
    }
    Ok(())
}
