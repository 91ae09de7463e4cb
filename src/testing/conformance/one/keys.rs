//! What is there, and what is not.

use crate::store::{Outcome, Store};
use crate::testing::conformance::Bench;
use crate::testing::conformance::entries::{ENDED, KEPT, TOUCHED, at, id, key, live, parts};
use crate::testing::conformance::markers::ended;
use std::time::Duration;
use tokio::task::yield_now;

pub(crate) async fn nothing_is_there_at_first(bench: &impl Bench) {
    assert_eq!(bench.store().load(&key(0)).await.unwrap(), None);
}

pub(crate) async fn extremes_of_time(bench: &impl Bench) {
    let store = bench.store();
    for (i, extreme) in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX].into_iter().enumerate() {
        let [created, committed, touched] = [0, 1, 2].map(|j| key(u8::try_from(3 * i + j).unwrap()));
        for (key, keep_for) in [(created, extreme), (committed, KEPT), (touched, KEPT)] {
            assert_eq!(store.create(&key, &live(1), keep_for).await.unwrap(), Outcome::Applied);
        }
        assert_eq!(store.commit(&committed, id(1), &live(2), extreme).await.unwrap(), Outcome::Applied);
        assert!(store.touch(&touched, at(TOUCHED), at(TOUCHED + 1), extreme).await.unwrap());
        for key in [created, committed, touched] {
            if extreme == Duration::MAX {
                assert!(store.load(&key).await.unwrap().is_some());
            } else {
                while store.load(&key).await.unwrap().is_some() {
                    yield_now().await;
                }
            }
        }
        bench.look_over().await;
    }
}

pub(crate) async fn keys_are_apart(bench: &impl Bench) {
    let store = bench.store();
    let keys = [key(20), key(21), crate::testing::key(20, [8; 16])];
    for (i, key) in (0..).zip(&keys) {
        assert_eq!(store.create(key, &live(i), KEPT).await.unwrap(), Outcome::Applied);
    }
    assert_eq!(store.end(&keys[1], None, ended()).await.unwrap(), Outcome::Applied);
    assert_eq!(store.commit(&keys[2], id(2), &live(9), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(store.load(&keys[0]).await.unwrap(), Some(live(0)));
    assert_eq!(store.load(&keys[1]).await.unwrap(), Some(parts(1).with_state(ENDED).with_tail(ended().tail()).entry()));
    assert_eq!(store.load(&keys[2]).await.unwrap(), Some(live(9)));
}
