//! The layer and its settings.

use super::service::SessionService;
use crate::archive::{Archive, PatientArchive};
use crate::clock::Clock;
use crate::cookie::{CookiePolicy, SameSite, check_domain, check_name};
use crate::data::{Registry, Slots, UserSessionData};
use crate::error::ConfigError;
use crate::exchange::{Realm, Roster};
use crate::keyring::Keyring;
use crate::lifetime::{LONGEST, Limits};
use crate::record::Entry;
use crate::revocation::Revocations;
use crate::sessions::Sessions;
use crate::store::{LastingStore, PatientStore, Store};
use crate::telemetry;
use std::fmt;
use std::sync::{Arc, Once};
use std::time::Duration;
use tower_layer::Layer;

/// Makes sessions available to the handlers inside. Costs next to nothing until one of them asks.
///
/// ```
/// use thin_session::{Keyring, MemoryStore, SessionLayer};
///
/// let sessions = SessionLayer::new(MemoryStore::new(), Keyring::generate()); // a restart signs everybody out
/// # let routes = axum::Router::<()>::new();
/// let app = routes.layer(sessions);
/// ```
///
/// Settings that can be wrong answer a `Result`:
///
/// ```
/// # use std::time::Duration;
/// # use thin_session::{Keyring, Limits, MemoryStore, SessionLayer};
/// # let (store, keys) = (MemoryStore::new(), Keyring::generate());
/// let sessions = SessionLayer::new(store, keys)
///     .named("admin")?
///     .signed_in_limits(Limits::NIST_AAL2)
///     .visitor_lifetime(Duration::from_secs(7 * 86_400))?;
/// # Ok::<(), thin_session::ConfigError>(())
/// ```
///
/// It has no type parameter: which store it uses can be decided at run time. Cloning is cheap.
#[derive(Clone)]
pub struct SessionLayer {
    realm: Arc<Realm>,
}

impl SessionLayer {
    /// Bytes that a record may have unless configured.
    pub const DEFAULT_BUDGET: usize = 4096;
    /// How long the visitor cookie lives unless configured: 30 days.
    pub const DEFAULT_VISITOR_LIFETIME: Duration = Duration::from_secs(30 * 86_400);
    /// How long all tries of one store operation may take together unless configured: one second.
    pub const DEFAULT_STORE_DEADLINE: Duration = Duration::from_secs(1);
    /// How many sessions a user may have unless configured.
    pub const DEFAULT_MAX_SESSIONS_PER_USER: usize = 100;

    /// Sessions in `store`, sealed with `keys`.
    pub fn new(store: impl Store, keys: Keyring) -> Self {
        Self::of(PatientStore::new(store, Self::DEFAULT_STORE_DEADLINE), keys)
    }

    /// Sessions in `store`, sealed with `keys`; and sessions that belong to a user, for
    /// [`UserSession<T>`](crate::UserSession).
    ///
    /// Those are sealed under the lasting secret, so that they outlive rotations of the current one.
    pub fn with_user_sessions(store: impl LastingStore, keys: Keyring) -> Self {
        Self::of(PatientStore::with_user_sessions(store, Self::DEFAULT_STORE_DEADLINE), keys)
    }

    fn of(store: PatientStore, keys: Keyring) -> Self {
        telemetry::begin();
        let realm = Realm {
            name: "",
            store,
            archive: None,
            archives_browser_sessions: false,
            keys,
            clock: Clock::system(),
            cookies: CookiePolicy::new(""),
            anonymous: Limits::ANONYMOUS,
            signed_in: Limits::SIGNED_IN,
            visitor_lifetime: Self::DEFAULT_VISITOR_LIFETIME,
            budget: Self::DEFAULT_BUDGET,
            registry: Registry::default(),
            max_sessions_per_user: Self::DEFAULT_MAX_SESSIONS_PER_USER,
            strict: false,
            revoked: Revocations::new(Clock::system()),
            follower: Arc::default(),
            mover: Arc::default(),
            plain_http_warning: Arc::new(Once::new()),
        };
        Self { realm: Arc::new(realm) }
    }

    /// Names this layer, so that a second one can live on the same host: with cookies, keys in the store and seals of its
    /// own. Where two are nested, handlers see the innermost.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Name`] unless it has 1 to 32 lower-case letters, digits or hyphens.
    pub fn named(self, name: &'static str) -> Result<Self, ConfigError> {
        check_name(name)?;
        Ok(self.edit(|realm| realm.name = name))
    }

