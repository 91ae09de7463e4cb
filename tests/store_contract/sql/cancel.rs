//! Operations that are dropped in the middle: every answer after that belongs to its question.

use super::{File, admit, departure, end_of_all, key_of, owner, shared};
use crate::entries::{KEPT, id, live, parts};
use rand::RngExt as _;
use std::time::{Duration, Instant};
use thin_session::SqlStore;
use thin_session::store::{Outcome, Store};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Entries that differ in their bodies, by the number of their key.
fn own(number: u32) -> thin_session::store::Entry {
    parts(1).with_tail(&number.to_be_bytes()).entry()
}

async fn hold(store: SqlStore) {
    for number in 0..16 {
        assert_eq!(store.create(&key_of(number), &own(number), KEPT).await.unwrap(), Outcome::Applied);
    }
    let until = Instant::now() + Duration::from_millis(1500);
    let mut tasks = JoinSet::new();
    for number in 0..16 {
        let store = store.clone();
        tasks.spawn(async move {
            while Instant::now() < until {
                let micros = rand::rng().random_range(0..2000);
                let (other, turn) = (1000 + number, rand::rng().random_range(0..6));
                let seat = u8::try_from(number).unwrap();
                let _ = timeout(Duration::from_micros(micros), async {
                    match turn {
                        0 => drop(store.load(&key_of((number + 1) % 16)).await),
                        1 => drop(store.create(&key_of(other), &live(1), KEPT).await),
                        2 => drop(store.commit(&key_of(other), id(1), &live(2), KEPT).await),
                        3 => drop(admit(&store, seat).await),
                        4 => drop(store.depart(&owner(), &departure(seat)).await),
                        _ => drop(store.end_all(&owner(), &end_of_all()).await),
                    }
                })
                .await;
                // Whoever is refused in the crowd was not answered wrongly.
                if let Ok(found) = store.load(&key_of(number)).await {
                    assert_eq!(found, Some(own(number)));
                }
            }
        });
    }
    tasks.join_all().await;
    // And nothing is held for good.
    let give_up = Instant::now() + testbed::LIMIT;
    while let Err(error) = store.end_all(&owner(), &end_of_all()).await {
        assert!(Instant::now() < give_up, "{error:?}");
    }
    for number in 0..16 {
        assert_eq!(store.load(&key_of(number)).await.unwrap(), Some(own(number)));
    }
    assert_eq!(store.members(&owner()).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dropped_in_sqlite_harms_nobody() {
    let file = File::new();
    hold(file.open().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dropped_in_postgres_harms_nobody() {
    hold(shared().await.0).await;
}
