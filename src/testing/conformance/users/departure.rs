//! What a departure does.

use super::{ADA, User, entry, id, told};
use crate::store::{Admitted, Departure, Marker, Outcome, Store};
use crate::testing::conformance::Bench;
use crate::testing::conformance::entries::KEPT;
use crate::testing::conformance::markers::{ended, moved};

pub(crate) async fn it_leaves_a_marker_for_two_minutes(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in([1, 2, 3]).await;
    for (number, expected) in [(1, None), (2, Some(id(2)))] {
        let departure = Departure { expected, ..ada.departure(number) };
        assert_eq!(ada.store.depart(&ada.owner, &departure).await.unwrap(), Outcome::Applied);
        ada.has_left(number, ended()).await;
    }
    ada.has([3]).await;
    told(bench, [ada.news(1), ada.news(2)]).await;
    assert_eq!(ada.asks(4, |admission| admission.limit = 2).await, Admitted::Admitted);
    bench.passes(&ada.member(2).key, Marker::KEPT).await;
}

pub(crate) async fn it_compares_what_it_is_told_to(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in([1, 2]).await;
    let before = ada.sight().await;
    for other in [2, 257] {
        let departure = Departure { expected: Some(id(other)), ..ada.departure(1) };
        assert_eq!(ada.store.depart(&ada.owner, &departure).await.unwrap(), Outcome::Found(entry(1)));
    }
    assert_eq!(ada.sight().await, before);
    told(bench, []).await;
}

pub(crate) async fn under_a_marker_nothing_happens(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in([1, 2]).await;
    // Ended past the index, which still counts it.
    assert_eq!(ada.store.end(&ada.member(1).key, None, moved()).await.unwrap(), Outcome::Applied);
    let there = entry(1).ended(moved());
    for expected in [None, Some(id(1)), Some(id(2))] {
        let departure = Departure { expected, ..ada.departure(1) };
        assert_eq!(ada.store.depart(&ada.owner, &departure).await.unwrap(), Outcome::Found(there.clone()));
    }
    assert_eq!(ada.loads(1).await, Some(there));
    told(bench, []).await;
    assert_eq!(ada.asks(3, |admission| admission.limit = 2).await, Admitted::Full);
}

pub(crate) async fn under_an_absent_key_the_rest_is_seen_to(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in([1, 2]).await;
    assert_eq!(ada.store.end(&ada.member(1).key, None, ended()).await.unwrap(), Outcome::Applied);
    bench.passes(&ada.member(1).key, Marker::KEPT).await;
    assert_eq!(ada.asks(3, |admission| admission.limit = 2).await, Admitted::Full);
    // The second was never there.
    for (number, expected) in [(1, Some(id(1))), (9, None)] {
        let departure = Departure { expected, ..ada.departure(number) };
        assert_eq!(ada.store.depart(&ada.owner, &departure).await.unwrap(), Outcome::Absent);
        assert_eq!(ada.loads(number).await, None);
    }
    told(bench, [ada.news(1), ada.news(9)]).await;
    assert_eq!(ada.asks(3, |admission| admission.limit = 2).await, Admitted::Admitted);
    ada.has([2, 3]).await;
}

pub(crate) async fn of_forty_departures_one_is_applied(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in([1]).await;
    let mut departures = tokio::task::JoinSet::new();
    for i in 0..40_u16 {
        let ada = ada.clone();
        departures.spawn(async move {
            let marker = crate::testing::moved_marker(&i.to_be_bytes());
            let departure = Departure { marker: marker.clone(), ..ada.departure(1) };
            (marker, ada.store.depart(&ada.owner, &departure).await.unwrap())
        });
    }
    let outcomes = departures.join_all().await;
    let applied: Vec<_> = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Applied).collect();
    let [(marker, _)] = applied[..] else { panic!("applied: {applied:?}") };
    ada.has_left(1, marker).await;
    let there = Outcome::Found(entry(1).ended(marker));
    assert_eq!(outcomes.iter().filter(|(_, outcome)| *outcome == there).count(), 39);
    assert_eq!(ada.store.commit(&ada.member(1).key, id(1), &entry(2), KEPT).await.unwrap(), there);
}
