//! What an admission does.

use super::{ADA, BOB, User, entry, id, told};
use crate::store::{Admitted, Departure, Epoch, Marker, Outcome, Store};
use crate::testing::conformance::Bench;
use crate::testing::conformance::entries::{KEPT, live};
use crate::testing::conformance::markers::{ended, moved};

pub(crate) async fn a_session_is_there_for_its_time_and_named(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    assert_eq!(ada.members().await, []);
    ada.signs_in([1]).await;
    ada.has([1]).await;
    assert_eq!(ada.loads(1).await, Some(entry(1)));
    assert_eq!(ada.epoch().await, Epoch::default());
    told(bench, []).await;
    bench.passes(&ada.member(1).key, KEPT).await;
    assert_eq!(ada.loads(1).await, None);
    ada.has([]).await;
}

pub(crate) async fn what_has_expired_is_not_in_the_way(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in([1]).await;
    bench.passes(&ada.member(1).key, KEPT).await;
    ada.signs_in([1]).await;
    ada.has([1]).await;
}

pub(crate) async fn an_epoch_that_is_behind_is_raised(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    for (number, epoch) in [(1, 50), (2, 50), (3, 51), (4, (1 << 48) - 2)] {
        let epoch = Epoch::from_u64(epoch);
        assert_eq!(ada.asks(number, |admission| admission.epoch = epoch).await, Admitted::Admitted);
        assert_eq!(ada.epoch().await, epoch);
    }
    let answer = ada.asks(5, |admission| admission.epoch = Epoch::from_u64(51)).await;
    assert!(matches!(answer, Admitted::Outdated { .. }), "{answer:?}");
    ada.has([1, 2, 3, 4]).await;
}

pub(crate) async fn one_that_is_ahead_stays(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    let swept = ada.store.end_all(&ada.owner, &ada.sweep(None)).await.unwrap();
    assert!(swept.is_some());
    let epoch = ada.epoch().await;
    let one_less = Epoch::from_u64(epoch.as_u64() - 1);
    for named in [Epoch::default(), one_less] {
        let answer = ada.asks(1, |admission| admission.epoch = named).await;
        assert!(matches!(answer, Admitted::Outdated { epoch: told, .. } if told == epoch), "{answer:?}");
        assert_eq!(ada.epoch().await, epoch);
    }
    assert_eq!(ada.asks(1, |admission| admission.epoch = epoch).await, Admitted::Admitted);
}

pub(crate) async fn a_predecessor_gives_way_in_the_same_step(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in([1, 2]).await;
    for (old, new, expected, news) in [(2, 3, Some(id(2)), true), (1, 4, None, false)] {
        let news = news.then(|| ada.news(old));
        let predecessor = Departure { member: ada.member(old), expected, marker: moved().clone(), news };
        // At the limit: nobody has to go.
        let answer = ada.asks_with(new, Some(&predecessor), &[], |admission| admission.limit = 2).await;
        assert_eq!(answer, Admitted::Admitted);
        ada.has_left(old, moved()).await;
        bench.passes(&ada.member(old).key, Marker::KEPT).await;
    }
    ada.has([3, 4]).await;
    told(bench, [ada.news(2)]).await;
}

pub(crate) async fn a_predecessor_of_another_write_can_be_asked_for_again(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in([1]).await;
    let key = ada.member(1).key;
    assert_eq!(ada.store.commit(&key, id(1), &entry(8), KEPT).await.unwrap(), Outcome::Applied);
    let expecting = |expected| Departure { expected: Some(expected), marker: moved().clone(), ..ada.departure(1) };
    let answer = ada.asks_with(2, Some(&expecting(id(1))), &[], |_| ()).await;
    assert_eq!(answer, Admitted::Predecessor(Some(entry(8))));
    let answer = ada.asks_with(2, Some(&expecting(id(8))), &[], |_| ()).await;
    assert_eq!(answer, Admitted::Admitted);
    assert_eq!(ada.loads(1).await, Some(entry(8).ended(moved())));
    ada.has([2]).await;
}

