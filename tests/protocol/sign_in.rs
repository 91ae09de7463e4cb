//! Signing in moves an anonymous session: what others do to the old one and the new one meanwhile. Protocol 1.

use super::gate::{Delayed, Op, Step};
use super::shop::{PATIENCE, Shop, elsewhere, in_the_background, ok, on_each_store, refused, see};
use axum::http::Method;
use testbed::Client;
use thin_session::store::Marker;
use tokio::time::timeout;

/// What has ended stays ended: its content does not live on under another id.
async fn signed_out_after_the_copy_the_new_session_holds_nothing(shop: Shop) {
    let mut browser = shop.browser_with_tea().await;
    shop.gate.plan(Op::End, [Step::before(elsewhere(&browser, "/sign-out"))]);
    ok(browser.post("/sign-in/ada").await);
    assert_eq!(see(&browser, "/who").await, "ada");
    assert_eq!(see(&browser, "/cart").await, "");
}

/// The second copy is what is emptied then.
async fn signed_out_after_the_second_copy_the_new_session_holds_nothing(shop: Shop) {
    let mut browser = shop.browser_with_tea().await;
    let meanwhile = ["/cart/milk", "/sign-out"].map(|path| Step::before(elsewhere(&browser, path)));
    shop.gate.plan(Op::End, meanwhile);
    ok(browser.post("/sign-in/ada").await);
    assert_eq!(see(&browser, "/who").await, "ada");
    assert_eq!(see(&browser, "/cart").await, "");
    assert_eq!(shop.gate.live().await.len(), 1);
}

/// What cannot be emptied does not stay behind with what has ended.
async fn signed_out_after_the_copy_what_cannot_be_emptied_is_ended(shop: Shop) {
    let browser = shop.browser_with_tea().await;
    shop.gate.plan(Op::End, [Step::before(elsewhere(&browser, "/sign-out"))]);
    shop.gate.plan(Op::Commit, [Step::Refuse, Step::Refuse, Step::Refuse]);
    refused(browser.ask(Method::POST, "/sign-in/ada").await, "Unavailable");
    assert_eq!(shop.gate.live().await, []);
}

async fn signed_out_before_the_copy_nothing_is_carried(shop: Shop) {
    let mut browser = shop.browser_with_tea().await;
    shop.gate.plan(Op::Admit, [Step::before(elsewhere(&browser, "/sign-out"))]);
    ok(browser.post("/sign-in/ada").await);
    assert_eq!(see(&browser, "/cart").await, "");
}

async fn signed_out_after_the_move_the_new_session_has_ended_too(shop: Shop) {
    let mut browser = shop.browser_with_tea().await;
    shop.gate.plan(Op::End, [Step::after(elsewhere(&browser, "/sign-out"))]);
    ok(browser.post("/sign-in/ada").await);
    assert_eq!(see(&browser, "/who").await, "");
    assert_eq!(see(&browser, "/cart").await, "");
    assert_eq!(shop.gate.live().await, []);
}

async fn signing_out_with_the_old_cookie_ends_the_new_session(shop: Shop) {
    let old = shop.browser_with_tea().await;
    let mut browser = old.clone();
    ok(browser.post("/sign-in/ada").await);
    ok(old.ask(Method::POST, "/sign-out").await);
    assert_eq!(see(&browser, "/who").await, "");
    assert_eq!(shop.gate.live().await, []);
}

/// However often it has moved since: signing out says "done" only when nothing lives.
async fn signing_out_with_a_cookie_many_moves_old_does_not_claim_what_it_did_not_do(shop: Shop) {
    let old = shop.browser_with_tea().await;
    let mut browser = old.clone();
    ok(browser.post("/sign-in/ada").await);
    for _ in 0..8 {
        ok(browser.post("/reauthenticate").await);
    }
    let answer = old.ask(Method::POST, "/sign-out").await;
    let live = shop.gate.live().await;
    assert!(answer.status != 200 || live.is_empty(), "answered {}, {} live", answer.status, live.len());
}

/// No marker leads from the old cookie to the new session any more, and the first try has told everybody already.
async fn what_a_sign_out_with_an_old_cookie_was_refused_to_end_ends_when_it_is_tried_again(shop: Shop) {
    let old = shop.signed_in("ada").await;
    let mut browser = old.clone();
    ok(browser.post("/reauthenticate").await);
    shop.idle_out(Marker::KEPT);
    shop.gate.rule(|op| if op == Op::Members { Step::Refuse } else { Step::Pass });
    refused(old.ask(Method::POST, "/sign-out").await, "Unavailable");
    shop.gate.no_rule();
    let everybody_knows = async { while see(&browser, "/who").await == "ada" {} };
    timeout(PATIENCE, everybody_knows).await.expect("the first try told it");
    ok(old.ask(Method::POST, "/sign-out").await);
    assert_eq!(shop.gate.live().await, []);
}

