//! A store that has lost everything, and operators who want everybody to sign in again.

use crate::shop::{ok, refused, see, until};
use crate::site::{Place, Server, Site, id, in_each_place, recognised, until_recognised_as};
use axum::Router;
use axum::http::Method;
use testbed::{Client, RedisServer};
use thin_session::SessionLayer;

fn flush(redis: &RedisServer) {
    assert_eq!(redis.command(&[b"FLUSHALL"]).text(), "OK");
}

/// Waits until somebody has noticed, and what was known before stands there again.
async fn is_given_back(redis: &RedisServer, streams: usize) {
    let is_stream = |name: &Vec<u8>| redis.command(&[b"TYPE", name]).text() == "stream";
    until("the news are given back", || redis.keys().iter().filter(|name| is_stream(name)).count() >= streams).await;
}

async fn two_servers(site: &Site) -> [Server; 2] {
    [site.server(), site.elsewhere().await]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_revoked_stays_so_and_everybody_signs_in_again() {
    let site = Place::redis().site().await;
    let redis = site.redis.clone().expect("it is on Redis");
    let servers = two_servers(&site).await;
    let [here, there] = &servers;
    let [ada, bob, carol] = [here.signed_in("ada").await, here.signed_in("bob").await, here.signed_in("carol").await];
    let cart = here.browser_with_tea().await;
    ok(ada.ask(Method::POST, "/sign-out").await);
    here.end_all("bob").await;
    for revoked in [&ada, &bob] {
        until_recognised_as(&there.seen_by(revoked), "").await;
    }

    flush(&redis);
    for server in &servers {
        for browser in [&ada, &bob, &carol] {
            assert_eq!(see(&server.seen_by(browser), "/who").await, "");
        }
        assert_eq!(see(&server.seen_by(&cart), "/cart").await, "");
        knows(server, &[&ada, &bob], &carol).await;
    }
    is_given_back(&redis, 2).await;
    for server in &servers {
        knows(server, &[&ada, &bob], &carol).await;
    }

    // One that was not there when it happened.
    let late = site.elsewhere().await;
    for revoked in [&ada, &bob] {
        until_recognised_as(&late.seen_by(revoked), "").await;
    }
    knows(&late, &[&ada, &bob], &carol).await;
    for server in [here, there, &late] {
        for user in ["ada", "bob", "carol"] {
            let again = server.signed_in(user).await;
            assert_eq!(see(&here.seen_by(&again), "/who").await, user);
            assert_eq!(recognised(&there.seen_by(&again)).await, user);
        }
    }
    assert_eq!(here.end_all("bob").await, 3, "the index counts on");
}

async fn knows(server: &Server, revoked: &[&Client], other: &Client) {
    for browser in revoked {
        assert_eq!(recognised(&server.seen_by(browser)).await, "");
    }
    assert_ne!(recognised(&server.seen_by(other)).await, "", "who was not revoked is recognised");
}

/// As the guide says: with the last process that knew goes the knowledge, if the store has lost it too.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_nobody_knows_any_more_is_recognised_again() {
    let site = Place::redis().site().await;
    let redis = site.redis.clone().expect("it is on Redis");
    let followers = || redis.command(&[b"CLIENT", b"LIST"]).text().matches("cmd=xread").count();
    let here = site.server();
    let [ada, carol] = [here.signed_in("ada").await, here.signed_in("carol").await];
    ok(ada.ask(Method::POST, "/sign-out").await);
    until("it listens", || followers() == 1).await;
    // Browsers hold on to the server too.
    let [ada, carol] = [ada, carol].map(|browser| browser.at(Router::new()));
    drop(here);
    until("nobody listens", || followers() == 0).await;

    let strict = |layer: SessionLayer| layer.strict_visitors();
    let [ada_at, carol_at] = [&ada, &carol].map(|browser| move |server: &Server| server.seen_by(browser));
    let late = site.elsewhere_by(strict).await;
    until_recognised_as(&carol_at(&late), "carol").await;
    assert_eq!(recognised(&ada_at(&late)).await, "", "the store knows");
    drop(late);
    until("nobody listens", || followers() == 0).await;
    flush(&redis);
    let late = site.elsewhere_by(strict).await;
    until_recognised_as(&carol_at(&late), "carol").await;
    assert_eq!(recognised(&ada_at(&late)).await, "ada", "nobody knows");
}

/// Sign-ins that verified an old password are refused although the store has lost the epoch.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_epoch_of_a_user_is_given_back_too() {
    let site = Place::redis().site().await;
    let redis = site.redis.clone().expect("it is on Redis");
    let here = site.server();
    let old = here.signed_in("ada").await;
    here.end_all("ada").await;
    let epoch = || {
        let name = redis.keys().into_iter().find(|name| String::from_utf8_lossy(name).contains(":e:"));
        name.map(|name| redis.command(&[b"GET", &name]).bytes())
    };
    let before = epoch().expect("it is kept");
    flush(&redis);
    until("the epoch is given back", || epoch().is_some()).await;
    assert_eq!(epoch(), Some(before));
    assert_eq!(recognised(&old).await, "");
}

/// All that a server holds, to be put back as it was.
struct Backup(Vec<(Vec<u8>, Vec<u8>, i64)>);