    /// Declares the types that handlers will ask for, up to three in a tuple; call it again for more. Two of one name in a
    /// tuple are an error of `cargo build`; others are found at their first use.
    ///
    /// ```compile_fail
    /// # use serde::{Deserialize, Serialize};
    /// # use thin_session::{Keyring, MemoryStore, SessionData, SessionLayer};
    /// #[derive(Default, Serialize, Deserialize)]
    /// struct Cart;
    /// impl SessionData for Cart { const NAME: &'static str = "cart"; }
    ///
    /// #[derive(Default, Serialize, Deserialize)]
    /// struct Basket;
    /// impl SessionData for Basket { const NAME: &'static str = "cart"; }
    ///
    /// SessionLayer::new(MemoryStore::new(), Keyring::generate()).slots::<(Cart, Basket)>();
    /// ```
    #[must_use]
    pub fn slots<T: Slots>(self) -> Self {
        self.edit(|realm| {
            if let Err(error) = realm.registry.claim::<T>() {
                // Whoever asks for the type is told the same.
                telemetry::misconfigured(&error);
            }
        })
    }

    /// Declares a type of user sessions; call it again for more. Then [`Sessions::history`] and [`Sessions::active`] find those of
    /// that kind from the start, not only once a request of this process has asked for the type. Two of one kind are found as by
    /// [`slots`](Self::slots).
    #[must_use]
    pub fn kind<T: UserSessionData>(self) -> Self {
        self.edit(|realm| {
            if let Err(error) = realm.registry.claim_kind::<T>() {
                // Whoever asks for the type is told the same.
                telemetry::misconfigured(&error);
            }
        })
    }

    /// The limits of anonymous sessions. Defaults to [`Limits::ANONYMOUS`].
    #[must_use]
    pub fn anonymous_limits(self, limits: Limits) -> Self {
        self.edit(|realm| realm.anonymous = limits)
    }

    /// The limits of signed-in sessions. Defaults to [`Limits::SIGNED_IN`].
    #[must_use]
    pub fn signed_in_limits(self, limits: Limits) -> Self {
        self.edit(|realm| realm.signed_in = limits)
    }

    /// How long a browser is recognised after signing in; never renewed. Defaults to 30 days.
    ///
    /// # Errors
    ///
    /// [`ConfigError::VisitorLifetime`] unless it lies between a second and 400 days.
    pub fn visitor_lifetime(self, lifetime: Duration) -> Result<Self, ConfigError> {
        if !(Duration::from_secs(1)..=LONGEST).contains(&lifetime) {
            return Err(ConfigError::VisitorLifetime);
        }
        Ok(self.edit(|realm| realm.visitor_lifetime = lifetime))
    }

    /// How many sessions a user may have at once. Defaults to 100. A sign-in beyond that ends another session: the oldest that was
    /// never used after its sign-in, or if all were used, the oldest.
    ///
    /// # Errors
    ///
    /// [`ConfigError::MaxSessionsPerUser`] unless it lies between 1 and 1,000.
    pub fn max_sessions_per_user(self, limit: usize) -> Result<Self, ConfigError> {
        if !(1..=1000).contains(&limit) {
            return Err(ConfigError::MaxSessionsPerUser(limit));
        }
        Ok(self.edit(|realm| realm.max_sessions_per_user = limit))
    }

    /// Recognises nobody while this process cannot hear of revocations: before it has heard the store for the first time, and when
    /// it has not for ten seconds. Defaults to recognising visitors by what was heard before. Sessions do not depend on it: they
    /// are looked up in the store.
    #[must_use]
    pub fn strict_visitors(self) -> Self {
        self.edit(|realm| realm.strict = true)
    }

    /// How many bytes a session's record may have, with its header and seal. Defaults to 4 KiB.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Budget`] unless it lies between 256 bytes and 64 KiB.
    pub fn budget(self, bytes: usize) -> Result<Self, ConfigError> {
        const { assert!(64 * 1024 <= Entry::MAX_SIZE / 2) };
        if !(256..=64 * 1024).contains(&bytes) {
            return Err(ConfigError::Budget(bytes));
        }
        Ok(self.edit(|realm| realm.budget = bytes))
    }

