//! The same on a real wire: connections that are cut, and requests that are long on their way; and what a store does in several
//! requests. Protocol 1 and 5.

use super::gate::{Op, Step};
use super::shop::{Shop, elsewhere, ok, refused, see, until};
use super::sign_in::is_adas_with_tea;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use testbed::{Client, Fault, Proxy, RedisServer, Request};
use thin_session::UserId;

/// A shop whose Redis is behind a proxy.
async fn shop() -> (Shop, Proxy) {
    let redis = RedisServer::start();
    let proxy = Proxy::start(redis.addr());
    (Shop::on_redis_at(&proxy.url(), redis).await, proxy)
}

/// Writes, told from each other and from what whoever follows news sends by the keys that they name.
#[derive(Clone, Copy)]
enum Write {
    Create,
    /// A commit, or the ending of an anonymous session.
    Script,
    /// A sign-in, or the ending of a user's session.
    OfUser,
}

impl Write {
    fn is(self, request: &Request) -> bool {
        let names =
            |kind: &[u8]| request.words.iter().any(|word| word.starts_with(b"ts:{") && word[6..].starts_with(kind));
        let is_script = request.name().starts_with("EVAL");
        match self {
            Self::Create => request.name() == "SET" && names(b"}:s:"),
            Self::Script => is_script && names(b"}:s:") && !names(b"}:u:"),
            Self::OfUser => is_script && names(b"}:s:") && names(b"}:u:"),
        }
    }
}

/// How often a write was sent.
struct Sent(Arc<AtomicUsize>);

