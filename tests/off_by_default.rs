//! Promises 1, 2 and 9: what a handler does not ask for costs nothing, reading creates nothing, and ids are ours.

mod common;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use common::{Call, Recording, log, log_of_this_thread};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use testbed::{Answer, Client};
use thin_session::{
    Clock, Keyring, LazySession, Limits, Peek, RecentAuth, Session, SessionData, SessionError, SessionLayer, SignedIn,
    UserId, Visitor,
};

const IDLE: Duration = Duration::from_secs(1000);

#[derive(Default, Serialize, Deserialize)]
struct Cart(Vec<u32>);

impl SessionData for Cart {
    const NAME: &'static str = "cart";
}

#[derive(Default, Serialize, Deserialize)]
struct Note(String);

impl SessionData for Note {
    const NAME: &'static str = "note";
}

/// A site with a store that writes down each call.
struct Site {
    store: Arc<Recording>,
    clock: Clock,
    app: Router,
}

impl Site {
    fn new() -> Self {
        let clock = Clock::manual();
        let store = Recording::new(&clock);
        let limits = Limits::new(IDLE, IDLE * 100).expect("limits that can work");
        let layer = SessionLayer::new(Arc::clone(&store), Keyring::generate()).clock(clock.clone());
        let app = pages().layer(layer.anonymous_limits(limits).signed_in_limits(limits));
        Self { store, clock, app }
    }

    fn newcomer(&self) -> Client {
        Client::new(self.app.clone())
    }

    /// A browser with something in its cart, and a store that has forgotten its calls.
    async fn shopper(&self) -> Client {
        let mut browser = self.newcomer();
        assert_eq!(browser.post("/cart").await.text(), "1");
        self.store.calls();
        browser
    }

    /// The same, signed in.
    async fn customer(&self) -> Client {
        let mut browser = self.shopper().await;
        assert_eq!(browser.post("/sign-in").await.status, StatusCode::OK);
        self.store.calls();
        browser
    }
}

fn pages() -> Router {
    bare_pages().merge(session_pages())
}

/// Pages that ask for nothing.
fn bare_pages() -> Router {
    async fn decorated() -> impl IntoResponse {
        let headers = [(header::SET_COOKIE, "theme=dark"), (header::VARY, "Accept"), (header::CACHE_CONTROL, "public")];
        (headers, "decorated")
    }
    Router::new()
        .route("/plain", get(async || "plain").post(async || StatusCode::NO_CONTENT))
        .route("/decorated", get(decorated))
        .route("/failing", get(async || StatusCode::INTERNAL_SERVER_ERROR))
}

fn session_pages() -> Router {
    async fn greet(visitor: Visitor) -> String {
        visitor.user_id().map_or_else(|| "nobody".to_owned(), |user| user.as_str().to_owned())
    }
    async fn show(cart: Session<Cart>) -> String {
        cart.0.len().to_string()
    }
    async fn add(mut cart: Session<Cart>) -> Result<String, SessionError> {
        let count = cart.update(|cart| {
            cart.0.push(7);
            cart.0.len()
        });
        Ok(count.await?.to_string())
    }
    async fn leave_as_it_is(mut cart: Session<Cart>) -> Result<(), SessionError> {
        cart.update(|cart| {
            cart.0.push(7);
            cart.0.pop();
        })
        .await
    }
    async fn refuse(mut cart: Session<Cart>) -> Result<StatusCode, SessionError> {
        let refused = cart.try_update(|cart| {
            cart.0.push(7);
            Err::<(), _>(StatusCode::CONFLICT)
        });
        Ok(refused.await?.expect_err("it refuses"))
    }
    async fn take(mut note: Session<Note>) -> Result<String, SessionError> {
        Ok(note.take().await?.0)
    }
    async fn write(mut note: Session<Note>) -> Result<(), SessionError> {
        note.replace(Note::default()).await
    }
    async fn several(cart: Session<Cart>, note: Session<Note>, both: Session<(Cart, Note)>, _: Peek<Cart>) -> String {
        format!("{}{}{}", cart.0.len(), note.0.len(), both.0.0.len())
    }
    async fn lazy(_: LazySession<Cart>) {}
    async fn lazy_loaded(cart: LazySession<Cart>) -> Result<String, SessionError> {
        Ok(cart.load().await?.0.len().to_string())
    }
    async fn sign_in(mut visitor: Visitor) -> Result<(), SessionError> {
        visitor.sign_in(UserId::new(42)?).await.map(drop)
    }
    Router::new()
        .route("/greet", get(greet))
        .route("/cart", get(show).post(add))
        .route("/same", post(leave_as_it_is))
        .route("/refuse", post(refuse))
        .route("/take", post(take))
        .route("/several", get(several))
        .route("/peek", get(async |cart: Peek<Cart>| cart.0.len().to_string()))
        .route("/lazy", get(lazy))
        .route("/lazy-loaded", get(lazy_loaded))
        .route("/note", get(async |note: Option<Session<Note>>| note.is_some().to_string()).post(write))
        .route("/peek-note", get(async |note: Option<Peek<Note>>| note.is_some().to_string()))
        .route("/whose", get(async |who: Option<SignedIn>| who.is_some().to_string()))
        .route("/proof", get(async |who: SignedIn| who.user_id().as_str().to_owned()))
        .route("/recent", get(async |who: RecentAuth<60>| who.user_id().as_str().to_owned()))
        .route("/proof-and-cart", get(async |_: SignedIn, _: Session<Cart>, _: RecentAuth<60>| ()))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(async |mut visitor: Visitor| visitor.sign_out().await))
        .route("/prove", post(async |mut visitor: Visitor| visitor.reauthenticated().await.map(drop)))
}

