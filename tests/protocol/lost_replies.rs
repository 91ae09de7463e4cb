//! A conflict or an error does not mean "not applied". Protocol 5, by its letters.

use super::gate::{Delayed, Op, Step};
use super::shop::{Shop, elsewhere, ok, on_each_store, refused, see};
use std::time::Duration;
use testbed::Client;
use thin_session::store::Marker;

/// How many earlier writes a record knows.
const HISTORY: u32 = 16;

/// A browser whose counter exists, and stands at nought as far as the test is concerned: it stands at 1.
async fn counting(shop: &Shop) -> Client {
    let mut browser = shop.browser();
    ok(browser.post("/count").await);
    browser
}

/// This many others count.
fn others(browser: &Client, how_many: u32) -> Step {
    let each = (0..how_many).map(|_| elsewhere(browser, "/count")).collect::<Vec<_>>();
    Step::before(async move {
        for other in each {
            other.await;
        }
    })
}

async fn a_the_resend_finds_its_own_write(shop: Shop) {
    let mut browser = counting(&shop).await;
    shop.gate.plan(Op::Commit, [Step::LoseReply]);
    assert_eq!(ok(browser.post("/count").await).text(), "2");
    assert_eq!(see(&browser, "/count").await, "2");
}

async fn a_the_resend_finds_its_own_write_under_that_of_another(shop: Shop) {
    let mut browser = counting(&shop).await;
    shop.gate.plan(Op::Commit, [Step::LoseReply, others(&browser, 1)]);
    assert_eq!(ok(browser.post("/count").await).text(), "2");
    assert_eq!(see(&browser, "/count").await, "3");
}

async fn a_several_lost_replies_are_one_write(shop: Shop) {
    let mut browser = counting(&shop).await;
    shop.gate.plan(Op::Commit, [Step::LoseReply, Step::LoseReply, Step::LoseRequest, Step::LoseReply]);
    assert_eq!(ok(browser.post("/count").await).text(), "2");
    assert_eq!(see(&browser, "/count").await, "2");
}

async fn a_a_lost_reply_to_a_first_write_begins_one_session(shop: Shop) {
    let mut browser = shop.browser();
    shop.gate.plan(Op::Create, [Step::LoseReply]);
    assert_eq!(ok(browser.post("/count").await).text(), "1");
    assert_eq!(see(&browser, "/count").await, "1");
    assert_eq!(shop.gate.live().await.len(), 1);
}

async fn b_applied_is_known_as_far_back_as_the_history_goes(shop: Shop) {
    let mut browser = counting(&shop).await;
    shop.gate.plan(Op::Commit, [Step::LoseReply, others(&browser, HISTORY)]);
    assert_eq!(ok(browser.post("/count").await).text(), "2");
    assert_eq!(see(&browser, "/count").await, (2 + HISTORY).to_string());
}

async fn b_beyond_the_history_applied_is_unknown_and_not_repeated(shop: Shop) {
    let mut browser = counting(&shop).await;
    shop.gate.plan(Op::Commit, [Step::LoseReply, others(&browser, HISTORY + 1)]);
    refused(browser.post("/count").await, "Unknown");
    assert_eq!(see(&browser, "/count").await, (3 + HISTORY).to_string());
}

async fn b_not_applied_is_known_as_far_back_as_the_history_goes(shop: Shop) {
    let mut browser = counting(&shop).await;
    shop.gate.plan(Op::Commit, [Step::LoseRequest, others(&browser, HISTORY)]);
    assert_eq!(ok(browser.post("/count").await).text(), (2 + HISTORY).to_string());
    assert_eq!(see(&browser, "/count").await, (2 + HISTORY).to_string());
}

async fn b_beyond_the_history_not_applied_is_unknown_and_not_repeated(shop: Shop) {
    let mut browser = counting(&shop).await;
    shop.gate.plan(Op::Commit, [Step::LoseRequest, others(&browser, HISTORY + 1)]);
    refused(browser.post("/count").await, "Unknown");
    assert_eq!(see(&browser, "/count").await, (2 + HISTORY).to_string());
}

