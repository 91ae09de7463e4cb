//! What has expired goes, and by whose time.

use super::{File, admit, departure, key_of, owner, server, shared};
use crate::entries::{KEPT, live};
use std::time::Duration;
use testbed::wait_until;
use thin_session::Clock;
use thin_session::store::{Admitted, Outcome, Store};

fn count(url: &str, table: &str) -> usize {
    server().command(url, &format!("SELECT count(*) FROM {table}")).parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_expired_is_deleted_as_the_store_is_used() {
    let (store, url) = shared().await;
    let clock = Clock::manual();
    let store = store.with_clock(clock.clone());
    for number in 0..50 {
        assert_eq!(store.create(&key_of(number), &live(1), KEPT).await.unwrap(), Outcome::Applied);
    }
    assert_eq!(admit(&store, 1).await.unwrap(), Admitted::Admitted);
    let _: Outcome = store.depart(&owner(), &departure(1)).await.unwrap();
    assert_eq!(admit(&store, 2).await.unwrap(), Admitted::Admitted);
    clock.advance(KEPT - Duration::from_secs(1));
    let lasting = key_of(77);
    assert_eq!(store.create(&lasting, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    // Past all that was there, with the day for which a deadline is remembered.
    clock.advance(Duration::from_secs(2));
    assert_eq!(store.create(&key_of(78), &live(1), KEPT).await.unwrap(), Outcome::Applied);
    clock.advance(Duration::from_secs(61));
    assert_eq!(store.create(&key_of(79), &live(1), KEPT).await.unwrap(), Outcome::Applied);
    tokio::task::block_in_place(|| wait_until("the sweep", || count(&url, "thin_session") == 3));
    assert_eq!(store.load(&lasting).await.unwrap(), Some(live(1)));
    clock.advance(Duration::from_secs(26 * 3600));
    assert_eq!(store.create(&key_of(80), &live(1), KEPT).await.unwrap(), Outcome::Applied);
    tokio::task::block_in_place(|| {
        wait_until("the rest", || {
            ["thin_member", "thin_user", "thin_news"].iter().all(|table| count(&url, table) == 0)
        });
    });
}

/// It does not ask the clock of this process, unless it is told to.
#[tokio::test(flavor = "multi_thread")]
async fn the_clock_of_postgres_decides() {
    let (store, url) = shared().await;
    let key = key_of(1);
    assert_eq!(store.create(&key, &live(1), Duration::from_secs(60)).await.unwrap(), Outcome::Applied);
    let left = "SELECT expires - floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint FROM thin_session";
    let left: i64 = tokio::task::block_in_place(|| server().command(&url, left)).parse().unwrap();
    assert!((40_000..=60_000).contains(&left), "{left} ms");
    tokio::task::block_in_place(|| server().command(&url, "UPDATE thin_session SET expires = expires - 60000"));
    assert_eq!(store.load(&key).await.unwrap(), None);
    let slow = Clock::manual();
    assert_eq!(store.clone().with_clock(slow).load(&key).await.unwrap(), None);
}

#[tokio::test]
async fn a_task_that_sweeps_ends_with_the_store() {
    let file = File::new();
    let store = file.open().await;
    assert_eq!(store.create(&key_of(1), &live(1), KEPT).await.unwrap(), Outcome::Applied);
    drop(store);
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    while tasks() > 0 {
        tokio::task::yield_now().await;
    }
}
