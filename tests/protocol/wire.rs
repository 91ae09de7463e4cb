//! The same on a real wire: connections that are cut, and requests that are long on their way. Protocol 1 and 5.

use super::gate::{Op, Step};
use super::shop::{Shop, elsewhere, ok, refused, see, until};
use super::sign_in::is_adas_with_tea;
use std::sync::atomic::{AtomicBool, Ordering};
use testbed::{Client, Fault, Proxy, RedisServer};

/// A shop whose Redis is behind a proxy.
async fn shop() -> (Shop, Proxy) {
    let redis = RedisServer::start();
    let proxy = Proxy::start(redis.addr());
    (Shop::on_redis_at(&proxy.url(), redis).await, proxy)
}

/// The next write of this sort, and no other, meets this fault.
fn next_write(proxy: &Proxy, command: &'static str, fault: Fault) {
    let met = AtomicBool::new(false);
    proxy.reset();
    proxy.on_request(move |request| {
        let is_it = request.name().starts_with(command) && !met.swap(true, Ordering::SeqCst);
        if is_it { fault } else { Fault::Pass }
    });
}

/// A commit or an ending.
const SCRIPT: &str = "EVAL";
const CREATE: &str = "SET";

fn sent(proxy: &Proxy, command: &str) -> usize {
    proxy.commands().iter().filter(|name| name.starts_with(command)).count()
}

async fn counting(shop: &Shop) -> Client {
    let mut browser = shop.browser();
    ok(browser.post("/count").await);
    browser
}

/// Sent twice, and not once more: the library does not send again on its own.
#[tokio::test]
async fn a_cut_off_from_its_reply_a_commit_is_applied_once() {
    let (shop, proxy) = shop().await;
    for fault in [Fault::LoseReply, Fault::LoseRequest] {
        let mut browser = counting(&shop).await;
        next_write(&proxy, SCRIPT, fault);
        assert_eq!(ok(browser.post("/count").await).text(), "2");
        assert_eq!(sent(&proxy, SCRIPT), 2);
        assert_eq!(see(&browser, "/count").await, "2");
    }
}

#[tokio::test]
async fn a_cut_off_from_its_reply_a_first_write_begins_one_session() {
    let (shop, proxy) = shop().await;
    for fault in [Fault::LoseReply, Fault::LoseRequest] {
        let mut browser = shop.browser();
        let before = shop.gate.live().await.len();
        next_write(&proxy, CREATE, fault);
        assert_eq!(ok(browser.post("/count").await).text(), "1");
        assert_eq!(sent(&proxy, CREATE), 2);
        assert_eq!(see(&browser, "/count").await, "1");
        assert_eq!(shop.gate.live().await.len(), before + 1);
    }
}

#[tokio::test]
async fn a_overtaken_while_it_was_cut_off_a_commit_is_applied_once() {
    let (shop, proxy) = shop().await;
    for fault in [Fault::LoseReply, Fault::LoseRequest] {
        let mut browser = counting(&shop).await;
        next_write(&proxy, SCRIPT, fault);
        shop.gate.plan(Op::Commit, [Step::Pass, Step::before(elsewhere(&browser, "/count"))]);
        ok(browser.post("/count").await);
        assert_eq!(see(&browser, "/count").await, "3");
    }
}

#[tokio::test]
async fn d_signed_out_while_it_was_cut_off_a_commit_knows_its_fate() {
    let (shop, proxy) = shop().await;
    for (fault, applied) in [(Fault::LoseReply, true), (Fault::LoseRequest, false)] {
        let mut browser = counting(&shop).await;
        next_write(&proxy, SCRIPT, fault);
        shop.gate.plan(Op::Commit, [Step::Pass, Step::before(elsewhere(&browser, "/sign-out"))]);
        let answer = browser.post("/count").await;
        if applied {
            ok(answer)
        } else {
            refused(answer, "Ended")
        };
        assert_eq!(shop.gate.live().await, []);
    }
}

/// It is given up, sent again on another connection and applied; then the first arrives after all.
#[tokio::test]
async fn e_a_commit_that_arrives_after_its_resend_is_applied_once() {
    let (shop, proxy) = shop().await;
    let mut browser = counting(&shop).await;
    next_write(&proxy, SCRIPT, Fault::Hold);
    assert_eq!(ok(browser.post("/count").await).text(), "2");
    assert!(proxy.held(), "it is still on its way");
    release(&shop, &proxy).await;
    assert_eq!(see(&browser, "/count").await, "2");
    assert_eq!(ok(browser.post("/count").await).text(), "3");
}

#[tokio::test]
async fn e_a_commit_that_arrives_after_sign_out_revives_nothing() {
    let (shop, proxy) = shop().await;
    let mut browser = counting(&shop).await;
    next_write(&proxy, SCRIPT, Fault::Hold);
    shop.gate.plan(Op::Commit, [Step::Pass, Step::before(elsewhere(&browser, "/sign-out"))]);
    refused(browser.post("/count").await, "Ended");
    release(&shop, &proxy).await;
    assert_eq!(shop.gate.live().await, []);
}

#[tokio::test]
async fn e_a_first_write_that_arrives_after_sign_out_revives_nothing() {
    let (shop, proxy) = shop().await;
    let mut browser = shop.browser();
    next_write(&proxy, CREATE, Fault::Hold);
    assert_eq!(ok(browser.post("/count").await).text(), "1");
    ok(browser.post("/sign-out").await);
    release(&shop, &proxy).await;
    assert_eq!(shop.gate.live().await, []);
}

#[tokio::test]
async fn a_sign_in_whose_ending_was_cut_off_or_delayed_loses_no_cart() {
    let (shop, proxy) = shop().await;
    for fault in [Fault::LoseReply, Fault::LoseRequest, Fault::Hold] {
        let mut browser = shop.browser_with_tea().await;
        next_write(&proxy, SCRIPT, fault);
        ok(browser.post("/sign-in/ada").await);
        if fault == Fault::Hold {
            release(&shop, &proxy).await;
        }
        is_adas_with_tea(&shop, &browser).await;
        ok(browser.post("/sign-out").await);
    }
}

/// Lets go of what is held, and waits until the server has dealt with it.
async fn release(shop: &Shop, proxy: &Proxy) {
    let before = shop.writes_carried_out();
    proxy.no_faults();
    proxy.release();
    until("what was held arrives", || shop.writes_carried_out() > before).await;
}
