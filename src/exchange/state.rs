//! The view that all extractors of one request share.

use super::epoch::OwnEpoch;
use super::live::{Live, Seen};
use super::presented::{Claim, Claims, Presented};
use super::realm::Realm;
use super::reply::{Cookies, Reply};
use super::user_session::Views;
use crate::clock::{Moment, Timestamp};
use crate::error::{SessionError, SessionErrorKind};
use crate::id::UserId;
use crate::record::{Body, Marker};
use crate::revocation::AsOf;
use crate::store::{Entry, Meter, PatientStore, Timer};
use crate::telemetry;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// One request and its response, as far as sessions go.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(super) realm: Arc<Realm>,
    counted: OnceLock<PatientStore>,
    pub(super) presented: Presented,
    pub(super) reply: Reply,
    meter: Arc<Meter>,
    pub(super) began: Began,
    /// When that was, by the realm's clock.
    pub(super) began_at: Timestamp,
    /// When the first extractor asked.
    opened: Instant,
    pub(super) own_epoch: OwnEpoch,
    /// Whom the browser belongs to, once somebody has asked, or this request signed in or out.
    pub(super) visitor: std::sync::Mutex<Option<Option<UserId>>>,
    /// Held while the session is loaded or changed: the changes of one request come one after the other.
    current: OnceLock<Arc<Mutex<Current>>>,
    /// What this request has seen of its user's sessions.
    pub(super) user_sessions: Views,
}

/// The session of this request.
#[derive(Debug)]
pub(super) enum Current {
    /// Nobody has asked yet.
    Unread,
    Live(Arc<Live>),
    /// There is none, and this is what beginning one comes to.
    Vacant(Vacancy),
    /// Others ended it, or moved it at sign-in; nothing may be begun in its place.
    Ended(Option<Claim>),
}

/// Whether a session may begin where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vacancy {
    Open,
    /// Open, since this request itself signed out: what the browser sent counts no more.
    SignedOut,
    TwoCookies,
    CrossSite,
}

/// Whether reading the session pushes its idle limit out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Activity {
    Counts,
    /// For polling.
    Ignored,
}

/// The moment at which a request came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Began {
    pub(crate) moment: Moment,
    /// What was known to be revoked.
    pub(crate) known: AsOf,
}

pub(super) type Guard = OwnedMutexGuard<Current>;

impl Exchange {
    pub(super) fn new(realm: Arc<Realm>, presented: Presented, began: Began) -> Self {
        let (meter, opened) = (Arc::<Meter>::default(), Instant::now());
        realm.follow();
        Self {
            counted: OnceLock::new(),
            began_at: realm.clock.at(began.moment, opened),
            began,
            opened,
            own_epoch: OwnEpoch::default(),
            realm,
            presented,
            reply: Reply::default(),
            meter,
            visitor: std::sync::Mutex::default(),
            current: OnceLock::new(),
            user_sessions: Views::default(),
        }
    }

    pub(crate) fn realm(&self) -> &Realm {
        &self.realm
    }

    pub(crate) fn reply(&self) -> &Reply {
        &self.reply
    }

    /// Has cookies sent with the response.
    ///
    /// # Errors
    ///
    /// [`SessionErrorKind::ResponseStarted`] if its head has left.
    pub(super) fn send(&self, cookies: Cookies) -> Result<(), SessionErrorKind> {
        if self.presented.is_over_plain_http() && !self.realm.cookies.insecure {
            self.realm.plain_http_warning.call_once(telemetry::secure_cookies_over_plain_http);
        }
        self.reply.set(cookies)
    }

    /// The realm's store, counting for this request. Who only wants to know the visitor has no use for it.
    pub(super) fn store(&self) -> &PatientStore {
        self.counted.get_or_init(|| self.realm.store.clone().counting(self.shared_meter()))
    }

