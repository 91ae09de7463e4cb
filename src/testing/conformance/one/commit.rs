//! A session changes.

use crate::store::{Outcome, Store};
use crate::testing::conformance::Bench;
use crate::testing::conformance::entries::{KEPT, at, id, key, live};
use crate::testing::conformance::markers::ended;
use tokio::task::JoinSet;

pub(crate) async fn replaces_the_expected_entry(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(4));
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(store.commit(&key, id(1), &live(2), KEPT * 2).await.unwrap(), Outcome::Applied);
    assert_eq!(store.load(&key).await.unwrap(), Some(live(2)));
    bench.passes(&key, KEPT * 2).await;
    assert_eq!(store.commit(&key, id(2), &live(3), KEPT).await.unwrap(), Outcome::Absent);
}

pub(crate) async fn changes_nothing_else(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(5));
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    // The ids of 1 and 257 differ in the first byte, those of 1 and 2 in the last.
    for other in [2, 257] {
        assert_eq!(store.commit(&key, id(other), &live(3), KEPT * 2).await.unwrap(), Outcome::Found(live(1)));
    }
    assert_eq!(store.load(&key).await.unwrap(), Some(live(1)));
    bench.passes(&key, KEPT).await;
}

pub(crate) async fn never_creates(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(6));
    assert_eq!(store.commit(&key, id(1), &live(2), KEPT).await.unwrap(), Outcome::Absent);
    assert_eq!(store.load(&key).await.unwrap(), None);
}

pub(crate) async fn is_refused_under_a_marker(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(7));
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(store.end(&key, None, ended()).await.unwrap(), Outcome::Applied);
    let there = live(1).ended(ended());
    assert_eq!(there.write_id(), id(1));
    assert_eq!(store.commit(&key, id(1), &live(2), KEPT).await.unwrap(), Outcome::Found(there.clone()));
    assert_eq!(store.load(&key).await.unwrap(), Some(there));
}

pub(crate) async fn over_a_whole_entry_it_is_the_same(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(9));
    assert_eq!(store.commit_over(&key, &live(1), &live(2), KEPT).await.unwrap(), Outcome::Absent);
    assert_eq!(store.load(&key).await.unwrap(), None);
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(store.commit_over(&key, &live(3), &live(2), KEPT).await.unwrap(), Outcome::Found(live(1)));
    assert_eq!(store.commit_over(&key, &live(1), &live(2), KEPT * 2).await.unwrap(), Outcome::Applied);
    assert_eq!(store.load(&key).await.unwrap(), Some(live(2)));
    assert_eq!(store.end(&key, None, ended()).await.unwrap(), Outcome::Applied);
    let there = live(2).ended(ended());
    assert_eq!(store.commit_over(&key, &live(2), &live(3), KEPT).await.unwrap(), Outcome::Found(there));
}

pub(crate) async fn over_an_entry_that_was_touched_it_says_what_it_found(bench: &impl Bench) {
    let (store, key, before) = (bench.store(), key(10), live(1));
    assert_eq!(store.create(&key, &before, KEPT).await.unwrap(), Outcome::Applied);
    assert!(store.touch(&key, before.touched(), at(7), KEPT).await.unwrap());
    let mut touched = before.clone();
    touched.touch(at(7));
    match store.commit_over(&key, &before, &live(2), KEPT).await.unwrap() {
        Outcome::Applied => {}
        found => {
            assert_eq!(found, Outcome::Found(touched.clone()));
            assert_eq!(store.load(&key).await.unwrap(), Some(touched.clone()));
            assert_eq!(store.commit_over(&key, &touched, &live(2), KEPT).await.unwrap(), Outcome::Applied);
        }
    }
    assert_eq!(store.load(&key).await.unwrap(), Some(live(2)));
}

pub(crate) async fn of_two_hundred_on_one_base_one_is_applied(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(8));
    assert_eq!(store.create(&key, &live(0), KEPT).await.unwrap(), Outcome::Applied);
    let mut commits = JoinSet::new();
    for i in 1..=200 {
        let store = store.clone();
        commits.spawn(async move { (i, store.commit(&key, id(0), &live(i), KEPT).await.unwrap()) });
    }
    let outcomes = commits.join_all().await;
    let applied: Vec<_> = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Applied).collect();
    let [(winner, _)] = applied[..] else { panic!("applied: {applied:?}") };
    assert_eq!(store.load(&key).await.unwrap(), Some(live(*winner)));
    assert_eq!(outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Found(live(*winner))).count(), 199);
}
