//! What works, what answers 503, and how soon, while Redis is killed, frozen, or reading its files.
//!
//! | page | what it holds |
//! |---|---|
//! | [`freeze`] | how long pages take that need no store, while Redis is frozen |

mod freeze;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};
use testbed::{Client, RedisServer};
use thin_session::{
    Keyring, LazySession, RedisStore, Session, SessionData, SessionError, SessionLayer, UserId, Visitor,
};

/// How long a session page may take to say that it cannot.
const ANSWER: Duration = Duration::from_millis(1200);
/// How long after the server is back a session page may go on failing.
const RECOVERY: Duration = Duration::from_secs(2);

#[derive(Default, Serialize, Deserialize)]
struct Cart {
    items: u32,
}

impl SessionData for Cart {
    const NAME: &'static str = "cart";
}

async fn add(mut cart: Session<Cart>) -> Result<String, SessionError> {
    cart.update(|cart| cart.items += 1).await?;
    Ok(cart.items.to_string())
}

async fn sign_in(mut visitor: Visitor) -> Result<(), SessionError> {
    visitor.sign_in(UserId::new("ada")?).await.map(drop)
}

async fn sign_out(mut visitor: Visitor) -> Result<(), SessionError> {
    visitor.sign_out().await
}

async fn own_answer(cart: Result<Session<Cart>, SessionError>) -> String {
    match cart {
        Ok(cart) => cart.items.to_string(),
        Err(error) if error.is_unavailable() => "your cart is not to be had right now".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// A browser with a cart of one item, signed in as Ada.
async fn shopper(server: &RedisServer) -> Client {
    let store = RedisStore::connect(&server.url()).await.expect("Redis is there");
    let app = Router::new()
        .route("/nothing", get(async || "nothing"))
        .route("/visitor", get(async |visitor: Visitor| visitor.user_id().unwrap().as_str().to_owned()))
        // What it might need on another path it does not need on this one.
        .route("/lazy", get(async |_: LazySession<Cart>| "lazy"))
        .route("/cart", get(async |cart: Session<Cart>| cart.items.to_string()))
        .route("/own-answer", get(own_answer))
        .route("/add", post(add))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .layer(SessionLayer::new(store, Keyring::generate()));
    let mut browser = Client::new(app);
    browser.post("/add").await;
    browser.post("/sign-in").await;
    assert_eq!(browser.get("/cart").await.text(), "1");
    browser
}

async fn pages_without_sessions_answer_as_before(browser: &mut Client) {
    assert_eq!(browser.get("/nothing").await.text(), "nothing");
    assert_eq!(browser.get("/visitor").await.text(), "ada");
    assert_eq!(browser.get("/lazy").await.text(), "lazy");
}

/// Asks all session pages at once, as many visitors would.
async fn session_pages_say_so_in_time(browser: &Client) {
    let ask = |method: axum::http::Method, path: &'static str| {
        let browser = browser.clone();
        tokio::spawn(async move {
            let asked = Instant::now();
            let answer = browser.ask(method, path).await;
            (path, answer, asked.elapsed())
        })
    };
    let mut asked = vec![ask(axum::http::Method::GET, "/own-answer")];
    for _ in 0..20 {
        asked.push(ask(axum::http::Method::GET, "/cart"));
        asked.push(ask(axum::http::Method::POST, "/add"));
        asked.push(ask(axum::http::Method::POST, "/sign-in"));
        asked.push(ask(axum::http::Method::POST, "/sign-out"));
    }
    for asked in asked {
        let (path, answer, took) = asked.await.expect("the request ends");
        assert!(took < ANSWER, "{path} took {took:?}");
        if path == "/own-answer" {
            assert_eq!(answer.text(), "your cart is not to be had right now");
            continue;
        }
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.header("retry-after"), Some("1"), "{path}");
        assert_eq!(answer.text(), "Service Unavailable", "{path}");
        assert_eq!(answer.set_cookies(), Vec::<&str>::new(), "{path}");
    }
}

/// Asks again and again until the session page works.
async fn session_pages_recover(browser: &mut Client) -> String {
    let back = Instant::now();
    loop {
        let answer = browser.get("/cart").await;
        if answer.status.is_success() {
            return answer.text().to_owned();
        }
        assert!(back.elapsed() < RECOVERY, "still {} after {:?}", answer.status, back.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_takes_down_session_pages_only_and_its_return_is_noticed() {
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut browser = shopper(&server).await;
    for _ in 0..3 {
        server.kill();
        pages_without_sessions_answer_as_before(&mut browser).await;
        session_pages_say_so_in_time(&browser).await;
        server.restart();
        assert_eq!(session_pages_recover(&mut browser).await, "1");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_takes_down_session_pages_only_and_its_return_is_noticed() {
    let server = RedisServer::start();
    let mut browser = shopper(&server).await;
    // Signs out elsewhere would be carried out when the server thaws, so that only reads and adds are frozen here.
    for _ in 0..3 {
        server.freeze();
        pages_without_sessions_answer_as_before(&mut browser).await;
        let asked = Instant::now();
        let answer = browser.get("/cart").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert!(asked.elapsed() < ANSWER, "took {:?}", asked.elapsed());
        let asked = Instant::now();
        let answer = browser.post("/add").await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(asked.elapsed() < ANSWER, "took {:?}", asked.elapsed());
        server.thaw();
        assert_eq!(session_pages_recover(&mut browser).await, "1");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_hangs_while_many_wait_for_a_frozen_server() {
    let server = RedisServer::start();
    let browser = shopper(&server).await;
    server.freeze();
    session_pages_say_so_in_time(&browser).await;
    server.thaw();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_loading_takes_down_session_pages_only_and_its_end_is_noticed() {
    let mut server = RedisServer::start_slow_to_load();
    let mut browser = shopper(&server).await;
    server.restart_loading();
    pages_without_sessions_answer_as_before(&mut browser).await;
    session_pages_say_so_in_time(&browser).await;
    assert!(server.is_loading(), "it was so all the time");
    server.finish_loading();
    assert_eq!(session_pages_recover(&mut browser).await, "1");
}
