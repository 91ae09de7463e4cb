//! A shop on two servers that share one store behind a [`Gate`].

use super::gate::{Gate, Inner};
use axum::Router;
use axum::extract::Path;
use axum::http::Method;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::{Duration, Instant};
use testbed::{Answer, Client, PostgresServer, RedisServer, Reply};
use thin_session::{
    AtSignIn, Clock, Keyring, LazySession, MemoryStore, RedisStore, Session, SessionData, SessionError,
    SessionErrorKind, SessionLayer, Sessions, SignedIn, UserId, UserSessionData, Visitor,
};
use tokio::sync::oneshot;

/// What the visitor wants to buy.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Cart(Vec<String>);

impl SessionData for Cart {
    const NAME: &'static str = "cart";
}

/// Where to send it: not to be planted by others.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Address(String);

impl SessionData for Address {
    const NAME: &'static str = "address";
    const AT_SIGN_IN: AtSignIn = AtSignIn::Drop;
}

#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Counter(pub(crate) u32);

impl SessionData for Counter {
    const NAME: &'static str = "counter";
}

/// The pages.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/cart", get(async |cart: Session<Cart>| cart.0.join(" ")))
        .route("/cart/{item}", post(add))
        .route("/address", get(async |address: Session<Address>| address.0.clone()))
        .route("/address/{text}", post(send_to))
        .route("/count", get(async |counter: Session<Counter>| counter.0.to_string()).post(count))
        .route(
            "/who",
            get(async |who: Option<SignedIn>| who.map_or(String::new(), |who| who.user_id().as_str().into())),
        )
        .route("/session", get(async |who: SignedIn| who.session().to_string()))
        .route("/devices", get(devices))
        .route("/sign-in/{user}", post(sign_in))
        .route("/sign-out", post(async |mut visitor: Visitor| visitor.sign_out().await))
        .route("/reauthenticate", post(async |mut visitor: Visitor| visitor.reauthenticated().await.map(drop)))
}

async fn add(mut cart: Session<Cart>, Path(item): Path<String>) -> Result<(), SessionError> {
    cart.update(|cart| cart.0.push(item.clone())).await
}

async fn send_to(mut address: Session<Address>, Path(text): Path<String>) -> Result<(), SessionError> {
    address.update(|address| address.0.clone_from(&text)).await
}

async fn count(counter: LazySession<Counter>) -> Result<String, SessionError> {
    let mut counter = counter.load().await?;
    let count = |counter: &mut Counter| {
        counter.0 += 1;
        counter.0
    };
    Ok(counter.update(count).await?.to_string())
}

async fn sign_in(mut visitor: Visitor, Path(user): Path<String>) -> Result<(), SessionError> {
    visitor.sign_in(UserId::new(user)?).await.map(drop)
}

/// How many sessions whoever asks has, this one included.
async fn devices(who: SignedIn, sessions: Sessions) -> Result<String, SessionError> {
    Ok(sessions.list(who.user_id()).await?.len().to_string())
}

/// Shows the kind of an error, which is for middleware and not for clients.
pub(crate) async fn tell_kind(mut response: Response) -> Response {
    if let Some(kind) = response.extensions().get::<SessionErrorKind>() {
        let kind = format!("{kind:?}").parse().expect("the name of a kind fits a header");
        response.headers_mut().insert("kind", kind);
    }
    response
}

/// Outlasts a busy machine: no test is right by being fast.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// For tests in which nothing else can happen.
pub(crate) const HASTE: Duration = Duration::from_millis(200);

fn ada() -> UserId {
    UserId::new("ada").expect("it is an id")
}

/// A store behind a gate, and what the servers in front of it have in common.
pub(crate) struct Shop {
    pub(crate) gate: Arc<Gate>,
    pub(crate) clock: Clock,
    keys: Keyring,
    /// Lives as long as the shop.
    redis: Option<RedisServer>,
}

impl Shop {
    /// A shop with a store in memory.
    pub(crate) fn in_memory() -> Self {
        Self::in_memory_of(MemoryStore::DEFAULT_LIMIT)
    }

