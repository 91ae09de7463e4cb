//! Browsers' sessions that go to the archive, in Redis: their copies, when it is time to look, and what is refused.

use super::Wired;
use crate::bench::ttl;
use crate::entries::{KEPT, at, parts};
use crate::markers::ended;
use std::time::{Duration, Instant};
use testbed::RedisServer;
use thin_session::EndReason;
use thin_session::store::{Entry, Key, LastingStore, Outcome, Store};
use thin_session::testing;

const SHORT: Duration = Duration::from_millis(300);
const DAY: i64 = 86_400_000;

fn entry(number: u16) -> Entry {
    parts(number).with_deadline(at(4_000_000_000_000)).archived([7; 16]).entry()
}

/// The name of the copy of what is under this key.
fn copy(key: &Key) -> String {
    key.to_string().replacen(":s:", ":c:", 1)
}

fn names(server: &RedisServer) -> Vec<String> {
    let names = server.keys().into_iter().map(|key| String::from_utf8(key).unwrap());
    names.filter(|name| !name.ends_with(":mark")).collect()
}

async fn wait(time: Duration) {
    let until = Instant::now() + time + Duration::from_millis(2);
    while Instant::now() < until {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_copy_follows_and_goes_with_it() {
    let wired = Wired::start().await;
    let (store, server, key) = (&wired.store, &wired.server, testing::key(7, [7; 16]));
    let [first, second] = [entry(1), entry(2)];
    let is_kept = |entry: &Entry, keep_for: Duration| {
        let record = server.command(&[b"GET", key.to_string().as_bytes()]).bytes();
        let copied = server.command(&[b"GET", copy(&key).as_bytes()]).bytes();
        assert_eq!((&*record, &*copied), (entry.as_bytes(), entry.as_bytes()));
        let longer = ttl(server, copy(&key).as_bytes()) - ttl(server, key.to_string().as_bytes());
        assert!((longer - 90 * DAY).abs() < 1000, "{longer}");
        let left = i64::try_from(keep_for.as_millis()).unwrap() - ttl(server, key.to_string().as_bytes());
        assert!((0..10_000).contains(&left), "{left}");
    };
    assert_eq!(store.create(&key, &first, KEPT).await.unwrap(), Outcome::Applied);
    is_kept(&first, KEPT);
    assert_eq!(store.create(&key, &second, KEPT).await.unwrap(), Outcome::Found(first.clone()));
    is_kept(&first, KEPT);
    assert_eq!(store.commit(&key, second.write_id(), &second, KEPT).await.unwrap(), Outcome::Found(first.clone()));
    is_kept(&first, KEPT);
    assert_eq!(store.commit(&key, first.write_id(), &second, 2 * KEPT).await.unwrap(), Outcome::Applied);
    is_kept(&second, 2 * KEPT);
    assert!(store.touch(&key, second.touched(), second.touched(), 3 * KEPT).await.unwrap());
    is_kept(&second, 3 * KEPT);
    assert_eq!(store.end(&key, None, ended()).await.unwrap(), Outcome::Applied);
    let mut left = names(server);
    left.sort();
    let outbox = names(server).into_iter().find(|name| name.ends_with(":o")).expect("it goes out");
    assert_eq!(left, [outbox, key.to_string()], "a marker, and what goes out");
}

/// A touch does not change when to look; the look does.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_touched_is_looked_at_when_it_may_have_expired() {
    let wired = Wired::start().await;
    let (store, key) = (&wired.store, testing::key(7, [7; 16]));
    let there = entry(1);
    assert_eq!(store.create(&key, &there, SHORT).await.unwrap(), Outcome::Applied);
    assert!(store.touch(&key, there.touched(), there.touched(), 4 * SHORT).await.unwrap());
    wait(SHORT).await;
    assert!(!store.retire("", 10).await.unwrap());
    assert_eq!(store.load(&key).await.unwrap(), Some(there.clone()));
    assert_eq!(store.outbox("", 7, 10).await.unwrap(), []);
    wait(4 * SHORT).await;
    assert!(!store.retire("", 10).await.unwrap());
    let [sent] = &store.outbox("", 7, 10).await.unwrap()[..] else { panic!("it has expired") };
    let (why, _, was) = testing::sent_out(sent, &key).unwrap();
    assert_eq!((why, was), (EndReason::Expired, there));
    store.sent("", 7, &[sent.id]).await.unwrap();
    assert_eq!(names(&wired.server), [""; 0]);
}

/// What nobody has ended, nor looked at, for 90 days is not there any more. To look at it then does no harm.
#[tokio::test(flavor = "multi_thread")]
async fn what_has_gone_with_its_copy_is_forgotten() {
    let wired = Wired::start().await;
    let (store, server, key) = (&wired.store, &wired.server, testing::key(7, [7; 16]));
    assert_eq!(store.create(&key, &entry(1), Duration::from_millis(1)).await.unwrap(), Outcome::Applied);
    let _ = server.command(&[b"PEXPIRE", copy(&key).as_bytes(), b"1"]);
    wait(Duration::from_millis(2)).await;
    assert!(!store.retire("", 10).await.unwrap());
    assert_eq!(names(server), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_memory_none_begins_or_changes_and_all_go_out() {
    let wired = Wired::start().await;
    let (store, server) = (&wired.store, &wired.server);
    let [ends, expires, new] = [1, 2, 3].map(|number| testing::key(number, [7; 16]));
    assert_eq!(store.create(&ends, &entry(1), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(store.create(&expires, &entry(2), SHORT).await.unwrap(), Outcome::Applied);
    wait(SHORT).await;
    let _ = server.command(&[b"CONFIG", b"SET", b"maxmemory", b"1"]);
    let refused = store.create(&new, &entry(3), KEPT).await.unwrap_err();
    assert!(!refused.maybe_applied());
    let refused = store.commit(&ends, entry(1).write_id(), &entry(4), KEPT).await.unwrap_err();
    assert!(!refused.maybe_applied());
    assert_eq!(store.end(&ends, None, ended()).await.unwrap(), Outcome::Applied);
    assert!(!store.retire("", 10).await.unwrap());
    for (key, reason, entry) in [(&ends, EndReason::SignedOut, entry(1)), (&expires, EndReason::Expired, entry(2))] {
        let [sent] = &store.outbox("", key.shard(), 10).await.unwrap()[..] else { panic!("it goes out") };
        let (why, _, was) = testing::sent_out(sent, key).unwrap();
        assert_eq!((why, was), (reason, entry));
    }
    assert_eq!(names(server).iter().filter(|name| name.contains(":c:")).count(), 0);
}

/// What it costs on the wire: one request each, as without.
#[tokio::test(flavor = "multi_thread")]
async fn each_operation_is_one_request() {
    let wired = Wired::start().await;
    let (store, key) = (&wired.store, testing::key(7, [7; 16]));
    let [first, second] = [entry(1), entry(2)];
    // Redis learns the scripts.
    for number in [8, 9] {
        let other = testing::key(number, [7; 16]);
        assert_eq!(store.create(&other, &first, KEPT).await.unwrap(), Outcome::Applied);
        assert_eq!(store.commit(&other, first.write_id(), &second, KEPT).await.unwrap(), Outcome::Applied);
        assert!(store.touch(&other, second.touched(), second.touched(), KEPT).await.unwrap());
        assert_eq!(store.end(&other, None, ended()).await.unwrap(), Outcome::Applied);
    }
    wired.proxy.reset();
    assert_eq!(store.create(&key, &first, KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(store.commit(&key, first.write_id(), &second, KEPT).await.unwrap(), Outcome::Applied);
    assert!(store.touch(&key, second.touched(), second.touched(), KEPT).await.unwrap());
    assert_eq!(store.end(&key, None, ended()).await.unwrap(), Outcome::Applied);
    assert_eq!(wired.proxy.commands(), ["EVALSHA"; 4]);
}
