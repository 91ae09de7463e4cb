//! A process that dies at each step from the end of a session to its place in the archive: before the step, or when it is carried
//! out and nobody has heard. Another process does the rest, once.

use crate::expired::{again, nothing_is_due, nothing_is_left, one, post, told};
use crate::forms::{self, IDLE};
use crate::gate::{Op, Step};
use crate::shop::{PATIENCE, Shop, ok, on_each_store, routes};
use crate::until;
use axum::Router;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use testbed::Client;
use thin_session::EndReason::{Abandoned, Completed, Expired};
use thin_session::{EndReason, store::LastingStore as _};

/// After so long somebody who was completing one is taken for dead.
const GIVEN_UP: Duration = Duration::from_secs(6);

/// How a session with one step ends.
struct Way {
    /// Whether its time has run out before.
    is_lapsed: bool,
    /// What is asked of the process that dies; it also sweeps.
    path: Option<&'static str>,
    reason: EndReason,
    /// How many writes that takes at least.
    writes: usize,
}

const WAYS: [Way; 5] = [
    Way { is_lapsed: false, path: Some("/form-completed"), reason: Completed, writes: 3 },
    Way { is_lapsed: false, path: Some("/form-abandoned"), reason: Abandoned, writes: 3 },
    Way { is_lapsed: false, path: Some("/form-sent"), reason: Completed, writes: 3 },
    Way { is_lapsed: true, path: None, reason: Expired, writes: 3 },
    Way { is_lapsed: true, path: Some("/form/next"), reason: Expired, writes: 3 },
];

/// Has a process end one, which dies at the write of this number: whatever it sends from then on never arrives. False if it has done
/// all there was to do before.
async fn dies_at(shop: &Shop, browser: &Client, way: &Way, write: usize, is_carried_out: bool) -> bool {
    let (dying, is_dead) = (shop.beside(), Arc::<AtomicBool>::default());
    let writes = AtomicUsize::new(0);
    dying.gate.rule({
        let is_dead = Arc::clone(&is_dead);
        move |op| {
            let is_write = matches!(op, Op::Replace | Op::Add | Op::Complete | Op::Settle | Op::Sent);
            let number = if is_write { writes.fetch_add(1, Ordering::SeqCst) } else { 0 };
            let dies = {
                let is_dead = Arc::clone(&is_dead);
                async move {
                    is_dead.store(true, Ordering::SeqCst);
                    pending().await
                }
            };
            match number {
                _ if is_dead.load(Ordering::SeqCst) => Step::before(pending()),
                number if number < write => Step::Pass,
                number if number == write && is_carried_out => Step::after(dies),
                _ => Step::before(dies),
            }
        }
    });
    let server = server(&dying);
    let request = tokio::spawn({
        let (browser, path) = (browser.at(server.clone()), way.path);
        async move {
            if let Some(path) = path {
                ok(post(&browser, path).await);
            }
        }
    });
    let is_idle = async || {
        // In the order in which things move on.
        request.is_finished() && nothing_is_due(shop).await && nothing_waits(shop).await && dying.gate.is_idle()
    };
    until("it dies, or has done it all", async || is_dead.load(Ordering::SeqCst) || is_idle().await).await;
    request.abort();
    is_dead.load(Ordering::SeqCst)
}

async fn nothing_waits(shop: &Shop) -> bool {
    shop.gate.inner().full_outboxes("").await.expect("the store answers").is_empty()
}

/// A server, and a browser where this user is signed in and has filled in a field.
async fn begins(shop: &Shop, user: &str) -> Client {
    let mut browser = Client::new(server(shop));
    ok(browser.post(&format!("/sign-in/{user}")).await);
    ok(post(&browser, "/form/1").await);
    browser
}

fn server(shop: &Shop) -> Router {
    shop.layered(routes().merge(forms::pages()), PATIENCE)
}

async fn wherever_it_dies_it_is_there_once(shop: Shop) {
    for (number, way) in WAYS.iter().enumerate() {
        let deaths = (0..20).flat_map(|write| [(write, false), (write, true)]);
        for (write, is_carried_out) in deaths {
            let user = format!("user-{number}-{write}-{is_carried_out}");
            let context = format!("{:?} by {:?}, at {write}, carried out: {is_carried_out}", way.reason, way.path);
            let looks = shop.gate.dues();
            let mut browser = begins(&shop, &user).await;
            if way.is_lapsed {
                // Its server has swept, and does so again in ten seconds only.
                until("it has swept", async || shop.gate.dues() > looks).await;
                shop.idles(2 * IDLE);
                browser = again(&browser, &user).await;
            }
            let browser = browser.at(Router::new());
            let died = dies_at(&shop, &browser, way, write, is_carried_out).await;

            shop.clock.advance(GIVEN_UP);
            let browser = browser.at(server(&shop));
            if let Some(path) = way.path.filter(|_| died) {
                let answer = post(&browser, path).await;
                assert!(answer.status == 200 || answer.header("kind") == Some("Ended"), "{context}: {answer:?}");
            }
            let mut expected = vec![one(way.reason, &["1"])];
            until(&context, async || told(&shop, &user).await == expected && nothing_is_due(&shop).await).await;
            if way.is_lapsed && way.path.is_some() {
                ok(post(&browser, "/form-completed").await);
                expected.push(one(Completed, &["next"]));
            }
            nothing_is_left(&shop).await;
            assert_eq!(told(&shop, &user).await, expected, "{context}");
            if !died {
                assert!(write >= way.writes, "{context}: it has so many steps");
                break;
            }
        }
    }
}

on_each_store! {
    wherever_it_dies_it_is_there_once,
}
