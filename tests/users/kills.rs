//! Processes that die at each step of a sign-in: they leave at most one session that is signed in, and nobody else's cookie
//! leads there.

use crate::child::Child;
use crate::gate::{Hold, Step};
use crate::shop::{ok, see};
use crate::site::{Place, Server, Site, in_each_place};
use axum::http::Method;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use testbed::{Client, Fault, Proxy};
use tokio::runtime;

/// What the browser holds before, and what is asked of it.
const LIVES: [(&str, &str); 5] = [
    ("nothing", "/sign-in/ada"),
    ("tea", "/sign-in/ada"),
    ("bob", "/sign-in/ada"),
    ("ada", "/sign-in/ada"),
    ("ada", "/reauthenticate"),
];

async fn browser_with(server: &Server, what: &str) -> Client {
    match what {
        "nothing" => server.browser(),
        "tea" => server.browser_with_tea().await,
        user => server.signed_in(user).await,
    }
}

/// Sends a request to a process that dies at the call of this number, before or after the store has carried it out. False if
/// it has not so many.
async fn killed_at(server: &Server, browser: &Client, path: &'static str, call: usize, carried_out: bool) -> bool {
    let (hold, calls) = (Hold::default(), AtomicUsize::new(0));
    server.gate.rule({
        let hold = hold.clone();
        move |_| match calls.fetch_add(1, Ordering::SeqCst) {
            number if number != call => Step::Pass,
            _ if carried_out => Step::after(hold.point()),
            _ => Step::before(hold.point()),
        }
    });
    let dying = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let browser = browser.clone();
    let request = dying.spawn(async move { ok(browser.ask(Method::POST, path).await) });
    let was_killed = tokio::select! {
        answer = request => {
            answer.expect("it was answered");
            false
        }
        () = hold.reached() => true,
    };
    dying.shutdown_background();
    server.gate.no_rule();
    was_killed
}

/// What a process that died has left: the planted cookie leads to nobody, and at most one session is signed in.
async fn is_safe(server: &Server, planted: &Client, before: &str, context: &str) {
    let planted = server.seen_by(planted);
    let listed = server.listed("ada").await;
    assert!(listed.len() <= 1, "{context}: {} are signed in", listed.len());
    if before != "ada" {
        assert_ne!(see(&planted, "/who").await, "ada", "{context}");
        assert_ne!(see(&planted, "/hello").await, "ada", "{context}");
        let mut again = planted.clone();
        again.post("/reauthenticate").await;
        assert_ne!(see(&again, "/who").await, "ada", "{context}");
    }
}

/// Trying again works, with all that there was.
async fn is_found_again(server: &Server, planted: &Client, before: &str, context: &str) {
    let mut browser = server.seen_by(planted);
    ok(browser.post("/sign-in/ada").await);
    assert_eq!(see(&browser, "/who").await, "ada", "{context}");
    assert_eq!(see(&browser, "/cart").await, if before == "tea" { "tea" } else { "" }, "{context}");
    let planted = server.seen_by(planted);
    if browser.cookies != planted.cookies {
        assert_ne!(see(&planted, "/who").await, "ada", "{context}");
    }
}

async fn wherever_it_dies_at_most_one_is_signed_in(place: Place) {
    for (before, path) in LIVES {
        let mut deaths = 0;
        for (call, carried_out) in (0..20).flat_map(|call| [(call, false), (call, true)]) {
            let site = place.site().await;
            let (server, survivor) = (site.server(), site.elsewhere().await);
            let planted = browser_with(&server, before).await;
            let begun = server.gate.calls().len();
            if !killed_at(&server, &planted, path, call, carried_out).await {
                break;
            }
            let last = server.gate.calls()[begun..].last().map(|call| call.op);
            let context = format!("{path} over {before}, at {last:?}, carried out: {carried_out}");
            is_safe(&survivor, &planted, before, &context).await;
            is_found_again(&survivor, &planted, before, &context).await;
            deaths += 1;
        }
        assert!(deaths >= 2, "{path} over {before} has at least one step");
    }
}

/// A real process, killed while what it sent is on the wire; and what that does when it arrives after all.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_real_process_that_is_killed_leaves_at_most_one() {
    let place = Place::redis();
    for (before, path) in LIVES {
        for request in 0.. {
            let site = place.site().await;
            let (server, proxy) = (site.server(), Proxy::start(site.redis.as_ref().expect("it is on Redis").addr()));
            let planted = browser_with(&server, before).await;
            if !kill_on_the_wire(&site, &proxy, &planted, path, request) {
                assert!(request > 0, "{path} over {before} sends something");
                break;
            }
            let context = format!("{path} over {before}, at request {request}");
            is_safe(&server, &planted, before, &context).await;
            proxy.release();
            is_safe(&server, &planted, before, &context).await;
            is_found_again(&server, &planted, before, &context).await;
        }
    }
}

/// False if the sign-in was answered before it had sent so much.
fn kill_on_the_wire(site: &Site, proxy: &Proxy, planted: &Client, path: &str, request: usize) -> bool {
    let mut child = Child::start(site, &proxy.url());
    let (sent, is_held) = (AtomicUsize::new(0), Arc::<AtomicBool>::default());
    proxy.on_request({
        let is_held = Arc::clone(&is_held);
        move |asked| {
            let is_about_sessions = |word: &Vec<u8>| word.starts_with(b"ts:{") && !word.ends_with(b":mark");
            let is_ours = asked.name() != "XREAD" && asked.words.iter().any(is_about_sessions);
            if is_ours && sent.fetch_add(1, Ordering::SeqCst) == request {
                is_held.store(true, Ordering::SeqCst);
                return Fault::Hold;
            }
            Fault::Pass
        }
    });
    let cookies = if planted.cookies.is_empty() { "none=".to_owned() } else { planted.cookie_header() };
    child.tell(&format!("post {path} {cookies}"));
    while !is_held.load(Ordering::SeqCst) {
        if let Some(told) = child.heard() {
            assert_eq!(told, "200 OK");
            return false;
        }
    }
    child.kill();
    true
}

in_each_place! {
    wherever_it_dies_at_most_one_is_signed_in,
}
