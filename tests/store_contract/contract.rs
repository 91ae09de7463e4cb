//! One test for each sentence of the contract.

use crate::bench::{Bench, for_all_stores};
use crate::entries::{ENDED, KEPT, MOVED, TOUCHED, at, id, key, live, parts};
use crate::markers::{ended, moved};
use std::time::Duration;
use thin_session::store::{Marker, Outcome, Store};
use tokio::task::JoinSet;

for_all_stores! {
    nothing_is_there_at_first
    create_keeps_an_entry_for_its_time
    create_changes_nothing_that_is_there
    create_replaces_what_has_expired
    commit_replaces_the_expected_entry
    commit_changes_nothing_else
    commit_never_creates
    commit_is_refused_under_a_marker
    of_two_hundred_commits_on_one_base_one_is_applied
    touch_changes_the_time_alone
    touch_happens_only_as_seen
    touch_never_creates
    touch_leaves_markers_alone
    of_sixty_four_touches_one_writes
    end_leaves_a_marker_for_two_minutes
    end_keeps_header_and_history
    end_compares_what_it_is_told_to
    end_of_what_is_gone_is_absent
    end_leaves_markers_alone
    extremes_of_time
    keys_are_apart
}

async fn nothing_is_there_at_first(bench: &impl Bench) {
    assert_eq!(bench.store().load(&key(0)).await.unwrap(), None);
}

async fn create_keeps_an_entry_for_its_time(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(1));
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(store.load(&key).await.unwrap(), Some(live(1)));
    bench.passes(&key, KEPT).await;
    assert_eq!(store.load(&key).await.unwrap(), None);
}

async fn create_changes_nothing_that_is_there(bench: &impl Bench) {
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

async fn create_replaces_what_has_expired(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(3));
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    bench.passes(&key, KEPT).await;
    assert_eq!(store.create(&key, &live(2), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(store.load(&key).await.unwrap(), Some(live(2)));
}

async fn commit_replaces_the_expected_entry(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(4));
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(store.commit(&key, id(1), &live(2), KEPT * 2).await.unwrap(), Outcome::Applied);
    assert_eq!(store.load(&key).await.unwrap(), Some(live(2)));
    bench.passes(&key, KEPT * 2).await;
    assert_eq!(store.commit(&key, id(2), &live(3), KEPT).await.unwrap(), Outcome::Absent);
}

async fn commit_changes_nothing_else(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(5));
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    // The ids of 1 and 257 differ in the first byte, those of 1 and 2 in the last.
    for other in [2, 257] {
        assert_eq!(store.commit(&key, id(other), &live(3), KEPT * 2).await.unwrap(), Outcome::Found(live(1)));
    }
    assert_eq!(store.load(&key).await.unwrap(), Some(live(1)));
    bench.passes(&key, KEPT).await;
}

async fn commit_never_creates(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(6));
    assert_eq!(store.commit(&key, id(1), &live(2), KEPT).await.unwrap(), Outcome::Absent);
    assert_eq!(store.load(&key).await.unwrap(), None);
}

async fn commit_is_refused_under_a_marker(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(7));
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(store.end(&key, None, ended()).await.unwrap(), Outcome::Applied);
    let there = live(1).ended(ended());
    assert_eq!(there.write_id(), id(1));
    assert_eq!(store.commit(&key, id(1), &live(2), KEPT).await.unwrap(), Outcome::Found(there.clone()));
    assert_eq!(store.load(&key).await.unwrap(), Some(there));
}

async fn of_two_hundred_commits_on_one_base_one_is_applied(bench: &impl Bench) {
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

async fn touch_changes_the_time_alone(bench: &impl Bench) {
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

async fn touch_happens_only_as_seen(bench: &impl Bench) {
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

async fn touch_never_creates(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(11));
    for seen in [0, TOUCHED] {
        assert!(!store.touch(&key, at(seen), at(TOUCHED), KEPT).await.unwrap());
    }
    assert_eq!(store.load(&key).await.unwrap(), None);
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
}

async fn touch_leaves_markers_alone(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(12));
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(store.end(&key, None, ended()).await.unwrap(), Outcome::Applied);
    assert!(!store.touch(&key, at(TOUCHED), at(TOUCHED + 5), KEPT).await.unwrap());
    assert_eq!(store.load(&key).await.unwrap(), Some(live(1).ended(ended())));
    bench.passes(&key, Marker::KEPT).await;
}

async fn of_sixty_four_touches_one_writes(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(13));
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    let mut touches = JoinSet::new();
    for i in 1..=64 {
        let store = store.clone();
        touches.spawn(async move { store.touch(&key, at(TOUCHED), at(TOUCHED + i), KEPT).await.unwrap() });
    }
    assert_eq!(touches.join_all().await.into_iter().filter(|touched| *touched).count(), 1);
}

async fn end_leaves_a_marker_for_two_minutes(bench: &impl Bench) {
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

async fn end_keeps_header_and_history(bench: &impl Bench) {
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

async fn end_compares_what_it_is_told_to(bench: &impl Bench) {
    let (store, key) = (bench.store(), key(15));
    assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    for other in [2, 257] {
        assert_eq!(store.end(&key, Some(id(other)), ended()).await.unwrap(), Outcome::Found(live(1)));
    }
    assert_eq!(store.load(&key).await.unwrap(), Some(live(1)));
    bench.passes(&key, KEPT).await;
}

async fn end_of_what_is_gone_is_absent(bench: &impl Bench) {
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

async fn end_leaves_markers_alone(bench: &impl Bench) {
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

async fn extremes_of_time(bench: &impl Bench) {
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
                while store.load(&key).await.unwrap().is_some() {}
            }
        }
        bench.check();
    }
}

async fn keys_are_apart(bench: &impl Bench) {
    let store = bench.store();
    let keys = [key(20), key(21), thin_session::testing::key(20, [8; 16])];
    for (i, key) in (0..).zip(&keys) {
        assert_eq!(store.create(key, &live(i), KEPT).await.unwrap(), Outcome::Applied);
    }
    assert_eq!(store.end(&keys[1], None, ended()).await.unwrap(), Outcome::Applied);
    assert_eq!(store.commit(&keys[2], id(2), &live(9), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(store.load(&keys[0]).await.unwrap(), Some(live(0)));
    assert_eq!(store.load(&keys[1]).await.unwrap(), Some(parts(1).with_state(ENDED).with_tail(ended().tail()).entry()));
    assert_eq!(store.load(&keys[2]).await.unwrap(), Some(live(9)));
}