/// Commits far apart keep the base only: one write later nothing can be said, and nothing is.
async fn b_after_a_pause_the_history_is_short_and_still_never_wrong(shop: Shop) {
    for (lost, after) in [(Step::LoseReply, 4), (Step::LoseRequest, 3)] {
        let mut browser = counting(&shop).await;
        let clock = shop.clock.clone();
        let each = [elsewhere(&browser, "/count"), elsewhere(&browser, "/count")];
        let far_apart = Step::before(async move {
            for other in each {
                clock.advance(Duration::from_secs(3));
                other.await;
            }
        });
        shop.gate.plan(Op::Commit, [lost, far_apart]);
        refused(browser.post("/count").await, "Unknown");
        assert_eq!(see(&browser, "/count").await, after.to_string());
    }
}

async fn c_refusals_after_a_silence_do_not_count_as_not_applied(shop: Shop) {
    let mut browser = counting(&shop).await;
    shop.gate.plan(Op::Commit, [Step::LoseReply, Step::Refuse, Step::Refuse, Step::Refuse]);
    assert_eq!(ok(browser.post("/count").await).text(), "2");
    assert_eq!(see(&browser, "/count").await, "2");
}

async fn c_refused_until_the_deadline_after_a_silence_is_unknown(shop: Shop) {
    let browser = counting(&shop).await;
    shop.gate.plan(Op::Commit, [Step::LoseReply]);
    shop.gate.rule(|op| if op == Op::Commit { Step::Refuse } else { Step::Pass });
    refused(browser.at(shop.hasty_server()).post("/count").await, "Unknown");
    assert_eq!(see(&browser, "/count").await, "2");
}

async fn c_refused_without_a_silence_is_unavailable_and_nothing_has_changed(shop: Shop) {
    let mut browser = counting(&shop).await;
    shop.gate.rule(|op| if op == Op::Commit { Step::Refuse } else { Step::Pass });
    refused(browser.post("/count").await, "Unavailable");
    assert_eq!(see(&browser, "/count").await, "1");
}

async fn d_applied_is_told_by_the_marker_of_a_session_signed_out_since(shop: Shop) {
    let mut browser = counting(&shop).await;
    shop.gate.plan(Op::Commit, [Step::LoseReply, Step::before(elsewhere(&browser, "/sign-out"))]);
    let answer = ok(browser.post("/count").await);
    assert_eq!(answer.text(), "2");
    assert_eq!(answer.set_cookies(), [""; 0]);
    assert_eq!(shop.gate.live().await, []);
}

async fn d_applied_is_told_by_the_markers_history(shop: Shop) {
    let mut browser = counting(&shop).await;
    let (others, sign_out) = ([(); 3].map(|()| elsewhere(&browser, "/count")), elsewhere(&browser, "/sign-out"));
    let count_and_sign_out = Step::before(async move {
        for other in others {
            other.await;
        }
        sign_out.await;
    });
    shop.gate.plan(Op::Commit, [Step::LoseReply, count_and_sign_out]);
    assert_eq!(ok(browser.post("/count").await).text(), "2");
    assert_eq!(shop.gate.live().await, []);
}

async fn d_not_applied_is_told_by_the_marker_too(shop: Shop) {
    let mut browser = counting(&shop).await;
    shop.gate.plan(Op::Commit, [Step::LoseRequest, Step::before(elsewhere(&browser, "/sign-out"))]);
    refused(browser.post("/count").await, "Ended");
    assert_eq!(shop.gate.live().await, []);
}

/// A user's session leaves its marker by other scripts than an anonymous one, whoever ends or moves it.
async fn d_the_marker_of_a_users_session_tells_as_much(shop: Shop) {
    for way in ["/sign-out", "/reauthenticate", "/sign-in/ada", "/sign-in/bob", "each", "all"] {
        for (lost, applied) in [(Step::LoseReply, true), (Step::LoseRequest, false)] {
            let mut browser = counting(&shop).await;
            ok(browser.post("/sign-in/ada").await);
            let (each, all) = (shop.ending_each_of_adas(), shop.ending_all_of_adas());
            let ending = match way {
                "each" => Step::before(each),
                "all" => Step::before(all),
                path => Step::before(elsewhere(&browser, path)),
            };
            shop.gate.plan(Op::Commit, [lost, ending]);
            let answer = browser.post("/count").await;
            if applied {
                assert_eq!(ok(answer).text(), "2", "{way}");
            } else {
                refused(answer, "Ended");
            }
            assert_eq!(see(&browser, "/count").await, "0", "{way}");
            shop.let_time_pass().await;
        }
    }
}