/// All pages that read, or write nothing in the end.
const READING: &[(Method, &str)] = &[
    (Method::GET, "/greet"),
    (Method::GET, "/cart"),
    (Method::POST, "/same"),
    (Method::POST, "/refuse"),
    (Method::POST, "/take"),
    (Method::GET, "/several"),
    (Method::GET, "/peek"),
    (Method::GET, "/lazy"),
    (Method::GET, "/lazy-loaded"),
    (Method::GET, "/note"),
    (Method::GET, "/peek-note"),
    (Method::GET, "/whose"),
    (Method::GET, "/proof"),
    (Method::GET, "/recent"),
];

/// Status, all headers in their order, and body.
type Whole = (StatusCode, Vec<(HeaderName, HeaderValue)>, Vec<u8>);

fn whole(answer: Answer) -> Whole {
    let headers = answer.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    (answer.status, headers, answer.body.to_vec())
}

fn with_cookie(app: &Router, name: &str, value: &str) -> Client {
    let mut browser = Client::new(app.clone());
    browser.cookies.insert(name.to_owned(), value.to_owned());
    browser
}

/// A value as long as that of a session's cookie, so that it is worth opening.
fn garbage(like: &Client) -> String {
    let (_, value) = like.cookies.first_key_value().expect("it has a cookie");
    value.chars().map(|_| 'A').collect()
}

#[tokio::test]
async fn a_route_that_names_nothing_is_as_without_the_layer() {
    let site = Site::new();
    let (shopper, customer) = (site.shopper().await, site.customer().await);
    let name = shopper.cookies.keys().next().expect("a shopper has a cookie");
    for browser in [site.newcomer(), with_cookie(&site.app, name, &garbage(&shopper)), shopper, customer] {
        let bare = browser.at(bare_pages());
        for (method, path) in [
            (Method::GET, "/plain"),
            (Method::HEAD, "/plain"),
            (Method::POST, "/plain"),
            (Method::DELETE, "/plain"),
            (Method::GET, "/decorated"),
            (Method::GET, "/failing"),
            (Method::GET, "/no-such-page"),
        ] {
            let expected = whole(bare.ask(method.clone(), path).await);
            assert_eq!(whole(browser.ask(method, path).await), expected, "{path}");
        }
    }
    assert_eq!(site.store.calls(), []);
}

#[tokio::test]
async fn a_route_that_names_nothing_opens_no_cookie() {
    log_of_this_thread();
    let site = Site::new();
    let shopper = site.shopper().await;
    let name = shopper.cookies.keys().next().expect("a shopper has a cookie");
    let browser = with_cookie(&site.app, name, &garbage(&shopper));

    log();
    browser.ask(Method::GET, "/plain").await;
    browser.ask(Method::GET, "/lazy").await;
    assert!(!log().contains("cookie refused"));
    browser.ask(Method::GET, "/cart").await;
    assert!(log().contains("cookie refused"), "whoever opens it says so");
}

#[tokio::test]
async fn a_visitor_is_recognised_without_the_store() {
    let site = Site::new();
    let mut customer = site.customer().await;
    assert_eq!(customer.get("/greet").await.text(), "42");
    assert_eq!(site.newcomer().get("/greet").await.text(), "nobody");
    site.store.set_down(true);
    assert_eq!(customer.get("/greet").await.text(), "42");
    assert_eq!(site.store.calls(), []);
}

#[tokio::test]
async fn without_a_cookie_nothing_is_asked_and_nothing_created() {
    let site = Site::new();
    for (method, path) in READING {
        let answer = site.newcomer().send(method.clone(), path).await;
        assert_eq!(site.store.calls(), [], "{path}");
        assert_eq!(answer.set_cookies(), [""; 0], "{path}");
    }
    assert!(site.store.live().await.is_empty());
}

