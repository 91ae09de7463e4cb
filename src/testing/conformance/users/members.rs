//! Who is named.

use super::{ADA, User, entry, id};
use crate::store::{Admitted, Marker, Outcome, Store};
use crate::testing::conformance::Bench;
use crate::testing::conformance::entries::{KEPT, TOUCHED, at};
use crate::testing::conformance::markers::ended;
use std::time::Duration;

pub(crate) async fn the_one_whose_deadline_comes_first_is_in_front(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in([30, 4, 700, 1, 50, 2]).await;
    ada.has([1, 2, 4, 30, 50, 700]).await;
}

pub(crate) async fn they_come_with_what_is_under_their_keys_now(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in([1, 2]).await;
    let key = ada.member(1).key;
    assert_eq!(ada.store.commit(&key, id(1), &entry(700), KEPT).await.unwrap(), Outcome::Applied);
    assert!(ada.store.touch(&key, at(TOUCHED), at(TOUCHED + 5), KEPT).await.unwrap());
    let mut now = entry(700);
    now.touch(at(TOUCHED + 5));
    // A deadline is that of the sign-in.
    assert_eq!(ada.members().await, [(ada.member(1), now), (ada.member(2), entry(2))]);
}

pub(crate) async fn those_that_have_gone_are_neither_named_nor_counted(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in([1, 3]).await;
    for number in [2, 4] {
        let longer = ada.asks(number, |admission| admission.keep_for = KEPT * 2).await;
        assert_eq!(longer, Admitted::Admitted);
    }
    bench.passes(&ada.member(1).key, KEPT).await;
    // On a clock that is moved by hand this one has gone as well; elsewhere it ends past the index.
    let outcome = ada.store.end(&ada.member(3).key, None, ended()).await.unwrap();
    assert!(matches!(outcome, Outcome::Applied | Outcome::Absent));
    assert_eq!(ada.store.end(&ada.member(4).key, None, ended()).await.unwrap(), Outcome::Applied);
    assert_eq!(ada.asks(5, |admission| admission.limit = 4).await, Admitted::Full);
    ada.has([2]).await;
    ada.has_left(4, ended()).await;
    assert_eq!(ada.asks(5, |admission| admission.limit = 2).await, Admitted::Admitted);
    ada.has([2, 5]).await;
    bench.passes(&ada.member(4).key, Marker::KEPT).await;
}

/// The index goes by the deadline, not by how long a session was to be kept at first.
pub(crate) async fn one_that_was_touched_stays_named(bench: &impl Bench) {
    // A machine that is too busy to touch in time is given more.
    for (user, seconds) in [(1, 1), (2, 3), (3, 9)] {
        let (short, long) = (Duration::from_secs(seconds), Duration::from_secs(8 * 3600));
        let ada = User::new(bench, user);
        for number in [1, 2, 3] {
            assert_eq!(ada.asks(number, |admission| admission.keep_for = short).await, Admitted::Admitted);
        }
        let touched = ada.store.touch(&ada.member(1).key, at(TOUCHED), at(TOUCHED + 5), long).await.unwrap();
        let committed = ada.store.commit(&ada.member(2).key, id(2), &entry(2), long).await.unwrap();
        if touched && committed == Outcome::Applied {
            bench.wait(short).await;
            return two_of_three_stay_named(&ada).await;
        }
    }
    panic!("each of three was too late");
}

/// The first was touched, the second committed to, and the third has gone.
async fn two_of_three_stay_named<S: Store + Clone>(ada: &User<S>) {
    assert_eq!(ada.loads(3).await, None);
    // An admission trims the index on the way.
    ada.signs_in([4]).await;
    let mut touched = entry(1);
    touched.touch(at(TOUCHED + 5));
    let named = [(ada.member(1), touched), (ada.member(2), entry(2)), (ada.member(4), entry(4))];
    assert_eq!(ada.members().await, named);
    assert_eq!(ada.asks(5, |admission| admission.limit = 3).await, Admitted::Full);
    let swept = ada.store.end_all(&ada.owner, &ada.sweep(None)).await.unwrap();
    assert_eq!(swept.map(|swept| swept.ended), Some(3));
}