    /// How long all tries of one store operation may take together. Defaults to one second. Loading is one operation, and
    /// a change with all its conflicts another.
    ///
    /// # Errors
    ///
    /// [`ConfigError::StoreDeadline`] unless it lies between 10 milliseconds and 30 seconds.
    pub fn store_deadline(self, deadline: Duration) -> Result<Self, ConfigError> {
        if !(Duration::from_millis(10)..=Duration::from_secs(30)).contains(&deadline) {
            return Err(ConfigError::StoreDeadline(deadline));
        }
        Ok(self.edit(|realm| {
            realm.store = realm.store.clone().with_patience(deadline);
            realm.archive = realm.archive.take().map(|archive| archive.with_patience(deadline));
        }))
    }

    /// On which requests from other sites browsers send the cookies. Defaults to [`SameSite::Lax`].
    #[must_use]
    pub fn same_site(self, same_site: SameSite) -> Self {
        self.edit(|realm| realm.cookies.same_site = same_site)
    }

    /// Shares the cookies with all subdomains of `domain`, which then can also set them; their names begin with
    /// `__Http-` instead of `__Host-Http-`. Defaults to this host alone.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Domain`] unless it is a plain host name.
    pub fn domain(self, domain: &str) -> Result<Self, ConfigError> {
        check_domain(domain)?;
        Ok(self.edit(|realm| realm.cookies.domain = Some(domain.to_owned())))
    }

    /// Lets session cookies live until the session's absolute limit. Defaults to the browser's run. The store enforces
    /// both limits either way.
    #[must_use]
    pub fn persistent_cookies(self) -> Self {
        self.edit(|realm| realm.cookies.persistent = true)
    }

    /// Sends cookies over plain HTTP: no `Secure`, no prefix in their names, so that anybody on the way can read and plant
    /// them. For development on a host other than `localhost`, where browsers take secure cookies anyway.
    #[must_use]
    pub fn insecure_plain_http(self) -> Self {
        self.edit(|realm| realm.cookies.insecure = true)
    }

    /// Keeps user sessions that have ended, with what they held, and lets it decide
    /// [quotas](crate::UserSession::complete_within). Defaults to none: then they are forgotten.
    ///
    /// Where the store is an archive as well, give a clone of it. What has ended waits in the store until the archive has it; a task
    /// of this layer sees to that.
    #[must_use]
    pub fn archive(self, archive: impl Archive) -> Self {
        self.edit(|realm| realm.archive = Some(PatientArchive::new(archive, realm.store.patience())))
    }

    /// Has the sessions of browsers go to the [archive](Self::archive) as well, those of visitors who never signed in too: for how
    /// many carts were left behind, or who was signed in when. Off by default, as few need them, and they are many.
    ///
    /// The layer must have an archive, and be made by [`with_user_sessions`](Self::with_user_sessions); else no session begins. Those
    /// that have begun before are not archived. One that signs in goes on, and is one. Of each it takes 20 bytes more in the record;
    /// Redis has every record twice, so that one is there when the time of the other has run out.
    #[must_use]
    pub fn archive_browser_sessions(self) -> Self {
        self.edit(|realm| realm.archives_browser_sessions = true)
    }

    /// Takes the time from this clock. Defaults to the system's.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        self.edit(|realm| realm.clock = clock)
    }

    /// The sessions of this layer's users, for jobs outside of requests. Call it after the setters.
    pub fn sessions(&self) -> Sessions {
        Sessions::new(Roster::of_realm(&self.realm))
    }

    /// What the service does to a request, without a service.
    #[cfg(feature = "testing")]
    pub(crate) fn leave_ticket<B>(&self, request: &mut http::Request<B>) {
        crate::exchange::Ticket::issue(&self.realm, request.extensions_mut());
    }

    /// Changes a setting, in a copy if this layer is in use elsewhere.
    fn edit(mut self, change: impl FnOnce(&mut Realm)) -> Self {
        let realm = Arc::make_mut(&mut self.realm);
        change(realm);
        realm.cookies.rename(realm.name);
        // What was heard belongs to the layer as it was named before.
        realm.revoked = Revocations::new(realm.clock.clone());
        realm.follower = Arc::default();
        realm.mover = Arc::default();
        self
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        self.realm.follow();
        SessionService::new(inner, Arc::clone(&self.realm))
    }
}

impl fmt::Debug for SessionLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionLayer").field("name", &self.realm.name).finish_non_exhaustive()
    }
}