pub(crate) async fn a_predecessor_that_the_index_does_not_name_gives_way_too(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in([1]).await;
    assert_eq!(ada.store.create(&ada.member(2).key, &entry(2), KEPT).await.unwrap(), Outcome::Applied);
    let predecessor = ada.departure(2);
    // It makes no room where it took none.
    for (limit, expected) in [(1, Admitted::Full), (2, Admitted::Admitted)] {
        let answer = ada.asks_with(3, Some(&predecessor), &[], |admission| admission.limit = limit).await;
        assert_eq!(answer, expected);
    }
    ada.has_left(2, ended()).await;
    ada.has([1, 3]).await;
}

pub(crate) async fn those_to_be_evicted_end(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in(1..=5).await;
    let evicted = [1, 3, 4].map(|number| ada.departure(number));
    let answer = ada.asks_with(6, Some(&ada.departure(2)), &evicted, |admission| admission.limit = 2).await;
    assert_eq!(answer, Admitted::Admitted);
    ada.has([5, 6]).await;
    for number in 1..=4 {
        ada.has_left(number, ended()).await;
    }
    told(bench, (1..=4).map(|number| ada.news(number))).await;
    bench.passes(&ada.member(4).key, Marker::KEPT).await;
}

pub(crate) async fn what_does_not_live_only_leaves_the_index(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in(1..=4).await;
    let key = |number| ada.member(number).key;
    assert_eq!(ada.store.end(&key(1), None, ended()).await.unwrap(), Outcome::Applied);
    bench.passes(&key(1), Marker::KEPT).await;
    assert_eq!(ada.store.end(&key(2), None, ended()).await.unwrap(), Outcome::Applied);
    let evicted = [1, 2].map(|number| Departure { marker: moved().clone(), ..ada.departure(number) });
    let answer = ada.asks_with(5, None, &evicted, |admission| admission.limit = 3).await;
    assert_eq!(answer, Admitted::Admitted);
    ada.has_left(2, ended()).await;
    told(bench, []).await;
    // The index has forgotten them: three are the most that there may be, and are there.
    assert_eq!(ada.asks(6, |admission| admission.limit = 4).await, Admitted::Admitted);
    ada.has([3, 4, 5, 6]).await;
}

pub(crate) async fn another_users_things_are_untouched(bench: &impl Bench) {
    let (ada, bob) = (User::new(bench, ADA), User::new(bench, BOB));
    // One who shares her shard.
    let eve = std::array::from_fn(|i| if i == 0 { ADA } else { 0xee });
    let eve = User { owner: crate::testing::owner("", eve), ..bob.clone() };
    assert_eq!((eve.owner.shard(), eve.owner != ada.owner), (ada.owner.shard(), true));
    for user in [&bob, &eve] {
        user.signs_in([1, 2]).await;
        assert_eq!(user.asks(3, |admission| admission.epoch = Epoch::from_u64(9)).await, Admitted::Admitted);
    }
    let anonymous = crate::testing::key(ADA, [7; 16]);
    assert_eq!(bench.store().create(&anonymous, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    let before = (bob.sight().await, eve.sight().await);

    ada.signs_in([1, 2, 3]).await;
    let (predecessor, evicted, epoch) = (ada.departure(1), [ada.departure(2)], Epoch::from_u64(77));
    let answer = ada.asks_with(4, Some(&predecessor), &evicted, |admission| admission.epoch = epoch).await;
    assert_eq!(answer, Admitted::Admitted);
    assert_eq!(ada.store.depart(&ada.owner, &ada.departure(3)).await.unwrap(), Outcome::Applied);
    let sweep = ada.sweep(None);
    assert_eq!(ada.store.end_all(&ada.owner, &sweep).await.unwrap().map(|swept| swept.ended), Some(1));
    ada.has([]).await;

    assert_eq!((bob.sight().await, eve.sight().await), before);
    assert_eq!(bench.store().load(&anonymous).await.unwrap(), Some(live(1)));
}
