//! Promise 11: caches are told. And every `Set-Cookie` that goes out, attribute by attribute.

mod common;

use axum::extract::Form;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::{Next, from_extractor, from_fn};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use axum::{Json, Router};
use common::{Recording, newcomer, visit};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use testbed::{Answer, Client};
use thin_session::{
    Clock, Keyring, LazySession, Limits, MemoryStore, Peek, RecentAuth, SameSite, Session, SessionData, SessionError,
    SessionLayer, SignedIn, UserId, UserSession, UserSessionData, Visitor,
};

#[derive(Default, Serialize, Deserialize)]
struct Cart(Vec<u32>);

impl SessionData for Cart {
    const NAME: &'static str = "cart";
}

async fn add(mut cart: Session<Cart>) -> Result<(), SessionError> {
    cart.update(|cart| cart.0.push(7)).await
}

async fn sign_in(mut visitor: Visitor) -> Result<(), SessionError> {
    visitor.sign_in(UserId::new(42)?).await.map(drop)
}

async fn prove(mut visitor: Visitor) -> Result<(), SessionError> {
    visitor.reauthenticated().await.map(drop)
}

async fn sign_out(mut visitor: Visitor) -> Result<(), SessionError> {
    visitor.sign_out().await
}

async fn sign_out_remembering(mut visitor: Visitor) -> Result<(), SessionError> {
    visitor.sign_out_remembering().await
}

fn layer(clock: &Clock) -> (Arc<Recording>, SessionLayer) {
    let store = Recording::new(clock);
    let layer = SessionLayer::new(Arc::clone(&store), Keyring::generate()).clock(clock.clone());
    (store, layer)
}

fn values<'a>(answer: &'a Answer, name: &HeaderName) -> Vec<&'a str> {
    answer.headers.get_all(name).iter().map(|value| value.to_str().expect("it is text")).collect()
}

#[track_caller]
fn assert_private(answer: &Answer, what: &str) {
    assert_eq!(values(answer, &header::CACHE_CONTROL), ["private, no-store"], "{what}");
    assert_eq!(values(answer, &header::VARY), ["Cookie"], "{what}");
}

#[derive(Default, Serialize, Deserialize)]
struct Transfer(u64);

impl UserSessionData for Transfer {
    const KIND: &'static str = "transfer";
}

/// With a user session, without one, and where nobody is signed in.
#[tokio::test]
async fn pages_of_user_sessions_are_private() {
    let layer = SessionLayer::with_user_sessions(MemoryStore::new(), Keyring::generate());
    let change = async |mut transfer: UserSession<Transfer>| transfer.update(|transfer| transfer.0 += 1).await;
    let app = Router::new()
        .route("/sign-in", post(sign_in))
        .route("/change", post(change))
        .route("/look", get(async |_: UserSession<Transfer>| ()))
        .route("/perhaps", get(async |_: Option<UserSession<Transfer>>| ()))
        .layer(layer);
    let mut browser = Client::new(app);
    for status in [StatusCode::UNAUTHORIZED, StatusCode::OK, StatusCode::OK] {
        for (path, status) in [("/look", status), ("/perhaps", StatusCode::OK)] {
            let answer = browser.get(path).await;
            assert_eq!(answer.status, status);
            assert_private(&answer, path);
        }
        browser.post("/sign-in").await;
        assert_private(&browser.post("/change").await, "/change");
    }
}