    /// What sessions have cost this request so far.
    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Counts time until it is dropped: for the first who asks, from when they asked.
    pub(super) fn time(&self) -> Timer<'_> {
        self.meter.time_from(if self.meter.is_new() { self.opened } else { Instant::now() })
    }

    pub(super) fn shared_meter(&self) -> Arc<Meter> {
        Arc::clone(&self.meter)
    }

    /// The session's content; none if there is no session. One round trip for all who ask in one request.
    pub(crate) async fn body(&self, activity: Activity) -> Result<Option<Arc<Body>>, SessionError> {
        let _timer = self.meter.time();
        let mut current = self.lock().await;
        self.ensure_read(&mut current).await?;
        self.seen(&mut current, activity).await
    }

    /// The same, asked anew.
    pub(crate) async fn reread(&self, activity: Activity) -> Result<Option<Arc<Body>>, SessionError> {
        let _timer = self.meter.time();
        let mut current = self.lock().await;
        self.refresh(&mut current).await?;
        self.seen(&mut current, activity).await
    }

    pub(super) async fn seen(
        &self,
        current: &mut Current,
        activity: Activity,
    ) -> Result<Option<Arc<Body>>, SessionError> {
        let Current::Live(live) = current else { return Ok(None) };
        if activity == Activity::Counts {
            self.touch_if_due(live).await;
        }
        Ok(Some(Arc::clone(&live.body)))
    }

    /// The lock outlives `self`'s borrow, so that a task of its own can hold it.
    pub(super) async fn lock(&self) -> Guard {
        Arc::clone(self.current()).lock_owned().await
    }

    /// Made when first asked for: who only wants to know the visitor has no use for it.
    pub(super) fn current(&self) -> &Arc<Mutex<Current>> {
        self.current.get_or_init(|| Arc::new(Mutex::new(Current::Unread)))
    }

    pub(super) async fn ensure_read(&self, current: &mut Current) -> Result<(), SessionError> {
        match current {
            Current::Unread => self.refresh(current).await,
            _ => Ok(()),
        }
    }

    /// Reads what the store has now. On an error the view stays as it was.
    pub(super) async fn refresh(&self, current: &mut Current) -> Result<(), SessionError> {
        match current {
            // What has ended for this request stays so, also when its marker has gone.
            Current::Vacant(Vacancy::SignedOut) | Current::Ended(_) => Ok(()),
            Current::Live(live) => {
                // Perhaps begun in this request: the cookies that came with it would not lead there. What this request
                // has seen alive and is no more has ended, with a marker or without.
                *current = match self.look_up(&live.claim()).await? {
                    Seen::Live(live) => Current::Live(live),
                    Seen::Ended(destination) => Current::Ended(destination),
                    Seen::Nothing => Current::Ended(None),
                };
                Ok(())
            }
            Current::Unread | Current::Vacant(_) => {
                let claims = self.presented.sessions(&self.realm);
                self.read_claims(current, claims, None).await
            }
        }
    }

    /// Reads what the browser's cookies lead to. `first` is what was loaded already for the first of them.
    pub(super) async fn read_claims(
        &self,
        current: &mut Current,
        claims: Claims,
        first: Option<Option<Entry>>,
    ) -> Result<(), SessionError> {
        let Claims { sessions, ambiguous } = claims;
        let vacancy = match (ambiguous, sessions.is_empty()) {
            (true, _) => Vacancy::TwoCookies,
            (false, true) if self.presented.is_cross_site() => Vacancy::CrossSite,
            (false, _) => Vacancy::Open,
        };
        *current = match self.find(&sessions, vacancy, first).await? {
            // Its marker may have come and gone while this request was under way.
            Current::Vacant(Vacancy::Open) if !sessions.is_empty() && self.outlasts_markers() => Current::Ended(None),
            found => found,
        };
        Ok(())
    }

    /// Whether a session's proof was given well before this request, and not by the first of two clicks whose response is
    /// still on its way.
    pub(super) fn began_well_after(&self, session: &Live) -> bool {
        const UNDER_WAY: Duration = Duration::from_secs(10);
        session.body.authentication.as_ref().is_some_and(|proof| self.began_at.since(proof.at) > UNDER_WAY)
    }

    /// How long ago it began, and rather more: a clock can be set back, or stand still while the machine sleeps.
    pub(super) fn age(&self) -> Duration {
        let by_clock = self.realm.clock.now().since(self.began_at);
        // Both clocks count whole milliseconds.
        by_clock.max(self.began.moment.elapsed()) + Duration::from_millis(1)
    }

    fn outlasts_markers(&self) -> bool {
        self.realm.clock.now().since(self.began_at) >= Marker::KEPT
    }

    /// The first claim that leads to a live session. Whose session has gone may have begun another since.
    async fn find(
        &self,
        claims: &[Claim],
        vacancy: Vacancy,
        mut first: Option<Option<Entry>>,
    ) -> Result<Current, SessionError> {
        let mut current = Current::Vacant(vacancy);
        for claim in claims {
            let seen = match first.take() {
                Some(Some(entry)) => Live::see(&self.realm, claim, self.realm.key(&claim.token), entry)?,
                Some(None) => Seen::Nothing,
                None => self.look_up(claim).await?,
            };
            match seen {
                Seen::Live(live) => return Ok(Current::Live(live)),
                Seen::Ended(destination) if matches!(current, Current::Vacant(_)) => {
                    current = Current::Ended(destination);
                }
                Seen::Ended(_) | Seen::Nothing => {}
            }
        }
        Ok(current)
    }

    pub(super) async fn look_up(&self, claim: &Claim) -> Result<Seen, SessionError> {
        let key = self.realm.key(&claim.token);
        match self.store().load(&key).await? {
            Some(entry) => Live::see(&self.realm, claim, key, entry),
            None => Ok(Seen::Nothing),
        }
    }

    /// Pushes the idle limit out, at most once in a tenth of it. A failure is no reason to fail the request.
    async fn touch_if_due(&self, live: &mut Arc<Live>) {
        let now = self.realm.clock.now();
        if self.realm.limits_of(&live.body).touch_is_due(live.entry.touched(), now) {
            // Apart, since it is rare: the future of each read would have room for it.
            Box::pin(self.touch(Arc::make_mut(live), now)).await;
        }
    }

    async fn touch(&self, live: &mut Live, now: Timestamp) {
        let realm = &self.realm;
        let Some(keep_for) = realm.limits_of(&live.body).keep_for(now, live.deadline) else { return };
        match self.store().touch(&live.key, live.entry.touched(), now, keep_for).await {
            Ok(touched) => {
                if touched {
                    telemetry::touched(realm.log_name(live.claim()));
                }
                live.entry.touch(now);
            }
            Err(error) => telemetry::touch_failed(&error),
        }
    }
}

impl Vacancy {
    /// Why nothing may begin, if nothing may.
    pub(super) fn refusal(self) -> Option<SessionErrorKind> {
        match self {
            Self::Open | Self::SignedOut => None,
            Self::TwoCookies => Some(SessionErrorKind::TwoCookies),
            Self::CrossSite => Some(SessionErrorKind::CrossSite),
        }
    }
}
