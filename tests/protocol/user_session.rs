//! The key of a user session is used again and again: what others do to it meanwhile. Protocol 7, and 5 for the replies.

use super::gate::{Op, Step};
use super::shop::{Shop, elsewhere, ok, on_each_store, refused, see};
use super::transfer::{device, device_with};
use axum::http::Method;
use std::sync::Arc;
use std::time::Duration;
use testbed::{Answer, Client};
use thin_session::store::{Entry, LastingStore as _, Replaced, Replacement, Standing};

async fn post(browser: &Client, path: &str) -> Answer {
    browser.ask(Method::POST, path).await
}

async fn a_change_runs_again_on_what_another_device_wrote(shop: Shop) {
    let (phone, desktop) = (device_with(&shop, "1").await, device(&shop).await);
    shop.gate.plan(Op::Replace, [Step::before(elsewhere(&desktop, "/transfer/2"))]);
    assert_eq!(ok(post(&phone, "/transfer/3").await).text(), "1 2 3");
    assert_eq!(see(&desktop, "/transfer").await, "1 2 3");
}

async fn two_that_begin_at_once_share_one(shop: Shop) {
    let (phone, desktop) = (device(&shop).await, device(&shop).await);
    shop.gate.plan(Op::Replace, [Step::before(elsewhere(&desktop, "/transfer/1"))]);
    assert_eq!(ok(post(&phone, "/transfer/2").await).text(), "1 2");
    ok(post(&phone, "/complete").await);
    assert_eq!(see(&phone, "/history").await, "completed 1 2");
}

async fn two_that_begin_at_once_after_another_has_ended_share_one(shop: Shop) {
    let (phone, desktop) = (device_with(&shop, "0").await, device(&shop).await);
    ok(post(&phone, "/abandon").await);
    shop.gate.plan(Op::Replace, [Step::before(elsewhere(&desktop, "/transfer/1"))]);
    assert_eq!(ok(post(&phone, "/transfer/2").await).text(), "1 2");
}

async fn a_change_never_runs_on_the_next_one(shop: Shop) {
    let (phone, desktop) = (device_with(&shop, "1").await, device(&shop).await);
    shop.gate.plan(Op::Replace, [Step::before(elsewhere(&desktop, "/next/2"))]);
    refused(post(&phone, "/transfer/9").await, "Ended");
    assert_eq!(see(&phone, "/transfer").await, "2");
}

/// Nor where the handler has seen none: the one that it joined is the one that it is about.
async fn a_change_that_joined_one_never_runs_on_the_next_one(shop: Shop) {
    let (phone, desktop) = (device(&shop).await, device(&shop).await);
    let (begins, goes_on) = (elsewhere(&desktop, "/transfer/1"), elsewhere(&desktop, "/next/2"));
    // The second is the other device's own.
    shop.gate.plan(Op::Replace, [Step::before(begins), Step::Pass, Step::before(goes_on)]);
    refused(post(&phone, "/transfer/9").await, "Ended");
    assert_eq!(see(&phone, "/transfer").await, "2");
}

async fn a_change_of_one_that_has_ended_is_refused(shop: Shop) {
    for ending in ["/complete", "/abandon", "/send"] {
        let (phone, desktop) = (device_with(&shop, "1").await, device(&shop).await);
        shop.gate.plan(Op::Replace, [Step::before(elsewhere(&desktop, ending))]);
        refused(post(&phone, "/transfer/9").await, "Ended");
        assert_eq!(see(&phone, "/transfer").await, "");
    }
}

async fn what_was_changed_meanwhile_does_not_end(shop: Shop) {
    for ending in ["/complete", "/abandon", "/send"] {
        let (phone, desktop) = (device_with(&shop, "1").await, device(&shop).await);
        shop.gate.plan(Op::Replace, [Step::before(elsewhere(&desktop, "/transfer/2"))]);
        refused(post(&phone, ending).await, "Changed");
        assert_eq!(see(&phone, "/transfer").await, "1 2");
        ok(post(&phone, "/abandon").await);
    }
}

async fn what_has_ended_meanwhile_does_not_end_again(shop: Shop) {
    for ending in ["/complete", "/abandon", "/send"] {
        let (phone, desktop) = (device_with(&shop, "1").await, device(&shop).await);
        shop.gate.plan(Op::Replace, [Step::before(elsewhere(&desktop, "/next/2"))]);
        refused(post(&phone, ending).await, "Ended");
        assert_eq!(see(&phone, "/transfer").await, "2");
        ok(post(&phone, "/abandon").await);
    }
}

/// A stolen phone: nothing that is under way there gets through, once all sessions have ended.
async fn a_device_that_was_signed_out_everywhere_changes_nothing_more(shop: Shop) {
    for path in ["/transfer/9", "/complete", "/abandon", "/send"] {
        let phone = device_with(&shop, "1").await;
        shop.gate.plan(Op::Replace, [Step::before(shop.ending_all_of_adas())]);
        refused(post(&phone, path).await, "Ended");
        shop.let_time_pass().await;
        let desktop = device(&shop).await;
        assert_eq!(see(&desktop, "/transfer").await, "1", "{path}");
        ok(post(&desktop, "/abandon").await);
    }
}

