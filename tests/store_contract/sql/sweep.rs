//! What has expired goes, and by whose time.

use super::{File, admit, departure, key_of, owner, psql, shared};
use crate::entries::{KEPT, live};
use std::time::Duration;
use thin_session::store::{Admitted, Outcome, Store};
use thin_session::{Clock, SqlStore};

fn count(url: &str, table: &str) -> usize {
    psql(url, &format!("SELECT count(*) FROM {table}")).parse().unwrap()
}

/// Uses the store, for some minutes if need be, until as many rows are left in all of these tables together.
pub(super) async fn used_until(store: &SqlStore, clock: &Clock, url: &str, tables: &[&str], left: usize) {
    for _ in 0..10 {
        clock.advance(Duration::from_secs(61));
        let _: Outcome = store.create(&key_of(99), &live(1), KEPT * 2).await.unwrap();
        for _ in 0..10 {
            let found: usize = tables.iter().map(|table| count(url, table)).sum();
            if found == left {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    panic!("{tables:?} do not come to {left} rows");
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
    used_until(&store, &clock, &url, &["thin_session"], 2).await;
    assert_eq!(store.load(&lasting).await.unwrap(), Some(live(1)));
    // The index remembers a deadline for a day.
    clock.advance(Duration::from_secs(26 * 3600));
    used_until(&store, &clock, &url, &["thin_member", "thin_user", "thin_news"], 0).await;
}

/// It does not ask the clock of this process, unless it is told to.
#[tokio::test(flavor = "multi_thread")]
async fn the_clock_of_postgres_decides() {
    let (store, url) = shared().await;
    let key = key_of(1);
    assert_eq!(store.create(&key, &live(1), Duration::from_secs(60)).await.unwrap(), Outcome::Applied);
    let left = "SELECT expires - floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint FROM thin_session";
    let left: i64 = psql(&url, left).parse().unwrap();
    assert!((40_000..=60_000).contains(&left), "{left} ms");
    psql(&url, "UPDATE thin_session SET expires = expires - 60000");
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

/// The planner knows nothing of a table that has just grown, and must not look at all of it for each step.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_has_just_grown_is_swept_to_its_end() {
    let (store, url) = shared().await;
    let fill = "INSERT INTO thin_session SELECT '', decode(lpad(to_hex(i), 34, '0'), 'hex'), '\\x00', 5 \
                FROM generate_series(1, 20000) i";
    psql(&url, fill);
    assert_eq!(store.create(&key_of(1), &live(1), KEPT).await.unwrap(), Outcome::Applied);
    tokio::task::block_in_place(|| testbed::wait_until("the sweep", || count(&url, "thin_session") == 1));
}
