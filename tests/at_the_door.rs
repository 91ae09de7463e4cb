//! Signing in and out where something is in the way: another site, a full store, a lost response, a late request.

mod common;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use common::{Call, Recording, in_time, newcomer, visit};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use testbed::Client;
use thin_session::{
    Clock, ConfigError, Keyring, MemoryStore, RecentAuth, SameSite, Session, SessionData, SessionError, SessionLayer,
    SignedIn, UserId, Visitor,
};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Cart(Vec<u32>);

impl SessionData for Cart {
    const NAME: &'static str = "cart";
}

async fn show(cart: Session<Cart>) -> String {
    format!("{:?}", cart.0)
}

async fn add(mut cart: Session<Cart>) -> Result<(), SessionError> {
    cart.update(|cart| cart.0.push(7)).await
}

async fn sign_in_ada(mut visitor: Visitor) -> Result<(), SessionError> {
    visitor.sign_in(UserId::new("ada")?).await.map(drop)
}

async fn sign_in_bob(mut visitor: Visitor) -> Result<(), SessionError> {
    visitor.sign_in(UserId::new("bob")?).await.map(drop)
}

async fn sign_out(mut visitor: Visitor) -> Result<(), SessionError> {
    visitor.sign_out().await
}

async fn who(who: SignedIn) -> String {
    who.user_id().as_str().to_owned()
}

async fn recently(_: RecentAuth<60>) {}

fn site() -> (Arc<Recording>, Clock, SessionLayer) {
    let clock = Clock::manual();
    let store = Recording::new(&clock);
    let layer = SessionLayer::new(Arc::clone(&store), Keyring::generate()).clock(clock.clone());
    (store, clock, layer)
}