/// One page for each extractor.
fn pages() -> Router {
    #[derive(Deserialize)]
    struct Item {
        #[expect(dead_code, reason = "it never arrives")]
        item: u32,
    }
    async fn before_a_bad_form(_: Session<Cart>, _: Form<Item>) {}
    async fn before_bad_json(_: LazySession<Cart>, _: Json<Item>) {}
    async fn own_answer(cart: Result<Session<Cart>, SessionError>) -> StatusCode {
        cart.map_or(StatusCode::IM_A_TEAPOT, |_| StatusCode::OK)
    }
    async fn loaded(cart: LazySession<Cart>) -> Result<(), SessionError> {
        cart.load().await.map(drop)
    }
    let guarded = Router::new().route("/guarded", get(async || "inside"));
    Router::new()
        .route("/visitor", get(async |_: Visitor| ()))
        .route("/session", get(async |_: Session<Cart>| ()))
        .route("/optional-session", get(async |_: Option<Session<Cart>>| ()))
        .route("/result", get(own_answer))
        .route("/peek", get(async |_: Peek<Cart>| ()))
        .route("/optional-peek", get(async |_: Option<Peek<Cart>>| ()))
        .route("/lazy", get(async |_: LazySession<Cart>| ()))
        .route("/lazy-loaded", get(loaded))
        .route("/signed-in", get(async |_: SignedIn| ()))
        .route("/optional-signed-in", get(async |_: Option<SignedIn>| ()))
        .route("/recent", get(async |_: RecentAuth<60>| ()))
        .route("/bad-form", get(before_a_bad_form))
        .route("/bad-json", get(before_bad_json))
        .route("/redirect", get(async |_: Visitor| Redirect::to("/")))
        .route("/failing", get(async |_: Visitor| StatusCode::INTERNAL_SERVER_ERROR))
        .merge(guarded.route_layer(from_extractor::<SignedIn>()))
}

const PAGES: &[&str] = &[
    "/visitor",
    "/session",
    "/optional-session",
    "/result",
    "/peek",
    "/optional-peek",
    "/lazy",
    "/lazy-loaded",
    "/signed-in",
    "/optional-signed-in",
    "/recent",
    "/bad-form",
    "/bad-json",
    "/redirect",
    "/failing",
    "/guarded",
];

#[tokio::test]
async fn whoever_asks_gets_a_private_response_found_or_not() {
    let clock = Clock::manual();
    let (store, layer) = layer(&clock);
    let app = pages().route("/add", post(add)).route("/sign-in", post(sign_in)).layer(layer);
    let stranger = Client::new(app);
    let mut shopper = stranger.clone();
    shopper.post("/add").await;
    let mut customer = shopper.clone();
    customer.post("/sign-in").await;

    let mut statuses = Vec::new();
    for (who, browser) in [("stranger", &stranger), ("shopper", &shopper), ("customer", &customer)] {
        for path in PAGES {
            for method in ["GET", "HEAD"] {
                let answer = browser.ask(method.parse().expect("a method"), path).await;
                assert_private(&answer, &format!("{who} at {path}"));
                statuses.push(answer.status);
            }
        }
    }
    clock.advance(Duration::from_secs(61));
    assert_private(&customer.get("/recent").await, "proof that is too old");
    store.set_down(true);
    for path in PAGES {
        assert_private(&customer.get(path).await, &format!("{path} while the store is down"));
    }
    for seen in [StatusCode::OK, StatusCode::UNAUTHORIZED, StatusCode::UNSUPPORTED_MEDIA_TYPE, StatusCode::SEE_OTHER] {
        assert!(statuses.contains(&seen), "the pages above answer {seen} too");
    }
}

#[tokio::test]
async fn middleware_that_asks_makes_the_response_private() {
    async fn greet(who: Option<SignedIn>, request: axum::extract::Request, next: Next) -> impl IntoResponse {
        ([("x-signed-in", who.is_some().to_string())], next.run(request).await)
    }
    let (_, layer) = layer(&Clock::manual());
    let app = Router::new().route("/", get(async || "asks for nothing itself")).layer(from_fn(greet)).layer(layer);
    let answer = Client::new(app).get("/").await;
    assert_eq!(answer.header("x-signed-in"), Some("false"));
    assert_private(&answer, "middleware");
}

