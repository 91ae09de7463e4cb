//! How many sessions a user may have, and who makes room for one more.

use crate::shop::{ok, refused, see};
use crate::site::{Place, Server, Site, handle, handles, in_each_place, recognised, rounds, until_recognised_as};
use axum::http::Method;
use std::time::Duration;
use testbed::Client;
use thin_session::{Clock, SessionLayer};
use tokio::task::JoinSet;

fn up_to(limit: usize) -> impl FnOnce(SessionLayer) -> SessionLayer {
    move |layer| layer.max_sessions_per_user(limit).expect("it is in bounds")
}

async fn two_servers(site: &Site, limit: usize) -> [Server; 2] {
    [site.server_with(up_to(limit)), site.elsewhere_by(up_to(limit)).await]
}

async fn of_fifty_at_once_five_are_left(place: Place) {
    for round in 0..rounds(3, 50) {
        let site = place.site().await;
        let servers = two_servers(&site, 5).await;
        let mut all = JoinSet::new();
        for number in 0..50 {
            let server = servers[number % 2].clone();
            all.spawn(async move {
                // With a cart the sign-in takes two steps, without it takes one.
                let mut browser = if number % 3 == 0 { server.browser_with_tea().await } else { server.browser() };
                ok(browser.post("/sign-in/ada").await);
                browser
            });
        }
        let browsers = all.join_all().await;
        let works = handles(&browsers).await;
        assert!((1..=5).contains(&works.len()), "round {round}: {} are left", works.len());
        for server in &servers {
            assert_eq!(server.listed("ada").await, works, "round {round}");
        }
        assert_eq!(site.live().await, works.len(), "round {round}: nothing else lives");
        for browser in &browsers {
            if handle(browser).await.is_none() {
                has_made_room(&servers, browser).await;
            }
        }
    }
}

/// Signed in no more, and nobody's browser.
async fn has_made_room(servers: &[Server], browser: &Client) {
    for browser in servers.iter().map(|server| server.seen_by(browser)) {
        refused(browser.ask(Method::GET, "/session").await, "SignedOut");
        until_recognised_as(&browser, "").await;
    }
}

/// Which of the browsers are signed in.
async fn signed_in(browsers: &[Client]) -> String {
    let mut still = String::new();
    for (browser, name) in browsers.iter().zip('a'..) {
        if handle(browser).await.is_some() {
            still.push(name);
        }
    }
    still
}

async fn first_go_those_that_were_never_used_and_then_the_oldest(place: Place) {
    let site = place.site_by(Clock::manual()).await;
    let server = site.server_with(up_to(3));
    let mut browsers = Vec::new();
    let mut sign_in = async |is_used: bool| {
        site.clock.advance(Duration::from_secs(60));
        let browser = server.signed_in("ada").await;
        if is_used {
            ok(browser.ask(Method::POST, "/count").await);
        }
        browsers.push(browser);
        let still = signed_in(&browsers).await;
        for (browser, name) in browsers.iter().zip('a'..) {
            if !still.contains(name) {
                has_made_room(std::slice::from_ref(&server), browser).await;
            }
        }
        still
    };
    for (is_used, still) in [
        (true, "a"),
        (false, "ab"),
        (true, "abc"),
        (false, "acd"), // b was never used
        (false, "ace"), // nor was d
        (true, "acf"),  // nor was e
        (true, "cfg"),  // all were, and a is the oldest
        (false, "fgh"),
        (true, "fgi"),
    ] {
        assert_eq!(sign_in(is_used).await, still);
    }
    assert_eq!(server.listed("ada").await.len(), 3);
}

/// To read is to use, as soon as it is noted: a tenth of the idle limit later.
async fn what_was_only_read_counts_as_used(place: Place) {
    let site = place.site_by(Clock::manual()).await;
    let server = site.server_with(up_to(2));
    let reader = server.signed_in("ada").await;
    site.clock.advance(Duration::from_secs(200));
    assert_eq!(see(&reader, "/who").await, "ada");
    let idle = server.signed_in("ada").await;
    let third = server.signed_in("ada").await;
    assert_eq!(signed_in(&[reader, idle, third]).await, "ac");
}

async fn signing_in_again_at_the_cap_evicts_nobody(place: Place) {
    let site = place.site().await;
    let servers = two_servers(&site, 2).await;
    let (mut first, second) = (servers[0].signed_in("ada").await, servers[1].signed_in("ada").await);
    let bob = servers[0].signed_in("bob").await;
    for path in ["/reauthenticate", "/sign-in/ada", "/reauthenticate", "/sign-in/ada"] {
        let before = servers[0].listed("ada").await;
        ok(first.post(path).await);
        assert_eq!(servers[1].listed("ada").await, before, "{path}: the same handles");
        for browser in [&first, &second] {
            assert_eq!(see(browser, "/who").await, "ada", "{path}");
            assert_eq!(recognised(browser).await, "ada", "{path}");
        }
    }
    assert_eq!(see(&bob, "/who").await, "bob", "each user has a cap of their own");
}

/// Sessions that have ended make room.
async fn who_signs_out_evicts_nobody(place: Place) {
    let site = place.site().await;
    let server = site.server_with(up_to(2));
    let kept = server.signed_in("ada").await;
    for _ in 0..5 {
        let mut other = server.signed_in("ada").await;
        assert_eq!(server.listed("ada").await.len(), 2);
        ok(other.post("/sign-out").await);
    }
    assert_eq!(see(&kept, "/who").await, "ada");
}

in_each_place! {
    of_fifty_at_once_five_are_left,
    first_go_those_that_were_never_used_and_then_the_oldest,
    what_was_only_read_counts_as_used,
    signing_in_again_at_the_cap_evicts_nobody,
    who_signs_out_evicts_nobody,
}
