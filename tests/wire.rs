//! How many requests each HTTP request puts on the wire, counted by a proxy between the store and a real Redis.

use axum::Router;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use testbed::{Client, Proxy, RedisServer};
use thin_session::{
    Clock, Keyring, LazySession, Peek, RedisStore, Session, SessionData, SessionError, SessionLayer, SignedIn, UserId,
    Visitor,
};

#[derive(Default, Serialize, Deserialize)]
struct Cart {
    items: u32,
}

impl SessionData for Cart {
    const NAME: &'static str = "cart";
}

#[derive(Default, Serialize, Deserialize)]
struct Theme {
    dark: bool,
}

impl SessionData for Theme {
    const NAME: &'static str = "theme";
}

async fn add(mut cart: Session<Cart>) -> Result<(), SessionError> {
    cart.update(|cart| cart.items += 1).await
}

async fn change_nothing(mut cart: Session<Cart>) -> Result<(), SessionError> {
    cart.update(|_| ()).await
}

async fn add_and_theme(mut both: Session<(Cart, Theme)>) -> Result<(), SessionError> {
    both.update(|(cart, theme)| {
        cart.items += 1;
        theme.dark = !theme.dark;
    })
    .await
}

async fn sign_in(mut visitor: Visitor) -> Result<(), SessionError> {
    visitor.sign_in(UserId::new("ada")?).await.map(drop)
}

async fn sign_out(mut visitor: Visitor) -> Result<(), SessionError> {
    visitor.sign_out().await
}

struct Bench {
    server: RedisServer,
    proxy: Proxy,
    clock: Clock,
    browser: Client,
}

impl Bench {
    async fn new() -> Self {
        let server = RedisServer::start();
        let proxy = Proxy::start(server.addr());
        let store = RedisStore::connect(&proxy.url()).await.expect("Redis is there");
        let clock = Clock::manual();
        let app = Router::new()
            .route("/nothing", get(async || "nothing"))
            .route("/visitor", get(async |visitor: Visitor| visitor.user_id().is_some().to_string()))
            .route("/cart", get(async |cart: Session<Cart>| cart.items.to_string()))
            .route("/peek", get(async |cart: Peek<Cart>| cart.items.to_string()))
            .route("/lazy", get(async |_: LazySession<Cart>| "not loaded"))
            .route("/thrice", get(async |_: Session<Cart>, _: Session<Theme>, _: Option<SignedIn>| "one load"))
            .route("/signed-in", get(async |_: SignedIn| "signed in"))
            .route("/add", post(add))
            .route("/both", post(add_and_theme))
            .route("/change-nothing", post(change_nothing))
            .route("/sign-in", post(sign_in))
            .route("/sign-out", post(sign_out))
            .layer(SessionLayer::new(store, Keyring::generate()).clock(clock.clone()));
        Self { server, proxy, clock, browser: Client::new(app) }
    }

    /// A bench whose browser has a cart in its session.
    async fn with_cart() -> Self {
        let mut bench = Self::new().await;
        bench.browser.post("/add").await;
        bench
    }

    /// Sends a request and answers how many it put on the wire.
    async fn count(&mut self, method: &str, path: &str) -> u64 {
        self.proxy.reset();
        let answer = match method {
            "GET" => self.browser.get(path).await,
            _ => self.browser.post(path).await,
        };
        assert!(answer.status.is_success() || answer.status.as_u16() == 401, "{path}: {}", answer.status);
        self.proxy.requests()
    }
}

#[tokio::test]
async fn a_route_that_names_nothing_sends_nothing() {
    let mut bench = Bench::with_cart().await;
    assert_eq!(bench.count("GET", "/nothing").await, 0);
}

#[tokio::test]
async fn a_visitor_sends_nothing() {
    let mut bench = Bench::with_cart().await;
    assert_eq!(bench.count("GET", "/visitor").await, 0);
    bench.browser.post("/sign-in").await;
    assert_eq!(bench.count("GET", "/visitor").await, 0);
    assert_eq!(bench.browser.get("/visitor").await.text(), "true");
}