/// What a browser says of a request that comes from another site.
fn from_elsewhere(mode: &'static str, destination: &'static str) -> HeaderMap {
    [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", mode), ("sec-fetch-dest", destination)]
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .into_iter()
        .collect()
}

/// The same browser on its way from another site, which withholds its cookies.
fn without_cookies(browser: &Client, mode: &'static str, destination: &'static str) -> Client {
    let mut elsewhere = browser.clone();
    elsewhere.cookies.clear();
    elsewhere.headers = from_elsewhere(mode, destination);
    elsewhere
}

#[tokio::test]
async fn a_strict_cookie_is_withheld_from_followed_links_too_and_nothing_takes_its_place() {
    let (_, _, layer) = site();
    let layer = layer.same_site(SameSite::Strict);
    let mut browser = newcomer();
    visit(&mut browser, &layer, add).await;
    let mut arriving = without_cookies(&browser, "navigate", "document");
    arriving = arriving.at(axum::Router::new().route("/", axum::routing::get(add)).layer(layer.clone()));
    let answer = arriving.ask(Method::GET, "/").await;
    assert_eq!((answer.status.as_u16(), answer.set_cookies()), (403, vec![]));
    assert_eq!(visit(&mut browser, &layer, show).await.text(), "[7]");
}

#[tokio::test]
async fn where_browsers_withhold_no_cookie_a_frame_of_another_site_begins_a_session() {
    let (_, _, layer) = site();
    let mut framed = without_cookies(&newcomer(), "navigate", "iframe");
    let answer = visit(&mut framed, &layer.same_site(SameSite::None), add).await;
    assert_eq!((answer.status.as_u16(), answer.set_cookies().len()), (200, 1));
}

#[tokio::test]
async fn another_site_cannot_sign_anybody_out_by_a_form_without_cookies() {
    let (_, _, layer) = site();
    let mut ada = newcomer();
    visit(&mut ada, &layer, sign_in_ada).await;
    let answer = visit(&mut without_cookies(&ada, "navigate", "document"), &layer, sign_out).await;
    assert_eq!((answer.status.as_u16(), answer.set_cookies()), (403, vec![]));
    assert_eq!(visit(&mut ada, &layer, who).await.text(), "ada");
}

#[tokio::test]
async fn whom_the_store_cannot_take_in_signs_nobody_else_out() {
    let clock = Clock::manual();
    let store = MemoryStore::new().with_limit(1).with_clock(clock.clone());
    let layer = SessionLayer::new(store, Keyring::generate()).clock(clock);
    let mut browser = newcomer();
    visit(&mut browser, &layer, sign_in_ada).await;
    assert_eq!(visit(&mut browser, &layer, sign_in_bob).await.status, 503);
    assert_eq!(visit(&mut browser, &layer, who).await.text(), "ada");
}

#[tokio::test]
async fn after_a_failed_change_of_users_the_request_asks_the_store_who_is_signed_in() {
    let (store, _, layer) = site();
    let mut browser = newcomer();
    visit(&mut browser, &layer, sign_in_ada).await;
    let held = store.hold_answer(Call::Admit);
    let (down, open) = (Arc::clone(&store), held.clone());
    tokio::spawn(async move {
        held.reached().await;
        down.set_down(true);
        open.open();
    });
    let up = Arc::clone(&store);
    let change = async move |request: Request| {
        let mut visitor = Visitor::of(&request).await?;
        let _ = SignedIn::of(&request).await?;
        assert!(visitor.sign_in(UserId::new("bob")?).await.is_err());
        up.set_down(false);
        Ok::<_, SessionError>(SignedIn::of(&request).await?.user_id().as_str().to_owned())
    };
    assert_eq!(in_time(visit(&mut browser, &layer, change)).await.text(), "ada");
}

#[tokio::test]
async fn a_password_that_was_just_given_is_a_recent_proof_also_after_a_lost_response() {
    let (_, clock, layer) = site();
    let mut browser = newcomer();
    visit(&mut browser, &layer, add).await;
    // The response is lost: the browser keeps its old cookie.
    visit(&mut browser.clone(), &layer, sign_in_ada).await;
    clock.advance(Duration::from_secs(100));
    visit(&mut browser, &layer, sign_in_ada).await;
    assert_eq!(visit(&mut browser, &layer, recently).await.status, 200);
    assert_eq!(visit(&mut browser, &layer, show).await.text(), "[7]");
}

/// The second click is sent when the first has signed in and its response is still on its way.
#[tokio::test]
async fn two_clicks_a_second_apart_end_signed_in_whichever_response_comes_last() {
    for first_comes_last in [false, true] {
        let (_, clock, layer) = site();
        let mut browser = newcomer();
        visit(&mut browser, &layer, add).await;
        let mut clicks = [browser.clone(), browser.clone()];
        for click in &mut clicks {
            clock.advance(Duration::from_secs(1));
            assert_eq!(visit(click, &layer, sign_in_ada).await.status, 200);
        }
        let [first, second] = clicks;
        let mut last = if first_comes_last { first } else { second };
        assert_eq!(visit(&mut last, &layer, who).await.text(), "ada");
        assert_eq!(visit(&mut last, &layer, show).await.text(), "[7]");
    }
}

#[tokio::test]
async fn a_request_that_was_under_way_at_sign_out_begins_nothing_however_late_it_asks() {
    let (store, clock, layer) = site();
    let mut browser = newcomer();
    visit(&mut browser, &layer, sign_in_ada).await;
    let (mut elsewhere, same_layer) = (browser.clone(), layer.clone());
    let upload = async move |request: Request| {
        // While a body is read, for minutes.
        visit(&mut elsewhere, &same_layer, sign_out).await;
        clock.advance(Duration::from_secs(121));
        let mut cart = Session::<Cart>::of(&request).await?;
        cart.update(|cart| cart.0.push(7)).await
    };
    let answer = visit(&mut browser, &layer, upload).await;
    assert_eq!((answer.status.as_u16(), answer.set_cookies()), (409, vec![]));
    assert_eq!(store.live().await.len(), 0);
}

/// The time of a change is its own: what loading took is not taken from it.
#[tokio::test(start_paused = true)]
async fn a_slow_load_does_not_cut_the_change_off() {
    let (store, _, layer) = site();
    let mut browser = newcomer();
    visit(&mut browser, &layer, add).await;
    for call in [Call::Load, Call::Commit] {
        let gate = store.hold(call);
        tokio::spawn(async move {
            gate.reached().await;
            tokio::time::sleep(Duration::from_millis(700)).await;
            gate.open();
        });
    }
    let replace = async |request: Request| {
        let cart = thin_session::LazySession::<Cart>::of(&request).await?;
        cart.replace(Cart(vec![1])).await.map(drop)
    };
    assert_eq!(visit(&mut browser, &layer, replace).await.status, 200);
}

#[test]
fn a_deadline_that_cannot_work_is_refused() {
    for (deadline, fits) in [
        (Duration::ZERO, false),
        (Duration::from_millis(10), true),
        (Duration::from_secs(30), true),
        (Duration::MAX, false),
    ] {
        let refused = site().2.store_deadline(deadline).err();
        assert_eq!(refused, (!fits).then_some(ConfigError::StoreDeadline(deadline)));
    }
}

#[tokio::test]
async fn no_cache_control_of_another_name_lets_a_cookie_be_kept() {
    let (_, _, layer) = site();
    let headers = [("cdn-cache-control", "max-age=60"), ("surrogate-control", "max-age=60")];
    let begin = async move |cart: Session<Cart>| add(cart).await.map(|()| headers);
    let mut browser = newcomer();
    let answer = visit(&mut browser, &layer, begin).await;
    assert_eq!(answer.set_cookies().len(), 1);
    assert_eq!((answer.header("cdn-cache-control"), answer.header("surrogate-control")), (None, None));
    let read = async move |_: Session<Cart>| headers;
    assert_eq!(visit(&mut browser, &layer, read).await.header("cdn-cache-control"), Some("max-age=60"));
}