impl Sent {
    fn times(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// The next write of this sort, and no other, meets this fault.
fn next_write(proxy: &Proxy, write: Write, fault: Fault) -> Sent {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    proxy.on_request(move |request| {
        let is_it = write.is(request) && counted.fetch_add(1, Ordering::SeqCst) == 0;
        if is_it { fault } else { Fault::Pass }
    });
    Sent(sent)
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
        let sent = next_write(&proxy, Write::Script, fault);
        assert_eq!(ok(browser.post("/count").await).text(), "2");
        assert_eq!(sent.times(), 2);
        assert_eq!(see(&browser, "/count").await, "2");
    }
}

#[tokio::test]
async fn a_cut_off_from_its_reply_a_first_write_begins_one_session() {
    let (shop, proxy) = shop().await;
    for fault in [Fault::LoseReply, Fault::LoseRequest] {
        let mut browser = shop.browser();
        let before = shop.gate.live().await.len();
        let sent = next_write(&proxy, Write::Create, fault);
        assert_eq!(ok(browser.post("/count").await).text(), "1");
        assert_eq!(sent.times(), 2);
        assert_eq!(see(&browser, "/count").await, "1");
        assert_eq!(shop.gate.live().await.len(), before + 1);
    }
}

#[tokio::test]
async fn a_overtaken_while_it_was_cut_off_a_commit_is_applied_once() {
    let (shop, proxy) = shop().await;
    for fault in [Fault::LoseReply, Fault::LoseRequest] {
        let mut browser = counting(&shop).await;
        next_write(&proxy, Write::Script, fault);
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
        next_write(&proxy, Write::Script, fault);
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
    next_write(&proxy, Write::Script, Fault::Hold);
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
    next_write(&proxy, Write::Script, Fault::Hold);
    shop.gate.plan(Op::Commit, [Step::Pass, Step::before(elsewhere(&browser, "/sign-out"))]);
    refused(browser.post("/count").await, "Ended");
    release(&shop, &proxy).await;
    assert_eq!(shop.gate.live().await, []);
}

#[tokio::test]
async fn e_a_first_write_that_arrives_after_sign_out_revives_nothing() {
    let (shop, proxy) = shop().await;
    let mut browser = shop.browser();
    next_write(&proxy, Write::Create, Fault::Hold);
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
        next_write(&proxy, Write::Script, fault);
        ok(browser.post("/sign-in/ada").await);
        if fault == Fault::Hold {
            release(&shop, &proxy).await;
        }
        is_adas_with_tea(&shop, &browser).await;
        ok(browser.post("/sign-out").await);
    }
}

/// Over an anonymous session, and again over the one that it has led to.
#[tokio::test]
async fn a_sign_in_that_was_cut_off_or_delayed_makes_one_session() {
    let (shop, proxy) = shop().await;
    for fault in [Fault::LoseReply, Fault::LoseRequest, Fault::Hold] {
        let mut browser = shop.browser_with_tea().await;
        for path in ["/sign-in/ada", "/sign-in/ada", "/reauthenticate"] {
            let sent = next_write(&proxy, Write::OfUser, fault);
            ok(browser.post(path).await);
            assert_eq!(sent.times(), 2);
            if fault == Fault::Hold {
                release(&shop, &proxy).await;
            }
            is_adas_with_tea(&shop, &browser).await;
        }
        ok(browser.post("/sign-out").await);
    }
}

#[tokio::test]
async fn a_sign_out_of_a_user_that_was_cut_off_or_delayed_is_carried_out() {
    let (shop, proxy) = shop().await;
    for fault in [Fault::LoseReply, Fault::LoseRequest, Fault::Hold] {
        let (mut browser, sent) = (shop.signed_in("ada").await, next_write(&proxy, Write::OfUser, fault));
        ok(browser.post("/sign-out").await);
        assert_eq!(sent.times(), 2);
        assert_eq!(shop.gate.live().await, []);
        // She is back when what was held arrives, and goes on.
        let browser = shop.signed_in("ada").await;
        if fault == Fault::Hold {
            release(&shop, &proxy).await;
        }
        is_adas_with_tea(&shop, &browser).await;
        shop.ending_each_of_adas().await;
    }
}

#[tokio::test]
async fn e_a_sign_in_that_arrives_after_sign_out_revives_nothing() {
    let (shop, proxy) = shop().await;
    for path in ["/sign-in/ada", "/reauthenticate"] {
        let mut browser = shop.signed_in("ada").await;
        next_write(&proxy, Write::OfUser, Fault::Hold);
        ok(browser.post(path).await);
        ok(browser.post("/sign-out").await);
        release(&shop, &proxy).await;
        assert_eq!(shop.gate.live().await, []);
    }
}

/// Its making was held up until all sessions of hers had ended, and arrives when it has long been refused.
#[tokio::test]
async fn e_a_sign_in_that_arrives_after_the_end_of_all_is_refused() {
    let (shop, proxy) = shop().await;
    for path in ["/sign-in/ada", "/reauthenticate"] {
        let mut browser = shop.signed_in("ada").await;
        next_write(&proxy, Write::OfUser, Fault::Hold);
        shop.gate.plan(Op::Admit, [Step::Pass, Step::before(shop.ending_all_of_adas())]);
        refused(browser.post(path).await, "Ended");
        release(&shop, &proxy).await;
        assert_eq!(shop.gate.live().await, []);
        shop.let_time_pass().await;
    }
}

/// Lets go of what is held, and waits until the server has dealt with it.
async fn release(shop: &Shop, proxy: &Proxy) {
    until("whoever follows news has set the mark", || shop.has_mark()).await;
    let before = shop.writes_carried_out();
    proxy.no_faults();
    proxy.release();
    until("what was held arrives", || shop.writes_carried_out() > before).await;
}

/// A list is read, and then the records that it names. One that goes on under another id in between is in neither place.
#[tokio::test]
async fn a_device_whose_session_moves_while_it_is_looked_for_is_ended() {
    let (shop, proxy) = shop().await;
    let other = shop.by_another_way().await;
    let (mut browser, ada) = (other.signed_in("ada").await, UserId::new("ada").unwrap());
    let sessions = shop.sessions();
    let handle = *sessions.list(&ada).await.unwrap()[0].handle();
    let held = AtomicUsize::new(0);
    proxy.on_request(move |request| {
        let reads_record = request.name() == "GET" && request.words[1][6..].starts_with(b"}:s:");
        if reads_record && held.fetch_add(1, Ordering::SeqCst) == 0 { Fault::Hold } else { Fault::Pass }
    });
    let ending = tokio::spawn(async move { sessions.end(&ada, &handle).await });
    proxy.wait_held().await;
    ok(browser.post("/reauthenticate").await);
    proxy.release();
    assert!(ending.await.unwrap().unwrap(), "it lived");
    assert_eq!(other.gate.live().await, []);
    assert_eq!(see(&browser, "/who").await, "");
}
