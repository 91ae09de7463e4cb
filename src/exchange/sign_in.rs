//! Signing in: a session under a new id takes the place of the one that the browser had.
//!
//! 1. A new record is created, with what may be carried over.
//! 2. The old one is replaced by a marker that says where it went, if it still is what was copied.
//!
//! | what step 2 finds instead | what is done |
//! |---|---|
//! | somebody wrote to it | their content is committed into the new record; again |
//! | it has ended, or is gone | the new record is emptied: what has ended stays ended |
//! | another sign-in of this user moved it | the new record is dropped, and theirs is used: a double click is one sign-in |
//!
//! A crash in between, or a store that does not say what it did, leaves at most a record that nobody knows the id of.

use super::live::{Destination, Live, Seen};
use super::presented::Claim;
use super::reply::Cookies;
use super::runtime::to_the_end;
use super::state::{Current, Exchange, Guard};
use crate::cookie::{CookieKind, VisitorToken};
use crate::error::{SessionError, SessionErrorKind};
use crate::id::{SessionHandle, UserId};
use crate::record::{Authentication, Body, EndReason, Marker, Slot};
use crate::store::{Commit, Ending};
use crate::telemetry;
use std::sync::Arc;

/// Why the id changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum How {
    SignIn(UserId),
    /// Whoever is signed in has just proved it again.
    Reauthentication,
}

/// A change of id under way, on a task of its own.
struct Move {
    exchange: Arc<Exchange>,
}

/// How the old record gave way.
enum Left {
    /// To the new one, which holds its latest content.
    Moved,
    /// It was ended by others.
    Ended,
    /// To somebody else's, of the same user.
    Elsewhere(Live),
}

/// The session that takes the old one's place.
struct Successor {
    live: Live,
    /// Whether a marker in the old one's place leads to it.
    is_reachable: bool,
}

impl Successor {
    fn reachable(live: Live) -> Self {
        Self { live, is_reachable: true }
    }

    fn unknown(live: Live) -> Self {
        Self { live, is_reachable: false }
    }
}

impl Exchange {
    /// Signs a user in, or proves the present one anew. Answers who is signed in.
    ///
    /// Goes on to its end if the request is dropped meanwhile.
    pub(crate) async fn sign_in(self: &Arc<Self>, how: How) -> Result<Arc<Body>, SessionError> {
        let _timer = self.meter().time();
        let mut current = self.lock().await;
        if self.reply.is_closed() {
            return Err(SessionErrorKind::ResponseStarted.into());
        }
        self.ensure_read(&mut current).await?;
        to_the_end(Move { exchange: Arc::clone(self) }.run(current, how)).await
    }
}

impl Move {
    async fn run(self, mut current: Guard, how: How) -> Result<Arc<Body>, SessionError> {
        let new = match how {
            How::SignIn(user) => self.sign_in(&mut current, user).await?,
            How::Reauthentication => self.reauthenticate(&current).await?,
        };
        let cookies = self.cookies(&new.live)?;
        if new.is_reachable {
            // Whoever tries again with the old cookie is led here. To end it would lose what it holds.
            self.exchange.send(cookies)?;
        } else {
            self.exchange.hand_over(cookies, &new.live).await?;
        }
        let body = Arc::clone(&new.live.body);
        self.exchange.set_visitor(body.authentication.as_ref().map(|of| of.user.clone()));
        *current = Current::Live(new.live);
        Ok(body)
    }

