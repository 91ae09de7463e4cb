//! An anonymous session ends.

use crate::store::{Marker, Outcome, Store};
use crate::testing::conformance::Bench;
use crate::testing::conformance::entries::{KEPT, MOVED, id, key, live, parts};
use crate::testing::conformance::markers::{ended, moved};
use std::time::Duration;

pub(crate) async fn leaves_a_marker_for_two_minutes(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(14));
    for expected in [None, Some(id(1))] {
        assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
        assert_eq!(store.end(&key, expected, ended()).await.unwrap(), Outcome::Applied);
        let left = store.load(&key).await.unwrap().unwrap();
        assert!(!left.is_live());
        assert_eq!(left, live(1).ended(ended()));
        bench.passes(&key, Duration::from_secs(120)).await;
        assert_eq!(store.load(&key).await.unwrap(), None);
    }
}

pub(crate) async fn keeps_header_and_history(bench: &impl Bench) {
    let store = bench.store();
    for history in [0, 1, 15, 16] {
        for tail in [&b""[..], b"short", &[0xff; 500]] {
            let key = key(history);
            let mut whole = parts(u16::from(history));
            (whole.history, whole.tail) = (history, tail.to_vec());
            assert_eq!(store.create(&key, &whole.entry(), KEPT).await.unwrap(), Outcome::Applied);
            assert_eq!(store.end(&key, Some(whole.entry().write_id()), moved()).await.unwrap(), Outcome::Applied);

            (whole.state, whole.tail) = (MOVED, moved().tail().to_vec());
            assert_eq!(store.load(&key).await.unwrap().unwrap().as_bytes(), whole.bytes());
            bench.passes(&key, Marker::KEPT).await;
        }
    }
}

pub(crate) async fn compares_what_it_is_told_to(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(15));
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    for other in [2, 257] {
        assert_eq!(store.end(&key, Some(id(other)), ended()).await.unwrap(), Outcome::Found(live(1)));
    }
    assert_eq!(store.load(&key).await.unwrap(), Some(live(1)));
    bench.passes(&key, KEPT).await;
}

pub(crate) async fn of_what_is_gone_is_absent(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(16));
    for expected in [None, Some(id(1))] {
        assert_eq!(store.end(&key, expected, ended()).await.unwrap(), Outcome::Absent);
    }
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    bench.passes(&key, KEPT).await;
    for expected in [None, Some(id(1))] {
        assert_eq!(store.end(&key, expected, ended()).await.unwrap(), Outcome::Absent);
    }
    assert_eq!(store.load(&key).await.unwrap(), None);
}

pub(crate) async fn leaves_markers_alone(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(17));
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(store.end(&key, None, ended()).await.unwrap(), Outcome::Applied);
    let there = live(1).ended(ended());
    for expected in [None, Some(id(1)), Some(id(2))] {
        let outcome = store.end(&key, expected, moved()).await.unwrap();
        assert_eq!(outcome, Outcome::Found(there.clone()));
    }
    assert_eq!(store.load(&key).await.unwrap(), Some(there));
}
