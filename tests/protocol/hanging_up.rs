//! Clients that hang up and processes that are killed halfway through a change of id. Protocol 1.
//!
//! Servers drop a request's future when its client has gone. What was begun goes on to its end, and trying again finds it.

use super::gate::{Hold, Op, Step};
use super::shop::{Shop, in_the_background, ok, on_each_store, see, until};
use super::sign_in::is_adas_with_tea;
use axum::http::Method;
use testbed::Client;

/// Sends a request, drops it when it waits at `hold`, and lets what goes on without it come to its end.
async fn hang_up_at(shop: &Shop, hold: &Hold, browser: &Client, path: &str) {
    tokio::select! {
        answer = browser.ask(Method::POST, path) => panic!("answered with {}", answer.status),
        () = hold.reached() => {}
    }
    hold.release();
    until("what was begun has ended", || shop.gate.is_idle()).await;
}

/// Hangs up in mid-sign-in, then tries again with the same cookie.
async fn hung_up_the_sign_in_is_found(shop: &Shop, op: Op, at: fn(&Hold) -> Step) {
    let (mut browser, hold) = (shop.browser_with_tea().await, Hold::default());
    shop.gate.plan(op, [at(&hold)]);
    hang_up_at(shop, &hold, &browser, "/sign-in/ada").await;
    ok(browser.post("/sign-in/ada").await);
    is_adas_with_tea(shop, &browser).await;
}

fn before(hold: &Hold) -> Step {
    Step::before(hold.point())
}

fn after(hold: &Hold) -> Step {
    Step::after(hold.point())
}

async fn hung_up_while_the_old_session_is_read(shop: Shop) {
    hung_up_the_sign_in_is_found(&shop, Op::Load, before).await;
}

async fn hung_up_before_the_new_session_is_made(shop: Shop) {
    hung_up_the_sign_in_is_found(&shop, Op::Admit, before).await;
}

async fn hung_up_when_the_new_session_is_made(shop: Shop) {
    hung_up_the_sign_in_is_found(&shop, Op::Admit, after).await;
}

async fn hung_up_before_the_old_session_ends(shop: Shop) {
    hung_up_the_sign_in_is_found(&shop, Op::End, before).await;
}

async fn hung_up_when_the_old_session_has_ended(shop: Shop) {
    hung_up_the_sign_in_is_found(&shop, Op::End, after).await;
}

/// The browser drops the first response when the button is clicked again.
async fn the_first_of_two_clicks_hung_up_does_not_end_what_the_second_found(shop: Shop) {
    let (mut browser, hold) = (shop.browser_with_tea().await, Hold::default());
    let (click, second) = in_the_background(&browser, "/sign-in/ada");
    let click_and_wait = {
        let waits = hold.point();
        async move {
            click.await;
            waits.await;
        }
    };
    shop.gate.plan(Op::End, [Step::after(click_and_wait)]);
    hang_up_at(&shop, &hold, &browser, "/sign-in/ada").await;
    browser.take(&second.await.expect("the second was answered"));
    is_adas_with_tea(&shop, &browser).await;
}

async fn the_second_of_two_clicks_hung_up_does_not_end_what_the_first_made(shop: Shop) {
    let (browser, hold) = (shop.browser_with_tea().await, Hold::default());
    let first = ok(browser.ask(Method::POST, "/sign-in/ada").await);
    // It reads the old session, then the one that it moved to.
    shop.gate.plan(Op::Load, [Step::Pass, before(&hold)]);
    hang_up_at(&shop, &hold, &browser, "/sign-in/ada").await;
    let mut browser = browser.clone();
    browser.take(&first);
    is_adas_with_tea(&shop, &browser).await;
}

async fn hung_up_during_reauthentication_the_cart_is_found_at_the_next_sign_in(shop: Shop) {
    let mut browser = shop.signed_in("ada").await;
    for path in ["/reauthenticate", "/sign-in/ada"] {
        for at in [before, after] {
            let hold = Hold::default();
            shop.gate.plan(Op::Admit, [at(&hold)]);
            hang_up_at(&shop, &hold, &browser, path).await;
            ok(browser.post("/sign-in/ada").await);
            is_adas_with_tea(&shop, &browser).await;
        }
    }
}

