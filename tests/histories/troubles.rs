//! Histories on a Redis that is killed, that stands still, that forgets its scripts, or whose user may do only what is documented.

use super::campaign::{Tally, at_once, count, is_full};
use super::shaken::Faults;
use super::site::Site;
use super::{fail, on_redis, threads};
use rand::RngExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use testbed::RedisServer;
use thin_session::store::LastingStore;
use thin_session::{MemoryStore, RedisStore};

/// Says so when it goes, whatever it goes for.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Histories for as long as a server is in trouble, so many times.
pub(super) fn through<S: Send>(
    what: &'static str,
    times: u64,
    store: impl LastingStore,
    mut server: S,
    mut trouble: impl FnMut(&mut S) + Send,
) -> S {
    let (tally, done, runtime) = (Tally::for_as_long_as_it_takes(what), AtomicBool::new(false), threads());
    thread::scope(|scope| {
        scope.spawn(|| {
            let _done = Done(&done);
            (0..times).for_each(|_| trouble(&mut server));
        });
        runtime.block_on(async {
            let site = Site::new(Arc::new(store), Arc::new(MemoryStore::new()), None, Faults::default(), 0).faulty();
            let seeds = (0..).take_while(|_| !done.load(Ordering::SeqCst));
            at_once(site, seeds, 8, &tally).await.unwrap_or_else(fail);
        });
    });
    tally.ends_in_trouble(times);
    server
}

fn on_redis_through(what: &'static str, times: u64, server: RedisServer, trouble: impl FnMut(&mut RedisServer) + Send) {
    let store = threads().block_on(RedisStore::connect(&server.url())).expect("Redis is up");
    let _ = through(what, times, store, server, trouble);
}

pub(super) fn wait(millis: std::ops::Range<u64>) {
    thread::sleep(Duration::from_millis(rand::rng().random_range(millis)));
}

/// What it has acknowledged it has handed to the kernel, which keeps it. With `appendfsync everysec` it may not have: while a sync is
/// slow it waits with that for up to two seconds.
#[test]
fn on_a_redis_that_is_killed_every_history_has_an_order() {
    let server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "no"]);
    on_redis_through("Redis, killed", count(3, 200), server, |server| {
        wait(100..500);
        server.kill();
        server.restart();
    });
}

#[test]
fn on_a_redis_that_stands_still_every_history_has_an_order() {
    on_redis_through("Redis, stopped", count(2, 100), RedisServer::start(), |server| {
        wait(100..500);
        server.freeze();
        // In a campaign one in twenty takes longer than whatever anybody waits for.
        let is_long = is_full() && rand::rng().random_ratio(1, 20);
        wait(if is_long { 5_000..30_000 } else { 100..2_000 });
        server.thaw();
    });
}

#[test]
fn on_a_redis_that_forgets_its_scripts_every_history_has_an_order() {
    on_redis_through("Redis, its scripts flushed", count(100, 6_000), RedisServer::start(), |server| {
        wait(5..15);
        assert_eq!(server.command(&[b"SCRIPT", b"FLUSH"]).text(), "OK");
    });
}

/// Reading its file takes it a while. Until then it refuses everything.
#[test]
fn on_a_redis_that_loads_what_it_had_every_history_has_an_order() {
    on_redis_through("Redis, killed and loading", count(2, 50), RedisServer::start_slow_to_load(), |server| {
        wait(100..500);
        server.restart_loading();
        wait(0..500);
        server.finish_loading();
    });
}

/// The rights are those that the documentation of `RedisStore` names.
#[test]
fn with_the_documented_rights_alone_every_history_has_an_order() {
    let (server, histories) = (RedisServer::start(), count(60, 2_000));
    let documentation = include_str!("../../src/redis/mod.rs");
    let (_, rights) = documentation.split_once("**Allowed to run**").expect("the rights are documented");
    let (rights, _) = rights.split_once("on keys `ts*`").expect("the rights are documented");
    let rights: Vec<_> =
        rights.split('`').skip(1).step_by(2).map(|command| format!("+{}", command.to_lowercase())).collect();
    assert!(rights.len() > 20, "{rights:?}");
    let mut command: Vec<&[u8]> = vec![b"ACL", b"SETUSER", b"app", b"reset", b"on", b">secret", b"~ts*"];
    command.extend(rights.iter().map(String::as_bytes));
    assert_eq!(server.command(&command).text(), "OK");
    let (url, tally) =
        (server.url().replace("//", "//app:secret@"), Tally::of("Redis, with the documented rights", histories));
    threads().block_on(on_redis(&url, 0..histories, &tally, Faults::default())).unwrap_or_else(fail);
    tally.ends();
}

/// Sets something for a while, and back.
fn set_for_a_while(server: &RedisServer, set: &[&[u8]], back: &[&[u8]]) {
    wait(50..300);
    assert_eq!(server.command(set).text(), "OK");
    wait(50..300);
    assert_eq!(server.command(back).text(), "OK");
}

/// What it refuses is told as not applied, and is not.
#[test]
fn on_a_redis_that_is_full_now_and_then_every_history_has_an_order() {
    on_redis_through("Redis, out of memory", count(3, 150), RedisServer::start(), |server| {
        let set = |bytes| [&b"CONFIG"[..], b"SET", b"maxmemory", bytes];
        set_for_a_while(server, &set(b"1"), &set(b"0"));
    });
}

#[test]
fn on_a_redis_that_misses_its_replicas_every_history_has_an_order() {
    on_redis_through("Redis, without enough replicas", count(3, 150), RedisServer::start(), |server| {
        let set = |number| [&b"CONFIG"[..], b"SET", b"min-replicas-to-write", number];
        set_for_a_while(server, &set(b"1"), &set(b"0"));
    });
}

/// Of a master that is not there, so that it keeps what it has.
#[test]
fn on_a_redis_that_becomes_a_replica_every_history_has_an_order() {
    on_redis_through("Redis, made a replica and back", count(3, 150), RedisServer::start(), |server| {
        set_for_a_while(server, &[b"REPLICAOF", b"127.0.0.1", b"1"], &[b"REPLICAOF", b"NO", b"ONE"]);
    });
}

#[test]
fn on_a_redis_that_is_busy_every_history_has_an_order() {
    const BUSY: &[u8] = b"local n = 0 for i = 1, 3000000 do n = n + i end return 'OK'";
    let server = RedisServer::start();
    assert_eq!(server.command(&[b"CONFIG", b"SET", b"lua-time-limit", b"10"]).text(), "OK");
    on_redis_through("Redis, busy with a script", count(3, 150), server, |server| {
        wait(50..300);
        assert_eq!(server.command(&[b"EVAL", BUSY, b"0"]).text(), "OK");
    });
}