    /// The same, with room for so many sessions.
    pub(crate) fn in_memory_of(capacity: usize) -> Self {
        let clock = Clock::manual();
        let store = MemoryStore::new().with_limit(capacity).with_clock(clock.clone());
        Self { gate: Arc::new(Gate::new(Inner::Memory(store))), clock, keys: Keyring::generate(), redis: None }
    }

    /// A shop with a Redis of its own.
    pub(crate) async fn on_redis() -> Self {
        let server = RedisServer::start();
        let url = server.url();
        Self::on_redis_at(&url, server).await
    }

    /// The same, by another way to it.
    pub(crate) async fn on_redis_at(url: &str, server: RedisServer) -> Self {
        let (store, clock) = (RedisStore::connect(url).await.expect("Redis is up"), Clock::manual());
        let archive = MemoryStore::new().with_clock(clock.clone());
        Self {
            gate: Arc::new(Gate::new(Inner::Redis(store, archive))),
            clock,
            keys: Keyring::generate(),
            redis: Some(server),
        }
    }

    /// A shop with a SQLite file of its own, which goes by the shop's clock.
    pub(crate) async fn on_sqlite() -> Self {
        Self::on_sql(Inner::sqlite().await)
    }

    /// A shop with a database of its own on a Postgres that all share. It goes by the shop's clock.
    pub(crate) async fn on_postgres() -> Self {
        let url = tokio::task::spawn_blocking(|| PostgresServer::shared().database());
        Self::on_sql(Inner::postgres(&url.await.expect("Postgres starts")).await)
    }

    fn on_sql(inner: Inner) -> Self {
        let clock = Clock::manual();
        let gate = Arc::new(Gate::new(inner.by(&clock)));
        Self { gate, clock, keys: Keyring::generate(), redis: None }
    }

    /// The same shop by another gate: of servers whose fate is their own.
    pub(crate) fn beside(&self) -> Self {
        let (gate, clock, keys) = (Arc::new(self.gate.beside()), self.clock.clone(), self.keys.clone());
        Self { gate, clock, keys, redis: None }
    }

    /// The same shop by a way of its own to the same Redis.
    pub(crate) async fn by_another_way(&self) -> Self {
        let url = self.redis.as_ref().expect("the shop is on Redis").url();
        let store = RedisStore::connect(&url).await.expect("Redis is up");
        let archive = MemoryStore::new().with_clock(self.clock.clone());
        let gate = Arc::new(Gate::new(Inner::Redis(store, archive)));
        Self { gate, clock: self.clock.clone(), keys: self.keys.clone(), redis: None }
    }

    /// How many writes on sessions its Redis has carried out, also of those that changed nothing. Once the mark is there,
    /// whoever follows news sends one script only, which is the one that begins with `PERSIST`.
    pub(crate) fn writes_carried_out(&self) -> u64 {
        let redis = self.redis.as_ref().expect("the shop is on Redis");
        let stats = redis.command(&[b"INFO", b"commandstats"]).text();
        let calls = |wanted: &str| {
            let rest = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{wanted}:calls=")));
            rest.and_then(|rest| rest.split(',').next()?.parse::<u64>().ok()).unwrap_or_default()
        };
        calls("evalsha") + calls("eval") + calls("set") - calls("persist")
    }

    /// Whether somebody who follows news has been there.
    pub(crate) fn has_mark(&self) -> bool {
        let redis = self.redis.as_ref().expect("the shop is on Redis");
        redis.keys().iter().any(|key| key.ends_with(b":mark"))
    }

    /// Some time passes by all clocks. A server that has not heard of the end of all sessions goes by the store's clock, and
    /// refuses when in doubt: for as long as the store's answers take.
    pub(crate) async fn let_time_pass(&self) {
        self.clock.advance(Duration::from_secs(1));
        if let Some(redis) = &self.redis {
            let millis = || {
                let [seconds, micros] = redis.command(&[b"TIME"]).items().try_into().expect("two numbers");
                let number = |reply: Reply| String::from_utf8(reply.bytes()).expect("digits").parse::<u64>();
                number(seconds).expect("digits") * 1000 + number(micros).expect("digits") / 1000
            };
            let before = millis();
            until("time passes", || millis() > before + 50).await;
        }
    }

