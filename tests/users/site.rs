//! A shop with an account page, on as many servers as a test wants.

use crate::gate::{Gate, Inner};
use crate::shop::{ok, routes, tell_kind};
use axum::Router;
use axum::http::{Method, header};
use axum::middleware::map_response;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeSet;
use std::env;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use testbed::{Client, PostgresServer, RedisServer};
use thin_session::{
    Clock, Keyring, MemoryStore, RedisStore, Secret, SessionError, SessionLayer, Sessions, SignedIn, UserId, Visitor,
};

/// The cookie of anonymous sessions.
pub(crate) const SESSION: &str = "__Host-Http-session";
/// The cookie of signed-in sessions.
pub(crate) const LOGIN: &str = "__Host-Http-login";
/// The cookie of recognised visitors.
pub(crate) const VISITOR: &str = "__Host-Http-visitor";

/// How often to try what is a matter of luck.
pub(crate) fn rounds(short: usize, full: usize) -> usize {
    if env::var_os("THIN_SESSION_FULL").is_some() { full } else { short }
}

/// Where sessions are kept.
pub(crate) enum Place {
    Memory,
    Redis(Arc<RedisServer>),
    /// In a file, which each process opens for itself.
    Sqlite(TempDir),
    /// In a database of its own, by this URL.
    Postgres(String),
}

/// A store that all servers share, and what they have in common.
pub(crate) struct Site {
    pub(crate) clock: Clock,
    pub(crate) secrets: [String; 2],
    pub(crate) redis: Option<Arc<RedisServer>>,
    sql: Option<Sql>,
    /// In front of the store; of each server that has one of its own.
    gates: Mutex<Vec<Arc<Gate>>>,
}

/// Where a SQL store is opened once more.
#[derive(Clone)]
enum Sql {
    Sqlite(PathBuf),
    Postgres(String),
}

impl Sql {
    async fn open(&self) -> Inner {
        match self {
            Self::Sqlite(path) => Inner::sqlite_at(path, None).await,
            Self::Postgres(url) => Inner::postgres(url).await,
        }
    }
}

/// One server, as if in a process of its own: it knows what it has heard.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) layer: SessionLayer,
    pub(crate) gate: Arc<Gate>,
    app: Router,
}

impl Place {
    pub(crate) fn redis() -> Self {
        Self::Redis(Arc::new(RedisServer::start()))
    }

    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().expect("a folder can be made"))
    }

    pub(crate) fn postgres() -> Self {
        Self::Postgres(tokio::task::block_in_place(|| PostgresServer::shared().database()))
    }

    /// A site with an empty gate in front of the store, which goes by its own clock.
    pub(crate) async fn site(&self) -> Site {
        self.site_on(Clock::system(), |inner| inner).await
    }

    /// The same, by this clock if the store can be told one.
    pub(crate) async fn site_by(&self, clock: Clock) -> Site {
        let told = clock.clone();
        self.site_on(clock, move |inner| inner.by(&told)).await
    }

    async fn site_on(&self, clock: Clock, tell: impl FnOnce(Inner) -> Inner) -> Site {
        let sql = match self {
            Self::Memory | Self::Redis(_) => None,
            Self::Sqlite(folder) => Some(Sql::Sqlite(folder.path().join("store.db"))),
            Self::Postgres(url) => Some(Sql::Postgres(url.clone())),
        };
        let (inner, redis) = match self {
            Self::Memory => (Inner::Memory(MemoryStore::new().with_clock(clock.clone())), None),
            Self::Redis(server) => {
                let archive = MemoryStore::new().with_clock(clock.clone());
                (Inner::Redis(connect(&server.url()).await, archive), Some(Arc::clone(server)))
            }
            Self::Sqlite(_) | Self::Postgres(_) => {
                let sql = sql.as_ref().expect("it is a SQL store");
                (tell(sql.open().await), None)
            }
        };
        let secrets = [secret(), secret()];
        Site { clock, secrets, redis, sql, gates: Mutex::new(vec![Arc::new(Gate::new(inner))]) }
    }
}