#[tokio::test]
async fn every_response_that_writes_is_private() {
    let (_, layer) = layer(&Clock::manual());
    let mut browser = newcomer();
    assert_private(&visit(&mut browser, &layer, add).await, "begins");
    assert_private(&visit(&mut browser, &layer, add).await, "changes");
    assert_private(&visit(&mut browser, &layer, sign_in).await, "signs in");
    assert_private(&visit(&mut browser, &layer, prove).await, "proves");
    assert_private(&visit(&mut browser, &layer, sign_out).await, "signs out");
}

#[tokio::test]
async fn a_cache_control_of_the_handlers_own_stands_where_no_cookie_is_set() {
    const OWN: [(HeaderName, &str); 1] = [(header::CACHE_CONTROL, "private, max-age=60")];
    let (_, layer) = layer(&Clock::manual());
    let mut browser = newcomer();

    let answer = visit(&mut browser, &layer, async |_: Session<Cart>| OWN).await;
    assert_eq!(values(&answer, &header::CACHE_CONTROL), [OWN[0].1]);
    assert_eq!(values(&answer, &header::VARY), ["Cookie"]);

    // One after the other: begins, changes what is there, signs in.
    let beginning = visit(&mut browser, &layer, async |cart: Session<Cart>| add(cart).await.map(|()| OWN)).await;
    assert_private(&beginning, "sets a cookie");
    let changing = visit(&mut browser, &layer, async |cart: Session<Cart>| add(cart).await.map(|()| OWN)).await;
    assert_eq!(values(&changing, &header::CACHE_CONTROL), [OWN[0].1], "sets no cookie");
    let signing_in = visit(&mut browser, &layer, async |who: Visitor| sign_in(who).await.map(|()| OWN)).await;
    assert_private(&signing_in, "sets cookies");
    let signing_out = visit(&mut browser, &layer, async |who: Visitor| sign_out(who).await.map(|()| OWN)).await;
    assert_private(&signing_out, "removes cookies");
}

#[tokio::test]
async fn several_cache_controls_of_the_handlers_own_all_give_way_to_a_cookie() {
    async fn begin(cart: Session<Cart>) -> Result<HeaderMap, SessionError> {
        add(cart).await?;
        let mut headers = HeaderMap::new();
        for own in ["public", "max-age=3600"] {
            headers.append(header::CACHE_CONTROL, own.parse().expect("a header's value"));
        }
        Ok(headers)
    }
    let (_, layer) = layer(&Clock::manual());
    assert_private(&visit(&mut newcomer(), &layer, begin).await, "sets a cookie");
}

#[tokio::test]
async fn a_vary_of_the_handlers_own_is_kept_and_completed() {
    let (_, layer) = layer(&Clock::manual());
    for (own, expected) in [
        (&["Accept"][..], &["Accept", "Cookie"][..]),
        (&["Accept, Accept-Language"], &["Accept, Accept-Language", "Cookie"]),
        (&["X-Cookie", "Cookies"], &["X-Cookie", "Cookies", "Cookie"]),
        (&["Cookie"], &["Cookie"]),
        (&["cookie"], &["cookie"]),
        (&["Accept ,COOKIE"], &["Accept ,COOKIE"]),
        (&["Accept", "Cookie"], &["Accept", "Cookie"]),
        (&["*"], &["*"]),
    ] {
        let mut headers = HeaderMap::new();
        for value in own {
            headers.append(header::VARY, value.parse().expect("a header's value"));
        }
        let answer = visit(&mut newcomer(), &layer, async move |_: Visitor| headers.clone()).await;
        assert_eq!(values(&answer, &header::VARY), expected);
    }
}

#[tokio::test]
async fn cookies_of_the_handlers_own_are_left_alone() {
    let (_, layer) = layer(&Clock::manual());
    let begin = async |cart: Session<Cart>| add(cart).await.map(|()| [(header::SET_COOKIE, "theme=dark")]);
    let answer = visit(&mut newcomer(), &layer, begin).await;
    let cookies = answer.set_cookies();
    assert_eq!(cookies[0], "theme=dark");
    assert!(cookies.len() == 2 && cookies[1].starts_with("__Host-Http-session="));
}