async fn a_lost_reply_to_the_ending_leaves_one_of_the_two_alive(shop: Shop) {
    let mut browser = shop.browser_with_tea().await;
    shop.gate.plan(Op::End, [Step::LoseReply]);
    ok(browser.post("/sign-in/ada").await);
    is_adas_with_tea(&shop, &browser).await;
}

async fn a_lost_ending_is_sent_again(shop: Shop) {
    let mut browser = shop.browser_with_tea().await;
    shop.gate.plan(Op::End, [Step::LoseRequest]);
    ok(browser.post("/sign-in/ada").await);
    is_adas_with_tea(&shop, &browser).await;
}

/// Not even the last transmission was answered: the sign-in fails, and trying again finds what it had made.
async fn an_ending_that_is_never_answered_loses_no_cart(shop: Shop) {
    let mut browser = shop.browser_with_tea().await;
    shop.gate.rule(|op| if op == Op::End { Step::LoseReply } else { Step::Pass });
    refused(browser.at(shop.hasty_server()).post("/sign-in/ada").await, "Unknown");
    shop.gate.no_rule();
    ok(browser.post("/sign-in/ada").await);
    is_adas_with_tea(&shop, &browser).await;
}

async fn an_ending_that_arrives_late_does_not_undo_the_second_copy(shop: Shop) {
    let (mut browser, late) = (shop.browser_with_tea().await, Delayed::default());
    shop.gate.plan(Op::End, [Step::Delay(late.clone()), Step::before(elsewhere(&browser, "/cart/milk"))]);
    ok(browser.post("/sign-in/ada").await);
    late.arrive().await;
    assert_eq!(see(&browser, "/who").await, "ada");
    assert_eq!(see(&browser, "/cart").await, "tea milk");
}

/// A double click whose first response the browser has thrown away, or takes in first, or last.
async fn two_clicks_one_after_the_other_are_one_sign_in(shop: Shop) {
    let browser = shop.browser_with_tea().await;
    let first = ok(browser.ask(Method::POST, "/sign-in/ada").await);
    let second = ok(browser.ask(Method::POST, "/sign-in/ada").await);
    for order in [&[&first][..], &[&second], &[&first, &second], &[&second, &first]] {
        let mut browser = browser.clone();
        order.iter().for_each(|answer| browser.take(answer));
        is_adas_with_tea(&shop, &browser).await;
    }
}

async fn two_clicks_at_once_are_one_sign_in(shop: Shop) {
    let browser = shop.browser_with_tea().await;
    let (click, second) = in_the_background(&browser, "/sign-in/ada");
    shop.gate.plan(Op::End, [Step::before(click)]);
    let first = ok(browser.ask(Method::POST, "/sign-in/ada").await);
    let second = second.await.expect("the second was answered");
    for order in [&[&first][..], &[&second], &[&first, &second], &[&second, &first]] {
        let mut browser = browser.clone();
        order.iter().for_each(|answer| browser.take(answer));
        is_adas_with_tea(&shop, &browser).await;
    }
}

async fn three_clicks_at_once_are_one_sign_in(shop: Shop) {
    let browser = shop.browser_with_tea().await;
    let (click, second) = in_the_background(&browser, "/sign-in/ada");
    let (another, third) = in_the_background(&browser, "/sign-in/ada");
    shop.gate.plan(Op::End, [Step::before(click), Step::before(another)]);
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
}

/// The session that the first click led to has moved on by the time of the second.
async fn a_late_click_follows_as_far_as_the_session_has_moved(shop: Shop) {
    let old = shop.browser_with_tea().await;
    let mut browser = old.clone();
    ok(browser.post("/sign-in/ada").await);
    ok(browser.post("/reauthenticate").await);
    browser.take(&ok(old.ask(Method::POST, "/sign-in/ada").await));
    is_adas_with_tea(&shop, &browser).await;
}

async fn what_is_added_between_copy_and_end_is_in_the_new_session(shop: Shop) {
    let mut browser = shop.browser_with_tea().await;
    shop.gate.plan(Op::End, [Step::before(elsewhere(&browser, "/cart/milk"))]);
    ok(browser.post("/sign-in/ada").await);
    assert_eq!(see(&browser, "/cart").await, "tea milk");
    assert_eq!(shop.gate.live().await.len(), 1);
}