#[tokio::test]
async fn reading_a_live_session_is_one_load_and_writes_nothing() {
    let site = Site::new();
    let mut browser = site.shopper().await;
    let before = site.store.only().await;
    for (method, path) in READING {
        let answer = browser.send(method.clone(), path).await;
        let expected: &[Call] = if ["/greet", "/lazy"].contains(path) { &[] } else { &[Call::Load] };
        assert_eq!(site.store.calls(), expected, "{path}");
        assert_eq!(answer.set_cookies(), [""; 0], "{path}");
    }
    assert_eq!(site.store.only().await, before);
}

#[tokio::test]
async fn an_update_that_changes_nothing_writes_nothing_and_begins_no_session() {
    let site = Site::new();
    for path in ["/same", "/refuse", "/take"] {
        let answer = site.newcomer().post(path).await;
        assert_eq!(answer.set_cookies(), [""; 0], "{path}");
        assert_eq!(site.store.calls(), [], "{path}");
        let mut shopper = site.shopper().await;
        assert_eq!(shopper.post(path).await.set_cookies(), [""; 0], "{path}");
        assert_eq!(site.store.calls(), [Call::Load], "{path}");
    }
}

#[tokio::test]
async fn a_first_write_is_one_create_and_a_second_one_load_and_one_commit() {
    let site = Site::new();
    let mut browser = site.newcomer();
    let answer = browser.post("/cart").await;
    assert_eq!(site.store.calls(), [Call::Create]);
    assert_eq!(answer.set_cookies().len(), 1);
    let answer = browser.post("/cart").await;
    assert_eq!(site.store.calls(), [Call::Load, Call::Commit]);
    assert_eq!(answer.set_cookies(), [""; 0], "the browser knows the session already");
}

#[tokio::test]
async fn all_extractors_of_a_request_share_one_load() {
    let site = Site::new();
    let mut customer = site.customer().await;
    assert_eq!(customer.get("/several").await.text(), "101");
    assert_eq!(site.store.calls(), [Call::Load]);
    assert_eq!(customer.get("/proof-and-cart").await.status, StatusCode::OK);
    assert_eq!(site.store.calls(), [Call::Load]);
}

#[tokio::test]
async fn a_lazy_session_pays_at_load_only() {
    let site = Site::new();
    let mut browser = site.shopper().await;
    browser.get("/lazy").await;
    assert_eq!(site.store.calls(), []);
    assert_eq!(browser.get("/lazy-loaded").await.text(), "1");
    assert_eq!(site.store.calls(), [Call::Load]);
}

#[tokio::test]
async fn an_optional_session_asks_for_the_slot_and_not_for_the_session() {
    let site = Site::new();
    let mut browser = site.shopper().await;
    for path in ["/note", "/peek-note"] {
        assert_eq!(browser.get(path).await.text(), "false", "{path}: it has a cart and no note");
    }
    browser.post("/note").await;
    for path in ["/note", "/peek-note"] {
        assert_eq!(browser.get(path).await.text(), "true", "{path}: an empty note is a note");
    }
}

#[tokio::test]
async fn an_optional_proof_is_none_where_nobody_is_signed_in() {
    let site = Site::new();
    assert_eq!(site.newcomer().get("/whose").await.text(), "false");
    assert_eq!(site.shopper().await.get("/whose").await.text(), "false");
    assert_eq!(site.customer().await.get("/whose").await.text(), "true");
}