/// The `Set-Cookie` headers of a response, with their values hidden.
fn masked(answer: &Answer) -> Vec<String> {
    let mask = |cookie: &&str| {
        let (name, rest) = cookie.split_once('=').expect("a name");
        let (value, attributes) = rest.split_once("; ").expect("attributes");
        let base64url = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        assert!(value.chars().all(base64url), "no quoting, no padding");
        format!("{name}={}; {attributes}", if value.is_empty() { "" } else { "…" })
    };
    answer.set_cookies().iter().map(mask).collect()
}

/// What the six occasions send, for a policy: to begin, to change, to sign in, to prove, to sign out with and without
/// being remembered.
async fn sent(layer: SessionLayer) -> [Vec<String>; 6] {
    let mut browser = newcomer();
    let begun = visit(&mut browser, &layer, add).await;
    let changed = visit(&mut browser, &layer, add).await;
    let signed_in = visit(&mut browser, &layer, sign_in).await;
    let proved = visit(&mut browser, &layer, prove).await;
    let remembered = visit(&mut browser.clone(), &layer, sign_out_remembering).await;
    let signed_out = visit(&mut browser, &layer, sign_out).await;
    assert!(browser.cookies.is_empty(), "a removal removes");
    [begun, changed, signed_in, proved, remembered, signed_out].map(|answer| masked(&answer))
}

const GONE: &str = "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";

/// What should be sent where names begin with `prefix`, all have `attributes`, and session cookies those of their own.
fn expected(prefix: &str, attributes: &str, anonymous: &str, signed_in: &str) -> [Vec<String>; 6] {
    let set = |name: &str, more: &str| format!("{prefix}{name}=…; {attributes}{more}");
    let gone = |name: &str| format!("{prefix}{name}=; {attributes}; {GONE}");
    let signing_in = || vec![set("visitor", "; Max-Age=2592000"), gone("session"), set("login", signed_in)];
    [
        vec![set("session", anonymous)],
        vec![],
        signing_in(),
        signing_in(),
        vec![gone("session"), gone("login")],
        vec![gone("visitor"), gone("session"), gone("login")],
    ]
}

const STANDARD: &str = "HttpOnly; SameSite=Lax; Secure; Path=/";

#[tokio::test]
async fn cookies_as_they_are_unless_configured() {
    let (_, layer) = layer(&Clock::manual());
    assert_eq!(sent(layer).await, expected("__Host-Http-", STANDARD, "", ""));
}

#[tokio::test]
async fn cookies_of_a_named_layer() {
    let (_, layer) = layer(&Clock::manual());
    let layer = layer.named("admin").expect("a name");
    assert_eq!(sent(layer).await, expected("__Host-Http-admin-", STANDARD, "", ""));
}

#[tokio::test]
async fn persistent_cookies_live_to_the_absolute_limit_of_their_session() {
    let (_, layer) = layer(&Clock::manual());
    let days = |days: u64| Duration::from_secs(days * 86_400);
    let layer =
        layer.persistent_cookies().anonymous_limits(Limits::new(days(1), days(3)).expect("limits that can work"));
    let expected = expected("__Host-Http-", STANDARD, "; Max-Age=259200", "; Max-Age=43200");
    assert_eq!(sent(layer).await, expected);
}

#[tokio::test]
async fn cookies_that_span_subdomains() {
    let (_, layer) = layer(&Clock::manual());
    let layer = layer.domain("example.com").expect("a domain");
    let attributes = "HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.com";
    assert_eq!(sent(layer).await, expected("__Http-", attributes, "", ""));
}

#[tokio::test]
async fn cookies_of_each_same_site() {
    for (same_site, name) in [(SameSite::Strict, "Strict"), (SameSite::Lax, "Lax"), (SameSite::None, "None")] {
        let (_, layer) = layer(&Clock::manual());
        let attributes = format!("HttpOnly; SameSite={name}; Secure; Path=/");
        assert_eq!(sent(layer.same_site(same_site)).await, expected("__Host-Http-", &attributes, "", ""));
    }
}