#[tokio::test]
async fn without_a_cookie_a_session_sends_nothing() {
    let mut bench = Bench::new().await;
    for path in ["/cart", "/peek", "/lazy", "/thrice", "/signed-in"] {
        assert_eq!(bench.count("GET", path).await, 0, "{path}");
    }
    assert_eq!(bench.count("POST", "/change-nothing").await, 0);
    assert_eq!(bench.count("POST", "/sign-out").await, 0);
}

#[tokio::test]
async fn a_session_is_one_request() {
    let mut bench = Bench::with_cart().await;
    for path in ["/cart", "/peek", "/thrice", "/signed-in"] {
        assert_eq!(bench.count("GET", path).await, 1, "{path}");
    }
    assert_eq!(bench.count("GET", "/lazy").await, 0);
    assert_eq!(bench.proxy.commands(), Vec::<String>::new());
    assert_eq!(bench.count("POST", "/change-nothing").await, 1);
}

#[tokio::test]
async fn an_update_is_two() {
    let mut bench = Bench::with_cart().await;
    assert_eq!(bench.count("POST", "/add").await, 2);
    assert_eq!(bench.count("POST", "/both").await, 2);
    assert_eq!(bench.browser.get("/cart").await.text(), "3");
}

#[tokio::test]
async fn a_first_write_is_one() {
    let mut bench = Bench::new().await;
    assert_eq!(bench.count("POST", "/add").await, 1);
}

#[tokio::test]
async fn a_sign_out_is_one_and_two_if_the_session_has_moved() {
    let mut bench = Bench::with_cart().await;
    assert_eq!(bench.count("POST", "/sign-out").await, 1);

    let mut bench = Bench::with_cart().await;
    let before = bench.browser.clone();
    bench.browser.post("/sign-in").await;
    let after = bench.browser.clone();
    bench.browser = before;
    assert_eq!(bench.count("POST", "/sign-out").await, 2);
    bench.browser = after;
    assert_eq!(bench.browser.get("/signed-in").await.status, 401);
}

#[tokio::test]
async fn a_sign_in_is_one_for_a_new_visitor_and_three_with_a_session() {
    let mut bench = Bench::new().await;
    assert_eq!(bench.count("POST", "/sign-in").await, 1);
    let mut bench = Bench::with_cart().await;
    assert_eq!(bench.count("POST", "/sign-in").await, 3);
    assert_eq!(bench.browser.get("/cart").await.text(), "1");
}

#[tokio::test]
async fn a_forged_or_foreign_cookie_sends_nothing() {
    let mut stranger = Bench::with_cart().await.browser;
    let mut bench = Bench::with_cart().await;
    let own = bench.browser.cookies.clone();
    for (name, value) in &own {
        let mut forged = value.clone().into_bytes();
        forged[20] ^= 1;
        bench.browser.cookies.insert(name.clone(), String::from_utf8(forged).unwrap());
    }
    assert_eq!(bench.count("GET", "/cart").await, 0);

    stranger.get("/nothing").await;
    bench.browser.cookies = stranger.cookies;
    assert_eq!(bench.count("GET", "/cart").await, 0);
}

#[tokio::test]
async fn a_cookie_past_its_absolute_limit_sends_nothing() {
    let mut bench = Bench::with_cart().await;
    bench.clock.advance(Duration::from_secs(7 * 86_400));
    assert_eq!(bench.count("GET", "/cart").await, 0);
}

#[tokio::test]
async fn an_idled_out_session_is_one() {
    let mut bench = Bench::with_cart().await;
    // What expiry does.
    let [key] = bench.server.keys().try_into().expect("one session is stored");
    assert_eq!(bench.server.command(&[b"DEL", &key]).int(), 1);
    assert_eq!(bench.count("GET", "/cart").await, 1);
}

#[tokio::test]
async fn activity_adds_one_once_in_a_tenth_of_the_idle_limit() {
    let mut bench = Bench::with_cart().await;
    let tenth = Duration::from_secs(24 * 3600 / 10);
    bench.clock.advance(tenth - Duration::from_millis(1));
    assert_eq!(bench.count("GET", "/cart").await, 1);
    bench.clock.advance(Duration::from_millis(1));
    assert_eq!(bench.count("GET", "/peek").await, 1);
    assert_eq!(bench.count("GET", "/cart").await, 2);
    assert_eq!(bench.count("GET", "/cart").await, 1);
}