async fn what_is_added_again_and_again_is_copied_again_and_again(shop: Shop) {
    let mut browser = shop.browser_with_tea().await;
    let add = |path| Step::before(elsewhere(&browser, path));
    shop.gate.plan(Op::End, [add("/cart/milk"), add("/cart/honey"), add("/cart/bread")]);
    ok(browser.post("/sign-in/ada").await);
    assert_eq!(see(&browser, "/cart").await, "tea milk honey bread");
}

async fn an_update_under_the_old_cookie_is_refused_and_begins_nothing(shop: Shop) {
    let old = shop.browser_with_tea().await;
    let mut browser = old.clone();
    ok(browser.post("/sign-in/ada").await);
    let begun = shop.gate.count(Op::Create);
    let late = refused(old.ask(Method::POST, "/cart/milk").await, "Ended");
    assert_eq!(late.status, 409);
    assert_eq!(shop.gate.count(Op::Create), begun);
    assert_eq!(see(&old, "/cart").await, "", "to reads it is absent");
    is_adas_with_tea(&shop, &browser).await;
}

/// The handler has read the old session, and commits after it has moved.
async fn an_update_under_way_during_the_move_is_refused_and_begins_nothing(shop: Shop) {
    let old = shop.browser_with_tea().await;
    let (click, signed_in) = in_the_background(&old, "/sign-in/ada");
    shop.gate.plan(Op::Commit, [Step::before(click)]);
    refused(old.ask(Method::POST, "/cart/milk").await, "Ended");
    let mut browser = old.clone();
    browser.take(&signed_in.await.expect("the sign-in was answered"));
    is_adas_with_tea(&shop, &browser).await;
}

/// Copying again is a commit, which never creates.
async fn a_new_session_that_ends_while_it_is_copied_again_stays_ended(shop: Shop) {
    let mut browser = shop.browser_with_tea().await;
    let (update, end) = (elsewhere(&browser, "/cart/milk"), shop.ending_each_of_adas());
    let update_and_end = async move {
        update.await;
        end.await;
    };
    shop.gate.plan(Op::End, [Step::before(update_and_end)]);
    refused(browser.post("/sign-in/ada").await, "Ended");
    assert_eq!(see(&browser, "/who").await, "");
    assert_eq!(see(&browser, "/cart").await, "tea milk", "the old one has not moved");
    assert_eq!(shop.gate.live().await.len(), 1);
}

async fn a_new_session_that_ends_before_its_making_is_sent_again_stays_ended(shop: Shop) {
    let mut browser = shop.browser_with_tea().await;
    shop.gate.plan(Op::Admit, [Step::LoseReply, Step::before(shop.ending_each_of_adas())]);
    refused(browser.post("/sign-in/ada").await, "Ended");
    shop.gate.plan(Op::Admit, [Step::LoseReply, Step::before(shop.ending_all_of_adas())]);
    refused(browser.post("/sign-in/ada").await, "Ended");
    assert_eq!(see(&browser, "/cart").await, "tea", "the old one has not moved");
    assert_eq!(shop.gate.live().await.len(), 1);
}

/// Whether its request was lost or not yet sent: whoever knew a password that holds no more does not get in with it.
async fn a_sign_in_that_the_end_of_all_overtakes_is_refused(shop: Shop) {
    let mut browser = shop.browser_with_tea().await;
    for lost in [None, Some(Step::LoseRequest)] {
        let adas = shop.signed_in("ada").await;
        shop.gate.plan(Op::Admit, lost.into_iter().chain([Step::before(shop.ending_all_of_adas())]));
        refused(browser.post("/sign-in/ada").await, "Ended");
        assert_eq!(see(&adas, "/who").await, "");
        assert_eq!(see(&browser, "/cart").await, "tea", "the old one has not moved");
        assert_eq!(shop.gate.live().await.len(), 1);
        shop.let_time_pass().await;
    }
}

/// What was made before it ended with the others, whatever else is still done for it.
async fn ended_with_all_others_before_the_old_one_gives_way_it_stays_ended(shop: Shop) {
    let mut browser = shop.browser_with_tea().await;
    shop.gate.plan(Op::End, [Step::before(shop.ending_all_of_adas())]);
    browser.post("/sign-in/ada").await;
    assert_eq!(see(&browser, "/who").await, "");
    assert_eq!(shop.sessions_of_ada().await, 0);
    assert!(shop.gate.live().await.len() <= 1, "the anonymous one at most");
}

async fn a_making_that_arrives_late_makes_no_other(shop: Shop) {
    let (mut browser, late) = (shop.browser_with_tea().await, Delayed::default());
    shop.gate.plan(Op::Admit, [Step::Delay(late.clone())]);
    ok(browser.post("/sign-in/ada").await);
    late.arrive().await;
    is_adas_with_tea(&shop, &browser).await;
}

