//! Real concurrency: many requests of one session at once, on several threads and two servers. Numbers, not examples.

#[allow(dead_code, reason = "each test program uses its part")]
#[path = "protocol/gate/mod.rs"]
mod gate;
#[allow(dead_code, unused_imports, unused_macros, reason = "each test program uses its part")]
#[path = "protocol/shop.rs"]
mod shop;

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::routing::post;
use gate::{Hold, Op, Step};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use shop::{Counter, Shop, ok, refused, routes, see};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testbed::{Answer, Client};
use thin_session::store::Store as _;
use thin_session::{Session, SessionError};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

const CROWD: usize = 64;

/// What a crowd of requests was told.
#[derive(Default)]
struct Told {
    acknowledged: usize,
    unknown: usize,
    refused: usize,
}

impl Told {
    fn count(&mut self, answer: &Answer) {
        let kind = answer.header("kind").unwrap_or_default();
        match answer.status {
            StatusCode::OK => self.acknowledged += 1,
            _ if kind == "Unknown" => self.unknown += 1,
            _ if kind.starts_with("Unavailable") || kind == "Contended" => self.refused += 1,
            status => panic!("{status}, {kind}"),
        }
    }

    /// What was acknowledged happened; what did not happen was not acknowledged.
    fn fits(&self, counted: usize) {
        let Self { acknowledged, unknown, refused } = *self;
        assert!(
            acknowledged <= counted && counted <= acknowledged + unknown,
            "{counted} counted, {acknowledged} acknowledged, {unknown} unknown, {refused} refused"
        );
    }
}

/// Has a crowd count, half of it at each server.
async fn crowd(servers: &[Router; 2], browser: &Client) -> Told {
    let mut all = JoinSet::new();
    for number in 0..CROWD {
        let browser = browser.at(servers[number % 2].clone());
        all.spawn(async move { browser.ask(Method::POST, "/count").await });
    }
    let mut told = Told::default();
    while let Some(answer) = all.join_next().await {
        told.count(&answer.expect("no handler panics"));
    }
    told
}

async fn counted(browser: &Client) -> usize {
    see(browser, "/count").await.parse().expect("it is a number")
}

async fn sixty_four_increments_through_two_servers_all_count(shop: Shop, rounds: usize) {
    let servers = [shop.server(), shop.server()];
    for round in 0..rounds {
        let mut browser = shop.browser();
        ok(browser.post("/count").await);
        let told = crowd(&servers, &browser).await;
        assert_eq!(told.acknowledged, CROWD, "round {round}");
        assert_eq!(counted(&browser).await, 1 + CROWD, "round {round}");
    }
    let commits = shop.gate.count(Op::Commit);
    assert!(commits > rounds * CROWD, "{commits} commits: some met others");
}

/// One request in ten is lost on its way to the store, and one reply in ten on its way back.
async fn with_losses_every_increment_counts_once_or_is_told_to_be_unknown(shop: Shop, rounds: usize) {
    let servers = [shop.server(), shop.server()];
    let (mut acknowledged, mut unknown) = (0, 0);
    for seed in 0..rounds as u64 {
        let mut browser = shop.browser();
        ok(browser.post("/count").await);
        let random = Mutex::new(StdRng::seed_from_u64(seed));
        shop.gate.rule(move |_| match random.lock().unwrap().random_range(0..10) {
            0 => Step::LoseRequest,
            1 => Step::LoseReply,
            _ => Step::Pass,
        });
        let told = crowd(&servers, &browser).await;
        shop.gate.no_rule();
        told.fits(counted(&browser).await - 1);
        acknowledged += told.acknowledged;
        unknown += told.unknown;
    }
    assert!(acknowledged > rounds * CROWD / 2, "{acknowledged} acknowledged, {unknown} unknown: most were settled");
}

/// Shop pages, and one whose handler takes as long as the test wants between reading and writing.
fn with_a_slow_page(hold: &Hold) -> Router {
    let hold = hold.clone();
    let slow = async move |mut counter: Session<Counter>| -> Result<(), SessionError> {
        hold.point().await;
        counter.update(|counter| counter.0 += 1).await
    };
    routes().route("/slow", post(slow))
}

/// What a page that is still at work does after signing out: nothing.
async fn signed_out_while_a_slow_page_holds_the_session_nothing_is_revived(shop: Shop, rounds: usize) {
    for _ in 0..rounds {
        let hold = Hold::default();
        let mut browser = Client::new(shop.layered(with_a_slow_page(&hold), Duration::from_secs(20)));
        ok(browser.post("/count").await);
        ok(browser.post("/sign-in/ada").await);
        let slow = tokio::spawn({
            let browser = browser.clone();
            async move { browser.ask(Method::POST, "/slow").await }
        });
        hold.reached().await;
        ok(browser.post("/sign-out").await);
        hold.release();
        let late = refused(slow.await.expect("the page does not panic"), "Ended");
        assert_eq!(late.status, 409);
        browser.take(&late);
        assert!(browser.cookies.is_empty());
        assert_eq!(shop.gate.live().await, []);
    }
}

