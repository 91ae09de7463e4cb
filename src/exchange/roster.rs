//! All sessions of a user: to list and to end.

use super::realm::Realm;
use super::runtime::to_the_end;
use super::state::Exchange;
use super::user_session::{Desk, Kind};
use crate::clock::{LEEWAY, Timestamp};
use crate::cookie::Login;
use crate::data::Registry;
use crate::error::{SessionError, SessionErrorKind};
use crate::id::{Epoch, SessionHandle, UserId};
use crate::record::{Body, EndReason, Entry, Marker};
use crate::revocation::{Revocation, Revoked};
use crate::sealing::{self, Opened};
use crate::store::{Departure, Ending, Member, Owner, PatientStore, Sweep, Swept};
use crate::telemetry;
use std::cmp::Reverse;
use std::sync::Arc;

/// The sessions of a layer's users, in a request or outside of any.
#[derive(Clone, Debug)]
pub(crate) struct Roster {
    pub(super) realm: Arc<Realm>,
    /// The realm's; in a request, counting for that.
    pub(super) store: PatientStore,
    pub(super) exchange: Option<Arc<Exchange>>,
}

/// One of a user's sessions.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) body: Body,
    pub(crate) seen: Timestamp,
    /// Whether it is the one of the request that asks.
    pub(crate) is_current: bool,
}

impl Roster {
    /// Outside of any request.
    pub(crate) fn of_realm(realm: &Arc<Realm>) -> Self {
        realm.follow();
        Self { store: realm.store.clone(), realm: Arc::clone(realm), exchange: None }
    }

    /// For one request.
    pub(crate) fn of_exchange(exchange: Arc<Exchange>) -> Self {
        Self { store: exchange.store().clone(), realm: Arc::clone(&exchange.realm), exchange: Some(exchange) }
    }

    /// The live ones: the one that asks in front, then the one that was active last.
    pub(crate) async fn list(&self, user: &UserId) -> Result<Vec<Listed>, SessionError> {
        let realm = &self.realm;
        let owner = realm.owner(&realm.keys.digest_of(user));
        let members = self.store.members(&owner).await?;
        let current = self.exchange.as_ref().and_then(|exchange| exchange.handle());
        let mut listed = Vec::with_capacity(members.len());
        for (member, entry) in &members {
            let Some(body) = open(realm, &owner, member, entry)? else { continue };
            let is_current = current == Some(member.handle);
            listed.push(Listed { body, seen: entry.touched(), is_current });
        }
        listed.sort_by_key(|session| Reverse((session.is_current, session.seen)));
        Ok(listed)
    }

    /// Ends one of a user's sessions. Answers whether it lived.
    pub(crate) async fn end(&self, user: &UserId, handle: SessionHandle) -> Result<bool, SessionError> {
        let roster = self.clone();
        let owner = self.realm.owner(&self.realm.keys.digest_of(user));
        to_the_end(async move { end_named(&roster.realm, &roster.store, &owner, handle, EndReason::Revoked).await })
            .await
    }

    /// Ends all sessions of a user, but the one of this handle if there is one. Answers how many lived.
    pub(crate) async fn end_all(&self, user: &UserId, except: Option<SessionHandle>) -> Result<u64, SessionError> {
        let roster = self.clone();
        let digest = self.realm.keys.digest_of(user);
        to_the_end(async move {
            let realm = &roster.realm;
            let (marker, until) = (Marker::ended(EndReason::Revoked), realm.news_until());
            let swept = roster.store.end_all(&realm.owner(&digest), &Sweep { except, marker, until }).await?;
            let Swept { ended, news } = swept.ok_or(SessionErrorKind::Ended)?;
            realm.revoked.learn(&news);
            if let (Revoked::User(_, epoch, _), Some(exchange)) = (news.revoked(), &roster.exchange) {
                exchange.own_epoch.moved(digest, epoch);
            }
            realm.session_ended(realm.owner(&digest).shard());
            telemetry::ended_all(EndReason::Revoked.as_str(), ended);
            Ok(ended)
        })
        .await
    }

    /// A user's place for a kind, whose type claims it.
    pub(crate) async fn user_session(
        &self,
        user: &UserId,
        kind: Kind,
        claim: impl FnOnce(&Registry) -> Result<(), SessionError>,
    ) -> Result<Desk, SessionError> {
        claim(&self.realm.registry)?;
        Desk::outside(&self.realm, user.clone(), kind).await
    }

    /// Has whatever anybody signed in to until now count no more.
    pub(crate) async fn end_everything(&self) -> Result<(), SessionError> {
        let roster = self.clone();
        to_the_end(async move {
            let realm = &roster.realm;
            // Epochs follow the clock of the store, which may be ahead of this one.
            let epoch = realm.revoked.latest_epoch().next(realm.clock.now().plus(LEEWAY));
            let news = Revocation { revoked: Revoked::Everybody(epoch), until: realm.news_until() };
            roster.store.publish(realm.name, &news).await?;
            realm.revoked.learn(&news);
            telemetry::ended_everything();
            Ok(())
        })
        .await
    }
}

/// Ends the session of this public name, under whatever key the user's index has it now. Answers whether there was one.
pub(super) async fn end_named(
    realm: &Realm,
    store: &PatientStore,
    owner: &Owner,
    handle: SessionHandle,
    reason: EndReason,
) -> Result<bool, SessionError> {
    let until = store.deadline();
    loop {
        let members = store.members(owner).await?;
        let Some((member, _)) = members.into_iter().find(|(member, _)| member.handle == handle) else {
            return Ok(false);
        };
        let news = realm.news_of(handle);
        let departure = Departure { member, expected: None, marker: Marker::ended(reason), news: Some(news) };
        match store.depart(owner, &departure).await? {
            Ending::Applied => {
                realm.revoked.learn(&news);
                realm.session_ended(owner.shard());
                telemetry::ended(reason.as_str(), realm.log_name_of(handle));
                return Ok(true);
            }
            // Perhaps it has just moved to another id: the index knows.
            Ending::Absent | Ending::Found(_) if store.has_time(until) => {}
            Ending::Absent | Ending::Found(_) => return Err(SessionErrorKind::Contended.into()),
        }
    }
}

/// What a session in a user's index holds; none if it counts no more.
pub(super) fn open(realm: &Realm, owner: &Owner, member: &Member, entry: &Entry) -> Result<Option<Body>, SessionError> {
    let (header, rest) = entry.parse()?;
    let Opened::Body(body) = sealing::open(&realm.keys, realm.place(&member.key), &header, rest)? else {
        return Ok(None);
    };
    let ends = realm.end_of(&header, &body);
    let stamp = body.authentication.as_ref().map_or(Epoch::default(), |of| of.stamp);
    let login = Login { user: *owner.user(), handle: member.handle };
    let counts = ends > realm.clock.now() && !realm.is_revoked(&login, stamp);
    Ok(counts.then_some(body))
}
