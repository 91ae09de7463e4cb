//! Signing in: a session under a new id takes the place of the one that the browser had.
//!
//! Over a session of the same user that is one step of the store. An anonymous one lives in another place, and makes two:
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

use super::admission::{Instead, Newcomer};
use super::live::{Live, Seen, seal_destination};
use super::presented::Claim;
use super::reply::Cookies;
use super::runtime::to_the_end;
use super::sign_out::Tell;
use super::state::{Current, Exchange, Guard};
use crate::error::{SessionError, SessionErrorKind};
use crate::id::{Label, UserDigest, UserId};
use crate::record::{Authentication, Body, EndReason, Marker, Slot};
use crate::store::{Commit, Ending};
use crate::telemetry;
use std::sync::Arc;

/// Why the id changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum How {
    SignIn(UserId, Label),
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
    Moved(Arc<Live>),
    /// It was ended by others.
    Ended,
    /// To somebody else's, of the same user.
    Elsewhere(Arc<Live>),
}

/// The session that takes the old one's place.
struct Successor {
    live: Arc<Live>,
    /// Whether a marker in the old one's place leads to it.
    is_reachable: bool,
}

impl Successor {
    fn reachable(live: Arc<Live>) -> Self {
        Self { live, is_reachable: true }
    }

    fn unknown(live: Arc<Live>) -> Self {
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
            How::SignIn(user, label) => self.sign_in(&mut current, user, label).await?,
            How::Reauthentication => self.reauthenticate(&current).await?,
        };
        let cookies = Cookies::of_login(&self.exchange.realm, &new.live)?;
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

    async fn sign_in(&self, current: &mut Current, user: UserId, label: Label) -> Result<Successor, SessionError> {
        let realm = &self.exchange.realm;
        let new = match &*current {
            Current::Live(old) => match &old.body.authentication {
                Some(before) if before.user != user => {
                    let theirs = old.claim();
                    let new = self.begin(&Newcomer::new(realm, user, label)).await?;
                    // What this request knew of it no longer counts, whatever becomes of the ending.
                    *current = Current::Unread;
                    if let Err(error) = self.exchange.end(theirs, EndReason::Replaced, Tell::Everybody).await {
                        self.exchange.discard(&new).await;
                        return Err(error);
                    }
                    Successor::unknown(new)
                }
                Some(_) => self.sign_in_again(old, user, label).await?,
                None => self.take_over(old, &Newcomer::new(realm, user, label)).await?,
            },
            Current::Ended(Some(destination)) => match self.follow(*destination, &realm.keys.digest_of(&user)).await? {
                // The response with theirs was lost, and this is a proof of its own.
                Some(theirs) if self.exchange.began_well_after(&theirs) => {
                    self.sign_in_again(&theirs, user, label).await?
                }
                Some(theirs) => Successor::reachable(theirs),
                None => Successor::unknown(self.begin(&Newcomer::new(realm, user, label)).await?),
            },
            Current::Ended(None) | Current::Vacant(_) | Current::Unread => {
                Successor::unknown(self.begin(&Newcomer::new(realm, user, label)).await?)
            }
        };
        telemetry::signed_in(realm.log_name(new.live.claim()));
        Ok(new)
    }

    async fn reauthenticate(&self, current: &Current) -> Result<Successor, SessionError> {
        let old = match current {
            Current::Live(old) => old,
            Current::Ended(_) => return Err(SessionErrorKind::Ended.into()),
            Current::Vacant(_) | Current::Unread => return Err(SessionErrorKind::SignedOut.into()),
        };
        let realm = &self.exchange.realm;
        let newcomer = Newcomer::again(realm, old, Label::default()).ok_or(SessionErrorKind::SignedOut)?;
        match self.succeed(old, &newcomer).await? {
            Left::Moved(new) | Left::Elsewhere(new) => {
                telemetry::reauthenticated(realm.log_name(new.claim()));
                Ok(Successor::reachable(new))
            }
            // Only a sign-in begins anew.
            Left::Ended => Err(SessionErrorKind::Ended.into()),
        }
    }

    /// Signs in over a session of the same user.
    async fn sign_in_again(&self, old: &Arc<Live>, user: UserId, label: Label) -> Result<Successor, SessionError> {
        let realm = &self.exchange.realm;
        if let Some(newcomer) = Newcomer::again(realm, old, label.clone())
            && let Left::Moved(new) | Left::Elsewhere(new) = self.succeed(old, &newcomer).await?
        {
            return Ok(Successor::reachable(new));
        }
        Ok(Successor::unknown(self.begin(&Newcomer::new(realm, user, label)).await?))
    }

    /// Signs in over an anonymous session.
    async fn take_over(&self, old: &Arc<Live>, newcomer: &Newcomer) -> Result<Successor, SessionError> {
        let content = |authentication| carried(&old.body, authentication);
        let mut new = self.exchange.admit(newcomer, content).await?;
        let left = self.give_way(old, &mut new).await;
        let leads_nowhere = match &left {
            Ok(Left::Elsewhere(_)) => true,
            // What is not known may have led there.
            Err(error) => *error.kind() != SessionErrorKind::Unknown,
            Ok(Left::Moved(_) | Left::Ended) => false,
        };
        if leads_nowhere {
            self.exchange.discard(&new).await;
        }
        Ok(match left? {
            Left::Moved(new) | Left::Elsewhere(new) => Successor::reachable(new),
            Left::Ended => {
                let emptied = self.emptied(&new).await;
                if emptied.is_err() {
                    // Nobody was told of it, and what it holds has ended.
                    self.exchange.discard(&new).await;
                }
                Successor::unknown(emptied?)
            }
        })
    }