async fn a_device_that_signed_out_begins_nothing(shop: Shop) {
    let phone = device(&shop).await;
    shop.gate.plan(Op::Replace, [Step::before(elsewhere(&phone, "/sign-out"))]);
    refused(post(&phone, "/transfer/9").await, "Ended");
    assert_eq!(see(&device(&shop).await, "/transfer").await, "");
}

/// Only what came back in one answer with a live session is shown.
async fn a_session_that_has_ended_shows_nothing(shop: Shop) {
    let phone = device_with(&shop, "1").await;
    ok(post(&phone, "/sign-out").await);
    refused(phone.ask(Method::GET, "/transfer").await, "SignedOut");
}

async fn a_lost_reply_is_one_change(shop: Shop) {
    let phone = device_with(&shop, "1").await;
    shop.gate.plan(Op::Replace, [Step::LoseReply, Step::LoseReply]);
    assert_eq!(ok(post(&phone, "/transfer/2").await).text(), "1 2");
    shop.gate.plan(Op::Replace, [Step::LoseRequest]);
    assert_eq!(ok(post(&phone, "/transfer/3").await).text(), "1 2 3");
    assert_eq!(see(&phone, "/transfer").await, "1 2 3");
}

async fn a_lost_reply_to_the_first_change_begins_one(shop: Shop) {
    let phone = device(&shop).await;
    shop.gate.plan(Op::Replace, [Step::LoseReply]);
    assert_eq!(ok(post(&phone, "/transfer/1").await).text(), "1");
    ok(post(&phone, "/complete").await);
    shop.gate.plan(Op::Replace, [Step::LoseRequest, Step::LoseReply]);
    assert_eq!(ok(post(&phone, "/transfer/2").await).text(), "2");
    ok(post(&phone, "/complete").await);
    assert_eq!(see(&phone, "/history").await, "completed 1, completed 2");
}

async fn a_lost_reply_under_the_change_of_another_is_found(shop: Shop) {
    let (phone, desktop) = (device_with(&shop, "1").await, device(&shop).await);
    shop.gate.plan(Op::Replace, [Step::LoseReply, Step::before(elsewhere(&desktop, "/transfer/3"))]);
    ok(post(&phone, "/transfer/2").await);
    assert_eq!(see(&phone, "/transfer").await, "1 2 3");
}

async fn a_lost_reply_to_the_first_change_under_that_of_another_is_found(shop: Shop) {
    let (phone, desktop) = (device(&shop).await, device(&shop).await);
    shop.gate.plan(Op::Replace, [Step::LoseReply, Step::before(elsewhere(&desktop, "/transfer/2"))]);
    ok(post(&phone, "/transfer/1").await);
    assert_eq!(see(&phone, "/transfer").await, "1 2");
}

/// It is not known, and is not claimed to be: whoever wrote there may have been the one who began it.
async fn a_lost_request_to_begin_overtaken_by_another_is_never_twice(shop: Shop) {
    let (phone, desktop) = (device(&shop).await, device(&shop).await);
    shop.gate.plan(Op::Replace, [Step::LoseRequest, Step::before(elsewhere(&desktop, "/transfer/2"))]);
    assert_eq!(ok(post(&phone, "/transfer/1").await).text(), "2 1");
    assert_eq!(see(&desktop, "/transfer").await, "2 1");
}

async fn a_lost_reply_of_an_ending_is_one_ending(shop: Shop) {
    for (lost, ending) in [Step::LoseReply, Step::LoseRequest].into_iter().zip(["/complete", "/abandon"]) {
        let phone = device_with(&shop, "1").await;
        shop.gate.plan(Op::Replace, [lost]);
        ok(post(&phone, ending).await);
        assert_eq!(see(&phone, "/transfer").await, "");
    }
    assert_eq!(see(&device(&shop).await, "/history").await, "completed 1, abandoned 1");
}

/// The next one knows of the ending before it.
async fn a_lost_reply_of_an_ending_under_the_next_one_is_found(shop: Shop) {
    let (phone, desktop) = (device_with(&shop, "1").await, device(&shop).await);
    shop.gate.plan(Op::Replace, [Step::LoseReply, Step::before(elsewhere(&desktop, "/transfer/2"))]);
    ok(post(&phone, "/complete").await);
    assert_eq!(see(&phone, "/transfer").await, "2");
    assert_eq!(see(&phone, "/history").await, "completed 1");
}

async fn signed_out_everywhere_after_it_was_applied_is_applied(shop: Shop) {
    let phone = device_with(&shop, "1").await;
    shop.gate.plan(Op::Replace, [Step::LoseReply, Step::before(shop.ending_all_of_adas())]);
    assert_eq!(ok(post(&phone, "/transfer/2").await).text(), "1 2");
    shop.let_time_pass().await;
    assert_eq!(see(&device(&shop).await, "/transfer").await, "1 2");
}

