//! An anonymous session begins.

use crate::store::{Outcome, Store};
use crate::testing::conformance::Bench;
use crate::testing::conformance::entries::{ENDED, KEPT, MOVED, key, live, parts};

pub(crate) async fn keeps_an_entry_for_its_time(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(1));
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(store.load(&key).await.unwrap(), Some(live(1)));
    bench.passes(&key, KEPT).await;
    assert_eq!(store.load(&key).await.unwrap(), None);
}

pub(crate) async fn changes_nothing_that_is_there(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(2));
    for there in [live(1), parts(2).with_state(ENDED).entry(), parts(3).with_state(MOVED).entry()] {
        assert_eq!(store.create(&key, &there, KEPT).await.unwrap(), Outcome::Applied);
        for entry in [live(1), live(9)] {
            assert_eq!(store.create(&key, &entry, KEPT * 2).await.unwrap(), Outcome::Found(there.clone()));
        }
        assert_eq!(store.load(&key).await.unwrap(), Some(there));
        bench.passes(&key, KEPT).await;
    }
}

pub(crate) async fn replaces_what_has_expired(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(3));
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    bench.passes(&key, KEPT).await;
    assert_eq!(store.create(&key, &live(2), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(store.load(&key).await.unwrap(), Some(live(2)));
}
