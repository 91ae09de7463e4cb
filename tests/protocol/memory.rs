//! A store in memory that is full. Protocol 25.

use super::shop::{Shop, ok, refused, see};
use std::time::Duration;
use thin_session::store::Marker;

#[tokio::test]
async fn a_full_store_begins_nothing_and_loses_nothing() {
    let shop = Shop::in_memory_of(1);
    let mut browser = shop.browser_with_tea().await;
    refused(shop.browser().post("/cart/milk").await, "Unavailable");
    ok(browser.post("/cart/honey").await);
    assert_eq!(see(&browser, "/cart").await, "tea honey");
}

#[tokio::test]
async fn a_sign_in_that_finds_no_room_changes_nothing() {
    let shop = Shop::in_memory_of(1);
    let mut browser = shop.browser_with_tea().await;
    refused(browser.post("/sign-in/ada").await, "Unavailable");
    assert_eq!(see(&browser, "/who").await, "");
    assert_eq!(see(&browser, "/cart").await, "tea");
}

/// The one that gives way leaves a marker, which takes its room.
#[tokio::test]
async fn a_session_that_is_to_take_the_place_of_another_finds_no_room_and_changes_nothing() {
    let shop = Shop::in_memory_of(2);
    let mut browser = shop.signed_in("ada").await;
    for path in ["/reauthenticate", "/sign-in/ada", "/sign-in/bob"] {
        refused(browser.post(path).await, "Unavailable");
        assert_eq!(see(&browser, "/who").await, "ada");
        assert_eq!(see(&browser, "/cart").await, "tea");
    }
}

#[tokio::test]
async fn a_full_store_refuses_no_ending() {
    let shop = Shop::in_memory_of(2);
    let mut browser = shop.signed_in("ada").await;
    refused(shop.browser().post("/cart/milk").await, "Unavailable");
    ok(browser.post("/sign-out").await);
    assert_eq!(shop.gate.live().await, []);

    let shop = Shop::in_memory_of(4);
    let devices = [shop.signed_in("ada").await, shop.signed_in("ada").await];
    refused(shop.browser().post("/cart/milk").await, "Unavailable");
    shop.ending_all_of_adas().await;
    assert_eq!(see(&devices[0], "/who").await, "");
    assert_eq!(shop.gate.live().await, []);
}

/// Swept or not.
#[tokio::test]
async fn what_has_expired_takes_no_room() {
    let shop = Shop::in_memory_of(1);
    let browser = shop.browser_with_tea().await;
    let day = Duration::from_secs(86_400);
    shop.clock.advance(day - Duration::from_secs(1));
    refused(shop.browser().post("/cart/milk").await, "Unavailable");
    shop.clock.advance(Duration::from_secs(1));
    let next = shop.browser_with_tea().await;
    assert_eq!(see(&next, "/cart").await, "tea");
    assert_eq!(see(&browser, "/cart").await, "");
}

#[tokio::test]
async fn a_marker_takes_its_sessions_room_for_two_minutes() {
    let shop = Shop::in_memory_of(1);
    let mut browser = shop.browser_with_tea().await;
    ok(browser.post("/sign-out").await);
    refused(browser.post("/cart/milk").await, "Unavailable");
    shop.clock.advance(Marker::KEPT);
    ok(browser.post("/cart/milk").await);
}