#[tokio::test]
async fn cookies_over_plain_http() {
    let (_, layer) = layer(&Clock::manual());
    let layer = layer.insecure_plain_http().named("admin").expect("a name");
    assert_eq!(sent(layer).await, expected("admin-", "HttpOnly; SameSite=Lax; Path=/", "", ""));
}

#[tokio::test]
async fn the_visitor_cookie_lives_as_long_as_is_configured_and_is_never_renewed() {
    let clock = Clock::manual();
    let (_, layer) = layer(&clock);
    let layer = layer.visitor_lifetime(Duration::from_secs(3600)).expect("a lifetime");
    let mut browser = newcomer();
    let answer = visit(&mut browser, &layer, sign_in).await;
    assert!(masked(&answer)[0].ends_with("Path=/; Max-Age=3600"));
    let recognised = async |visitor: Visitor| visitor.user_id().is_some().to_string();
    clock.advance(Duration::from_secs(3599));
    let answer = visit(&mut browser, &layer, recognised).await;
    assert_eq!((answer.text(), answer.set_cookies().len()), ("true", 0));
    clock.advance(Duration::from_secs(1));
    let answer = visit(&mut browser, &layer, recognised).await;
    assert_eq!((answer.text(), answer.set_cookies().len()), ("false", 0), "also where the browser kept it longer");
}

#[tokio::test]
async fn a_lifetime_of_the_visitor_cookie_that_was_lowered_holds_for_those_that_are_out() {
    let clock = Clock::manual();
    let (_, before) = layer(&clock);
    let after = before.clone().visitor_lifetime(Duration::from_secs(3600)).expect("a lifetime");
    let mut browser = newcomer();
    visit(&mut browser, &before, sign_in).await;
    let recognised = async |visitor: Visitor| visitor.user_id().is_some().to_string();
    for (wait, expected) in [(3599, "true"), (1, "false")] {
        clock.advance(Duration::from_secs(wait));
        assert_eq!(visit(&mut browser, &after, recognised).await.text(), expected);
        assert_eq!(visit(&mut browser, &before, recognised).await.text(), "true");
    }
}

#[tokio::test]
async fn one_response_sets_each_cookie_once() {
    async fn begin_and_sign_in(cart: Session<Cart>, visitor: Visitor) -> Result<(), SessionError> {
        add(cart).await?;
        sign_in(visitor).await
    }
    async fn sign_out_and_begin(cart: LazySession<Cart>, visitor: Visitor) -> Result<(), SessionError> {
        sign_out(visitor).await?;
        add(cart.load().await?).await
    }
    let (_, layer) = layer(&Clock::manual());
    let mut browser = newcomer();
    let [_, _, signed_in, ..] = expected("__Host-Http-", STANDARD, "", "");
    assert_eq!(masked(&visit(&mut browser, &layer, begin_and_sign_in).await), signed_in);
    let [begun, _, _, _, _, signed_out] = expected("__Host-Http-", STANDARD, "", "");
    let both = [signed_out[0].clone(), begun[0].clone(), signed_out[2].clone()];
    assert_eq!(masked(&visit(&mut browser, &layer, sign_out_and_begin).await), both);
}

#[tokio::test]
async fn the_length_of_a_cookie_tells_nothing() {
    let (_, layer) = layer(&Clock::manual());
    let mut lengths = Vec::new();
    for user in ["7".to_owned(), "x".repeat(64)] {
        let sign_in = async move |mut visitor: Visitor| visitor.sign_in(UserId::new(&user)?).await.map(drop);
        let mut browser = newcomer();
        visit(&mut browser, &layer, sign_in).await;
        lengths.push(browser.cookies.values().map(String::len).collect::<Vec<_>>());
    }
    assert_eq!(lengths[0], lengths[1]);
    assert_eq!(lengths[0].len(), 2);
}
