//! Activity.

use crate::store::{Marker, Outcome, Store};
use crate::testing::conformance::Bench;
use crate::testing::conformance::entries::{KEPT, TOUCHED, at, id, key, live};
use crate::testing::conformance::markers::ended;
use tokio::task::JoinSet;

pub(crate) async fn changes_the_time_alone(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(9));
    let mut expected = live(1);
    assert_eq!(store.create(&key, &expected, KEPT).await.unwrap(), Outcome::Applied);
    for (seen, now) in [(TOUCHED, TOUCHED + 60_000), (TOUCHED + 60_000, (1 << 48) - 1), ((1 << 48) - 1, 0)] {
        assert!(store.touch(&key, at(seen), at(now), KEPT * 2).await.unwrap());
        expected.touch(at(now));
        assert_eq!(store.load(&key).await.unwrap(), Some(expected.clone()));
    }
    assert_eq!(expected.write_id(), id(1));
    bench.passes(&key, KEPT * 2).await;
    assert_eq!(store.load(&key).await.unwrap(), None);
}

pub(crate) async fn happens_only_as_seen(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(10));
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    for seen in [TOUCHED - 1, TOUCHED + 1, TOUCHED ^ (1 << 47)] {
        assert!(!store.touch(&key, at(seen), at(TOUCHED + 5), KEPT * 2).await.unwrap());
    }
    assert_eq!(store.load(&key).await.unwrap(), Some(live(1)));
    bench.passes(&key, KEPT).await;
    assert!(!store.touch(&key, at(TOUCHED), at(TOUCHED + 5), KEPT).await.unwrap());
    assert_eq!(store.load(&key).await.unwrap(), None);
}

pub(crate) async fn never_creates(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(11));
    for seen in [0, TOUCHED] {
        assert!(!store.touch(&key, at(seen), at(TOUCHED), KEPT).await.unwrap());
    }
    assert_eq!(store.load(&key).await.unwrap(), None);
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
}

pub(crate) async fn leaves_markers_alone(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(12));
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(store.end(&key, None, ended()).await.unwrap(), Outcome::Applied);
    assert!(!store.touch(&key, at(TOUCHED), at(TOUCHED + 5), KEPT).await.unwrap());
    assert_eq!(store.load(&key).await.unwrap(), Some(live(1).ended(ended())));
    bench.passes(&key, Marker::KEPT).await;
}

pub(crate) async fn of_sixty_four_one_writes(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(13));
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    let mut touches = JoinSet::new();
    for i in 1..=64 {
        let store = store.clone();
        touches.spawn(async move { store.touch(&key, at(TOUCHED), at(TOUCHED + i), KEPT).await.unwrap() });
    }
    assert_eq!(touches.join_all().await.into_iter().filter(|touched| *touched).count(), 1);
}
