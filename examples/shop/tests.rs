//! What a customer meets who signed in a while ago: the real pages, with a clock that is turned by hand.

use crate::app;
use crate::cart::Cart;
use crate::checkout::Checkout;
use std::time::Duration;
use testbed::Http;
use thin_session::{Clock, Keyring, MemoryStore, SessionLayer};
use tokio::net::TcpListener;

const CONFIRM: &str = "/confirm-it-is-you";

/// The shop, and the clock on its wall.
async fn open() -> (Http, Clock) {
    let clock = Clock::manual();
    let store = MemoryStore::new().with_clock(clock.clone());
    let sessions = SessionLayer::new(store, Keyring::generate()).clock(clock.clone()).slots::<(Cart, Checkout)>();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let addr = listener.local_addr().expect("it is bound");
    tokio::spawn(async { axum::serve(listener, app(sessions)).await });
    (Http::new(addr), clock)
}

async fn sign_in(browser: &mut Http) {
    let ada = [("name", "Ada"), ("password", "analytical-engine"), ("back", "/my")];
    browser.submit("/sign-in", &ada).await.leads_to("/my");
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

#[tokio::test]
async fn who_orders_long_after_signing_in_is_asked_once_more() {
    let (mut browser, clock) = open().await;
    sign_in(&mut browser).await;
    browser.submit("/cart/add", &[("product", "2"), ("back", "/")]).await.leads_to("/");
    let address = [("name", "Ada"), ("street", "St James’s Square"), ("city", "London")];
    browser.submit("/checkout/address", &address).await.leads_to("/checkout/delivery");
    browser.submit("/checkout/delivery", &[("delivery", "pickup")]).await.leads_to("/checkout/confirm");
    clock.advance(minutes(15));
    let last_look = browser.open("/checkout").await;
    last_look.says("Is this right?");
    let total = [("total", last_look.hidden("total"))];

    clock.advance(minutes(1));
    let asked = browser.submit("/checkout/confirm", &total).await;
    asked.leads_to("/confirm-it-is-you?back=/checkout/confirm");
    assert_eq!(asked.all("cache-control"), ["private, no-store"]);
    let question = browser.open("/checkout").await;
    question.says("Is it still you?").does_not_say("Is this right?").does_not_say("name=\"name\"");
    assert_eq!(question.hidden("back"), "/checkout/confirm");
    browser.open("/orders").await.says("You have not ordered anything yet");

    let cookies = browser.cookies.clone();
    let wrong = [("password", "bricks-and-mortar"), ("back", "/checkout/confirm")];
    browser.submit(CONFIRM, &wrong).await.has_status(422).says("not the right password");
    browser.submit("/checkout/confirm", &total).await.leads_to("/confirm-it-is-you?back=/checkout/confirm");
    assert_eq!(browser.cookies, cookies, "nothing has changed");

    let right = [("password", "analytical-engine"), ("back", "/checkout/confirm")];
    browser.submit(CONFIRM, &right).await.leads_to("/checkout/confirm");
    assert_ne!(browser.cookies, cookies, "the session goes on under another id");
    browser.open("/checkout/confirm").await.says("Is this right?").says("Teapot");
    browser.submit("/checkout/confirm", &total).await.leads_to("/orders");
    browser.open("/orders").await.says("Teapot").says("St James’s Square");
}

#[tokio::test]
async fn who_signed_in_long_ago_is_asked_before_other_devices_are_signed_out() {
    let (mut browser, clock) = open().await;
    sign_in(&mut browser).await;
    clock.advance(minutes(16));
    browser.open("/account").await.says("signed in on");
    for path in ["/account/devices/end-others", "/account/devices/end"] {
        let answer = browser.submit(path, &[("session", "00000000000000000000000000000000")]).await;
        answer.leads_to(&format!("/confirm-it-is-you?back={path}"));
    }
    let proof = [("password", "analytical-engine"), ("back", "/account/devices/end-others")];
    browser.submit(CONFIRM, &proof).await.leads_to("/account/devices/end-others");
    browser.submit("/account/devices/end-others", &[]).await.leads_to("/account");
}

#[tokio::test]
async fn the_question_is_for_who_is_signed_in_and_leads_nowhere_else() {
    let (mut browser, _clock) = open().await;
    browser.open("/confirm-it-is-you?back=/orders").await.says("name=\"name\" autocomplete=\"username\"");
    let proof = |back| [("password", "analytical-engine"), ("back", back)];
    browser.submit(CONFIRM, &proof("/orders")).await.leads_to("/sign-in?back=/orders");

    sign_in(&mut browser).await;
    for back in ["//evil.example", "https://evil.example/", "/\\evil.example", "evil"] {
        browser.submit(CONFIRM, &proof(back)).await.has_status(422).says("We did not understand that");
    }
    browser.open("/confirm-it-is-you?back=//evil.example").await.has_status(400);
    browser.submit(CONFIRM, &proof("/orders")).await.leads_to("/orders");
}
