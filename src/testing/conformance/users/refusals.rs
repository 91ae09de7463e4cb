//! What an admission is refused for, in this order, and that it then changes nothing.

use super::{ADA, User, entry, id, later, told};
use crate::store::{Admission, Admitted, Departure, Epoch, Marker, Outcome, Store};
use crate::testing::conformance::Bench;
use crate::testing::conformance::entries::{KEPT, at, parts};
use crate::testing::conformance::markers::{ended, moved};
use std::time::{Duration, SystemTime};

/// Asks in vain, with all that would change something if it were let in: asserts that nothing did.
async fn in_vain<B: Bench>(
    bench: &B,
    ada: &User<B::Store>,
    number: u16,
    predecessor: Departure,
    change: impl for<'a> FnOnce(&mut Admission<'a>),
) -> Admitted {
    let before = ada.sight().await;
    let answer = ada.asks_with(number, Some(&predecessor), &[ada.departure(1)], change).await;
    assert_eq!(ada.sight().await, before, "{answer:?}");
    told(bench, []).await;
    answer
}

fn epoch(number: u64) -> impl for<'a> Fn(&mut Admission<'a>) {
    move |admission| admission.epoch = Epoch::from_u64(number)
}

pub(crate) async fn what_is_under_the_key_comes_first(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in([1, 2, 3]).await;
    assert_eq!(ada.asks(4, epoch(50)).await, Admitted::Admitted);
    let plain = |number| Departure { news: None, ..ada.departure(number) };
    assert_eq!(ada.store.depart(&ada.owner, &plain(3)).await.unwrap(), Outcome::Applied);
    for (number, there) in [(2, entry(2)), (3, entry(3).ended(ended()))] {
        for named in [49, 50, 51] {
            let answer = in_vain(bench, &ada, number, ada.departure(9), |admission| {
                epoch(named)(admission);
                admission.limit = 0;
            });
            assert_eq!(answer.await, Admitted::Found(there.clone()));
        }
    }
}

pub(crate) async fn an_admission_that_is_sent_again_finds_itself(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in([1, 2, 3]).await;
    let predecessor = Departure { expected: Some(id(2)), ..ada.departure(2) };
    let admit = || ada.asks_with(4, Some(&predecessor), &[], |admission| admission.limit = 3);
    assert_eq!(admit().await, Admitted::Admitted);
    let after = ada.sight().await;
    assert_eq!(admit().await, Admitted::Found(entry(4)));
    assert_eq!(ada.sight().await, after);
    told(bench, [ada.news(2)]).await;
}

pub(crate) async fn then_comes_the_epoch(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    assert_eq!(ada.asks(1, epoch(50)).await, Admitted::Admitted);
    for named in [0, 49] {
        let before = SystemTime::from(at(*super::BASE)) - Duration::from_secs(10);
        let answer = in_vain(bench, &ada, 2, ada.departure(9), |admission| {
            epoch(named)(admission);
            admission.limit = 0;
        });
        let answer = answer.await;
        let Admitted::Outdated { epoch, now } = answer else { panic!("{answer:?}") };
        assert_eq!(epoch, Epoch::from_u64(50));
        let now = SystemTime::from(now);
        assert!(before < now && now < before + Duration::from_secs(600), "{now:?} is the time by the store's clock");
    }
    assert_eq!(ada.asks(2, epoch(50)).await, Admitted::Admitted);
}

pub(crate) async fn then_comes_the_predecessor(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in([1, 2]).await;
    let gone = |number| Departure { news: None, marker: moved().clone(), ..ada.departure(number) };
    for number in [3, 4] {
        ada.signs_in([number]).await;
        assert_eq!(ada.store.depart(&ada.owner, &gone(number)).await.unwrap(), Outcome::Applied);
    }
    bench.passes(&ada.member(4).key, Marker::KEPT).await;
    let expecting = |number, expected| Departure { expected, ..ada.departure(number) };
    for (predecessor, there) in [
        // Never there, or no longer.
        (expecting(9, None), None),
        (expecting(9, Some(id(9))), None),
        (expecting(4, None), None),
        // Written since: the first byte of the id differs, or the last.
        (expecting(2, Some(id(258))), Some(entry(2))),
        (expecting(2, Some(id(1))), Some(entry(2))),
    ] {
        let answer = in_vain(bench, &ada, 5, predecessor, |admission| {
            epoch(70)(admission);
            admission.limit = 0;
        });
        assert_eq!(answer.await, Admitted::Predecessor(there));
    }
    ada.signs_in([6]).await;
    assert_eq!(ada.store.depart(&ada.owner, &gone(6)).await.unwrap(), Outcome::Applied);
    for expected in [None, Some(id(6))] {
        let answer = in_vain(bench, &ada, 5, expecting(6, expected), epoch(70)).await;
        assert_eq!(answer, Admitted::Predecessor(Some(entry(6).ended(moved()))));
    }
}