    /// Time passes for user sessions, whether or not anybody is there. A Redis has a clock that cannot be moved: there what was, was
    /// so much earlier. Answers by how much.
    pub(crate) fn idles(&self, time: Duration) -> Duration {
        let Some(redis) = &self.redis else {
            self.clock.advance(time);
            return Duration::ZERO;
        };
        let millis = u64::try_from(time.as_millis()).expect("not that long");
        for key in redis.keys() {
            if key.windows(3).any(|part| part == b":l:") {
                let mut touched = [0; 8];
                touched[2..].copy_from_slice(&redis.command(&[b"GETRANGE", &key, b"20", b"25"]).bytes());
                let earlier = (u64::from_be_bytes(touched) - millis).to_be_bytes();
                let _ = redis.command(&[b"SETRANGE", &key, b"20", &earlier[2..]]);
            }
            if key.ends_with(b":d") {
                for digest in redis.command(&[b"ZRANGE", &key, b"0", b"-1"]).items() {
                    let by = format!("-{millis}");
                    let _ = redis.command(&[b"ZINCRBY", &key, by.as_bytes(), &digest.bytes()]);
                }
            }
        }
        time
    }

    /// Time passes for browsers' sessions that go to the archive. A Redis has a clock that cannot be moved: there they are kept for so
    /// much less, or are gone, and it is time to look so much earlier.
    pub(crate) fn idle_out(&self, time: Duration) {
        let Some(redis) = &self.redis else { return self.clock.advance(time) };
        let millis = i64::try_from(time.as_millis()).expect("not that long");
        for key in redis.keys() {
            if [&b":s:"[..], b":c:"].iter().any(|kind| key.windows(3).any(|part| part == *kind)) {
                // Those that have none left go at once.
                let left = (redis.command(&[b"PTTL", &key]).int() - millis).to_string();
                let _ = redis.command(&[b"PEXPIRE", &key, left.as_bytes()]);
            }
            if key.ends_with(b":x") {
                for digest in redis.command(&[b"ZRANGE", &key, b"0", b"-1"]).items() {
                    let _ = redis.command(&[b"ZINCRBY", &key, format!("-{millis}").as_bytes(), &digest.bytes()]);
                }
            }
        }
    }

    /// What user sessions go by.
    pub(crate) fn store_clock(&self) -> Clock {
        if self.redis.is_some() { Clock::system() } else { self.clock.clone() }
    }

    /// The names of what its Redis holds, if it is on one.
    pub(crate) fn keys_in_redis(&self) -> Vec<Vec<u8>> {
        self.redis.as_ref().map(RedisServer::keys).unwrap_or_default()
    }

    /// Whether its store is a Redis, whose commands have 250 ms each, however busy the machine.
    pub(crate) fn is_on_redis(&self) -> bool {
        self.redis.is_some()
    }

    /// One server.
    pub(crate) fn server(&self) -> Router {
        self.layered(routes(), PATIENCE)
    }

    /// A server with pages and patience of its own.
    pub(crate) fn layered(&self, routes: Router, patience: Duration) -> Router {
        routes.layer(self.layer(patience)).layer(map_response(tell_kind))
    }

    /// What a server is made of whose browsers' sessions go to the archive.
    pub(crate) fn archiving(&self) -> SessionLayer {
        self.layer(PATIENCE).archive_browser_sessions()
    }

    fn layer(&self, patience: Duration) -> SessionLayer {
        SessionLayer::with_user_sessions(Arc::clone(&self.gate), self.keys.clone())
            .archive(Arc::clone(&self.gate))
            .clock(self.clock.clone())
            .store_deadline(patience)
            .expect("it is in bounds")
    }

    /// The sessions of its users, for jobs; of a server that has been asked for nothing so far.
    pub(crate) fn sessions(&self) -> Sessions {
        self.layer(PATIENCE).sessions()
    }

    /// The same, of one that knows a kind.
    pub(crate) fn sessions_with<T: UserSessionData>(&self) -> Sessions {
        self.layer(PATIENCE).kind::<T>().sessions()
    }

    /// A server that gives up soon, for tests in which nothing else can happen.
    pub(crate) fn hasty_server(&self) -> Router {
        self.layered(routes(), HASTE)
    }

    /// A browser that has never been here.
    pub(crate) fn browser(&self) -> Client {
        Client::new(self.server())
    }