    async fn sign_in(&self, current: &mut Current, user: UserId) -> Result<Successor, SessionError> {
        let new = match &*current {
            Current::Live(old) => match &old.body.authentication {
                Some(before) if before.user != user => {
                    let theirs = old.claim();
                    let new = self.create(self.empty(user)).await?;
                    // What this request knew of it no longer counts, whatever becomes of the ending.
                    *current = Current::Unread;
                    if let Err(error) = self.exchange.end(theirs, EndReason::Replaced).await {
                        self.exchange.discard(&new).await;
                        return Err(error);
                    }
                    Successor::unknown(new)
                }
                _ => self.take_over(old, &user).await?,
            },
            Current::Ended(Some(destination)) => match self.follow(destination, &user).await? {
                // The response with theirs was lost, and this is a proof of its own.
                Some(theirs) if self.exchange.began_well_after(&theirs) => self.take_over(&theirs, &user).await?,
                Some(theirs) => Successor::reachable(theirs),
                None => Successor::unknown(self.create(self.empty(user)).await?),
            },
            Current::Ended(None) | Current::Vacant(_) | Current::Unread => {
                Successor::unknown(self.create(self.empty(user)).await?)
            }
        };
        telemetry::signed_in();
        Ok(new)
    }

    async fn reauthenticate(&self, current: &Current) -> Result<Successor, SessionError> {
        let (old, user) = match current {
            Current::Live(old) => match &old.body.authentication {
                Some(authentication) => (old, &authentication.user),
                None => return Err(SessionErrorKind::SignedOut.into()),
            },
            Current::Ended(_) => return Err(SessionErrorKind::Ended.into()),
            Current::Vacant(_) | Current::Unread => return Err(SessionErrorKind::SignedOut.into()),
        };
        match self.replace(old, user).await? {
            (Left::Moved, new) | (Left::Elsewhere(new), _) => {
                telemetry::reauthenticated();
                Ok(Successor::reachable(new))
            }
            // Only a sign-in begins anew.
            (Left::Ended, new) => {
                self.exchange.discard(&new).await;
                Err(SessionErrorKind::Ended.into())
            }
        }
    }

    /// Signs in over an anonymous session, or one of the same user.
    async fn take_over(&self, old: &Live, user: &UserId) -> Result<Successor, SessionError> {
        Ok(match self.replace(old, user).await? {
            (Left::Moved, new) | (Left::Elsewhere(new), _) => Successor::reachable(new),
            (Left::Ended, new) => Successor::unknown(self.emptied(new).await?),
        })
    }

    /// Makes a new record with the content of `old`, and puts it in its place if it can.
    async fn replace(&self, old: &Live, user: &UserId) -> Result<(Left, Live), SessionError> {
        let handle = old.body.authentication.as_ref().map_or_else(SessionHandle::random, |before| before.handle);
        let authentication = Authentication { user: user.clone(), handle, at: self.exchange.realm.clock.now() };
        let mut new = self.create(carried(&old.body, authentication.clone())).await?;
        let left = self.give_way(old, &authentication, &mut new).await;
        let leads_nowhere = match &left {
            Ok(Left::Elsewhere(_)) => true,
            // What is not known may have led there.
            Err(error) => *error.kind() != SessionErrorKind::Unknown,
            Ok(Left::Moved | Left::Ended) => false,
        };
        if leads_nowhere {
            self.exchange.discard(&new).await;
        }
        Ok((left?, new))
    }

    /// Replaces `old` by a marker that leads to `new`, whose content follows what others write meanwhile.
    async fn give_way(
        &self,
        old: &Live,
        authentication: &Authentication,
        new: &mut Live,
    ) -> Result<Left, SessionError> {
        let until = self.exchange.store.deadline();
        let user = &authentication.user;
        let destination = Destination { user: user.clone(), token: new.token };
        let marker = Marker::moved(destination.seal(&self.exchange.realm, &old.key));
        let mut write_id = old.write_id;
        loop {
            let found = match self.exchange.store.end(&old.key, Some(write_id), &marker).await? {
                Ending::Applied => return Ok(Left::Moved),
                Ending::Absent => return Ok(Left::Ended),
                Ending::Found(entry) => Live::see(&self.exchange.realm, &old.claim(), &entry)?,
            };
            match found {
                Seen::Live(newer) => {
                    *new = self.commit(new, carried(&newer.body, authentication.clone())).await?;
                    write_id = newer.write_id;
                }
                Seen::Ended(Some(elsewhere)) => {
                    return Ok(self.follow(&elsewhere, user).await?.map_or(Left::Ended, Left::Elsewhere));
                }
                Seen::Ended(None) | Seen::Nothing => return Ok(Left::Ended),
            }
            if !self.exchange.store.has_time(until) {
                return Err(SessionErrorKind::Contended.into());
            }
        }
    }

