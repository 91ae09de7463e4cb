//! Signing out.

use super::live::{Live, Seen};
use super::presented::Claim;
use super::reply::Cookies;
use super::roster::end_named;
use super::runtime::to_the_end;
use super::state::{Current, Exchange, Vacancy};
use crate::cookie::{CookieKind, Login};
use crate::error::{SessionError, SessionErrorKind};
use crate::record::{EndReason, Marker};
use crate::store::{Departure, Ending};
use crate::telemetry;
use std::sync::Arc;

/// Whether the browser still knows whom it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remember {
    Nobody,
    Visitor,
}

/// Whether other processes hear that a session has ended, so that they do not recognise its visitor any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tell {
    Nobody,
    Everybody,
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
        let tell = if remember == Remember::Visitor { Tell::Nobody } else { Tell::Everybody };
        let has_ended =
            |login: &Login| claims.iter().any(|claim| claim.login.is_some_and(|of| of.handle == login.handle));
        let mut forgotten = if tell == Tell::Everybody { self.presented.visitors(&self.realm) } else { Vec::new() };
        forgotten.retain(|login| !has_ended(login));
        let reason = if tell == Tell::Everybody { EndReason::SignedOut } else { EndReason::SignedOutRemembered };
        let exchange = Arc::clone(self);
        to_the_end(async move {
            // Of what fails halfway this request knows nothing.
            *current = Current::Unread;
            for claim in claims {
                exchange.end(claim, reason, tell).await?;
            }
            // What is known has been told: whoever sends one cookie again and again must not keep the store busy.
            for login in forgotten.iter().filter(|login| !exchange.realm.revoked.knows(&login.handle)) {
                exchange.forget(login).await?;
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
    pub(super) async fn end(&self, mut claim: Claim, reason: EndReason, tell: Tell) -> Result<(), SessionError> {
        let until = self.store().deadline();
        loop {
            let moved = match self.end_at(&claim, reason, tell).await? {
                Ending::Applied => return Ok(()),
                Ending::Absent => None,
                Ending::Found(entry) => match Live::see(&self.realm, &claim, self.realm.key(&claim.token), entry)? {
                    Seen::Ended(destination) => destination,
                    Seen::Live(_) | Seen::Nothing => None,
                },
            };
            let Some(destination) = moved else {
                // Nothing is left here. A copy of its cookies may be, or it goes on under an id of which no marker tells any more.
                return match &claim.login {
                    Some(login) if tell == Tell::Everybody => self.forget(login).await,
                    _ => Ok(()),
                };
            };
            claim = destination;
            if !self.store().has_time(until) {
                return Err(SessionErrorKind::Contended.into());
            }
        }
    }

    /// Ends a session of which the browser has no cookie any more, or an old one; and has its visitor recognised nowhere.
    ///
    /// That everybody has been told does not say that it has ended: the store may have refused what came next.
    async fn forget(&self, login: &Login) -> Result<(), SessionError> {
        let realm = &self.realm;
        let owner = realm.owner(&login.user);
        let has_ended = end_named(realm, self.store(), &owner, login.handle, EndReason::SignedOut).await?;
        // Whoever sends one cookie again and again must not fill the store.
        if has_ended || realm.revoked.knows(&login.handle) {
            return Ok(());
        }
        let news = realm.news_of(login.handle);
        self.store().publish(realm.name, &news).await?;
        realm.revoked.learn(&news);
        Ok(())
    }

    /// Ends the session that is where a claim leads.
    pub(super) async fn end_at(&self, claim: &Claim, reason: EndReason, tell: Tell) -> Result<Ending, SessionError> {
        let (realm, marker) = (&self.realm, Marker::ended(reason));
        let ending = match &claim.login {
            None => self.store().end(&realm.key(&claim.token), None, &marker).await?,
            Some(login) => {
                let (owner, member) = realm.member(&claim.token, login);
                let lives = tell == Tell::Everybody && !realm.revoked.knows(&login.handle);
                let news = lives.then(|| realm.news_of(login.handle));
                let ending = self.store().depart(&owner, &Departure { member, expected: None, marker, news }).await?;
                if let (Ending::Applied, Some(news)) = (&ending, &news) {
                    realm.revoked.learn(news);
                }
                ending
            }
        };
        if let Ending::Applied = &ending {
            realm.session_ended(realm.key(&claim.token).shard());
            telemetry::ended(reason.as_str(), realm.log_name(*claim));
        }
        Ok(ending)
    }
}
