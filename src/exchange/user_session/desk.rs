//! Where a handle works on a user session.

use super::super::realm::Realm;
use super::super::state::{Activity, Current, Exchange};
use super::stand::{Kind, Sight, Stand};
use crate::archive::PatientArchive;
use crate::error::{SessionError, SessionErrorKind};
use crate::id::UserId;
use crate::store::{Entry, Key, PatientStore};
use crate::telemetry;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::MutexGuard;

/// A user's place for a kind, in a request or outside of any.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(super) realm: Arc<Realm>,
    /// The realm's; in a request, counting for that.
    pub(super) store: PatientStore,
    pub(super) archive: Option<PatientArchive>,
    pub(super) user: UserId,
    pub(super) kind: Kind,
    pub(super) key: Key,
    /// The request that asks. Outside of any, nobody's browser has to be signed in.
    exchange: Option<Arc<Exchange>>,
    view: View,
}

/// What was last seen under a key; none before anybody has looked. Held while it is changed.
type View = Arc<tokio::sync::Mutex<Option<Stand>>>;

/// What a request has seen of user sessions: its extractors share it.
#[derive(Debug, Default)]
pub(crate) struct Views(Mutex<HashMap<Key, View>>);

impl Views {
    fn of(&self, key: &Key) -> View {
        Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(*key).or_default())
    }
}

impl Exchange {
    /// The place of whoever is signed in; none if nobody is. The browser's session and the user's are loaded together where
    /// neither has been; otherwise what is missing.
    pub(crate) async fn user_session(self: &Arc<Self>, kind: Kind) -> Result<Option<Desk>, SessionError> {
        let _timer = self.meter().time();
        if !self.store().keeps_user_sessions() {
            return Err(PatientStore::no_user_sessions());
        }
        let mut current = self.lock().await;
        let fetched = match &*current {
            Current::Unread => self.read_together(&mut current, &kind).await?,
            _ => None,
        };
        self.seen(&mut current, Activity::Counts).await?;
        let Current::Live(live) = &*current else { return Ok(None) };
        let Some(authentication) = &live.body.authentication else { return Ok(None) };
        let desk = Desk::new(self, authentication.user.clone(), kind);
        let mut view = desk.view.lock().await;
        match fetched {
            Some((key, entry)) if key == desk.key => desk.see(&mut view, entry.as_ref())?,
            _ if view.is_none() => desk.read(&mut view).await?,
            _ => {}
        }
        desk.settle_if_known(&mut view).await?;
        desk.renew_if_due(&mut view).await?;
        drop(view);
        Ok(Some(desk))
    }

    /// Reads the session that the browser names, and what stands in the place of the user whom its cookie names.
    async fn read_together(
        &self,
        current: &mut Current,
        kind: &Kind,
    ) -> Result<Option<(Key, Option<Entry>)>, SessionError> {
        let claims = self.presented.sessions(&self.realm);
        let Some((claim, login)) = claims.sessions.first().and_then(|claim| Some((claim, claim.login?))) else {
            self.read_claims(current, claims, None).await?;
            return Ok(None);
        };
        let key = Key::of_user_session(self.realm.name, &login.user, kind.name);
        let [session, entry] = self.store().load_both(&self.realm.key(&claim.token), &key).await?;
        self.read_claims(current, claims, Some(session)).await?;
        Ok(Some((key, entry)))
    }
}

impl Desk {
    fn new(exchange: &Arc<Exchange>, user: UserId, kind: Kind) -> Self {
        let (realm, store) = (Arc::clone(&exchange.realm), exchange.store().clone());
        let key = Key::of_user_session(realm.name, &realm.keys.digest_of(&user), kind.name);
        let archive = realm.archive.clone().map(|archive| archive.counting(exchange.shared_meter()));
        let view = exchange.user_sessions.of(&key);
        Self { realm, store, archive, user, kind, key, exchange: Some(Arc::clone(exchange)), view }
    }

    /// A user's place outside of any request, read.
    pub(crate) async fn outside(realm: &Arc<Realm>, user: UserId, kind: Kind) -> Result<Self, SessionError> {
        if !realm.store.keeps_user_sessions() {
            return Err(PatientStore::no_user_sessions());
        }
        let key = Key::of_user_session(realm.name, &realm.keys.digest_of(&user), kind.name);
        let desk = Self::found(realm, user, kind, key);
        desk.reload().await?;
        Ok(desk)
    }

