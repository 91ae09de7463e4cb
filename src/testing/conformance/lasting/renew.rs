//! Activity.

use super::{DAY, HOUR, Transfers, entry, id, of};
use crate::store::{LastingStore, Outcome, Store};
use crate::testing::conformance::LastingBench;
use crate::testing::conformance::entries::{ENDED, KEPT, MOVED, Parts, TOUCHED, at};
use std::time::Duration;
use tokio::task::JoinSet;

const IDLE: Duration = Duration::from_secs(3600);

/// One that was used a minute ago.
fn used(number: u16, bench: &impl LastingBench) -> Parts {
    Parts { touched: bench.clock().now().as_millis() - 60_000, ..of(number) }
}

pub(crate) async fn it_changes_the_time_alone_to_the_stores(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    let there = used(1, bench);
    ada.has(&there.entry()).await;
    let before = bench.clock().now();
    assert!(ada.store.renew(&ada.key, at(there.touched), IDLE, 2 * KEPT).await.unwrap());
    let touched = ada.shows(&there.entry()).await;
    assert!(before <= touched && touched <= bench.clock().now(), "{touched:?} is the time by the store's clock");
    bench.passes(&ada.key, 2 * KEPT).await;
    assert_eq!(ada.loads().await, None);
}

pub(crate) async fn it_happens_only_as_seen(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    let there = used(1, bench);
    ada.has(&there.entry()).await;
    for seen in [there.touched - 1, there.touched + 1, there.touched ^ (1 << 47)] {
        assert!(!ada.store.renew(&ada.key, at(seen), IDLE, 2 * KEPT).await.unwrap());
    }
    assert_eq!(ada.loads().await, Some(there.entry()));
    bench.passes(&ada.key, KEPT).await;
    assert!(!ada.store.renew(&ada.key, at(there.touched), DAY, KEPT).await.unwrap());
    assert_eq!(ada.loads().await, None);
}

/// Where the store's clock is behind.
pub(crate) async fn it_never_goes_back(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    let there = Parts { touched: bench.clock().now().as_millis() + HOUR, ..of(1) };
    ada.has(&there.entry()).await;
    assert!(ada.store.renew(&ada.key, at(there.touched), IDLE, 2 * KEPT).await.unwrap());
    assert_eq!(ada.loads().await, Some(there.entry()));
    bench.passes(&ada.key, 2 * KEPT).await;
}

pub(crate) async fn it_never_creates(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    for seen in [0, TOUCHED] {
        assert!(!ada.store.renew(&ada.key, at(seen), IDLE, KEPT).await.unwrap());
    }
    assert_eq!(ada.loads().await, None);
}

pub(crate) async fn it_leaves_markers_alone(bench: &impl LastingBench) {
    for (user, state) in [(1, ENDED), (2, MOVED)] {
        let ada = Transfers::of_user(bench, user).await;
        let marker = used(1, bench).with_state(state);
        ada.has(&marker.entry()).await;
        assert!(!ada.store.renew(&ada.key, at(marker.touched), IDLE, 2 * KEPT).await.unwrap());
        assert_eq!(ada.loads().await, Some(marker.entry()));
        bench.passes(&ada.key, KEPT).await;
    }
}

pub(crate) async fn what_has_idled_out_or_is_past_its_deadline_is_not_renewed(bench: &impl LastingBench) {
    let now = bench.clock().now().as_millis();
    for (user, there, idle, lives) in [
        (1, Parts { touched: now - HOUR, ..of(1) }, IDLE, false),
        (2, Parts { touched: now - HOUR / 2, ..of(1) }, IDLE, true),
        (3, Parts { touched: now - 60_000, ..of(1) }.with_deadline(at(now)), IDLE, false),
        (4, Parts { touched: now, ..of(1) }, Duration::ZERO, false),
        (5, Parts { touched: 0, ..of(1) }, Duration::MAX, true),
    ] {
        let ada = Transfers::of_user(bench, user).await;
        ada.has(&there.entry()).await;
        let renewed = ada.store.renew(&ada.key, at(there.touched), idle, 2 * KEPT).await.unwrap();
        assert_eq!(renewed, lives, "{user}");
        if !lives {
            assert_eq!(ada.loads().await, Some(there.entry()));
        }
    }
}

pub(crate) async fn of_sixty_four_one_writes(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    let there = used(1, bench);
    ada.has(&there.entry()).await;
    let mut renewals = JoinSet::new();
    for _ in 0..64 {
        let (ada, seen) = (ada.clone(), at(there.touched));
        renewals.spawn(async move { ada.store.renew(&ada.key, seen, IDLE, KEPT).await.unwrap() });
    }
    assert_eq!(renewals.join_all().await.into_iter().filter(|renewed| *renewed).count(), 1);
    // It is no write of its own: who has read before it can still commit.
    assert_eq!(ada.store.commit(&ada.key, id(1), &entry(2), KEPT).await.unwrap(), Outcome::Applied);
}
