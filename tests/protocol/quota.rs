//! Completing within a quota: the record is frozen, the archive decides, the record ends. What becomes of it when
//! somebody dies or is slow in between. Protocol 8.

use super::gate::{Delayed, Hold, Op, Step};
use super::shop::{Shop, elsewhere, ok, on_each_store, refused, see};
use super::transfer::{bank, device, device_with, pages};
use axum::http::{Method, StatusCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use testbed::{Answer, Client};
use tokio::runtime;
use tokio::task::JoinHandle;

/// Whoever has been completing one for so long counts as gone. More than it takes, as Redis has a clock of its own.
const LONG: Duration = Duration::from_secs(60);

async fn post(browser: &Client, path: &str) -> Answer {
    browser.ask(Method::POST, path).await
}

/// A completion that has frozen the record, and whose question reaches the archive when it is let go.
async fn held_at_the_archive(shop: &Shop, browser: &Client, path: &'static str) -> (Hold, JoinHandle<Answer>) {
    let hold = Hold::default();
    shop.gate.plan(Op::Complete, [Step::before(hold.point())]);
    let browser = browser.clone();
    let sending = tokio::spawn(async move { post(&browser, path).await });
    hold.reached().await;
    (hold, sending)
}

async fn the_third_of_a_day_is_refused_and_goes_on(shop: Shop) {
    let phone = device(&shop).await;
    for number in 1..=2 {
        ok(post(&phone, &format!("/transfer/{number}")).await);
        assert_eq!(ok(post(&phone, "/send-one-of-two").await).text(), "sent");
    }
    ok(post(&phone, "/transfer/3").await);
    let refusal = post(&phone, "/send-one-of-two").await;
    assert_eq!(refusal.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(refusal.header("retry-after").is_some());
    assert_eq!(ok(post(&phone, "/transfer/4").await).text(), "3 4");
    assert_eq!(see(&phone, "/history").await, "completed 1, completed 2");
}

/// While the archive is asked nobody changes what it is asked about.
async fn whoever_changes_it_meanwhile_waits_and_finds_it_ended(shop: Shop) {
    let (phone, desktop) = (device_with(&shop, "1").await, device(&shop).await);
    let (hold, sending) = held_at_the_archive(&shop, &phone, "/send").await;
    let change = {
        let desktop = desktop.clone();
        tokio::spawn(async move { post(&desktop, "/transfer/9").await })
    };
    // It asks the archive, which does not have it yet.
    super::shop::until("it looks", || shop.gate.count(Op::Settle) > 1).await;
    assert_eq!(see(&desktop, "/transfer").await, "1");
    hold.release();
    assert_eq!(ok(sending.await.unwrap()).text(), "sent");
    refused(change.await.unwrap(), "Ended");
    assert_eq!(see(&desktop, "/history").await, "completed 1");
}

async fn whoever_changes_it_meanwhile_is_told_when_that_takes_too_long(shop: Shop) {
    let (phone, desktop) = (device_with(&shop, "1").await, device(&shop).await);
    let (hold, sending) = held_at_the_archive(&shop, &phone, "/send").await;
    let hasty = desktop.at(shop.layered(pages(), super::shop::HASTE));
    refused(post(&hasty, "/transfer/9").await, "Contended");
    hold.release();
    assert_eq!(ok(sending.await.unwrap()).text(), "sent");
}

async fn an_archive_that_is_down_completes_nothing(shop: Shop) {
    let phone = device_with(&shop, "1").await;
    shop.gate.rule(|op| if op == Op::Complete { Step::Refuse } else { Step::Pass });
    let answer = refused(post(&phone, "/send").await, "Unavailable");
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    shop.gate.no_rule();
    assert_eq!(ok(post(&phone, "/transfer/2").await).text(), "1 2", "it goes on at once");
    assert_eq!(see(&phone, "/history").await, "");
    ok(post(&phone, "/send").await);
    assert_eq!(see(&phone, "/history").await, "completed 1 2");
}

async fn lost_replies_of_the_archive_are_one_completion(shop: Shop) {
    let phone = device_with(&shop, "1").await;
    shop.gate.plan(Op::Complete, [Step::LoseReply, Step::LoseRequest, Step::LoseReply]);
    assert_eq!(ok(post(&phone, "/send").await).text(), "sent");
    assert_eq!(see(&phone, "/history").await, "completed 1");
    assert_eq!(see(&phone, "/transfer").await, "");
}

/// Nobody knows whether the archive has it: then the next who looks asks.
async fn silence_of_the_archive_is_unknown_and_the_next_look_settles_it(shop: Shop) {
    for (lost, history) in [(true, "completed 1"), (false, "completed 1, abandoned 2")] {
        let phone = device_with(&shop, if lost { "1" } else { "2" }).await;
        let hasty = phone.at(shop.layered(pages(), super::shop::HASTE));
        let step = move || if lost { Step::LoseReply } else { Step::LoseRequest };
        shop.gate.rule(move |op| if op == Op::Complete { step() } else { Step::Pass });
        refused(post(&hasty, "/send").await, "Unknown");
        shop.gate.no_rule();
        if lost {
            assert_eq!(see(&phone, "/transfer").await, "", "the archive has it");
        } else {
            assert_eq!(see(&phone, "/transfer").await, "2");
            shop.clock.advance(LONG);
            assert_eq!(ok(post(&phone, "/transfer/3").await).text(), "2 3", "it was given back");
            ok(post(&phone, "/abandon").await);
        }
        assert_eq!(see(&phone, "/history").await.replace("2 3", "2"), history);
    }
}

/// A store that fails after the archive has it: what was acknowledged is so, and the next look ends it.
async fn what_the_archive_has_is_completed_whatever_the_store_does(shop: Shop) {
    let phone = device_with(&shop, "1").await;
    let frozen = Arc::new(AtomicUsize::new(0));
    shop.gate.rule(move |op| {
        if op == Op::Replace && frozen.fetch_add(1, Ordering::SeqCst) > 0 { Step::Refuse } else { Step::Pass }
    });
    assert_eq!(ok(post(&phone, "/send").await).text(), "sent");
    shop.gate.no_rule();
    assert_eq!(see(&phone, "/transfer").await, "");
    assert_eq!(ok(post(&phone, "/transfer/2").await).text(), "2");
    assert_eq!(see(&phone, "/history").await, "completed 1");
}

/// One who is slow, and whom another has taken for gone: given back is given back.
async fn whoever_comes_late_completes_nothing_that_was_given_back(shop: Shop) {
    let (phone, desktop) = (device_with(&shop, "1").await, device(&shop).await);
    let (hold, sending) = held_at_the_archive(&shop, &phone, "/send").await;
    shop.clock.advance(LONG);
    assert_eq!(ok(post(&desktop, "/transfer/2").await).text(), "1 2");
    hold.release();
    refused(sending.await.unwrap(), "Changed");
    assert_eq!(see(&desktop, "/transfer").await, "1 2");
    assert_eq!(see(&desktop, "/history").await, "");
    ok(post(&desktop, "/send").await);
    assert_eq!(see(&desktop, "/history").await, "completed 1 2");
}

/// The same when it has gone to the archive by then, as something else.
async fn whoever_comes_late_is_not_told_that_what_was_abandoned_is_completed(shop: Shop) {
    let (phone, desktop) = (device_with(&shop, "1").await, device(&shop).await);
    let (hold, sending) = held_at_the_archive(&shop, &phone, "/send").await;
    shop.clock.advance(LONG);
    ok(post(&desktop, "/abandon").await);
    shop.sessions().drain(super::shop::PATIENCE).await.expect("the archive has it");
    hold.release();
    refused(sending.await.unwrap(), "Ended");
    assert_eq!(see(&desktop, "/history").await, "abandoned 1");
}

/// The same when it is the request to the archive that is late.
async fn a_request_that_comes_late_completes_nothing_that_was_given_back(shop: Shop) {
    let (phone, desktop) = (device_with(&shop, "1").await, device(&shop).await);
    let late = Delayed::default();
    let hasty = phone.at(shop.layered(pages(), super::shop::HASTE));
    let first = AtomicUsize::new(0);
    let delayed = late.clone();
    shop.gate.rule(move |op| match op {
        Op::Complete if first.fetch_add(1, Ordering::SeqCst) == 0 => Step::Delay(delayed.clone()),
        Op::Complete => Step::LoseRequest,
        _ => Step::Pass,
    });
    refused(post(&hasty, "/send").await, "Unknown");
    shop.gate.no_rule();
    shop.clock.advance(LONG);
    assert_eq!(ok(post(&desktop, "/transfer/2").await).text(), "1 2");
    late.arrive().await;
    assert_eq!(see(&desktop, "/transfer").await, "1 2");
    assert_eq!(see(&desktop, "/history").await, "");
}

/// Sends a request to a process that dies at the call of this number, before or after it was carried out. False if it has not so
/// many.
async fn killed_at(shop: &Shop, browser: &Client, call: usize, carried_out: bool) -> bool {
    let (hold, calls) = (Hold::default(), AtomicUsize::new(0));
    shop.gate.rule({
        let hold = hold.clone();
        move |_| match calls.fetch_add(1, Ordering::SeqCst) {
            number if number != call => Step::Pass,
            _ if carried_out => Step::after(hold.point()),
            _ => Step::before(hold.point()),
        }
    });
    let dying = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let browser = browser.at(bank(shop));
    let request = dying.spawn(async move { ok(post(&browser, "/send").await) });
    let was_killed = tokio::select! {
        answer = request => {
            answer.expect("it was answered");
            false
        }
        () = hold.reached() => true,
    };
    dying.shutdown_background();
    shop.gate.no_rule();
    was_killed
}

/// Wherever it dies: completed and in the archive once, or neither; and the next look knows.
async fn wherever_it_dies_it_is_completed_once_or_not_at_all(shop: Shop) {
    let mut deaths = 0;
    for carried_out in [false, true] {
        for call in 0.. {
            let phone = device_with(&shop, "1").await;
            let before = see(&phone, "/history").await;
            if !killed_at(&shop, &phone, call, carried_out).await {
                break;
            }
            deaths += 1;
            let context = format!("call {call}, carried out: {carried_out}");
            let phone = device(&shop).await;
            let now = see(&phone, "/transfer").await;
            let history = see(&phone, "/history").await;
            let is_completed = history != before;
            assert_eq!(now.is_empty(), is_completed, "{context}: {now:?} and {history:?}");
            if !is_completed {
                // Frozen or not, in a moment it goes on.
                shop.clock.advance(LONG);
                assert_eq!(ok(post(&phone, "/transfer/2").await).text(), "1 2", "{context}");
                assert_eq!(ok(post(&phone, "/send").await).text(), "sent", "{context}");
            }
        }
    }
    // Load, freeze, ask, end; each before and after.
    assert_eq!(deaths, 8);
}

async fn what_is_being_completed_survives_that_its_archive_cannot_be_asked(shop: Shop) {
    let phone = device_with(&shop, "1").await;
    let hasty = phone.at(shop.layered(pages(), super::shop::HASTE));
    shop.gate.rule(|op| if op == Op::Complete { Step::LoseRequest } else { Step::Pass });
    refused(post(&hasty, "/send").await, "Unknown");
    shop.gate.rule(|op| if op == Op::Settle { Step::Refuse } else { Step::Pass });
    refused(phone.ask(Method::GET, "/transfer").await, "Unavailable");
    shop.gate.no_rule();
    shop.clock.advance(LONG);
    assert_eq!(see(&phone, "/transfer").await, "1");
    ok(post(&phone, "/send").await);
}

/// Of a double click the second waits for the first.
async fn two_clicks_at_once_complete_one(shop: Shop) {
    let phone = device_with(&shop, "1").await;
    let (first, sending) = held_at_the_archive(&shop, &phone, "/send").await;
    let again = tokio::spawn(async move { post(&phone, "/send").await });
    super::shop::until("it waits", || shop.gate.count(Op::Settle) > 1).await;
    first.release();
    assert_eq!(ok(sending.await.unwrap()).text(), "sent");
    refused(again.await.unwrap(), "Ended");
    assert_eq!(see(&device(&shop).await, "/history").await, "completed 1");
}

/// Both are told, since nothing has changed for the second.
async fn two_clicks_at_once_beyond_the_quota_are_both_told(shop: Shop) {
    let phone = device(&shop).await;
    for number in 1..=2 {
        ok(post(&phone, &format!("/transfer/{number}")).await);
        ok(post(&phone, "/send-one-of-two").await);
    }
    ok(post(&phone, "/transfer/3").await);
    let (first, sending) = held_at_the_archive(&shop, &phone, "/send-one-of-two").await;
    let again = {
        let phone = phone.clone();
        tokio::spawn(async move { post(&phone, "/send-one-of-two").await })
    };
    super::shop::until("it waits", || shop.gate.count(Op::Settle) > 1).await;
    first.release();
    for answer in [sending.await.unwrap(), again.await.unwrap()] {
        assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(see(&phone, "/transfer").await, "3");
}

/// One who was taken for gone tries again, if what was given back is what was seen.
async fn given_back_as_it_was_it_is_completed_all_the_same(shop: Shop) {
    let (phone, desktop) = (device_with(&shop, "1").await, device(&shop).await);
    let (hold, sending) = held_at_the_archive(&shop, &phone, "/send").await;
    shop.clock.advance(LONG);
    assert_eq!(see(&desktop, "/transfer").await, "1");
    hold.release();
    assert_eq!(ok(sending.await.unwrap()).text(), "sent");
    assert_eq!(see(&desktop, "/history").await, "completed 1");
    assert_eq!(see(&desktop, "/transfer").await, "");
}

async fn two_devices_that_complete_at_once_complete_one(shop: Shop) {
    let (phone, desktop) = (device_with(&shop, "1").await, device(&shop).await);
    shop.gate.plan(Op::Replace, [Step::before(elsewhere(&desktop, "/send"))]);
    refused(post(&phone, "/send").await, "Ended");
    assert_eq!(see(&phone, "/history").await, "completed 1");
}

/// What another device writes while one is given back is not what this handler has seen.
async fn what_was_changed_after_a_refusal_is_not_completed(shop: Shop) {
    let (phone, desktop) = (device(&shop).await, device(&shop).await);
    for number in 1..=2 {
        ok(post(&phone, &format!("/transfer/{number}")).await);
        ok(post(&phone, "/send-one-of-two").await);
    }
    ok(post(&phone, "/transfer/3").await);
    shop.gate.plan(Op::Replace, [Step::Pass, Step::LoseReply, Step::before(elsewhere(&desktop, "/transfer/4"))]);
    refused(post(&phone, "/send-one-of-two-or-complete").await, "Changed");
    assert_eq!(see(&desktop, "/transfer").await, "3 4");
}

/// The archive is asked twice, and the first request comes when there is room again: it was refused, and is.
async fn a_request_that_comes_late_completes_nothing_that_was_refused(shop: Shop) {
    let phone = device_with(&shop, "1").await;
    assert_eq!(ok(post(&phone, "/send-one-a-minute").await).text(), "sent");
    ok(post(&phone, "/transfer/2").await);
    let late = Delayed::default();
    shop.gate.plan(Op::Complete, [Step::Delay(late.clone()), Step::Pass]);
    assert_eq!(post(&phone, "/send-one-a-minute").await.status, StatusCode::TOO_MANY_REQUESTS);
    shop.clock.advance(LONG);
    late.arrive().await;
    assert_eq!(see(&phone, "/history").await, "completed 1");
    assert_eq!(ok(post(&phone, "/transfer/3").await).text(), "2 3");
    assert_eq!(ok(post(&phone, "/send").await).text(), "sent");
    assert_eq!(see(&phone, "/history").await, "completed 1, completed 2 3");
}

/// Nobody knows whether it was refused for good, as the one that is late can no longer be crossed out: then the next look settles it.
async fn a_refusal_that_may_be_overtaken_is_unknown(shop: Shop) {
    let phone = device_with(&shop, "1").await;
    assert_eq!(ok(post(&phone, "/send-one-a-minute").await).text(), "sent");
    ok(post(&phone, "/transfer/2").await);
    let late = Delayed::default();
    shop.gate.plan(Op::Complete, [Step::Delay(late.clone()), Step::Pass]);
    shop.gate.rule(|op| if op == Op::Settle { Step::Refuse } else { Step::Pass });
    refused(post(&phone, "/send-one-a-minute").await, "Unknown");
    shop.gate.no_rule();
    shop.clock.advance(LONG);
    late.arrive().await;
    assert_eq!(see(&phone, "/transfer").await, "");
    assert_eq!(see(&phone, "/history").await, "completed 1, completed 2");
}

/// Its time runs out as that of any other. In memory, where the store's clock can be told.
#[tokio::test]
async fn what_was_being_completed_is_not_given_back_when_its_time_has_run_out() {
    let shop = Shop::in_memory();
    let phone = device_with(&shop, "1").await;
    let hasty = phone.at(shop.layered(pages(), super::shop::HASTE));
    shop.gate.rule(|op| if op == Op::Complete { Step::LoseRequest } else { Step::Pass });
    refused(post(&hasty, "/send").await, "Unknown");
    shop.gate.no_rule();
    shop.clock.advance(Duration::from_secs(3600));
    let phone = device(&shop).await;
    assert_eq!(see(&phone, "/transfer").await, "");
    assert_eq!(ok(post(&phone, "/transfer/2").await).text(), "2");
    assert_eq!(see(&phone, "/history").await, "expired 1");
}

on_each_store! {
    what_was_changed_after_a_refusal_is_not_completed,
    a_request_that_comes_late_completes_nothing_that_was_refused,
    a_refusal_that_may_be_overtaken_is_unknown,
    the_third_of_a_day_is_refused_and_goes_on,
    whoever_changes_it_meanwhile_waits_and_finds_it_ended,
    whoever_changes_it_meanwhile_is_told_when_that_takes_too_long,
    an_archive_that_is_down_completes_nothing,
    lost_replies_of_the_archive_are_one_completion,
    silence_of_the_archive_is_unknown_and_the_next_look_settles_it,
    what_the_archive_has_is_completed_whatever_the_store_does,
    whoever_comes_late_completes_nothing_that_was_given_back,
    whoever_comes_late_is_not_told_that_what_was_abandoned_is_completed,
    a_request_that_comes_late_completes_nothing_that_was_given_back,
    wherever_it_dies_it_is_completed_once_or_not_at_all,
    what_is_being_completed_survives_that_its_archive_cannot_be_asked,
    two_clicks_at_once_complete_one,
    two_clicks_at_once_beyond_the_quota_are_both_told,
    given_back_as_it_was_it_is_completed_all_the_same,
    two_devices_that_complete_at_once_complete_one,
}
