//! What the next user of a browser finds of the one before: nothing. Protocol 10.

use super::gate::{Delayed, Op, Step};
use super::shop::{Shop, in_the_background, ok, on_each_store, refused, see};
use axum::http::Method;
use std::sync::atomic::{AtomicU32, Ordering};

async fn another_user_inherits_nothing(shop: Shop) {
    let mut browser = shop.signed_in("ada").await;
    ok(browser.post("/address/Elm+Street").await);
    ok(browser.post("/sign-in/bob").await);
    assert_eq!(see(&browser, "/who").await, "bob");
    assert_eq!(see(&browser, "/cart").await, "");
    assert_eq!(see(&browser, "/address").await, "");
}

/// Her session does not go on without her browser.
async fn signing_in_over_another_users_session_ends_it(shop: Shop) {
    let adas = shop.signed_in("ada").await;
    let mut browser = adas.clone();
    ok(browser.post("/sign-in/bob").await);
    assert_eq!(see(&adas, "/who").await, "");
    refused(adas.ask(Method::POST, "/cart/milk").await, "Ended");
    assert_eq!(see(&browser, "/cart").await, "");
    assert_eq!(shop.gate.live().await.len(), 1);
}

/// Where hers cannot be ended, his does not begin.
async fn another_users_session_that_cannot_be_ended_keeps_the_next_out(shop: Shop) {
    let mut browser = shop.signed_in("ada").await;
    // All tries of ending hers; what was made for him is then tidied away.
    let ends = AtomicU32::new(0);
    let refuse =
        move |op| if op == Op::Depart && ends.fetch_add(1, Ordering::SeqCst) < 3 { Step::Refuse } else { Step::Pass };
    shop.gate.rule(refuse);
    refused(browser.post("/sign-in/bob").await, "Unavailable");
    shop.gate.no_rule();
    assert_eq!(see(&browser, "/who").await, "ada");
    assert_eq!(shop.gate.live().await.len(), 1);
}

async fn after_a_sign_out_the_next_user_finds_nothing(shop: Shop) {
    let mut browser = shop.signed_in("ada").await;
    ok(browser.post("/sign-out").await);
    assert_eq!(see(&browser, "/cart").await, "");
    ok(browser.post("/cart/milk").await);
    ok(browser.post("/sign-in/bob").await);
    assert_eq!(see(&browser, "/who").await, "bob");
    assert_eq!(see(&browser, "/cart").await, "milk", "his own");
}

/// An update of Ada's that was long on its way touches nothing of Bob's.
async fn a_late_update_of_the_user_before_is_not_seen(shop: Shop) {
    let (adas, late) = (shop.signed_in("ada").await, Delayed::default());
    let mut browser = adas.clone();
    shop.gate.plan(Op::Commit, [Step::Delay(late.clone())]);
    ok(adas.ask(Method::POST, "/cart/milk").await);
    ok(browser.post("/sign-out").await);
    ok(browser.post("/sign-in/bob").await);
    late.arrive().await;
    assert_eq!(see(&browser, "/cart").await, "");
    assert_eq!(see(&adas, "/cart").await, "");
}

/// Whoever planted an anonymous session in the browser planted its content too.
async fn what_its_type_drops_is_left_behind_at_sign_in(shop: Shop) {
    let mut browser = shop.browser_with_tea().await;
    ok(browser.post("/address/Elm+Street").await);
    ok(browser.post("/sign-in/ada").await);
    assert_eq!(see(&browser, "/cart").await, "tea");
    assert_eq!(see(&browser, "/address").await, "");
}

async fn what_is_dropped_stays_behind_when_it_is_copied_again(shop: Shop) {
    let mut browser = shop.browser_with_tea().await;
    shop.gate.plan(Op::End, [Step::before(super::shop::elsewhere(&browser, "/address/Elm+Street"))]);
    ok(browser.post("/sign-in/ada").await);
    assert_eq!(see(&browser, "/cart").await, "tea");
    assert_eq!(see(&browser, "/address").await, "");
}