#[tokio::test]
async fn an_outage_is_never_none_and_never_empty() {
    let site = Site::new();
    let mut customer = site.customer().await;
    site.store.set_down(true);
    for (method, path) in READING {
        let answer = customer.send(method.clone(), path).await;
        let needs_the_store = !["/greet", "/lazy"].contains(path);
        let expected = if needs_the_store { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        assert_eq!(answer.status, expected, "{path}");
        assert_eq!(answer.header("retry-after").is_some(), needs_the_store, "{path}");
    }
    site.store.set_down(false);
    assert_eq!(customer.get("/cart").await.text(), "1", "it is all still there");
}

#[tokio::test]
async fn whoever_merely_finds_nothing_removes_no_cookie() {
    let site = Site::new();
    let expired = site.customer().await;
    site.clock.advance(IDLE);
    let foreign = Site::new().customer().await.at(site.app.clone());
    let ended = site.customer().await;
    ended.ask(Method::POST, "/sign-out").await;
    let mut garbled = site.customer().await;
    for value in garbled.cookies.values_mut() {
        *value = value.chars().rev().collect();
    }
    let mut empty = site.customer().await;
    empty.cookies.values_mut().for_each(String::clear);

    for (name, browser) in
        [("expired", expired), ("foreign", foreign), ("ended", ended), ("garbled", garbled), ("empty", empty)]
    {
        for (method, path) in READING {
            let answer = browser.ask(method.clone(), path).await;
            assert_eq!(answer.set_cookies(), [""; 0], "{name} cookies at {path}");
        }
        assert_eq!(browser.ask(Method::GET, "/cart").await.text(), "0", "{name}");
        assert_eq!(browser.ask(Method::GET, "/proof").await.status, StatusCode::UNAUTHORIZED, "{name}");
    }
}

#[tokio::test]
async fn activity_is_noted_once_in_a_tenth_of_the_idle_limit() {
    let site = Site::new();
    let mut browser = site.shopper().await;
    let before = site.store.only().await;
    let step = IDLE / 40;
    for _ in 0..80 {
        site.clock.advance(step);
        assert_eq!(browser.get("/cart").await.text(), "1", "it is active, and so does not idle out");
    }
    let calls = site.store.calls();
    assert_eq!(calls.iter().filter(|call| **call == Call::Load).count(), 80);
    assert_eq!(calls.iter().filter(|call| **call == Call::Touch).count(), 20);
    assert_eq!(calls.len(), 100, "and nothing else");

    let (mut expected, after) = (before.clone(), site.store.only().await);
    expected.touch(after.touched());
    assert_eq!(after, expected, "a touch does not rewrite the value");
    assert_ne!(after, before);
}

#[tokio::test]
async fn a_peek_is_no_activity() {
    let site = Site::new();
    let mut browser = site.shopper().await;
    for _ in 0..9 {
        site.clock.advance(IDLE / 10);
        assert_eq!(browser.get("/peek").await.text(), "1");
        assert_eq!(site.store.calls(), [Call::Load]);
    }
    site.clock.advance(IDLE / 10);
    assert_eq!(browser.get("/peek").await.text(), "0", "nobody used it, and it has idled out");
}

#[tokio::test]
async fn a_change_counts_as_activity_without_a_touch() {
    let site = Site::new();
    let mut browser = site.shopper().await;
    site.clock.advance(IDLE / 20);
    browser.post("/cart").await;
    site.clock.advance(IDLE - Duration::from_millis(1));
    site.store.calls();
    assert_eq!(browser.get("/peek").await.text(), "2");
    assert_eq!(site.store.calls(), [Call::Load]);
}

#[tokio::test]
async fn an_id_that_the_client_made_up_is_never_adopted() {
    let site = Site::new();
    let elsewhere = Site::new();
    let mut foreign = elsewhere.shopper().await.at(site.app.clone());
    let theirs = elsewhere.store.live().await[0].0;
    assert_eq!(foreign.post("/cart").await.text(), "1");
    assert_eq!(site.store.calls(), [Call::Create], "what does not open is not even looked up");
    assert_ne!(site.store.live().await[0].0, theirs);

    // Sealed by us, and its record has expired.
    let mut late = site.shopper().await;
    let (old, _) = site.store.live().await[1];
    site.clock.advance(IDLE);
    assert_eq!(late.post("/cart").await.text(), "1");
    let live = site.store.live().await;
    assert_eq!(live.len(), 1);
    assert_ne!(live[0].0, old, "a new session has a new id");
}

#[tokio::test]
async fn the_id_changes_at_sign_in_reauthentication_and_sign_out() {
    let site = Site::new();
    let mut browser = site.shopper().await;
    let mut ids = vec![site.store.live().await[0].0];
    for path in ["/sign-in", "/prove", "/sign-in"] {
        let before = browser.clone();
        assert_eq!(browser.post(path).await.status, StatusCode::OK, "{path}");
        let live = site.store.live().await;
        assert_eq!(live.len(), 1, "{path}: the old session has ended");
        assert!(!ids.contains(&live[0].0), "{path}");
        ids.push(live[0].0);
        assert_eq!(before.ask(Method::GET, "/cart").await.text(), "0", "{path}: the old cookie leads nowhere");
        assert_eq!(browser.get("/cart").await.text(), "1", "{path}: the cart has moved along");
    }
    let before = browser.clone();
    browser.post("/sign-out").await;
    assert!(browser.cookies.is_empty());
    assert!(site.store.live().await.is_empty());
    assert_eq!(before.ask(Method::GET, "/proof").await.status, StatusCode::UNAUTHORIZED);
    browser.post("/cart").await;
    assert!(!ids.contains(&site.store.live().await[0].0));
}