/// The same without any order: whichever comes first.
async fn signing_out_among_updates_leaves_nothing_alive(shop: Shop, rounds: usize) {
    for _ in 0..rounds {
        let mut browser = shop.browser();
        ok(browser.post("/count").await);
        ok(browser.post("/sign-in/ada").await);
        let mut all = JoinSet::new();
        for number in 0..8 {
            let (browser, path) = (browser.clone(), if number == 4 { "/sign-out" } else { "/count" });
            all.spawn(async move { browser.ask(Method::POST, path).await });
        }
        for answer in all.join_all().await {
            match answer.status {
                StatusCode::OK => {}
                _ => drop(refused(answer, "Ended")),
            }
        }
        assert_eq!(shop.gate.live().await, []);
    }
}

/// What is put into the cart while its visitor signs in is in the cart then, or the page said that it is not.
async fn what_is_added_while_signing_in_is_in_the_cart_or_visibly_failed(shop: Shop, rounds: usize) {
    let mut all = Added::default();
    for _ in 0..rounds {
        all.while_at(shop.browser_with_tea().await, "/sign-in/ada").await;
    }
    assert!(all.added + all.failed == 4 * rounds && all.added > 0, "{all:?}");
}

/// The same where one session takes the place of another in one step.
async fn what_is_added_while_signing_in_again_is_in_the_cart_or_visibly_failed(shop: Shop, rounds: usize) {
    let mut all = Added::default();
    for round in 0..rounds {
        let path = if round % 2 == 0 { "/reauthenticate" } else { "/sign-in/ada" };
        all.while_at(shop.signed_in("ada").await, path).await;
    }
    assert!(all.added + all.failed == 4 * rounds && all.added > 0, "{all:?}");
}

#[derive(Debug, Default)]
struct Added {
    added: usize,
    failed: usize,
}

impl Added {
    /// Adds four things while the browser is on its way to this page.
    async fn while_at(&mut self, mut browser: Client, path: &str) {
        let mut all = JoinSet::new();
        for item in ["milk", "honey", "bread", "salt"] {
            let browser = browser.clone();
            all.spawn(async move { (item, browser.ask(Method::POST, &format!("/cart/{item}")).await) });
        }
        ok(browser.post(path).await);
        let cart = see(&browser, "/cart").await;
        let mut expected = vec!["tea"];
        for (item, answer) in all.join_all().await {
            if answer.status == StatusCode::OK {
                self.added += 1;
                expected.push(item);
            } else {
                self.failed += 1;
                refused(answer, "Ended");
            }
        }
        let mut found: Vec<_> = cart.split(' ').collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }
}

/// All of them have begun when the sessions of their user are ended: whether they come before that or after it, none is left.
async fn none_of_many_sign_ins_survives_the_end_of_all(shop: Shop, rounds: usize) {
    let (mut before, mut after) = (0, 0);
    for _ in 0..rounds {
        let mut devices = vec![shop.signed_in("ada").await, shop.signed_in("ada").await];
        devices.extend([shop.browser_with_tea().await, shop.browser()]);
        let (many, meet, asked) = (devices.len(), Arc::new(Barrier::new(devices.len() + 1)), AtomicUsize::new(0));
        let (at_admit, gate, nobody) = (Arc::clone(&meet), Arc::clone(&shop.gate), shop.gate.newest());
        shop.gate.rule(move |op| {
            let (meet, store) = (Arc::clone(&at_admit), gate.inner());
            if op != Op::Admit {
                return Step::Pass;
            }
            let later = asked.fetch_add(1, Ordering::SeqCst);
            // Whoever tries again waits for nobody.
            if later >= many {
                return Step::Pass;
            }
            Step::before(async move {
                meet.wait().await;
                // One comes at once, and each other one round trip after the one before: to end all takes some as well.
                for _ in 0..later {
                    store.load(&nobody).await.expect("the store answers");
                }
            })
        });
        let mut all = JoinSet::new();
        for mut browser in devices {
            all.spawn(async move { browser.post("/sign-in/ada").await });
        }
        let end = shop.ending_all_of_adas();
        meet.wait().await;
        end.await;
        for answer in all.join_all().await {
            if answer.status == StatusCode::OK {
                before += 1;
            } else {
                refused(answer, "Ended");
                after += 1;
            }
        }
        shop.gate.no_rule();
        assert_eq!(shop.sessions_of_ada().await, 0);
        shop.let_time_pass().await;
    }
    assert!(before > 0 && after > 0, "{before} came before it, {after} after it");
}

/// Runs each of these scenarios as a test on each store, so many rounds in memory and so many elsewhere.
macro_rules! on_each_store {
    ($($scenario:ident: $many:literal, $few:literal;)+) => {
        mod in_memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $scenario() {
                super::$scenario(super::Shop::in_memory(), $many).await;
            })+
        }

        mod on_redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $scenario() {
                super::$scenario(super::Shop::on_redis().await, $few).await;
            })+
        }

        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $scenario() {
                super::$scenario(super::Shop::on_sqlite().await, $few).await;
            })+
        }

        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $scenario() {
                super::$scenario(super::Shop::on_postgres().await, $few).await;
            })+
        }
    };
}

on_each_store! {
    sixty_four_increments_through_two_servers_all_count: 50, 5;
    with_losses_every_increment_counts_once_or_is_told_to_be_unknown: 30, 3;
    signed_out_while_a_slow_page_holds_the_session_nothing_is_revived: 200, 20;
    signing_out_among_updates_leaves_nothing_alive: 200, 20;
    what_is_added_while_signing_in_is_in_the_cart_or_visibly_failed: 200, 20;
    what_is_added_while_signing_in_again_is_in_the_cart_or_visibly_failed: 200, 20;
    none_of_many_sign_ins_survives_the_end_of_all: 200, 20;
}