async fn silence_to_the_end_is_unknown_and_not_repeated(shop: Shop) {
    let phone = device_with(&shop, "1").await;
    let hasty = phone.at(shop.layered(super::transfer::pages(), super::shop::HASTE));
    shop.gate.rule(|op| if op == Op::Replace { Step::LoseReply } else { Step::Pass });
    refused(post(&hasty, "/transfer/2").await, "Unknown");
    shop.gate.no_rule();
    assert_eq!(see(&phone, "/transfer").await, "1 2");
}

async fn refused_it_is_unavailable_and_nothing_has_changed(shop: Shop) {
    let phone = device_with(&shop, "1").await;
    for path in ["/transfer/2", "/complete", "/abandon", "/send"] {
        shop.gate.rule(|op| if op == Op::Replace { Step::Refuse } else { Step::Pass });
        refused(post(&phone, path).await, "Unavailable");
        shop.gate.no_rule();
        assert_eq!(see(&phone, "/transfer").await, "1", "{path}");
    }
    assert_eq!(see(&phone, "/history").await, "");
}

/// What a later release writes cannot be read here; that it has ended before is known all the same.
async fn a_lost_reply_of_an_ending_under_what_cannot_be_read_is_found(shop: Shop) {
    let phone = device_with(&shop, "1").await;
    let gate = Arc::clone(&shop.gate);
    let of_a_later_release = async move {
        let call = gate.calls().pop().expect("the ending");
        let (key, marker) = (call.key.expect("a key"), call.entry.expect("a marker"));
        let mut bytes = marker.as_bytes()[..31].to_vec();
        // Format, state, write id, and what went before it.
        (bytes[0], bytes[1], bytes[26]) = (9, 0, 1);
        bytes.extend_from_slice(&marker.as_bytes()[2..8]);
        bytes[2..14].fill(7);
        bytes.extend_from_slice(&[7; 16]);
        let (entry, expected) = (Entry::from_bytes(bytes).expect("an entry"), Some(marker.write_id()));
        let (asked_by, standing, keep_for) = (None, Standing::Any, Duration::from_secs(60));
        let (outgoing, look_in) = (None, None);
        let replacement = Replacement { asked_by, expected, standing, entry: &entry, keep_for, outgoing, look_in };
        assert_eq!(gate.inner().replace(&key, &replacement).await.expect("the store answers"), Replaced::Applied);
    };
    shop.gate.plan(Op::Replace, [Step::LoseReply, Step::before(of_a_later_release)]);
    ok(post(&phone, "/complete").await);
    refused(phone.ask(Method::GET, "/transfer").await, "Newer");
}

/// Alone it comes with the browser's session, in one call; after another extractor it takes one more.
async fn it_is_loaded_together_with_the_session(shop: Shop) {
    let phone = device_with(&shop, "1").await;
    let calls = |path: &'static str| {
        let (gate, phone) = (shop.gate.clone(), phone.clone());
        async move {
            let before = gate.calls().len();
            ok(phone.ask(if path == "/transfer" { Method::GET } else { Method::POST }, path).await);
            // What has ended is moved beside the requests.
            let of_request = |op: &Op| !matches!(op, Op::Add | Op::Sent);
            gate.calls()[before..].iter().map(|call| call.op).filter(of_request).collect::<Vec<_>>()
        }
    };
    assert_eq!(calls("/transfer").await, [Op::LoadBoth]);
    assert_eq!(calls("/transfer/2").await, [Op::LoadBoth, Op::Replace]);
    assert_eq!(calls("/transfer-after-cart/3").await, [Op::Load, Op::Load, Op::Replace]);
    assert_eq!(calls("/complete").await, [Op::LoadBoth, Op::Replace]);
    // The history is the archive's.
    assert_eq!(see(&phone, "/history").await, "completed 1 2 3");
}

on_each_store! {
    a_lost_reply_of_an_ending_under_what_cannot_be_read_is_found,
    a_change_runs_again_on_what_another_device_wrote,
    two_that_begin_at_once_share_one,
    two_that_begin_at_once_after_another_has_ended_share_one,
    a_change_never_runs_on_the_next_one,
    a_change_that_joined_one_never_runs_on_the_next_one,
    a_change_of_one_that_has_ended_is_refused,
    what_was_changed_meanwhile_does_not_end,
    what_has_ended_meanwhile_does_not_end_again,
    a_device_that_was_signed_out_everywhere_changes_nothing_more,
    a_device_that_signed_out_begins_nothing,
    a_session_that_has_ended_shows_nothing,
    a_lost_reply_is_one_change,
    a_lost_reply_to_the_first_change_begins_one,
    a_lost_reply_under_the_change_of_another_is_found,
    a_lost_reply_to_the_first_change_under_that_of_another_is_found,
    a_lost_request_to_begin_overtaken_by_another_is_never_twice,
    a_lost_reply_of_an_ending_is_one_ending,
    a_lost_reply_of_an_ending_under_the_next_one_is_found,
    signed_out_everywhere_after_it_was_applied_is_applied,
    silence_to_the_end_is_unknown_and_not_repeated,
    refused_it_is_unavailable_and_nothing_has_changed,
    it_is_loaded_together_with_the_session,
}
