//! A first write that comes late never signs anybody out. Protocol 2.

use super::gate::{Hold, Op, Step};
use super::shop::{Shop, ok, on_each_store, refused, see};
use axum::http::{HeaderValue, Method};
use std::time::Duration;
use thin_session::store::Marker;

/// Neither request knows of the other: both come without a cookie.
async fn a_first_write_whose_cookie_arrives_last_does_not_sign_out(shop: Shop) {
    let (mut browser, hold) = (shop.browser(), Hold::default());
    shop.gate.plan(Op::Create, [Step::after(hold.point())]);
    let late = tokio::spawn({
        let browser = browser.clone();
        async move { ok(browser.ask(Method::POST, "/cart/milk").await) }
    });
    hold.reached().await;
    ok(browser.post("/sign-in/ada").await);
    hold.release();
    let late = late.await.expect("the first write is answered");
    assert!(!late.set_cookies().is_empty(), "it has begun a session");
    browser.take(&late);
    assert_eq!(see(&browser, "/who").await, "ada");
}

async fn a_first_write_whose_cookie_arrives_first_does_not_stay_behind(shop: Shop) {
    let mut browser = shop.browser();
    let early = ok(browser.ask(Method::POST, "/cart/milk").await);
    let sign_in = ok(browser.ask(Method::POST, "/sign-in/ada").await);
    browser.take(&early);
    browser.take(&sign_in);
    assert_eq!(see(&browser, "/who").await, "ada");
    assert_eq!(see(&browser, "/cart").await, "");
    assert_eq!(browser.cookies.len(), 2, "the signed-in cookie and the visitor's: {:?}", browser.cookies.keys());
}

async fn of_two_sessions_the_signed_in_one_is_read_and_written(shop: Shop) {
    let late = ok(shop.browser().ask(Method::POST, "/cart/milk").await);
    let anonymous = shop.gate.newest();
    let mut browser = shop.signed_in("ada").await;
    browser.take(&late);
    assert_eq!(browser.cookies.len(), 3, "it sends both");
    ok(browser.post("/cart/honey").await);
    assert_eq!(see(&browser, "/cart").await, "tea honey");
    let touched = shop.gate.calls().iter().filter(|call| call.key == Some(anonymous)).count();
    assert_eq!(touched, 1, "the other one was begun, and not even read since");
}

async fn signing_out_ends_both_sessions_of_a_browser(shop: Shop) {
    let late = ok(shop.browser().ask(Method::POST, "/cart/milk").await);
    let mut browser = shop.signed_in("ada").await;
    browser.take(&late);
    ok(browser.post("/sign-out").await);
    assert_eq!(shop.gate.live().await, []);
    assert!(browser.cookies.is_empty());
}

/// Two minutes after the move even the marker has gone.
#[tokio::test]
async fn a_write_under_a_cookie_long_moved_does_not_sign_out() {
    let shop = Shop::in_memory();
    let old = shop.browser_with_tea().await;
    let mut browser = old.clone();
    ok(browser.post("/sign-in/ada").await);
    shop.clock.advance(Marker::KEPT + Duration::from_secs(1));
    browser.take(&ok(old.ask(Method::POST, "/cart/milk").await));
    assert_eq!(see(&browser, "/who").await, "ada");
    assert_eq!(see(&browser, "/cart").await, "tea");
}

/// Browsers withhold the cookies there, so that "no cookie" does not mean "no session".
async fn a_post_from_another_site_begins_nothing(shop: Shop) {
    let mut browser = shop.browser();
    browser.headers.insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
    let answer = refused(browser.post("/cart/milk").await, "CrossSite");
    assert_eq!(answer.status, 403);
    assert_eq!(shop.gate.calls().len(), 0);
}

async fn a_post_from_another_site_that_comes_with_its_session_is_like_any_other(shop: Shop) {
    let mut browser = shop.signed_in("ada").await;
    browser.headers.insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
    ok(browser.post("/cart/milk").await);
    assert_eq!(see(&browser, "/cart").await, "tea milk");
}

on_each_store! {
    a_first_write_whose_cookie_arrives_last_does_not_sign_out,
    a_first_write_whose_cookie_arrives_first_does_not_stay_behind,
    of_two_sessions_the_signed_in_one_is_read_and_written,
    signing_out_ends_both_sessions_of_a_browser,
    a_post_from_another_site_begins_nothing,
    a_post_from_another_site_that_comes_with_its_session_is_like_any_other,
}