pub(crate) fn secret() -> String {
    STANDARD.encode(rand::random::<[u8; 32]>())
}

/// The keys of whoever knows these.
pub(crate) fn keyring(secrets: &[String; 2]) -> Keyring {
    let [lasting, current] = secrets.each_ref().map(|text| Secret::from_base64(text).expect("a secret"));
    Keyring::new(lasting, current).expect("two secrets")
}

pub(crate) async fn connect(url: &str) -> RedisStore {
    RedisStore::connect(url).await.expect("Redis is up")
}

impl Site {
    /// The gate of the servers that have none of their own.
    pub(crate) fn gate(&self) -> Arc<Gate> {
        Arc::clone(&self.gates.lock().unwrap()[0])
    }

    /// A server that shares its connection to the store with others.
    pub(crate) fn server(&self) -> Server {
        self.server_with(|layer| layer)
    }

    pub(crate) fn server_with(&self, configure: impl FnOnce(SessionLayer) -> SessionLayer) -> Server {
        self.behind(self.gate(), configure)
    }

    /// A server that has nothing in common with the others but the store.
    pub(crate) async fn elsewhere(&self) -> Server {
        self.elsewhere_by(|layer| layer).await
    }

    /// The same, by another way to its Redis.
    pub(crate) async fn elsewhere_at(&self, url: &str, configure: impl FnOnce(SessionLayer) -> SessionLayer) -> Server {
        let gate = Arc::new(Gate::new(Inner::Redis(connect(url).await, MemoryStore::new())));
        self.gates.lock().unwrap().push(Arc::clone(&gate));
        self.behind(gate, configure)
    }

    /// The same, configured.
    pub(crate) async fn elsewhere_by(&self, configure: impl FnOnce(SessionLayer) -> SessionLayer) -> Server {
        match (&self.redis, &self.sql) {
            (None, None) => self.server_with(configure),
            (Some(redis), _) => self.elsewhere_at(&redis.url(), configure).await,
            (None, Some(sql)) => {
                let gate = Arc::new(Gate::new(sql.open().await.by(&self.clock)));
                self.gates.lock().unwrap().push(Arc::clone(&gate));
                self.behind(gate, configure)
            }
        }
    }

    /// A server with this site's keys at any store.
    pub(crate) fn behind(&self, gate: Arc<Gate>, configure: impl FnOnce(SessionLayer) -> SessionLayer) -> Server {
        let layer = SessionLayer::with_user_sessions(Arc::clone(&gate), keyring(&self.secrets));
        let layer = layer.archive(Arc::clone(&gate)).clock(self.clock.clone());
        // No test is right by being fast.
        let layer = configure(layer.store_deadline(Duration::from_secs(20)).expect("it is in bounds"));
        let app = serve(&layer, pages());
        Server { layer, gate, app }
    }

    /// How many sessions live, of those that any server began.
    pub(crate) async fn live(&self) -> usize {
        let gates = self.gates.lock().unwrap().clone();
        let mut live = 0;
        for gate in gates {
            live += gate.live().await.len();
        }
        live
    }
}

impl Server {
    /// A browser that has never been here.
    pub(crate) fn browser(&self) -> Client {
        Client::new(self.app.clone())
    }

    /// The same browser, when its requests come to this server.
    pub(crate) fn seen_by(&self, browser: &Client) -> Client {
        browser.at(self.app.clone())
    }

    /// The same with further pages.
    pub(crate) fn with_pages(&self, pages: Router) -> Router {
        serve(&self.layer, pages)
    }

    /// For jobs outside of requests, by what this server knows.
    pub(crate) fn sessions(&self) -> Sessions {
        self.layer.sessions()
    }

    pub(crate) async fn browser_with_tea(&self) -> Client {
        let mut browser = self.browser();
        ok(browser.post("/cart/tea").await);
        browser
    }

