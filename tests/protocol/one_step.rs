//! A session that takes the place of another of the same user does so in one step of the store. Protocol 1.
//!
//! What is left to force: what comes before the step, what comes after it, and that nobody hears of it.

use super::gate::{Delayed, Op, Step, Work};
use super::shop::{PATIENCE, Shop, elsewhere, in_the_background, ok, on_each_store, refused, routes, see};
use super::sign_in::is_adas_with_tea;
use axum::http::Method;
use axum::routing::post;
use std::sync::Arc;
use std::time::Duration;
use thin_session::store::Marker;
use thin_session::{SessionError, Sessions, SignedIn};

/// What puts a new session of Ada's in the place of the one that she has.
const AGAIN: [&str; 2] = ["/reauthenticate", "/sign-in/ada"];

async fn it_is_one_write_and_one_session_lives_before_it_and_after(shop: Shop) {
    let mut browser = shop.signed_in("ada").await;
    let at: [fn(Work) -> Step; 2] = [Step::Before, Step::After];
    for (path, at) in AGAIN.into_iter().flat_map(|path| at.map(|at| (path, at))) {
        let (gate, before) = (Arc::clone(&shop.gate), shop.gate.calls().len());
        let look = async move { assert_eq!(gate.live().await.len(), 1) };
        shop.gate.plan(Op::Admit, [at(Box::pin(look))]);
        ok(browser.post(path).await);
        let asked: Vec<_> = shop.gate.calls().drain(before..).map(|call| call.op).collect();
        assert_eq!(asked, [Op::Load, Op::Admit]);
        is_adas_with_tea(&shop, &browser).await;
    }
}

async fn a_lost_reply_or_request_moves_it_once(shop: Shop) {
    let mut browser = shop.signed_in("ada").await;
    for path in AGAIN {
        for lost in [Step::LoseReply, Step::LoseRequest] {
            shop.gate.plan(Op::Admit, [lost, Step::LoseReply, Step::LoseRequest]);
            ok(browser.post(path).await);
            is_adas_with_tea(&shop, &browser).await;
        }
    }
}

/// Not even the last transmission was answered: it fails, and the next sign-in finds where the cart is.
async fn one_that_is_never_answered_loses_no_cart(shop: Shop) {
    let mut browser = shop.signed_in("ada").await;
    for path in AGAIN {
        for arrives in [true, false] {
            let lost = move || if arrives { Step::LoseReply } else { Step::LoseRequest };
            shop.gate.rule(move |op| if op == Op::Admit { lost() } else { Step::Pass });
            refused(browser.at(shop.hasty_server()).post(path).await, "Unknown");
            shop.gate.no_rule();
            assert_eq!(see(&browser, "/cart").await, if arrives { "" } else { "tea" });
            ok(browser.post("/sign-in/ada").await);
            is_adas_with_tea(&shop, &browser).await;
        }
    }
}

/// Another click was led to where it went, and has moved it on by the time that it is sent again.
async fn sent_again_after_it_has_moved_on_it_follows(shop: Shop) {
    for path in AGAIN {
        let mut browser = shop.signed_in("ada").await;
        let mut another = browser.clone();
        let moves_on = Step::before(async move {
            ok(another.post("/sign-in/ada").await);
            ok(another.post("/reauthenticate").await);
        });
        shop.gate.plan(Op::Admit, [Step::LoseReply, moves_on]);
        ok(browser.post(path).await);
        is_adas_with_tea(&shop, &browser).await;
        ok(browser.post("/sign-out").await);
    }
}

async fn one_that_is_refused_changes_nothing(shop: Shop) {
    let mut browser = shop.signed_in("ada").await;
    for path in AGAIN {
        shop.gate.plan(Op::Admit, [Step::Refuse, Step::Refuse, Step::Refuse]);
        refused(browser.post(path).await, "Unavailable");
        is_adas_with_tea(&shop, &browser).await;
    }
}

async fn one_that_arrives_after_its_resend_moves_nothing(shop: Shop) {
    let mut browser = shop.signed_in("ada").await;
    for path in AGAIN {
        let late = Delayed::default();
        shop.gate.plan(Op::Admit, [Step::Delay(late.clone())]);
        ok(browser.post(path).await);
        late.arrive().await;
        is_adas_with_tea(&shop, &browser).await;
    }
}