async fn hung_up_a_sign_out_is_carried_out(shop: Shop) {
    for (browser, op) in [(shop.browser_with_tea().await, Op::End), (shop.signed_in("ada").await, Op::Depart)] {
        let hold = Hold::default();
        shop.gate.plan(op, [before(&hold)]);
        hang_up_at(&shop, &hold, &browser, "/sign-out").await;
        assert_eq!(see(&browser, "/who").await, "");
        assert_eq!(see(&browser, "/cart").await, "");
    }
    assert_eq!(shop.gate.live().await, []);
}

/// Hers has ended, as he asked; and nobody will ever come back with the id of his.
async fn hung_up_signing_in_over_another_user_leaves_neither(shop: Shop) {
    for (op, at) in
        [(Op::Admit, before as fn(&Hold) -> Step), (Op::Admit, after), (Op::Depart, before), (Op::Depart, after)]
    {
        let (browser, hold) = (shop.signed_in("ada").await, Hold::default());
        shop.gate.plan(op, [at(&hold)]);
        hang_up_at(&shop, &hold, &browser, "/sign-in/bob").await;
        assert_eq!(see(&browser, "/who").await, "");
        assert_eq!(shop.gate.live().await, []);
    }
}

/// Nobody will ever come back with its id.
async fn hung_up_a_first_write_leaves_nothing(shop: Shop) {
    for at in [before, after] {
        let (browser, hold) = (shop.browser(), Hold::default());
        shop.gate.plan(Op::Create, [at(&hold)]);
        hang_up_at(&shop, &hold, &browser, "/cart/tea").await;
        assert_eq!(shop.gate.live().await, []);
    }
}

/// The process dies with the call at `hold`: it never goes on. Another one has the same store.
async fn killed_the_cart_is_found(shop: &Shop, mut browser: Client, op: Op, at: fn(&Hold) -> Step) {
    let hold = Hold::default();
    shop.gate.plan(op, [at(&hold)]);
    let dying = tokio::spawn({
        let browser = browser.clone();
        async move { browser.ask(Method::POST, "/sign-in/ada").await.status }
    });
    hold.reached().await;
    browser = browser.at(shop.server());
    ok(browser.post("/sign-in/ada").await);
    assert_eq!(see(&browser, "/who").await, "ada");
    assert_eq!(see(&browser, "/cart").await, "tea");
    dying.abort();
}

async fn killed_before_the_new_session_is_made(shop: Shop) {
    killed_the_cart_is_found(&shop, shop.browser_with_tea().await, Op::Admit, before).await;
}

async fn killed_when_the_new_session_is_made(shop: Shop) {
    killed_the_cart_is_found(&shop, shop.browser_with_tea().await, Op::Admit, after).await;
}

async fn killed_before_the_old_session_ends(shop: Shop) {
    killed_the_cart_is_found(&shop, shop.browser_with_tea().await, Op::End, before).await;
}

async fn killed_when_the_old_session_has_ended(shop: Shop) {
    killed_the_cart_is_found(&shop, shop.browser_with_tea().await, Op::End, after).await;
}

async fn killed_while_one_takes_the_place_of_another_of_the_same_user(shop: Shop) {
    for at in [before, after] {
        killed_the_cart_is_found(&shop, shop.signed_in("ada").await, Op::Admit, at).await;
    }
}

on_each_store! {
    hung_up_while_the_old_session_is_read,
    hung_up_before_the_new_session_is_made,
    hung_up_when_the_new_session_is_made,
    hung_up_before_the_old_session_ends,
    hung_up_when_the_old_session_has_ended,
    the_first_of_two_clicks_hung_up_does_not_end_what_the_second_found,
    the_second_of_two_clicks_hung_up_does_not_end_what_the_first_made,
    hung_up_during_reauthentication_the_cart_is_found_at_the_next_sign_in,
    hung_up_a_sign_out_is_carried_out,
    hung_up_signing_in_over_another_user_leaves_neither,
    hung_up_a_first_write_leaves_nothing,
    killed_before_the_new_session_is_made,
    killed_when_the_new_session_is_made,
    killed_before_the_old_session_ends,
    killed_when_the_old_session_has_ended,
    killed_while_one_takes_the_place_of_another_of_the_same_user,
}