    /// The place of one that was found outside of any request.
    pub(super) fn found(realm: &Arc<Realm>, user: UserId, kind: Kind, key: Key) -> Self {
        let (store, archive, realm) = (realm.store.clone(), realm.archive.clone(), Arc::clone(realm));
        Self { realm, store, archive, user, kind, key, exchange: None, view: View::default() }
    }

    /// What was last seen.
    pub(crate) async fn sight(&self) -> Option<Sight> {
        self.view.lock().await.as_ref().and_then(Stand::sight)
    }

    /// Reads what is there now.
    ///
    /// # Errors
    ///
    /// `Ended` if the browser's session has; else as the store has it.
    pub(crate) async fn reload(&self) -> Result<Option<Sight>, SessionError> {
        let entry = self.look_up().await?;
        let mut view = self.view.lock().await;
        self.see(&mut view, entry.as_ref())?;
        self.settle_if_known(&mut view).await?;
        Ok(view.as_ref().and_then(Stand::sight))
    }

    /// What was last seen, to be changed.
    pub(super) async fn view(&self) -> MutexGuard<'_, Option<Stand>> {
        self.view.lock().await
    }

    pub(super) async fn read(&self, view: &mut Option<Stand>) -> Result<(), SessionError> {
        let entry = self.store.load(&self.key).await?;
        self.see(view, entry.as_ref())
    }

    /// What is there now, for a handler that may have looked at the browser's session hours ago: it is asked in the same step
    /// whether that lives. The locks are taken in the order in which whoever loads takes them.
    ///
    /// # Errors
    ///
    /// `Ended` if it does not; else as the store has it.
    pub(super) async fn look_up(&self) -> Result<Option<Entry>, SessionError> {
        let Some(exchange) = &self.exchange else { return self.store.load(&self.key).await };
        let mut current = exchange.lock().await;
        let Current::Live(live) = &*current else { return Err(SessionErrorKind::Ended.into()) };
        let [session, entry] = self.store.load_both(&live.key, &self.key).await?;
        *current = match session {
            Some(session) => exchange.recognise(live, session)?,
            None => Current::Ended(None),
        };
        self.asks(&current).map(|_| entry)
    }

    pub(super) fn see(&self, view: &mut Option<Stand>, entry: Option<&Entry>) -> Result<(), SessionError> {
        *view = Some(Stand::see(&self.realm, &self.key, &self.kind, entry, self.realm.clock.now())?);
        Ok(())
    }

    /// The browser's session that a write names, which must be live. None outside of requests.
    ///
    /// # Errors
    ///
    /// `Ended` if somebody else is signed in by now, or nobody.
    pub(super) async fn asked_by(&self) -> Result<Option<Key>, SessionError> {
        let Some(exchange) = &self.exchange else { return Ok(None) };
        self.asks(&*exchange.lock().await).map(Some)
    }

    fn asks(&self, current: &Current) -> Result<Key, SessionError> {
        match current {
            Current::Live(live) if live.body.authentication.as_ref().is_some_and(|of| of.user == self.user) => {
                Ok(live.key)
            }
            Current::Live(_) | Current::Vacant(_) | Current::Ended(_) | Current::Unread => {
                Err(SessionErrorKind::Ended.into())
            }
        }
    }

    /// Whether the response has begun: what was seen then may be hours old.
    pub(super) fn is_after_the_response(&self) -> bool {
        self.exchange.as_ref().is_some_and(|exchange| exchange.reply.is_closed())
    }

    /// Pushes the idle limit out, at most once in a tenth of it. A failure is no reason to fail the request.
    async fn renew_if_due(&self, view: &mut Option<Stand>) -> Result<(), SessionError> {
        let (now, kind) = (self.realm.clock.now(), &self.kind);
        let Some(Stand::Live(held)) = view else { return Ok(()) };
        if now.since(held.touched()) < kind.idle / 10 {
            return Ok(());
        }
        let keep_for = held.keep_for(&self.realm, kind, now);
        match self.store.renew(&self.key, held.touched(), kind.idle, keep_for).await? {
            Ok(true) => held.note_touch(now, kind),
            // Somebody else has, or its time has run out by the store's clock.
            Ok(false) => {}
            Err(error) => telemetry::touch_failed(&error),
        }
        Ok(())
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("kind", &self.kind.name).finish_non_exhaustive()
    }
}