impl Backup {
    fn take(redis: &RedisServer) -> Self {
        let of = |name: Vec<u8>| {
            let value = redis.command(&[b"DUMP", &name]).bytes();
            let left = redis.command(&[b"PTTL", &name]).int().max(0);
            (name, value, left)
        };
        Self(redis.keys().into_iter().map(of).collect())
    }

    fn put_back(&self, redis: &RedisServer) {
        let is_known = |name: &Vec<u8>| self.0.iter().any(|(known, ..)| known == name);
        for name in redis.keys().into_iter().filter(|name| !is_known(name)) {
            assert_eq!(redis.command(&[b"DEL", &name]).int(), 1);
        }
        for (name, value, left) in &self.0 {
            let reply = redis.command(&[b"RESTORE", name, left.to_string().as_bytes(), value, b"REPLACE"]);
            assert_eq!(reply.text(), "OK");
        }
    }
}

/// As after a failover to a server that had not heard of the ending: who has heard refuses what is there again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_ending_that_the_store_has_lost_still_counts_where_it_was_heard() {
    let site = Place::redis().site().await;
    let redis = site.redis.clone().expect("it is on Redis");
    let servers = two_servers(&site).await;
    let [here, there] = &servers;
    let [ada, bob, carol] = [here.signed_in("ada").await, here.signed_in("bob").await, here.signed_in("carol").await];
    let backup = Backup::take(&redis);
    ok(ada.ask(Method::POST, "/sign-out").await);
    assert_eq!(here.end_all("bob").await, 1);
    for revoked in [&ada, &bob] {
        until_recognised_as(&there.seen_by(revoked), "").await;
    }
    backup.put_back(&redis);
    for server in &servers {
        for (revoked, user) in [(&ada, "ada"), (&bob, "bob")] {
            let revoked = server.seen_by(revoked);
            assert_eq!(see(&revoked, "/who").await, "", "{user}");
            refused(revoked.ask(Method::POST, "/count").await, "Ended");
            assert_eq!(recognised(&revoked).await, "", "{user}");
            assert!(server.listed(user).await.is_empty(), "{user}");
        }
        assert_eq!(see(&server.seen_by(&carol), "/who").await, "carol");
    }
    let late = site.elsewhere().await;
    assert_eq!(see(&late.seen_by(&ada), "/who").await, "ada", "as the guide says: who starts later does not know");
}

async fn operators_have_everybody_sign_in_again(place: Place) {
    let site = place.site().await;
    let servers = two_servers(&site).await;
    let [here, there] = &servers;
    let (ada, bob, cart) = (here.signed_in("ada").await, there.signed_in("bob").await, here.browser_with_tea().await);
    here.sessions().end_everything().await.expect("it can be told");
    for browser in [&ada, &bob] {
        let browser = here.seen_by(browser);
        assert_eq!(see(&browser, "/who").await, "", "here at once");
        assert_eq!(recognised(&browser).await, "");
        until_recognised_as(&there.seen_by(&browser), "").await;
    }
    for server in &servers {
        for (browser, user) in [(&ada, "ada"), (&bob, "bob")] {
            let browser = server.seen_by(browser);
            assert_eq!(see(&browser, "/who").await, "");
            refused(browser.ask(Method::POST, "/count").await, "Ended");
            assert!(server.listed(user).await.is_empty(), "nor is it listed");
        }
        let cart = server.seen_by(&cart);
        ok(cart.ask(Method::POST, "/cart/milk").await);
    }
    assert_eq!(see(&cart, "/cart").await, "tea milk milk", "anonymous sessions go on");
    let mut shopper = cart.clone();
    ok(shopper.post("/sign-in/carol").await);
    for (server, user) in [(here, "ada"), (there, "ada"), (there, "bob")] {
        let again = server.signed_in(user).await;
        for server in &servers {
            assert_eq!(see(&server.seen_by(&again), "/who").await, user);
            assert_eq!(recognised(&server.seen_by(&again)).await, user);
            assert!(!server.listed(user).await.is_empty());
        }
    }
    assert_eq!(see(&shopper, "/who").await, "carol");
    assert_eq!(see(&shopper, "/cart").await, "tea milk milk");
    // Those of before are there no more than they work.
    let listed = here.sessions().list(&id("ada")).await.expect("they can be listed");
    assert_eq!(listed.len(), 2);
    // And once more: the later one counts.
    here.sessions().end_everything().await.expect("it can be told");
    assert_eq!(see(&shopper, "/who").await, "");
    until_recognised_as(&there.seen_by(&shopper), "").await;
    assert_eq!(see(&there.signed_in("ada").await, "/who").await, "ada");
}

/// A server that starts afterwards hears of it like any other.
async fn whoever_starts_later_refuses_what_was_signed_in_before(place: Place) {
    let site = place.site().await;
    let here = site.server();
    let ada = here.signed_in("ada").await;
    here.sessions().end_everything().await.expect("it can be told");
    let late = site.elsewhere().await;
    until_recognised_as(&late.seen_by(&ada), "").await;
    assert_eq!(see(&late.seen_by(&ada), "/who").await, "");
    assert_eq!(see(&late.signed_in("ada").await, "/who").await, "ada");
}

in_each_place! {
    operators_have_everybody_sign_in_again,
    whoever_starts_later_refuses_what_was_signed_in_before,
}
