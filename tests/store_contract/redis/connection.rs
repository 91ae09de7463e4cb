//! What becomes of the connection.

use super::Wired;
use crate::bench::connect;
use crate::entries::{KEPT, id, key, live};
use std::sync::Arc;
use testbed::Fault;
use thin_session::RedisStore;
use thin_session::store::{Answer, Entry, Outcome, Store};
use tokio::time::{Duration, Instant};

#[tokio::test]
async fn after_a_restart_one_request_fails_at_most() {
    let mut wired = Wired::start().await;
    wired.server.restart();
    let _ = wired.store.load(&key(0)).await;
    assert_eq!(wired.store.create(&key(0), &live(1), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(wired.store.commit(&key(0), id(1), &live(2), KEPT).await.unwrap(), Outcome::Applied);
}

#[tokio::test]
async fn clones_share_the_connection() {
    let wired = Wired::start().await;
    let clones: Vec<_> = (0..10).map(|_| wired.store.clone()).collect();
    for clone in &clones {
        assert_eq!(clone.load(&key(0)).await.unwrap(), None);
    }
    assert_eq!(wired.connections(), 1);
}

/// Else the layer would set a timer for each call.
#[tokio::test]
async fn what_is_shared_in_an_arc_waits_no_longer() {
    let wired = Wired::start().await;
    let longest = wired.store.longest_wait();
    assert!(longest.is_some());
    assert_eq!(Arc::new(wired.store.clone()).longest_wait(), longest);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_that_wait_cause_one_connect() {
    let wired = Wired::start().await;
    wired.proxy.on_request(|_| Fault::LoseRequest);
    assert!(wired.store.load(&key(0)).await.is_err());
    wired.proxy.no_faults();
    for load in all(&wired.store).await {
        assert_eq!(load.unwrap(), None);
    }
    assert_eq!(wired.connections(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_server_is_down_few_connect() {
    let mut wired = Wired::start().await;
    wired.server.kill();
    let (begin, before) = (Instant::now(), wired.connections());
    let waiting = {
        let store = wired.store.clone();
        tokio::spawn(async move {
            let mut tries = 0;
            while all(&store).await.iter().any(Result::is_err) {
                tries += 1;
                tokio::task::yield_now().await;
            }
            tries
        })
    };
    // In the meantime they try, as often as they can.
    while wired.connections() < before + 3 {
        tokio::task::yield_now().await;
    }
    wired.server.restart();
    let tries = waiting.await.unwrap();
    // At most one in 20 ms failed, and one succeeded.
    let most = begin.elapsed().as_millis() / 20 + 2;
    let connects = wired.connections() - before;
    assert!(u128::from(connects) <= most, "{connects} connects, {tries} times 200 requests, in {:?}", begin.elapsed());
}

/// What fails late takes no newer connection along.
#[tokio::test]
async fn a_late_failure_leaves_the_new_connection_alone() {
    let wired = Arc::new(Wired::start().await);
    wired.create(&key(0)).await;
    let load = || {
        let wired = wired.clone();
        tokio::spawn(async move { wired.store.load(&key(0)).await })
    };
    // Where the second has failed before the new connection was there, on a busy machine, nothing was shown.
    for _ in 0..10 {
        let before = wired.connections();
        wired.proxy.reset();
        wired.proxy.on_request(|request| if request.number == 1 { Fault::Hold } else { Fault::Pass });
        let first = load();
        wired.proxy.wait_held().await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let second = load();
        assert!(first.await.unwrap().is_err());
        assert_eq!(wired.store.load(&key(0)).await.unwrap(), Some(live(1)));
        let is_late = !second.is_finished();
        assert!(second.await.unwrap().is_err());
        assert_eq!(wired.store.load(&key(0)).await.unwrap(), Some(live(1)));
        if is_late {
            return assert_eq!(wired.connections(), before + 1);
        }
    }
    panic!("the second never failed later than the first");
}

/// A caller that connects for all, and is dropped, hands the turn on.
#[tokio::test]
async fn a_dropped_connect_blocks_nobody() {
    let wired = Arc::new(Wired::start().await);
    wired.proxy.on_request(|_| Fault::LoseRequest);
    assert!(wired.store.load(&key(0)).await.is_err());
    wired.proxy.reset();
    wired.proxy.on_request(|request| if request.number == 1 { Fault::Hold } else { Fault::Pass });
    let load = || {
        let wired = wired.clone();
        tokio::spawn(async move { wired.store.load(&key(0)).await })
    };
    let first = load();
    wired.proxy.wait_held().await;
    let second = load();
    tokio::task::yield_now().await;
    first.abort();
    assert_eq!(second.await.unwrap().unwrap(), None);
    assert_eq!(wired.connections(), 3);
}

#[test]
fn a_store_outlives_the_runtime_that_connected() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = testbed::RedisServer::start();
    let store = runtime().block_on(connect(&server.url()));
    let found = runtime().block_on(async {
        let _ = store.load(&key(0)).await;
        store.load(&key(0)).await
    });
    assert_eq!(found.unwrap(), None);
}

/// Two hundred at once.
async fn all(store: &RedisStore) -> Vec<Answer<Option<Entry>>> {
    let mut loads = tokio::task::JoinSet::new();
    for shard in 0..200 {
        let store = store.clone();
        loads.spawn(async move { store.load(&key(shard)).await });
    }
    loads.join_all().await
}
