//! A new session among those of its user: under the cap, and of the user's present epoch.

use super::live::{Live, Prepared, Seen, seal_destination};
use super::presented::Claim;
use super::realm::Realm;
use super::roster::open;
use super::state::Exchange;
use crate::clock::Timestamp;
use crate::cookie::Login;
use crate::error::{SessionError, SessionErrorKind};
use crate::id::{Epoch, Label, SessionHandle, UserDigest, UserId};
use crate::record::{Authentication, Body, EndReason, Entry, Marker};
use crate::store::{Admission, Departure, Entered, Owner};
use crate::telemetry;
use std::sync::Arc;
use std::time::Duration;

/// How often the store is asked again whether a sign-in was overtaken.
const DOUBTS: u32 = 2;

/// Why a session has not taken the place of another.
pub(super) enum Instead {
    /// That is not what it was. What is there, if anything.
    Found(Option<Entry>),
    /// It has, and has moved on since: an earlier transmission was applied.
    Moved(Claim),
}

/// A session to be, whose id is known already.
pub(super) struct Newcomer {
    claim: Claim,
    login: Login,
    user: UserId,
    at: Timestamp,
    label: Label,
}

impl Newcomer {
    pub(super) fn new(realm: &Realm, user: UserId, label: Label) -> Self {
        let login = Login { user: realm.keys.digest_of(&user), handle: SessionHandle::random() };
        Self::of(realm, user, login, label)
    }

    /// Of the user of `old`, with the same handle; none if that is anonymous. An empty label leaves the old one.
    pub(super) fn again(realm: &Realm, old: &Live, label: Label) -> Option<Self> {
        let (before, login) = (old.body.authentication.as_ref()?, old.claim().login?);
        let label = if label == Label::default() { before.label.clone() } else { label };
        Some(Self::of(realm, before.user.clone(), login, label))
    }

    fn of(realm: &Realm, user: UserId, login: Login, label: Label) -> Self {
        let at = realm.clock.now();
        Self { claim: Claim::signed_in(realm, login, at), login, user, at, label }
    }

    pub(super) fn user(&self) -> &UserDigest {
        &self.login.user
    }

    fn authentication(&self, stamp: Epoch) -> Authentication {
        let (user, handle, label) = (self.user.clone(), self.login.handle, self.label.clone());
        Authentication { user, handle, at: self.at, stamp, label }
    }
}

impl Exchange {
    /// Begins a session of a user.
    pub(super) async fn admit(
        &self,
        newcomer: &Newcomer,
        content: impl Fn(Authentication) -> Body,
    ) -> Result<Arc<Live>, SessionError> {
        let prepare = |stamp| Live::begin(&self.realm, newcomer.claim, content(newcomer.authentication(stamp)));
        // Without a predecessor nothing can be wrong with it.
        self.enter(newcomer, prepare, None).await?.map_err(|_| SessionErrorKind::unavailable().into())
    }

    /// Begins a session with the content of `old`, one of the same user that gives way in the same step. If that is not what
    /// it was, answers what is there instead.
    pub(super) async fn succeed(
        &self,
        old: &Live,
        newcomer: &Newcomer,
    ) -> Result<Result<Arc<Live>, Instead>, SessionError> {
        let (_, member) = self.realm.member(&old.claim().token, &newcomer.login);
        let marker = Marker::moved(seal_destination(&self.realm, &old.key, &newcomer.claim));
        let predecessor = Departure { member, expected: Some(old.write_id()), marker, news: None };
        let prepare = |stamp| {
            let authentication = Some(newcomer.authentication(stamp));
            old.succeeded_by(&self.realm, newcomer.claim, Body { authentication, ..Body::clone(&old.body) })
        };
        self.enter(newcomer, prepare, Some(&predecessor)).await
    }

