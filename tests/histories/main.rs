//! Histories of requests at once, each checked for an order in which one at a time would have come to the same: the promise, as a
//! program, is in `model`. Clients hang up, calls of the store get lost or come late, and what nobody was told may have happened at
//! any time since, or not.
//!
//! | page | what it holds |
//! |---|---|
//! | [`op`] | what clients did, and what they were told |
//! | [`model`] | the promise, for one request at a time |
//! | [`checker`] | the search for an order |
//! | [`client`] | browsers that do this and that at once |
//! | [`site`] | two servers on one store |
//! | [`shaken`] | a store whose calls wait, get lost, or come late |
//! | [`flaws`] | stores with a bug each, which the checker must find |
//! | [`campaign`] | many histories, and what they came to |
//! | [`hang_up`] | requests that are dropped at each of their awaits |
//! | [`troubles`] | a Redis that is killed, stopped, or allowed little |
//! | [`browser`] | browsers whose requests come one after the other |
//! | [`power_loss`] | a Redis that loses what it has acknowledged |
//! | [`failover`] | a replica that lags behind takes over |
//! | [`restarts`] | a Postgres that is killed, stopped, started again |
//! | [`by_hand`] | histories that show what the checker knows |
//! | [`one_by_one`] | one request after the other, and time that passes, beside a simple model |
//!
//! A failure names its seed. In memory and without threads the same seed gives the same history.

mod browser;
mod by_hand;
mod campaign;
mod checker;
mod client;
mod failover;
mod flaws;
mod hang_up;
mod model;
mod one_by_one;
mod op;
mod power_loss;
mod restarts;
mod shaken;
mod site;
mod troubles;

use campaign::{Broken, Tally, at_once, count, fail, in_turn, report};
use flaws::{Flaw, Flawed};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use shaken::Faults;
use site::Site;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use testbed::{Fault, PostgresServer, Proxy, RedisServer};
use thin_session::store::LastingStore;
use thin_session::{Clock, MemoryStore, RedisStore, SqlStore};
use tokio::runtime::{Builder, Runtime};

/// A store in memory does not grow for ever.
const BATCH: u64 = 250;

/// A runtime on this thread, whose time goes on when nothing else does.
fn turns() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime can be built")
}

fn threads() -> Runtime {
    Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("a runtime can be built")
}

fn batches(seeds: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    seeds.clone().step_by(BATCH as usize).map(move |first| first..seeds.end.min(first + BATCH))
}

/// A store in memory, and the clock it goes by.
fn memory() -> (MemoryStore, Clock) {
    let clock = Clock::manual();
    (MemoryStore::new().with_clock(clock.clone()), clock)
}

fn in_memory_of<S: LastingStore>(
    seeds: Range<u64>,
    faults: Faults,
    tally: &Tally,
    store: impl Fn(MemoryStore) -> S,
) -> Result<(), Broken> {
    for seeds in batches(seeds) {
        let (memory, clock) = memory();
        let archive = Arc::new(MemoryStore::new().with_clock(clock.clone()));
        turns().block_on(async {
            let site = Site::new(Arc::new(store(memory)), archive, Some(clock), faults, seeds.start);
            in_turn(site, seeds, tally).await
        })?;
    }
    Ok(())
}

/// In memory, on as many threads as are sensible on a machine that others use as well.
fn in_memory(what: &'static str, histories: u64, faults: Faults) {
    let tally = Tally::of(what, histories);
    let halves = [0..histories / 2, histories / 2..histories];
    thread::scope(|scope| {
        for seeds in halves {
            scope.spawn(|| in_memory_of(seeds, faults, &tally, |memory| memory).unwrap_or_else(fail));
        }
    });
    tally.ends();
}

#[test]
fn in_memory_every_history_has_an_order() {
    in_memory("memory", count(1_500, 150_000), Faults::default());
}

#[test]
fn in_memory_with_losses_every_history_has_an_order() {
    in_memory("memory, calls lost and late", count(800, 50_000), Faults::SOME);
}

#[test]
fn in_memory_on_threads_every_history_has_an_order() {
    let histories = count(400, 50_000);
    let tally = Tally::of("memory, on four threads", histories);
    for seeds in batches(0..histories) {
        let store = Arc::new(MemoryStore::new());
        let site = || Site::new(Arc::clone(&store), Arc::clone(&store), None, Faults::default(), seeds.start);
        threads().block_on(async { at_once(site(), seeds.clone(), 4, &tally).await }).unwrap_or_else(fail);
    }
    tally.ends();
}