    /// Work of another process that ends each session that Ada has by then.
    pub(crate) fn ending_each_of_adas(&self) -> impl Future<Output = ()> + Send + use<> {
        let (sessions, ada) = (self.layer(PATIENCE).sessions(), ada());
        async move {
            let listed = sessions.list(&ada).await.expect("the store answers");
            assert_ne!(listed.len(), 0, "there is something to end");
            for session in listed {
                assert!(sessions.end(&ada, session.handle()).await.expect("the store answers"), "it lived");
            }
        }
    }

    /// Work of another process that ends them all in one step, as after a change of her password.
    pub(crate) fn ending_all_of_adas(&self) -> impl Future<Output = ()> + Send + use<> {
        let (sessions, ada) = (self.layer(PATIENCE).sessions(), ada());
        async move {
            assert_ne!(sessions.end_all(&ada).await.expect("the store answers"), 0, "there is something to end");
        }
    }

    /// How many sessions Ada has.
    pub(crate) async fn sessions_of_ada(&self) -> usize {
        self.layer(PATIENCE).sessions().list(&ada()).await.expect("the store answers").len()
    }

    /// A browser with tea in its cart.
    pub(crate) async fn browser_with_tea(&self) -> Client {
        let mut browser = self.browser();
        ok(browser.post("/cart/tea").await);
        browser
    }

    /// A browser where this user has signed in, with tea in the cart.
    pub(crate) async fn signed_in(&self, user: &str) -> Client {
        let mut browser = self.browser_with_tea().await;
        ok(browser.post(&format!("/sign-in/{user}")).await);
        browser
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let done = std::thread::panicking() || self.gate.plans_are_done();
        assert!(done, "a test whose plan did not come to pass shows nothing");
    }
}

/// A request of this browser's in which something happens meanwhile, to be planned as a step. Its response is lost.
pub(crate) fn elsewhere(browser: &Client, path: &'static str) -> impl Future<Output = ()> + Send + 'static {
    let browser = browser.clone();
    async move { drop(ok(browser.ask(Method::POST, path).await)) }
}

/// The same, with its response kept for later.
pub(crate) fn in_the_background(
    browser: &Client,
    path: &'static str,
) -> (impl Future<Output = ()> + Send + 'static, oneshot::Receiver<Answer>) {
    let (browser, (send, answer)) = (browser.clone(), oneshot::channel());
    let request = async move {
        let answer = ok(browser.ask(Method::POST, path).await);
        assert!(send.send(answer).is_ok(), "the test waits for the answer");
    };
    (request, answer)
}

/// What a page says to this browser.
pub(crate) async fn see(browser: &Client, path: &str) -> String {
    ok(browser.ask(Method::GET, path).await).text().to_owned()
}

/// An answer that must be a refusal of this kind.
#[track_caller]
pub(crate) fn refused(answer: Answer, kind: &str) -> Answer {
    let found = answer.header("kind").unwrap_or("no error of a session");
    assert!(found.starts_with(kind), "{found} instead of {kind}");
    assert_eq!(answer.set_cookies(), [""; 0]);
    answer
}

/// An answer that must be a success.
#[track_caller]
pub(crate) fn ok(answer: Answer) -> Answer {
    assert_eq!(answer.status, 200);
    answer
}

/// Waits for something that has no event to await.
pub(crate) async fn until(what: &str, happened: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !happened() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Runs each of these scenarios as a test on each store.
macro_rules! on_each_store {
    ($($scenario:ident,)+) => {
        mod in_memory {
            $(#[tokio::test]
            async fn $scenario() {
                super::$scenario(crate::shop::Shop::in_memory()).await;
            })+
        }

        mod on_redis {
            $(#[tokio::test]
            async fn $scenario() {
                super::$scenario(crate::shop::Shop::on_redis().await).await;
            })+
        }

        mod on_sqlite {
            $(#[tokio::test]
            async fn $scenario() {
                super::$scenario(crate::shop::Shop::on_sqlite().await).await;
            })+
        }

        mod on_postgres {
            $(#[tokio::test]
            async fn $scenario() {
                super::$scenario(crate::shop::Shop::on_postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_each_store;