/// The marker itself has expired: nothing is left that could tell.
#[tokio::test]
async fn d_where_nothing_is_left_it_is_unknown() {
    let shop = Shop::in_memory();
    let mut browser = counting(&shop).await;
    let (clock, sign_out) = (shop.clock.clone(), elsewhere(&browser, "/sign-out"));
    let long_ago = Step::before(async move {
        sign_out.await;
        clock.advance(Marker::KEPT + Duration::from_secs(1));
    });
    shop.gate.plan(Op::Commit, [Step::LoseReply, long_ago]);
    refused(browser.post("/count").await, "Unknown");
}

async fn e_a_request_that_arrives_after_its_resend_is_not_applied_again(shop: Shop) {
    let (mut browser, late) = (counting(&shop).await, Delayed::default());
    shop.gate.plan(Op::Commit, [Step::Delay(late.clone())]);
    assert_eq!(ok(browser.post("/count").await).text(), "2");
    late.arrive().await;
    assert_eq!(see(&browser, "/count").await, "2");
}

async fn e_a_request_that_arrives_after_the_second_run_is_not_applied(shop: Shop) {
    let (mut browser, late) = (counting(&shop).await, Delayed::default());
    shop.gate.plan(Op::Commit, [Step::Delay(late.clone()), others(&browser, 1)]);
    assert_eq!(ok(browser.post("/count").await).text(), "3");
    late.arrive().await;
    assert_eq!(see(&browser, "/count").await, "3");
}

/// Neither "applied" nor "not applied" would have been true.
async fn e_a_request_that_arrives_when_all_have_given_up_was_unknown(shop: Shop) {
    let (browser, late) = (counting(&shop).await, Delayed::default());
    shop.gate.plan(Op::Commit, [Step::Delay(late.clone())]);
    shop.gate.rule(|op| if op == Op::Commit { Step::LoseRequest } else { Step::Pass });
    refused(browser.at(shop.hasty_server()).post("/count").await, "Unknown");
    assert_eq!(see(&browser, "/count").await, "1");
    late.arrive().await;
    assert_eq!(see(&browser, "/count").await, "2");
}

async fn e_a_request_that_arrives_after_sign_out_revives_nothing(shop: Shop) {
    let (mut browser, late) = (counting(&shop).await, Delayed::default());
    let sign_out = Step::before(elsewhere(&browser, "/sign-out"));
    shop.gate.plan(Op::Commit, [Step::Delay(late.clone()), sign_out]);
    refused(browser.post("/count").await, "Ended");
    late.arrive().await;
    assert_eq!(shop.gate.live().await, []);
}

async fn e_a_first_write_that_arrives_after_sign_out_revives_nothing(shop: Shop) {
    let (mut browser, late) = (shop.browser(), Delayed::default());
    shop.gate.plan(Op::Create, [Step::Delay(late.clone())]);
    assert_eq!(ok(browser.post("/count").await).text(), "1");
    ok(browser.post("/sign-out").await);
    late.arrive().await;
    assert_eq!(shop.gate.live().await, []);
}

on_each_store! {
    a_the_resend_finds_its_own_write,
    a_the_resend_finds_its_own_write_under_that_of_another,
    a_several_lost_replies_are_one_write,
    a_a_lost_reply_to_a_first_write_begins_one_session,
    b_applied_is_known_as_far_back_as_the_history_goes,
    b_beyond_the_history_applied_is_unknown_and_not_repeated,
    b_not_applied_is_known_as_far_back_as_the_history_goes,
    b_beyond_the_history_not_applied_is_unknown_and_not_repeated,
    b_after_a_pause_the_history_is_short_and_still_never_wrong,
    c_refusals_after_a_silence_do_not_count_as_not_applied,
    c_refused_until_the_deadline_after_a_silence_is_unknown,
    c_refused_without_a_silence_is_unavailable_and_nothing_has_changed,
    d_applied_is_told_by_the_marker_of_a_session_signed_out_since,
    d_applied_is_told_by_the_markers_history,
    d_not_applied_is_told_by_the_marker_too,
    d_the_marker_of_a_users_session_tells_as_much,
    e_a_request_that_arrives_after_its_resend_is_not_applied_again,
    e_a_request_that_arrives_after_the_second_run_is_not_applied,
    e_a_request_that_arrives_when_all_have_given_up_was_unknown,
    e_a_request_that_arrives_after_sign_out_revives_nothing,
    e_a_first_write_that_arrives_after_sign_out_revives_nothing,
}