/// A Redis goes by a clock of its own, so that nothing idles out there.
async fn on_redis(url: &str, seeds: Range<u64>, tally: &Tally, faults: Faults) -> Result<(), Broken> {
    let store = RedisStore::connect(url).await.expect("Redis is up");
    let site = Site::new(Arc::new(store), Arc::new(MemoryStore::new()), None, faults, seeds.start);
    at_once(site, seeds, 16, tally).await
}

fn on_a_redis(what: &'static str, histories: u64, faults: Faults) {
    let (server, tally) = (RedisServer::start(), Tally::of(what, histories));
    threads().block_on(on_redis(&server.url(), 0..histories, &tally, faults)).unwrap_or_else(fail);
    tally.ends();
}

#[test]
fn on_redis_every_history_has_an_order() {
    on_a_redis("Redis", count(200, 80_000), Faults::default());
}

#[test]
fn on_redis_with_losses_every_history_has_an_order() {
    on_a_redis("Redis, calls lost and late", count(100, 20_000), Faults::SOME);
}

/// Behind a proxy that cuts the connection instead of passing on a request or a reply, or holds it: with one request all others of
/// the connection are lost.
#[test]
fn on_a_wire_that_fails_every_history_has_an_order() {
    let histories = count(60, 20_000);
    let (server, tally) = (RedisServer::start(), Tally::of("Redis, behind a wire that is cut", histories));
    let proxy = Arc::new(Proxy::start(server.addr()));
    let random = Mutex::new(StdRng::seed_from_u64(1));
    proxy.on_request(move |request| match random.lock().unwrap().random_range(0..4_000) {
        _ if request.name() == "XREAD" => Fault::Pass,
        0..6 => Fault::LoseRequest,
        6..12 => Fault::LoseReply,
        12..15 => Fault::Hold,
        _ => Fault::Pass,
    });
    let stop = Arc::new(AtomicBool::new(false));
    let releasing = thread::spawn({
        let (proxy, stop) = (Arc::clone(&proxy), Arc::clone(&stop));
        move || {
            // A held request is late by less or more than what anybody waits.
            for pause in [20, 100, 300].into_iter().cycle() {
                thread::sleep(Duration::from_millis(pause));
                proxy.release();
                if stop.load(Ordering::Relaxed) {
                    return;
                }
            }
        }
    });
    threads().block_on(async {
        let store = RedisStore::connect(&proxy.url()).await.expect("Redis is up");
        let site = Site::new(Arc::new(store), Arc::new(MemoryStore::new()), None, Faults::default(), 0).faulty();
        at_once(site, 0..histories, 8, &tally).await.unwrap_or_else(fail);
    });
    stop.store(true, Ordering::Relaxed);
    releasing.join().expect("it only sleeps");
    tally.ends();
}

async fn on_sql(store: SqlStore, seeds: Range<u64>, tally: &Tally) -> Result<(), Broken> {
    let clock = Clock::manual();
    let store = Arc::new(store.with_clock(clock.clone()).with_timeout(Duration::from_secs(10)));
    let site = Site::new(Arc::clone(&store), store, Some(clock), Faults::default(), seeds.start);
    in_turn(site, seeds, tally).await
}

#[test]
fn on_sqlite_every_history_has_an_order() {
    let histories = count(60, 5_000);
    let (tally, folder) = (Tally::of("SQLite", histories), tempfile::tempdir().expect("a folder can be made"));
    threads().block_on(async {
        let store = SqlStore::sqlite(&folder.path().join("store.db")).await.expect("the file can be opened");
        on_sql(store, 0..histories, &tally).await.unwrap_or_else(fail);
    });
    tally.ends();
}

#[test]
fn on_postgres_every_history_has_an_order() {
    let histories = count(60, 5_000);
    let (tally, url) = (Tally::of("Postgres", histories), PostgresServer::shared().database());
    threads().block_on(async {
        let store = SqlStore::postgres(&url).await.expect("Postgres is up");
        on_sql(store, 0..histories, &tally).await.unwrap_or_else(fail);
    });
    tally.ends();
}

/// How many histories it takes to find each bug in a store.
#[test]
fn each_flaw_of_a_store_is_found() {
    const MOST: u64 = 5_000;
    let mut missed = Vec::new();
    for flaw in Flaw::ALL {
        let tally = Tally::of("flaws", MOST);
        match in_memory_of(0..MOST, Faults::default(), &tally, |memory| Flawed::new(memory, flaw)) {
            Err(Broken { seed, .. }) => report(&format!("| {flaw:?} | {} |", seed + 1)),
            Ok(()) => missed.push(flaw),
        }
    }
    assert_eq!(missed, [], "not found in {MOST} histories each");
}
