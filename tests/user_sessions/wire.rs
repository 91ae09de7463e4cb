//! What a user session puts on the wire, counted by a proxy between the store and a real Redis; and in how many round trips.

use super::{Transfer, Visit};
use axum::Router;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testbed::{Client, Fault, Proxy, RedisServer, Request};
use thin_session::{
    Clock, Cost, Keyring, MemoryStore, Quota, RedisStore, Session, SessionData, SessionError, SessionLayer, SignedIn,
    UserId, UserSession, Visitor,
};

#[derive(Default, Serialize, Deserialize)]
struct Cart(u32);

impl SessionData for Cart {
    const NAME: &'static str = "cart";
}

struct Bench {
    _server: RedisServer,
    proxy: Proxy,
    wire: Arc<Mutex<Vec<Request>>>,
    clock: Clock,
    browser: Client,
}

async fn step(mut transfer: UserSession<Transfer>) -> Result<(), SessionError> {
    transfer.update(|transfer| transfer.steps.push(1)).await
}

async fn send(mut transfer: UserSession<Transfer>) -> Result<(), SessionError> {
    let many = Quota::rolling(1000, Duration::from_secs(60));
    transfer.complete_within(many).await.map(|sent| sent.expect("it is within the quota"))
}

impl Bench {
    /// Ada is signed in, and has begun a transfer unless it is to be begun.
    async fn new() -> Self {
        let server = RedisServer::start();
        let proxy = Proxy::start(server.addr());
        let store = RedisStore::connect(&proxy.url()).await.expect("Redis is there");
        let clock = Clock::manual();
        let layer = SessionLayer::with_user_sessions(store, Keyring::generate()).archive(MemoryStore::new());
        type T = UserSession<Transfer>;
        let app = Router::new()
            .route("/sign-in", post(async |mut who: Visitor| who.sign_in(UserId::new("ada")?).await.map(drop)))
            .route("/nothing", get(async || "nothing"))
            .route("/alone", get(async |_: T, cost: Cost| cost.store_calls().to_string()))
            .route("/perhaps", get(async |_: Option<T>, cost: Cost| cost.store_calls().to_string()))
            .route(
                "/first",
                get(async |_: T, _: Session<Cart>, _: SignedIn, cost: Cost| cost.store_calls().to_string()),
            )
            .route("/after", get(async |_: Session<Cart>, _: T, cost: Cost| cost.store_calls().to_string()))
            .route("/twice", get(async |_: T, _: T, cost: Cost| cost.store_calls().to_string()))
            .route("/kinds", get(async |_: T, _: UserSession<Visit>, cost: Cost| cost.store_calls().to_string()))
            .route("/step", post(step))
            .route("/idle", post(async |mut transfer: T| transfer.update(|_| ()).await))
            .route("/complete", post(async |mut transfer: T| transfer.complete().await))
            .route("/send", post(send))
            .layer(layer.clock(clock.clone()));
        let mut bench = Self { _server: server, proxy, wire: Arc::default(), clock, browser: Client::new(app) };
        let wire = Arc::clone(&bench.wire);
        bench.proxy.on_request(move |request| {
            wire.lock().unwrap().push(request.clone());
            Fault::Pass
        });
        assert_eq!(bench.browser.post("/sign-in").await.status, 200);
        bench
    }

    /// What a request puts on the wire that names a session or a user session, and what it answers.
    async fn asked(&mut self, method: &str, path: &str) -> (Vec<String>, String) {
        self.wire.lock().unwrap().clear();
        let answer = match method {
            "GET" => self.browser.get(path).await,
            _ => self.browser.post(path).await,
        };
        assert!(answer.status.is_success() || answer.status.as_u16() == 401, "{path}: {}", answer.status);
        let names = |request: &Request, kind: &[u8]| {
            request.words.iter().any(|word| word.windows(kind.len()).any(|part| part == kind))
        };
        let wire = self.wire.lock().unwrap();
        let asked = wire.iter().filter(|request| names(request, b"}:s:") || names(request, b"}:l:"));
        (asked.map(Request::name).collect(), answer.text().to_owned())
    }

    async fn costs(&mut self, path: &str, wire: &[&str], round_trips: &str) {
        assert_eq!(
            self.asked("GET", path).await,
            (wire.iter().map(|&name| name.to_owned()).collect(), round_trips.into())
        );
    }

    async fn sends(&mut self, path: &str, wire: &[&str]) {
        assert_eq!(self.asked("POST", path).await.0, wire, "{path}");
    }
}

#[tokio::test]
async fn alone_or_first_it_is_one_round_trip_and_after_another_load_one_more() {
    let mut bench = Bench::new().await;
    for begun in [false, true] {
        bench.costs("/nothing", &[], "nothing").await;
        bench.costs("/alone", &["GET", "GET"], "1").await;
        bench.costs("/perhaps", &["GET", "GET"], "1").await;
        bench.costs("/first", &["GET", "GET"], "1").await;
        bench.costs("/twice", &["GET", "GET"], "1").await;
        bench.costs("/after", &["GET", "GET"], "2").await;
        bench.costs("/kinds", &["GET", "GET", "GET"], "2").await;
        if !begun {
            bench.sends("/step", &["GET", "GET", "EVALSHA"]).await;
        }
    }
}

#[tokio::test]
async fn a_change_is_one_more_and_a_change_of_nothing_none() {
    let mut bench = Bench::new().await;
    bench.sends("/idle", &["GET", "GET"]).await;
    bench.sends("/step", &["GET", "GET", "EVALSHA"]).await;
    bench.sends("/step", &["GET", "GET", "EVALSHA"]).await;
    bench.sends("/idle", &["GET", "GET"]).await;
    bench.sends("/complete", &["GET", "GET", "EVALSHA"]).await;
}

/// It is frozen, and ended; in between the archive decides.
#[tokio::test]
async fn a_completion_within_a_quota_is_two_more_and_the_archive() {
    let mut bench = Bench::new().await;
    bench.sends("/step", &["GET", "GET", "EVALSHA"]).await;
    bench.sends("/send", &["GET", "GET", "EVALSHA", "EVALSHA"]).await;
}

#[tokio::test]
async fn whoever_is_not_signed_in_asks_nothing() {
    let mut bench = Bench::new().await;
    bench.browser.cookies.clear();
    bench.costs("/alone", &[], "Unauthorized").await;
    bench.costs("/perhaps", &[], "0").await;
}

#[tokio::test]
async fn activity_adds_one_once_in_a_tenth_of_the_idle_limit() {
    let mut bench = Bench::new().await;
    bench.sends("/step", &["GET", "GET", "EVALSHA"]).await;
    // Of a day, and some more, as Redis has a clock of its own.
    bench.clock.advance(Duration::from_secs(24 * 3600 / 10 + 60));
    // Its browser's session has idled out by this clock long ago.
    bench.browser.post("/sign-in").await;
    bench.costs("/alone", &["GET", "GET", "EVALSHA"], "2").await;
}
