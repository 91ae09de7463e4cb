//! Sixty-four requests of one session at once. Protocol 15 and 16.

use super::gate::{Op, Step, Work};
use super::shop::{Shop, elsewhere, ok, on_each_store, refused, routes, see};
use axum::http::Method;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use testbed::{Answer, Client};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

const CROWD: usize = 64;

/// Sends the same request as often as there are in a crowd, each from a task of its own.
async fn crowd(browser: &Client, method: Method, path: &'static str) -> Vec<Answer> {
    let mut all = JoinSet::new();
    for _ in 0..CROWD {
        let (browser, method) = (browser.clone(), method.clone());
        all.spawn(async move { browser.ask(method, path).await });
    }
    all.join_all().await
}

/// Nobody gets past this operation, or around it, before all are there.
fn all_together(shop: &Shop, at: Op, step: fn(Work) -> Step) {
    let barrier = Arc::new(Barrier::new(CROWD));
    shop.gate.rule(move |op| {
        let barrier = Arc::clone(&barrier);
        match op {
            op if op == at => step(Box::pin(async move {
                barrier.wait().await;
            })),
            // Whoever tries again lets the others go first: then it takes as many tries as it can.
            Op::Commit => Step::before(let_others_go_first()),
            _ => Step::Pass,
        }
    });
}

/// More than once, since the layer looks twice before it goes away.
async fn let_others_go_first() {
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
}

/// Most need more than ten tries: a small bound on tries would fail them.
async fn sixty_four_increments_that_all_saw_the_same_all_count(shop: Shop) {
    let mut browser = shop.browser();
    ok(browser.post("/count").await);
    all_together(&shop, Op::Load, Step::After);
    let answers = crowd(&browser, Method::POST, "/count").await;
    shop.gate.no_rule();
    let counted: BTreeSet<usize> = answers.into_iter().map(|answer| ok(answer).text().parse().unwrap()).collect();
    assert_eq!(counted, (2..=1 + CROWD).collect(), "each counted once, and was told its own number");
    assert_eq!(see(&browser, "/count").await, (1 + CROWD).to_string());
    assert!(shop.gate.count(Op::Commit) > 10 * CROWD, "{} tries", shop.gate.count(Op::Commit));
}

/// Sixty-four reads all find a touch due: one writes.
async fn of_sixty_four_touches_one_writes(shop: Shop) {
    let browser = shop.browser_with_tea().await;
    shop.clock.advance(Duration::from_secs(3 * 3600));
    all_together(&shop, Op::Touch, Step::Before);
    for answer in crowd(&browser, Method::GET, "/cart").await {
        assert_eq!(ok(answer).text(), "tea");
    }
    shop.gate.no_rule();
    assert_eq!((shop.gate.count(Op::Touch), shop.gate.touches()), (CROWD, 1));
    assert_eq!(see(&browser, "/cart").await, "tea");
    assert_eq!(shop.gate.count(Op::Touch), CROWD, "no other is due");
}

async fn a_touch_of_what_has_ended_makes_nothing(shop: Shop) {
    let browser = shop.browser_with_tea().await;
    shop.clock.advance(Duration::from_secs(3 * 3600));
    shop.gate.plan(Op::Touch, [Step::before(elsewhere(&browser, "/sign-out"))]);
    assert_eq!(see(&browser, "/cart").await, "tea", "it was there when it was read");
    assert_eq!(shop.gate.touches(), 0);
    assert_eq!(see(&browser, "/cart").await, "");
    assert_eq!(shop.gate.live().await, []);
}

/// Nobody wrote: there is no conflict.
async fn a_touch_under_an_update_is_no_conflict(shop: Shop) {
    let mut browser = shop.browser_with_tea().await;
    let (reader, clock) = (browser.clone(), shop.clock.clone());
    let touch = async move {
        clock.advance(Duration::from_secs(3 * 3600));
        assert_eq!(see(&reader, "/cart").await, "tea");
    };
    shop.gate.plan(Op::Commit, [Step::before(touch)]);
    ok(browser.post("/cart/milk").await);
    assert_eq!((shop.gate.count(Op::Commit), shop.gate.touches()), (1, 1));
    assert_eq!(see(&browser, "/cart").await, "tea milk");
}

async fn a_lost_touch_fails_no_request(shop: Shop) {
    let browser = shop.browser_with_tea().await;
    for lost in [Step::LoseReply, Step::LoseRequest, Step::Refuse] {
        shop.clock.advance(Duration::from_secs(3 * 3600));
        shop.gate.plan(Op::Touch, [lost]);
        assert_eq!(see(&browser, "/cart").await, "tea");
    }
}

/// Somebody else is faster every time: that ends near the deadline, and is told.
async fn whoever_never_wins_is_told_so_at_the_deadline(shop: Shop) {
    let mut browser = shop.browser();
    ok(browser.post("/count").await);
    let (faster, racing) = (browser.clone(), AtomicBool::new(false));
    shop.gate.rule(move |op| {
        // The first is the one that loses, the next the one that overtakes it, and so on.
        if op == Op::Commit && !racing.fetch_xor(true, Ordering::SeqCst) {
            Step::before(elsewhere(&faster, "/count"))
        } else {
            Step::Pass
        }
    });
    let impatient = shop.layered(routes(), Duration::from_secs(1));
    let answer = refused(browser.at(impatient).post("/count").await, "Contended");
    shop.gate.no_rule();
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("retry-after"), Some("1"));
    let (tries, count) = (shop.gate.count(Op::Commit), see(&browser, "/count").await);
    assert!(tries > 2, "it tried again");
    assert_eq!(count, (1 + tries / 2).to_string(), "of each two tries the other's counted");
}

on_each_store! {
    sixty_four_increments_that_all_saw_the_same_all_count,
    of_sixty_four_touches_one_writes,
    a_touch_of_what_has_ended_makes_nothing,
    a_touch_under_an_update_is_no_conflict,
    a_lost_touch_fails_no_request,
    whoever_never_wins_is_told_so_at_the_deadline,
}