async fn one_that_arrives_after_another_copy_does_not_undo_it(shop: Shop) {
    for path in AGAIN {
        let (mut browser, late) = (shop.signed_in("ada").await, Delayed::default());
        let changed = Step::before(elsewhere(&browser, "/cart/milk"));
        shop.gate.plan(Op::Admit, [Step::Delay(late.clone()), changed]);
        ok(browser.post(path).await);
        late.arrive().await;
        assert_eq!(see(&browser, "/who").await, "ada");
        assert_eq!(see(&browser, "/cart").await, "tea milk");
        ok(browser.post("/sign-out").await);
        assert_eq!(shop.gate.live().await, []);
    }
}

/// What it would make is marked as ended; and without the one that was to give way there is nothing to take its place.
async fn one_that_arrives_after_sign_out_revives_nothing(shop: Shop) {
    for path in AGAIN {
        let (mut browser, late) = (shop.signed_in("ada").await, Delayed::default());
        shop.gate.plan(Op::Admit, [Step::Delay(late.clone())]);
        ok(browser.post(path).await);
        ok(browser.post("/sign-out").await);
        late.arrive().await;
        assert_eq!(shop.gate.live().await, []);
    }
}

#[tokio::test]
async fn one_that_arrives_when_even_the_markers_have_gone_revives_nothing() {
    for path in AGAIN {
        let shop = Shop::in_memory();
        let (mut browser, late) = (shop.signed_in("ada").await, Delayed::default());
        shop.gate.plan(Op::Admit, [Step::Delay(late.clone())]);
        ok(browser.post(path).await);
        ok(browser.post("/sign-out").await);
        shop.clock.advance(Marker::KEPT + Duration::from_secs(1));
        late.arrive().await;
        assert_eq!(shop.gate.live().await, []);
    }
}

async fn what_is_added_before_the_step_is_in_the_new_session(shop: Shop) {
    for path in AGAIN {
        let mut browser = shop.signed_in("ada").await;
        let add = |path| Step::before(elsewhere(&browser, path));
        shop.gate.plan(Op::Admit, [add("/cart/milk"), add("/cart/honey"), add("/cart/bread")]);
        ok(browser.post(path).await);
        assert_eq!(see(&browser, "/cart").await, "tea milk honey bread");
        assert_eq!(shop.gate.live().await.len(), 1);
        ok(browser.post("/sign-out").await);
    }
}

async fn what_is_added_after_the_step_is_refused_and_begins_nothing(shop: Shop) {
    for path in AGAIN {
        let old = shop.signed_in("ada").await;
        let (again, answer) = in_the_background(&old, path);
        shop.gate.plan(Op::Commit, [Step::before(again)]);
        refused(old.ask(Method::POST, "/cart/milk").await, "Ended");
        let mut browser = old.clone();
        browser.take(&answer.await.expect("it was answered"));
        is_adas_with_tea(&shop, &browser).await;
        ok(browser.post("/sign-out").await);
    }
}

/// Only a sign-in begins anew.
async fn signed_out_before_the_step_nothing_lives_on(shop: Shop) {
    let mut browser = shop.signed_in("ada").await;
    shop.gate.plan(Op::Admit, [Step::before(elsewhere(&browser, "/sign-out"))]);
    refused(browser.post("/reauthenticate").await, "Ended");
    assert_eq!(shop.gate.live().await, []);

    let mut browser = shop.signed_in("ada").await;
    shop.gate.plan(Op::Admit, [Step::before(elsewhere(&browser, "/sign-out"))]);
    ok(browser.post("/sign-in/ada").await);
    assert_eq!(see(&browser, "/who").await, "ada");
    assert_eq!(see(&browser, "/cart").await, "");
    assert_eq!(shop.gate.live().await.len(), 1);
}

async fn signed_out_after_the_step_the_new_session_has_ended_too(shop: Shop) {
    for path in AGAIN {
        let mut browser = shop.signed_in("ada").await;
        shop.gate.plan(Op::Admit, [Step::after(elsewhere(&browser, "/sign-out"))]);
        ok(browser.post(path).await);
        assert_eq!(see(&browser, "/who").await, "");
        assert_eq!(see(&browser, "/cart").await, "");
        assert_eq!(shop.gate.live().await, []);
    }
}