pub(crate) async fn then_comes_the_limit(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in([1, 2, 3, 4]).await;
    for limit in [0, 1, 2] {
        // Two leave: the predecessor, and the first.
        let answer = in_vain(bench, &ada, 5, ada.departure(2), |admission| {
            epoch(70)(admission);
            admission.limit = limit;
        });
        assert_eq!(answer.await, Admitted::Full);
    }
    assert_eq!(ada.asks(5, |admission| admission.limit = 4).await, Admitted::Full);
    assert_eq!(ada.asks(5, |admission| admission.limit = 5).await, Admitted::Admitted);
    ada.has([1, 2, 3, 4, 5]).await;
}

pub(crate) async fn those_who_leave_do_not_count(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in([1, 2, 3]).await;
    // Each counts once, also one that is named twice, and one that is not in the index does not make room.
    let twice = [ada.departure(1), ada.departure(1), ada.departure(9)];
    for (predecessor, evicted) in [(None, &twice[..]), (Some(&twice[0]), &twice[..]), (None, &twice[2..])] {
        assert_eq!(
            ada.asks_with(4, predecessor, evicted, |admission| admission.limit = 2).await,
            Admitted::Full,
            "{evicted:?}"
        );
    }
    ada.has([1, 2, 3]).await;
    assert_eq!(ada.asks_with(4, None, &twice, |admission| admission.limit = 3).await, Admitted::Admitted);
    ada.has([2, 3, 4]).await;
}

pub(crate) async fn the_index_may_name_some_that_have_gone(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in([1, 2]).await;
    assert_eq!(ada.store.end(&ada.member(1).key, None, ended()).await.unwrap(), Outcome::Applied);
    bench.passes(&ada.member(1).key, Marker::KEPT).await;
    assert_eq!(ada.asks(3, |admission| admission.limit = 2).await, Admitted::Full);
    ada.has([2]).await;
    assert_eq!(ada.asks(3, |admission| admission.limit = 2).await, Admitted::Admitted);
    ada.has([2, 3]).await;
}

pub(crate) async fn those_past_their_deadline_do_not_count(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    let past = parts(1).with_deadline(at(*super::BASE - 300_000)).entry();
    let (member, entry, limit) = (ada.member(1), &past, 1);
    let (epoch, epoch_until) = (Epoch::default(), later());
    let admission =
        Admission { member, entry, keep_for: KEPT, epoch, epoch_until, limit, predecessor: None, evicted: &[] };
    assert_eq!(ada.store.admit(&ada.owner, &admission).await.unwrap(), Admitted::Admitted);
    assert_eq!(ada.asks(2, |admission| admission.limit = 1).await, Admitted::Admitted);
    assert_eq!(ada.asks(3, |admission| admission.limit = 1).await, Admitted::Full);
}

pub(crate) async fn fifty_at_once_are_never_more_than_the_limit(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    let mut admissions = tokio::task::JoinSet::new();
    for number in 1..=50 {
        let ada = ada.clone();
        admissions.spawn(async move { (number, ada.asks(number, |admission| admission.limit = 7).await) });
    }
    let mut admitted = Vec::new();
    for (number, answer) in admissions.join_all().await {
        match answer {
            Admitted::Admitted => admitted.push(number),
            other => assert_eq!(other, Admitted::Full),
        }
    }
    admitted.sort_unstable();
    assert_eq!(admitted.len(), 7);
    ada.has(admitted.clone()).await;
    for number in 1..=50 {
        assert_eq!(ada.loads(number).await.is_some(), admitted.contains(&number), "session {number}");
    }
}

pub(crate) async fn of_thirty_two_successors_one_is_admitted(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in([1]).await;
    let mut admissions = tokio::task::JoinSet::new();
    for number in 2..34_u16 {
        let ada = ada.clone();
        admissions.spawn(async move {
            let marker = crate::testing::moved_marker(&number.to_be_bytes());
            let predecessor = Departure { expected: Some(id(1)), marker, ..ada.departure(1) };
            (number, ada.asks_with(number, Some(&predecessor), &[], |admission| admission.limit = 1).await)
        });
    }
    let answers = admissions.join_all().await;
    let admitted: Vec<_> = answers.iter().filter(|(_, answer)| *answer == Admitted::Admitted).collect();
    let [(winner, _)] = admitted[..] else { panic!("admitted: {admitted:?}") };
    ada.has([*winner]).await;
    let marker = entry(1).ended(&crate::testing::moved_marker(&winner.to_be_bytes()));
    let others = answers.iter().filter(|(_, answer)| *answer == Admitted::Predecessor(Some(marker.clone())));
    assert_eq!(others.count(), 31, "all the others are shown where it has gone");
}