async fn a_making_that_arrives_after_sign_out_revives_nothing(shop: Shop) {
    let (mut browser, late) = (shop.browser_with_tea().await, Delayed::default());
    shop.gate.plan(Op::Admit, [Step::Delay(late.clone())]);
    ok(browser.post("/sign-in/ada").await);
    ok(browser.post("/sign-out").await);
    late.arrive().await;
    assert_eq!(shop.gate.live().await, []);
}

async fn a_lost_reply_to_the_making_makes_one_session(shop: Shop) {
    for lost in [Step::LoseReply, Step::LoseRequest] {
        let mut browser = shop.browser_with_tea().await;
        let before = shop.gate.live().await.len();
        shop.gate.plan(Op::Admit, [lost]);
        ok(browser.post("/sign-in/ada").await);
        assert_eq!(see(&browser, "/cart").await, "tea");
        assert_eq!(shop.gate.live().await.len(), before);
    }
}

async fn a_lost_reply_to_the_second_copy_is_no_ending(shop: Shop) {
    let mut browser = shop.browser_with_tea().await;
    shop.gate.plan(Op::End, [Step::before(elsewhere(&browser, "/cart/milk"))]);
    shop.gate.plan(Op::Commit, [Step::Pass, Step::LoseReply]);
    ok(browser.post("/sign-in/ada").await);
    assert_eq!(see(&browser, "/cart").await, "tea milk");
    assert_eq!(shop.gate.live().await.len(), 1);
}

async fn a_lost_reply_to_the_emptying_is_no_ending(shop: Shop) {
    let mut browser = shop.browser_with_tea().await;
    shop.gate.plan(Op::End, [Step::before(elsewhere(&browser, "/sign-out"))]);
    shop.gate.plan(Op::Commit, [Step::LoseReply]);
    ok(browser.post("/sign-in/ada").await);
    assert_eq!(see(&browser, "/who").await, "ada");
    assert_eq!(see(&browser, "/cart").await, "");
    assert_eq!(shop.gate.live().await.len(), 1);
}

/// Signed in with everything that was in the cart, in the only session that lives, and that her list names.
pub(super) async fn is_adas_with_tea(shop: &Shop, browser: &Client) {
    assert_eq!(see(browser, "/who").await, "ada");
    assert_eq!(see(browser, "/cart").await, "tea");
    assert_eq!(see(browser, "/devices").await, "1");
    assert_eq!(shop.gate.live().await.len(), 1);
}

on_each_store! {
    signed_out_after_the_copy_the_new_session_holds_nothing,
    signed_out_after_the_second_copy_the_new_session_holds_nothing,
    signed_out_after_the_copy_what_cannot_be_emptied_is_ended,
    signed_out_before_the_copy_nothing_is_carried,
    signed_out_after_the_move_the_new_session_has_ended_too,
    signing_out_with_the_old_cookie_ends_the_new_session,
    signing_out_with_a_cookie_many_moves_old_does_not_claim_what_it_did_not_do,
    what_a_sign_out_with_an_old_cookie_was_refused_to_end_ends_when_it_is_tried_again,
    a_lost_reply_to_the_ending_leaves_one_of_the_two_alive,
    a_lost_ending_is_sent_again,
    an_ending_that_is_never_answered_loses_no_cart,
    an_ending_that_arrives_late_does_not_undo_the_second_copy,
    two_clicks_one_after_the_other_are_one_sign_in,
    two_clicks_at_once_are_one_sign_in,
    three_clicks_at_once_are_one_sign_in,
    a_late_click_follows_as_far_as_the_session_has_moved,
    what_is_added_between_copy_and_end_is_in_the_new_session,
    what_is_added_again_and_again_is_copied_again_and_again,
    an_update_under_the_old_cookie_is_refused_and_begins_nothing,
    an_update_under_way_during_the_move_is_refused_and_begins_nothing,
    a_new_session_that_ends_while_it_is_copied_again_stays_ended,
    a_new_session_that_ends_before_its_making_is_sent_again_stays_ended,
    a_sign_in_that_the_end_of_all_overtakes_is_refused,
    ended_with_all_others_before_the_old_one_gives_way_it_stays_ended,
    a_making_that_arrives_late_makes_no_other,
    a_making_that_arrives_after_sign_out_revives_nothing,
    a_lost_reply_to_the_making_makes_one_session,
    a_lost_reply_to_the_second_copy_is_no_ending,
    a_lost_reply_to_the_emptying_is_no_ending,
}