    async fn enter(
        &self,
        newcomer: &Newcomer,
        prepare: impl Fn(Epoch) -> Result<Prepared, SessionError>,
        predecessor: Option<&Departure>,
    ) -> Result<Result<Arc<Live>, Instead>, SessionError> {
        let (realm, until) = (&self.realm, self.store().deadline());
        let (owner, member) = realm.member(&newcomer.claim.token, &newcomer.login);
        let mut epoch = self.epoch_when_it_began(&newcomer.login.user);
        let mut new = prepare(epoch)?;
        let (mut evicted, mut doubts) = (Vec::new(), 0);
        loop {
            let admission = Admission {
                member,
                entry: &new.live.entry,
                keep_for: new.keep_for,
                epoch,
                epoch_until: realm.news_until(),
                limit: realm.max_sessions_per_user,
                predecessor,
                evicted: &evicted,
            };
            match self.store().admit(&owner, &admission, until).await? {
                Entered::Admitted => {
                    // Which of them the store has ended it tells everybody, this process too: one may have moved meanwhile.
                    for Departure { member, .. } in &evicted {
                        realm.session_ended(owner.shard());
                        telemetry::ended(EndReason::Evicted.as_str(), realm.log_name_of(member.handle));
                    }
                    if predecessor.is_none() {
                        telemetry::created(realm.log_name(newcomer.claim), true);
                    }
                    return Ok(Ok(new.live));
                }
                Entered::Left(marker) => {
                    return match Live::see(realm, &newcomer.claim, member.key, marker)? {
                        Seen::Ended(Some(destination)) => Ok(Err(Instead::Moved(destination))),
                        Seen::Ended(None) | Seen::Nothing | Seen::Live(_) => Err(SessionErrorKind::Ended.into()),
                    };
                }
                Entered::Predecessor(found) => return Ok(Err(Instead::Found(found))),
                Entered::Outdated { epoch: theirs, now } => {
                    // Whoever verified a password before it was changed must not come in after that. This request began by
                    // then, by the store's clock, or as much later as the answer took: a second one may be quicker.
                    if theirs.began_before(now.minus(self.age())) {
                        epoch = theirs;
                        new = prepare(epoch)?;
                    } else if doubts < DOUBTS {
                        doubts += 1;
                    } else {
                        telemetry::sign_in_overtaken();
                        return Err(SessionErrorKind::Ended.into());
                    }
                }
                Entered::Full => evicted = self.too_many(&owner, predecessor).await?,
            }
            if !self.store().has_time(until) {
                return Err(SessionErrorKind::Contended.into());
            }
        }
    }

    /// Those of the user's sessions that end, so that there is room for one more: first the ones that were never used after
    /// their sign-in, then the oldest.
    async fn too_many(&self, owner: &Owner, predecessor: Option<&Departure>) -> Result<Vec<Departure>, SessionError> {
        let mut members = self.store().members(owner).await?;
        members.retain(|(member, _)| predecessor.is_none_or(|gives_way| gives_way.member.key != member.key));
        let surplus = (members.len() + 1).saturating_sub(self.realm.max_sessions_per_user);
        // In order of their deadlines, and that stays so among equals.
        members.sort_by_cached_key(|(member, entry)| was_used(&open(&self.realm, owner, member, entry), entry));
        let departs = |(member, _): &(_, Entry)| Departure {
            member: *member,
            expected: None,
            marker: Marker::ended(EndReason::Evicted),
            news: Some(self.realm.news_of(member.handle)),
        };
        Ok(members.iter().take(surplus).map(departs).collect())
    }
}

/// Whether anything was done with a session after its sign-in. One that does not open here, as it is of a newer release,
/// counts as used.
fn was_used(body: &Result<Option<Body>, SessionError>, entry: &Entry) -> bool {
    const AT_ONCE: Duration = Duration::from_secs(1);
    let Ok(Some(Body { authentication: Some(authentication), .. })) = body else { return true };
    entry.was_written_again() || entry.touched().since(authentication.at) > AT_ONCE
}