    /// The session that other requests of the same user made; none if it was another user's, or has ended since.
    async fn follow(&self, destination: &Destination, user: &UserId) -> Result<Option<Live>, SessionError> {
        let until = self.exchange.store.deadline();
        let mut destination = destination.clone();
        while destination.user == *user {
            let claim = Claim { kind: CookieKind::SignedIn, token: destination.token };
            match self.exchange.look_up(&claim).await? {
                Seen::Live(live) => return Ok(Some(live)),
                Seen::Ended(Some(further)) => destination = further,
                Seen::Ended(None) | Seen::Nothing => break,
            }
            if !self.exchange.store.has_time(until) {
                return Err(SessionErrorKind::Contended.into());
            }
        }
        Ok(None)
    }

    async fn create(&self, body: Body) -> Result<Live, SessionError> {
        let new = Live::begin(&self.exchange.realm, body)?;
        self.exchange.store.create(&new.live.key, &new.entry, new.keep_for).await?;
        telemetry::created(true);
        Ok(new.live)
    }

    /// Copies again: a commit, so that a new record that was ended meanwhile stays ended.
    async fn commit(&self, new: &Live, body: Body) -> Result<Live, SessionError> {
        let next = new.followed_by(&self.exchange.realm, body)?;
        let store = &self.exchange.store;
        let committed = store.commit(&new.key, new.write_id, &next.entry, next.keep_for, store.deadline());
        match committed.await? {
            Commit::Applied(None) => Ok(next.live),
            // After a lost reply this is what we wrote ourselves.
            Commit::Applied(Some(now)) if now.is_live() => Ok(next.live),
            // Nobody else knows the id, so that whatever happened to it was an ending.
            Commit::Applied(Some(_)) | Commit::Conflict(_) | Commit::Absent => Err(SessionErrorKind::Ended.into()),
        }
    }

    async fn emptied(&self, new: Live) -> Result<Live, SessionError> {
        if new.body.slots.is_empty() {
            return Ok(new);
        }
        let body = Body { slots: Vec::new(), ..Body::clone(&new.body) };
        self.commit(&new, body).await
    }

    fn empty(&self, user: UserId) -> Body {
        let now = self.exchange.realm.clock.now();
        let authentication = Authentication { user, handle: SessionHandle::random(), at: now };
        Body { created: now, authentication: Some(authentication), slots: Vec::new() }
    }

    /// The signed-in cookie and the visitor's; the anonymous one goes.
    fn cookies(&self, new: &Live) -> Result<Cookies, SessionError> {
        let authentication = new.body.authentication.as_ref().ok_or(SessionErrorKind::SignedOut)?;
        let visitor = VisitorToken {
            expires: self.exchange.realm.clock.now().plus(self.exchange.realm.visitor_lifetime),
            handle: authentication.handle,
            user: authentication.user.clone(),
        };
        Ok(Cookies::default()
            .session(&self.exchange.realm, CookieKind::SignedIn, &new.token)
            .visitor(&self.exchange.realm, &visitor)
            .remove(&self.exchange.realm, CookieKind::Anonymous))
    }
}

/// The content of a session for its successor. What an anonymous visitor gathered is carried unless its type says
/// otherwise: somebody else may have planted it.
fn carried(old: &Body, authentication: Authentication) -> Body {
    let was_anonymous = old.authentication.is_none();
    let stays = |slot: &&Slot| !(was_anonymous && slot.drop_at_sign_in);
    let slots = old.slots.iter().filter(stays).cloned().collect();
    Body { created: old.created, authentication: Some(authentication), slots }
}