/// It is the user's own: nobody else can have planted it.
async fn what_its_type_drops_stays_when_the_same_user_signs_in_again(shop: Shop) {
    let mut browser = shop.signed_in("ada").await;
    ok(browser.post("/address/Elm+Street").await);
    for path in ["/sign-in/ada", "/reauthenticate"] {
        ok(browser.post(path).await);
        assert_eq!(see(&browser, "/address").await, "Elm+Street");
        assert_eq!(see(&browser, "/cart").await, "tea");
    }
}

/// Of two who sign in with one cookie, one gets the cart and the other nothing: nobody follows another user.
async fn of_two_users_with_one_cookie_one_gets_the_cart(shop: Shop) {
    let browser = shop.browser_with_tea().await;
    let (sign_in, bob) = in_the_background(&browser, "/sign-in/bob");
    shop.gate.plan(Op::End, [Step::before(sign_in)]);
    let ada = ok(browser.ask(Method::POST, "/sign-in/ada").await);
    let bob = bob.await.expect("Bob was answered");
    for (answer, user, cart) in [(ada, "ada", ""), (bob, "bob", "tea")] {
        let mut browser = browser.clone();
        browser.take(&answer);
        assert_eq!(see(&browser, "/who").await, user);
        assert_eq!(see(&browser, "/cart").await, cart);
    }
}

/// The same over a session of one of them: it ends, whoever comes first, and neither finds anything of the other.
async fn of_two_users_over_adas_session_neither_gets_anything(shop: Shop) {
    let browser = shop.signed_in("ada").await;
    let (sign_in, bob) = in_the_background(&browser, "/sign-in/bob");
    shop.gate.plan(Op::Admit, [Step::before(sign_in)]);
    let ada = ok(browser.ask(Method::POST, "/sign-in/ada").await);
    let bob = bob.await.expect("Bob was answered");
    for (answer, user) in [(ada, "ada"), (bob, "bob")] {
        let mut browser = browser.clone();
        browser.take(&answer);
        assert_eq!(see(&browser, "/who").await, user);
        assert_eq!(see(&browser, "/cart").await, "");
    }
    assert_eq!(shop.gate.live().await.len(), 2);
}

/// Hers has moved on by the time that it is ended for him: it is found where it is.
async fn another_user_signs_in_while_she_proves_hers_again_and_it_ends(shop: Shop) {
    for path in ["/reauthenticate", "/sign-in/ada"] {
        let (adas, mut browser) = (shop.signed_in("ada").await, shop.browser());
        let (again, answer) = in_the_background(&adas, path);
        shop.gate.plan(Op::Depart, [Step::before(again)]);
        browser.cookies.clone_from(&adas.cookies);
        ok(browser.post("/sign-in/bob").await);
        let mut adas = adas;
        adas.take(&answer.await.expect("she was answered"));
        assert_eq!(see(&adas, "/who").await, "");
        assert_eq!(see(&browser, "/who").await, "bob");
        assert_eq!(see(&browser, "/cart").await, "");
        assert_eq!(shop.gate.live().await.len(), 1);
        ok(browser.post("/sign-out").await);
    }
}

async fn another_user_with_a_cookie_that_has_moved_gets_nothing(shop: Shop) {
    let old = shop.browser_with_tea().await;
    let mut adas = old.clone();
    ok(adas.post("/sign-in/ada").await);
    let mut bobs = old;
    ok(bobs.post("/sign-in/bob").await);
    assert_eq!(see(&bobs, "/who").await, "bob");
    assert_eq!(see(&bobs, "/cart").await, "");
    assert_eq!(see(&adas, "/cart").await, "tea");
}

on_each_store! {
    another_user_inherits_nothing,
    signing_in_over_another_users_session_ends_it,
    another_users_session_that_cannot_be_ended_keeps_the_next_out,
    after_a_sign_out_the_next_user_finds_nothing,
    a_late_update_of_the_user_before_is_not_seen,
    what_its_type_drops_is_left_behind_at_sign_in,
    what_is_dropped_stays_behind_when_it_is_copied_again,
    what_its_type_drops_stays_when_the_same_user_signs_in_again,
    of_two_users_with_one_cookie_one_gets_the_cart,
    of_two_users_over_adas_session_neither_gets_anything,
    another_user_signs_in_while_she_proves_hers_again_and_it_ends,
    another_user_with_a_cookie_that_has_moved_gets_nothing,
}