/// Applied or not, what all sessions of hers were ended with stays so when it is sent again.
async fn sent_again_after_the_end_of_all_it_stays_ended(shop: Shop) {
    for path in AGAIN {
        for lost in [Step::LoseReply, Step::LoseRequest] {
            let mut browser = shop.signed_in("ada").await;
            shop.gate.plan(Op::Admit, [lost, Step::before(shop.ending_all_of_adas())]);
            refused(browser.post(path).await, "Ended");
            assert_eq!(see(&browser, "/who").await, "");
            assert_eq!(shop.gate.live().await, []);
            shop.let_time_pass().await;
        }
    }
}

async fn sent_again_after_its_end_it_stays_ended(shop: Shop) {
    for path in AGAIN {
        let mut browser = shop.signed_in("ada").await;
        shop.gate.plan(Op::Admit, [Step::LoseReply, Step::before(shop.ending_each_of_adas())]);
        refused(browser.post(path).await, "Ended");
        assert_eq!(shop.gate.live().await, []);
    }
}

/// The others have been ended, and then the one that asks: to say that none was would be wrong.
async fn ending_all_others_whose_reply_is_lost_is_unknown_once_the_one_that_asks_has_ended(shop: Shop) {
    let end_others = async |who: SignedIn, sessions: Sessions| -> Result<String, SessionError> {
        Ok(sessions.end_others(&who).await?.to_string())
    };
    let server = shop.layered(routes().route("/end-others", post(end_others)), PATIENCE);
    for (lost, answer) in [(Step::LoseReply, "Unknown"), (Step::Refuse, "Ended")] {
        let browser = shop.signed_in("ada").await.at(server.clone());
        let _other = shop.signed_in("ada").await;
        shop.gate.plan(Op::EndAll, [lost, Step::before(elsewhere(&browser, "/sign-out"))]);
        refused(browser.ask(Method::POST, "/end-others").await, answer);
        shop.let_time_pass().await;
    }
}

/// A double click whose first response the browser has thrown away, or takes in first, or last.
async fn two_clicks_one_after_the_other_are_one_sign_in(shop: Shop) {
    let browser = shop.signed_in("ada").await;
    let first = ok(browser.ask(Method::POST, "/sign-in/ada").await);
    let second = ok(browser.ask(Method::POST, "/sign-in/ada").await);
    for order in [&[&first][..], &[&second], &[&first, &second], &[&second, &first]] {
        let mut browser = browser.clone();
        order.iter().for_each(|answer| browser.take(answer));
        is_adas_with_tea(&shop, &browser).await;
    }
}

async fn three_clicks_at_once_are_one_sign_in(shop: Shop) {
    for path in AGAIN {
        let browser = shop.signed_in("ada").await;
        let (click, second) = in_the_background(&browser, "/sign-in/ada");
        let (another, third) = in_the_background(&browser, path);
        // The second meets the third.
        shop.gate.plan(Op::Admit, [Step::before(click), Step::before(another)]);
        let answers = [
            ok(browser.ask(Method::POST, "/sign-in/ada").await),
            second.await.expect("the second was answered"),
            third.await.expect("the third was answered"),
        ];
        for answer in &answers {
            let mut browser = browser.clone();
            browser.take(answer);
            is_adas_with_tea(&shop, &browser).await;
        }
        ok(browser.ask(Method::POST, "/sign-out").await);
    }
}

on_each_store! {
    it_is_one_write_and_one_session_lives_before_it_and_after,
    a_lost_reply_or_request_moves_it_once,
    one_that_is_never_answered_loses_no_cart,
    sent_again_after_it_has_moved_on_it_follows,
    one_that_is_refused_changes_nothing,
    one_that_arrives_after_its_resend_moves_nothing,
    one_that_arrives_after_another_copy_does_not_undo_it,
    one_that_arrives_after_sign_out_revives_nothing,
    what_is_added_before_the_step_is_in_the_new_session,
    what_is_added_after_the_step_is_refused_and_begins_nothing,
    signed_out_before_the_step_nothing_lives_on,
    signed_out_after_the_step_the_new_session_has_ended_too,
    sent_again_after_the_end_of_all_it_stays_ended,
    ending_all_others_whose_reply_is_lost_is_unknown_once_the_one_that_asks_has_ended,
    sent_again_after_its_end_it_stays_ended,
    two_clicks_one_after_the_other_are_one_sign_in,
    three_clicks_at_once_are_one_sign_in,
}
