//! Two cookies of one name that both open, and one that has expired. Protocol 22 and 23.

use super::gate::Op;
use super::shop::{Shop, ok, on_each_store, refused, see};
use axum::http::{HeaderValue, header};
use std::time::Duration;
use testbed::Client;

/// A browser that sends the session cookies of all of these, as when they were set for several paths or domains.
fn sending_all(shop: &Shop, of: &[&Client]) -> Client {
    let all = of.iter().map(|client| client.cookie_header()).collect::<Vec<_>>().join("; ");
    let mut browser = shop.browser();
    browser.headers.insert(header::COOKIE, HeaderValue::try_from(all).expect("cookies are visible ASCII"));
    browser
}

/// One of them may have been planted, and nobody can tell which.
async fn of_two_that_open_none_is_read_and_no_third_begins(shop: Shop) {
    let (mine, planted) = (shop.browser_with_tea().await, shop.browser_with_tea().await);
    let before = shop.gate.calls().len();
    let mut browser = sending_all(&shop, &[&mine, &planted]);
    assert_eq!(ok(browser.get("/cart").await).text(), "");
    assert_eq!(refused(browser.post("/cart/milk").await, "TwoCookies").status, 400);
    assert_eq!(shop.gate.calls().len(), before, "no store call at all");
    assert_eq!(see(&mine, "/cart").await, "tea");
}

async fn of_two_signed_in_ones_none_is_believed(shop: Shop) {
    let (mine, planted) = (shop.signed_in("ada").await, shop.signed_in("mallory").await);
    let browser = sending_all(&shop, &[&mine, &planted]);
    assert_eq!(see(&browser, "/who").await, "");
    assert_eq!(see(&browser, "/cart").await, "");
}

async fn two_seals_of_one_id_are_one(shop: Shop) {
    let old = shop.browser_with_tea().await;
    let clicks = [old.clone(), old].map(|mut click| async move {
        ok(click.post("/sign-in/ada").await);
        click
    });
    let [first, second] = clicks;
    let (first, second) = (first.await, second.await);
    assert_ne!(first.cookies, second.cookies, "sealed anew each time");
    for copies in [[&first, &first], [&first, &second]] {
        let browser = sending_all(&shop, &copies);
        assert_eq!(see(&browser, "/who").await, "ada");
        assert_eq!(see(&browser, "/cart").await, "tea");
    }
}

async fn what_does_not_open_is_no_second_cookie(shop: Shop) {
    let (mine, foreign) = (shop.browser_with_tea().await, Shop::in_memory().browser_with_tea().await);
    let browser = sending_all(&shop, &[&foreign, &mine]);
    assert_eq!(see(&browser, "/cart").await, "tea");
}

/// Signing out is for whoever cannot be sure.
async fn signing_out_ends_all_that_open(shop: Shop) {
    let (mine, planted) = (shop.signed_in("ada").await, shop.signed_in("mallory").await);
    ok(sending_all(&shop, &[&mine, &planted]).post("/sign-out").await);
    assert_eq!(shop.gate.live().await, []);
}

/// The cookie itself says when it ends.
async fn an_expired_cookie_costs_no_store_call(shop: Shop) {
    for (browser, days) in [(shop.browser_with_tea().await, 7), (shop.signed_in("ada").await, 1)] {
        let before = shop.gate.calls().len();
        shop.clock.advance(Duration::from_secs(days * 86_400));
        assert_eq!(see(&browser, "/cart").await, "");
        assert_eq!(see(&browser, "/who").await, "");
        assert_eq!(shop.gate.calls().len(), before);
    }
}

async fn a_cookie_that_has_not_expired_costs_one(shop: Shop) {
    let browser = shop.browser_with_tea().await;
    let before = shop.gate.calls().len();
    assert_eq!(see(&browser, "/cart").await, "tea");
    assert_eq!((shop.gate.calls().len(), shop.gate.count(Op::Load)), (before + 1, 1));
}

on_each_store! {
    of_two_that_open_none_is_read_and_no_third_begins,
    of_two_signed_in_ones_none_is_believed,
    two_seals_of_one_id_are_one,
    what_does_not_open_is_no_second_cookie,
    signing_out_ends_all_that_open,
    an_expired_cookie_costs_no_store_call,
    a_cookie_that_has_not_expired_costs_one,
}