    /// Puts a new session in the place of one of the same user, with its content.
    async fn succeed(&self, old: &Arc<Live>, newcomer: &Newcomer) -> Result<Left, SessionError> {
        let until = self.exchange.store().deadline();
        let mut old = Arc::clone(old);
        loop {
            match self.exchange.succeed(&old, newcomer).await? {
                Ok(new) => return Ok(Left::Moved(new)),
                Err(Instead::Found(None)) => return Ok(Left::Ended),
                Err(Instead::Moved(to)) => return self.elsewhere(Seen::Ended(Some(to)), newcomer.user()).await,
                Err(Instead::Found(Some(found))) => {
                    match Live::see(&self.exchange.realm, &old.claim(), old.key, found)? {
                        Seen::Live(newer) => old = newer,
                        gone => return self.elsewhere(gone, newcomer.user()).await,
                    }
                }
            }
            if !self.exchange.store().has_time(until) {
                return Err(SessionErrorKind::Contended.into());
            }
        }
    }

    /// Replaces an anonymous `old` by a marker that leads to `new`, whose content follows what others write meanwhile.
    async fn give_way(&self, old: &Live, new: &mut Arc<Live>) -> Result<Left, SessionError> {
        let realm = &self.exchange.realm;
        let until = self.exchange.store().deadline();
        let Some(login) = new.claim().login else { return Err(SessionErrorKind::SignedOut.into()) };
        let marker = Marker::moved(seal_destination(realm, &old.key, &new.claim()));
        let mut write_id = old.write_id();
        loop {
            let found = match self.exchange.store().end(&old.key, Some(write_id), &marker).await? {
                Ending::Applied => return Ok(Left::Moved(Arc::clone(new))),
                Ending::Absent => return Ok(Left::Ended),
                Ending::Found(entry) => Live::see(realm, &old.claim(), old.key, entry)?,
            };
            match (found, &new.body.authentication) {
                (Seen::Live(newer), Some(authentication)) => {
                    *new = self.commit(new, carried(&newer.body, authentication.clone())).await?;
                    write_id = newer.write_id();
                }
                (gone, _) => return self.elsewhere(gone, &login.user).await,
            }
            if !self.exchange.store().has_time(until) {
                return Err(SessionErrorKind::Contended.into());
            }
        }
    }

    /// Where a session has gone that somebody else has moved or ended.
    async fn elsewhere(&self, gone: Seen, user: &UserDigest) -> Result<Left, SessionError> {
        match gone {
            Seen::Ended(Some(elsewhere)) => {
                Ok(self.follow(elsewhere, user).await?.map_or(Left::Ended, Left::Elsewhere))
            }
            Seen::Ended(None) | Seen::Nothing | Seen::Live(_) => Ok(Left::Ended),
        }
    }

    /// The session that other requests of the same user made; none if it was another user's, or has ended since.
    async fn follow(&self, mut destination: Claim, user: &UserDigest) -> Result<Option<Arc<Live>>, SessionError> {
        let until = self.exchange.store().deadline();
        while destination.login.is_some_and(|login| login.user == *user) {
            match self.exchange.look_up(&destination).await? {
                Seen::Live(live) => return Ok(Some(live)),
                Seen::Ended(Some(further)) => destination = further,
                Seen::Ended(None) | Seen::Nothing => break,
            }
            if !self.exchange.store().has_time(until) {
                return Err(SessionErrorKind::Contended.into());
            }
        }
        Ok(None)
    }

    /// An empty session.
    async fn begin(&self, newcomer: &Newcomer) -> Result<Arc<Live>, SessionError> {
        let created = self.exchange.realm.clock.now();
        let empty = |authentication| Body { created, authentication: Some(authentication), slots: Vec::new() };
        self.exchange.admit(newcomer, empty).await
    }

    /// Copies again: a commit, so that a new record that was ended meanwhile stays ended.
    async fn commit(&self, new: &Live, body: Body) -> Result<Arc<Live>, SessionError> {
        let next = new.followed_by(&self.exchange.realm, body)?;
        let store = self.exchange.store();
        let committed = store.commit(&new.key, &new.entry, &next.live.entry, next.keep_for, store.deadline());
        match committed.await? {
            Commit::Applied(None) => Ok(next.live),
            // After a lost reply this is what we wrote ourselves.
            Commit::Applied(Some(now)) if now.is_live() => Ok(next.live),
            // Nobody else knows the id, so that whatever happened to it was an ending.
            Commit::Applied(Some(_)) | Commit::Conflict(_) | Commit::Absent => Err(SessionErrorKind::Ended.into()),
        }
    }

    async fn emptied(&self, new: &Arc<Live>) -> Result<Arc<Live>, SessionError> {
        if new.body.slots.is_empty() {
            return Ok(Arc::clone(new));
        }
        let body = Body { slots: Vec::new(), ..Body::clone(&new.body) };
        self.commit(new, body).await
    }
}

/// The content of an anonymous session for its successor: all but what its type says must be left behind, as somebody else
/// may have planted it.
fn carried(old: &Body, authentication: Authentication) -> Body {
    let stays = |slot: &&Slot| !slot.drop_at_sign_in;
    let slots = old.slots.iter().filter(stays).cloned().collect();
    Body { created: old.created, authentication: Some(authentication), slots }
}