    /// A browser where this user has signed in, with nothing in the cart.
    pub(crate) async fn signed_in(&self, user: &str) -> Client {
        let mut browser = self.browser();
        ok(browser.post(&format!("/sign-in/{user}")).await);
        browser
    }

    /// The handles of a user's sessions, as they are listed here.
    pub(crate) async fn listed(&self, user: &str) -> BTreeSet<String> {
        let listed = self.sessions().list(&id(user)).await.expect("sessions can be listed");
        let handles: BTreeSet<_> = listed.iter().map(|session| session.handle().to_string()).collect();
        assert_eq!(handles.len(), listed.len(), "none is listed twice");
        handles
    }

    /// Ends all sessions of a user, from outside of requests.
    pub(crate) async fn end_all(&self, user: &str) -> u64 {
        self.sessions().end_all(&id(user)).await.expect("sessions can be ended")
    }
}

pub(crate) fn id(user: &str) -> UserId {
    UserId::new(user).expect("it is short")
}

/// Pages under a layer, in whose answers the tests see the kind of an error.
pub(crate) fn serve(layer: &SessionLayer, pages: Router) -> Router {
    pages.layer(layer.clone()).layer(map_response(tell_kind))
}

/// The pages of the shop, and those of the account.
pub(crate) fn pages() -> Router {
    routes()
        .route("/hello", get(async |who: Visitor| who.user_id().map_or(String::new(), |who| who.as_str().into())))
        .route("/end-others", post(end_others))
        .route("/sign-out-remembering", post(async |mut visitor: Visitor| visitor.sign_out_remembering().await))
}

async fn end_others(user: SignedIn, sessions: Sessions) -> Result<String, SessionError> {
    Ok(sessions.end_others(&user).await?.to_string())
}

/// The public name of a browser's session, if somebody is signed in there.
pub(crate) async fn handle(browser: &Client) -> Option<String> {
    let answer = browser.ask(Method::GET, "/session").await;
    match answer.status.as_u16() {
        200 => Some(answer.text().to_owned()),
        401 => None,
        status => panic!("answered with {status}"),
    }
}

/// The handles of those browsers' sessions that still work.
pub(crate) async fn handles(browsers: impl IntoIterator<Item = &Client>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for browser in browsers {
        all.extend(handle(browser).await);
    }
    all
}

/// A browser with some of another's cookies.
pub(crate) fn with_only(browser: &Client, names: &[&str]) -> Client {
    let mut copy = browser.clone();
    copy.cookies.retain(|name, _| names.contains(&name.as_str()));
    assert_eq!(copy.cookies.len(), names.len(), "the browser has {names:?}");
    copy
}

/// Whom a stranger is taken for who has copied the visitor cookie.
pub(crate) async fn recognised(browser: &Client) -> String {
    let answer = ok(with_only(browser, &[VISITOR]).ask(Method::GET, "/hello").await);
    assert!(!answer.headers.contains_key(header::SET_COOKIE), "recognising sets no cookie");
    answer.text().to_owned()
}

/// Waits until a stranger who has copied the visitor cookie is taken for this user; "" is nobody.
pub(crate) async fn until_recognised_as(browser: &Client, user: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while recognised(browser).await != user {
        assert!(Instant::now() < deadline, "{user:?} is not who is recognised");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Runs each of these scenarios as a test in each place, on several threads.
macro_rules! in_each_place {
    ($($scenario:ident,)+) => {
        mod in_memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $scenario() {
                super::$scenario(crate::site::Place::Memory).await;
            })+
        }

        mod on_redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $scenario() {
                super::$scenario(crate::site::Place::redis()).await;
            })+
        }

        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $scenario() {
                super::$scenario(crate::site::Place::sqlite()).await;
            })+
        }

        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $scenario() {
                super::$scenario(crate::site::Place::postgres()).await;
            })+
        }
    };
}
pub(crate) use in_each_place;
