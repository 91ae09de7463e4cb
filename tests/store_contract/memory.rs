//! What is peculiar to `MemoryStore`: it has an end.

use crate::entries::{KEPT, id, key, live};
use crate::markers::ended;
use std::time::Duration;
use thin_session::store::{Marker, Outcome, Store};
use thin_session::{Clock, MemoryStore};

fn store(sessions: usize) -> (MemoryStore, Clock) {
    let clock = Clock::manual();
    (MemoryStore::new().with_limit(sessions).with_clock(clock.clone()), clock)
}

#[tokio::test]
async fn a_full_store_refuses_to_create_and_evicts_nothing() {
    let (store, _) = store(3);
    for i in 0..3 {
        assert_eq!(store.create(&key(i), &live(i.into()), KEPT).await.unwrap(), Outcome::Applied);
    }
    for shard in [3, 4, 5] {
        assert!(!store.create(&key(shard), &live(9), KEPT).await.unwrap_err().maybe_applied());
    }
    for i in 0..3 {
        assert_eq!(store.load(&key(i)).await.unwrap(), Some(live(i.into())));
        // A create that was sent again finds itself, full or not.
        assert_eq!(store.create(&key(i), &live(i.into()), KEPT).await.unwrap(), Outcome::Found(live(i.into())));
    }
}

#[tokio::test]
async fn a_full_store_still_commits_and_ends() {
    let (store, clock) = store(1);
    assert_eq!(store.create(&key(0), &live(1), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(store.commit(&key(0), id(1), &live(2), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(store.end(&key(0), None, ended()).await.unwrap(), Outcome::Applied);
    assert!(store.create(&key(1), &live(1), KEPT).await.is_err());
    clock.advance(Marker::KEPT);
    assert_eq!(store.create(&key(1), &live(1), KEPT).await.unwrap(), Outcome::Applied);
}

#[tokio::test]
async fn what_has_expired_does_not_count() {
    let (store, clock) = store(200);
    for shard in 0..200 {
        assert_eq!(store.create(&key(shard), &live(1), KEPT).await.unwrap(), Outcome::Applied);
    }
    assert!(store.create(&key(200), &live(1), KEPT).await.is_err());
    clock.advance(KEPT - Duration::from_millis(1));
    assert!(store.create(&key(200), &live(1), KEPT).await.is_err());
    clock.advance(Duration::from_millis(1));
    for shard in 50..250 {
        assert_eq!(store.create(&key(shard), &live(2), KEPT).await.unwrap(), Outcome::Applied);
    }
    assert!(store.create(&key(250), &live(1), KEPT).await.is_err());
}

#[tokio::test]
async fn a_create_that_finds_something_takes_no_room() {
    let (store, _) = store(2);
    for _ in 0..10 {
        let _: Outcome = store.create(&key(0), &live(1), KEPT).await.unwrap();
    }
    assert_eq!(store.create(&key(1), &live(1), KEPT).await.unwrap(), Outcome::Applied);
}

/// A store that is full of live sessions is not swept again and again: only what has expired since is looked for.
#[tokio::test]
async fn a_flood_on_a_full_store_is_refused_at_little_cost() {
    let (store, clock) = store(20_000);
    for i in 0..20_000_u32 {
        let [a, b, c, d] = i.to_be_bytes();
        let key = thin_session::testing::key(d, [a, b, c, d, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
        assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    }
    // Each sweep would look at all of them: 20,000 of those would take minutes.
    for _ in 0..20_000 {
        assert!(store.create(&key(0), &live(2), KEPT).await.is_err());
    }
    clock.advance(KEPT);
    assert_eq!(store.create(&key(0), &live(2), KEPT).await.unwrap(), Outcome::Applied);
}
