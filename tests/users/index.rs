//! Hours of touches: what lives is listed and can be ended, what has idled out is neither.

use crate::shop::{ok, see, until};
use crate::site::{Place, Server, handles, in_each_place};
use axum::http::Method;
use std::time::{Duration, Instant};
use testbed::Client;
use thin_session::{Clock, Limits};

const MINUTE: Duration = Duration::from_secs(60);

/// Reads or writes, whichever comes: both are activity.
async fn act(browser: &Client, number: u32) {
    if number.is_multiple_of(7) {
        ok(browser.ask(Method::POST, "/count").await);
    }
    assert_eq!(see(browser, "/who").await, "ada");
}

/// Other sign-ins are what trims the index.
async fn trim(server: &Server) {
    ok(server.signed_in("ada").await.post("/sign-out").await);
}

async fn what_is_touched_stays_listed_until_its_absolute_limit(place: Place) {
    let site = place.site_by(Clock::manual()).await;
    let server = site.server();
    let (early, mut late) = (server.signed_in("ada").await, server.browser());
    let of_early = handles([&early]).await;
    // Up to ten minutes before its absolute limit of twelve hours.
    for number in 1..=71 {
        site.clock.advance(10 * MINUTE);
        act(&early, number).await;
        if number == 36 {
            ok(late.post("/sign-in/ada").await);
        }
        if number > 36 {
            act(&late, number).await;
        }
        if number % 6 == 0 {
            trim(&server).await;
        }
        let expected = if number < 36 { of_early.clone() } else { handles([&early, &late]).await };
        assert_eq!(server.listed("ada").await, expected, "after {number} times ten minutes");
    }
    assert_eq!(server.end_all("ada").await, 2);
    for browser in [&early, &late] {
        assert_eq!(see(browser, "/who").await, "");
    }
}

async fn its_absolute_limit_takes_it_out_of_the_list(place: Place) {
    let site = place.site_by(Clock::manual()).await;
    let server = site.server();
    let browser = server.signed_in("ada").await;
    for number in 1..72 {
        site.clock.advance(10 * MINUTE);
        act(&browser, number).await;
    }
    site.clock.advance(10 * MINUTE - Duration::from_millis(1));
    assert_eq!(server.listed("ada").await.len(), 1);
    site.clock.advance(Duration::from_millis(1));
    assert_eq!(see(&browser, "/who").await, "");
    assert!(server.listed("ada").await.is_empty());
}

/// The index lasts for as long as what it names could.
async fn proving_it_again_begins_a_limit_anew(place: Place) {
    let site = place.site_by(Clock::manual()).await;
    let server = site.server();
    let mut browser = server.signed_in("ada").await;
    for number in 1..=3 * 70 {
        site.clock.advance(10 * MINUTE);
        act(&browser, number).await;
        if number % 70 == 0 {
            ok(browser.post("/reauthenticate").await);
        }
        if number % 30 == 0 {
            trim(&server).await;
        }
        assert_eq!(server.listed("ada").await.len(), 1, "after {number} times ten minutes");
    }
    assert_eq!(server.end_all("ada").await, 1);
    assert_eq!(see(&browser, "/who").await, "");
}

#[tokio::test]
async fn what_has_idled_out_in_memory_is_not_listed() {
    let site = Place::Memory.site_by(Clock::manual()).await;
    let server = site.server();
    let (idle, touched) = (server.signed_in("ada").await, server.signed_in("ada").await);
    for number in 1..=3 {
        assert_eq!(server.listed("ada").await, handles_unread(&server, 2).await);
        site.clock.advance(10 * MINUTE);
        act(&touched, number).await;
    }
    assert_eq!(server.listed("ada").await, handles([&touched]).await);
    assert_eq!(see(&idle, "/who").await, "");
    assert_eq!(server.end_all("ada").await, 1);
}

async fn handles_unread(server: &Server, expected: usize) -> std::collections::BTreeSet<String> {
    let listed = server.listed("ada").await;
    assert_eq!(listed.len(), expected);
    listed
}

/// Redis has a clock of its own, so that this takes as long as it takes: a session that is used for longer than its idle
/// limit beside one that is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_has_idled_out_on_redis_is_not_listed_and_what_is_touched_is() {
    const IDLE: Duration = Duration::from_secs(1);
    let site = Place::redis().site().await;
    let limits = Limits::new(IDLE, Duration::from_secs(3600)).expect("they are in bounds");
    let server = site.server_with(|layer| layer.signed_in_limits(limits));
    // A machine that stood still for so long shows nothing.
    for _ in 0..10 {
        let (idle, touched) = (server.signed_in("ada").await, server.signed_in("ada").await);
        let (of_touched, mut last, mut slowest) = (handles([&touched]).await, Instant::now(), Duration::ZERO);
        let (mut listed, give_up) = (server.listed("ada").await, Instant::now() + 10 * IDLE);
        while listed.len() > 1 && slowest < IDLE / 2 {
            assert!(Instant::now() < give_up, "it does not idle out");
            tokio::time::sleep(Duration::from_millis(20)).await;
            ok(touched.ask(Method::GET, "/who").await);
            slowest = slowest.max(last.elapsed());
            last = Instant::now();
            listed = server.listed("ada").await;
        }
        if slowest < IDLE / 2 {
            assert_eq!(listed, of_touched, "the one that is touched");
            assert_eq!(see(&idle, "/who").await, "");
            assert_eq!(server.end_all("ada").await, 1);
            return;
        }
        server.end_all("ada").await;
    }
    panic!("this machine never runs for a second");
}

/// The key of the index goes with the last of what it names.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_index_on_redis_outlasts_what_it_names_and_not_by_much() {
    let site = Place::redis().site().await;
    let redis = site.redis.clone().expect("it is on Redis");
    let server = site.server();
    let _browser = server.signed_in("ada").await;
    let index = || redis.keys().into_iter().find(|name| String::from_utf8_lossy(name).contains(":u:"));
    let name = index().expect("there is an index");
    let left: i64 = redis.command(&[b"PTTL", &name]).int();
    let hours = |hours: i64| hours * 3_600_000;
    assert!((hours(12) - 60_000..hours(12) + 120_000).contains(&left), "{left} ms");
    server.end_all("ada").await;
    until("an index of nobody is gone", || index().is_none()).await;
}

in_each_place! {
    what_is_touched_stays_listed_until_its_absolute_limit,
    its_absolute_limit_takes_it_out_of_the_list,
    proving_it_again_begins_a_limit_anew,
}
