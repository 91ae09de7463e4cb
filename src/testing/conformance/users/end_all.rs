//! The end of all sessions of a user.

use super::{ADA, Follower, User, entry, id, later, told};
use crate::store::{Admitted, Epoch, Marker, Outcome, Revoked, Store, Sweep};
use crate::testing::conformance::Bench;
use crate::testing::conformance::entries::KEPT;
use crate::testing::conformance::markers::{ended, moved};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

pub(crate) async fn all_end(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in(1..=5).await;
    let began = SystemTime::from(crate::testing::conformance::entries::at(*super::BASE)) - Duration::from_secs(10);
    let sweep = Sweep { marker: moved().clone(), ..ada.sweep(None) };
    let swept = ada.store.end_all(&ada.owner, &sweep).await.unwrap().expect("nobody was to be kept");
    assert_eq!(swept.ended, 5);
    for number in 1..=5 {
        ada.has_left(number, moved()).await;
    }
    ada.has([]).await;
    let Revoked::User(user, epoch, None) = swept.news.revoked() else { panic!("{:?}", swept.news) };
    assert_eq!((&user, swept.news.until()), (ada.owner.user(), later()));
    assert_eq!((swept.news, ada.epoch().await), (sweep.news(&ada.owner, epoch), epoch));
    // A user who had none has the store's time as the next.
    let epoch = SystemTime::UNIX_EPOCH + Duration::from_millis(epoch.as_u64());
    assert!(began < epoch && epoch < began + Duration::from_secs(600), "{epoch:?}");
    told(bench, [swept.news]).await;
    bench.passes(&ada.member(5).key, Marker::KEPT).await;
}

pub(crate) async fn all_but_one_end(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in(1..=4).await;
    let swept = ada.store.end_all(&ada.owner, &ada.sweep(Some(3))).await.unwrap().expect("it is there");
    assert_eq!(swept.ended, 3);
    for number in [1, 2, 4] {
        ada.has_left(number, ended()).await;
    }
    ada.has([3]).await;
    assert_eq!(swept.news, ada.sweep(Some(3)).news(&ada.owner, ada.epoch().await));
    told(bench, [swept.news]).await;
    // It goes on as before, and so does its place in the index.
    let key = ada.member(3).key;
    let late = ada.asks(5, |_| ()).await;
    assert!(matches!(late, Admitted::Outdated { .. }), "{late:?}");
    assert_eq!(ada.store.commit(&key, id(3), &entry(3), KEPT).await.unwrap(), Outcome::Applied);
    bench.passes(&key, KEPT).await;
}

pub(crate) async fn nothing_happens_if_the_one_to_be_kept_is_not_there(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    assert_eq!(ada.store.end_all(&ada.owner, &ada.sweep(Some(1))).await.unwrap(), None);
    assert_eq!(ada.epoch().await, Epoch::default());
    ada.signs_in(1..=3).await;
    let before = ada.sight().await;
    assert_eq!(ada.store.end_all(&ada.owner, &ada.sweep(Some(9))).await.unwrap(), None);
    assert_eq!(ada.sight().await, before);
    // Named by the index, and ended.
    assert_eq!(ada.store.end(&ada.member(1).key, None, ended()).await.unwrap(), Outcome::Applied);
    assert_eq!(ada.store.end_all(&ada.owner, &ada.sweep(Some(1))).await.unwrap(), None);
    bench.passes(&ada.member(1).key, Marker::KEPT).await;
    assert_eq!(ada.store.end_all(&ada.owner, &ada.sweep(Some(1))).await.unwrap(), None);
    ada.has([2, 3]).await;
    assert_eq!(ada.epoch().await, Epoch::default());
    told(bench, []).await;
}

pub(crate) async fn only_those_that_lived_are_counted(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in(1..=4).await;
    assert_eq!(ada.store.end(&ada.member(1).key, None, moved()).await.unwrap(), Outcome::Applied);
    bench.passes(&ada.member(1).key, Marker::KEPT).await;
    assert_eq!(ada.store.end(&ada.member(2).key, None, moved()).await.unwrap(), Outcome::Applied);
    let swept = ada.store.end_all(&ada.owner, &ada.sweep(None)).await.unwrap();
    assert_eq!(swept.map(|swept| swept.ended), Some(2));
    assert_eq!(ada.loads(1).await, None);
    ada.has_left(2, moved()).await;
    for number in [3, 4] {
        ada.has_left(number, ended()).await;
    }
    // The index is empty: one is the most that there may be.
    let epoch = ada.epoch().await;
    let answer = ada.asks(5, |admission| (admission.limit, admission.epoch) = (1, epoch)).await;
    assert_eq!(answer, Admitted::Admitted);
}

pub(crate) async fn without_sessions_the_epoch_moves_all_the_same(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    let mut epochs = vec![ada.epoch().await];
    for _ in 0..3 {
        let swept = ada.store.end_all(&ada.owner, &ada.sweep(None)).await.unwrap().expect("nobody was to be kept");
        assert_eq!(swept.ended, 0);
        epochs.push(ada.epoch().await);
        assert_eq!(swept.news, ada.sweep(None).news(&ada.owner, epochs[epochs.len() - 1]));
        Follower::of(bench, "").hears([swept.news]).await;
    }
    assert!(epochs.is_sorted_by(|earlier, later| earlier < later), "{epochs:?}");
}

pub(crate) async fn the_epoch_moves_past_every_earlier_one(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    // Ahead of the store's clock by a year.
    let ahead = Epoch::from_u64(*super::BASE + 365 * 24 * super::HOUR);
    assert_eq!(ada.asks(1, |admission| admission.epoch = ahead).await, Admitted::Admitted);
    for i in 1..=3 {
        assert!(ada.store.end_all(&ada.owner, &ada.sweep(None)).await.unwrap().is_some());
        assert_eq!(ada.epoch().await, Epoch::from_u64(ahead.as_u64() + i));
    }
}

/// What is asked of a user at the same time as the end of all.
enum Asked {
    Admission(u16, Admitted),
    Commit,
    End(u64),
}

pub(crate) async fn none_admitted_before_survives_and_none_after_is_touched(bench: &impl Bench) {
    for round in 0..30 {
        let ada = User::new(bench, round);
        ada.signs_in(1..=8).await;
        let (mut all, start) = (JoinSet::new(), Arc::new(Barrier::new(8 + 64 + 1)));
        for number in 11..=18 {
            let (ada, start) = (ada.clone(), Arc::clone(&start));
            all.spawn(async move {
                start.wait().await;
                Asked::Admission(number, ada.asks(number, |_| ()).await)
            });
        }
        for i in 0..64 {
            let (ada, start, number) = (ada.clone(), Arc::clone(&start), 1 + i % 8);
            all.spawn(async move {
                start.wait().await;
                let (base, new) = (id(number), entry(100 + i));
                // Applied or not: what counts is what is there in the end.
                drop(ada.store.commit(&ada.member(number).key, base, &new, KEPT).await.unwrap());
                Asked::Commit
            });
        }
        let (sweeping, start) = (ada.clone(), Arc::clone(&start));
        all.spawn(async move {
            start.wait().await;
            let sweep = sweeping.sweep(None);
            Asked::End(sweeping.store.end_all(&sweeping.owner, &sweep).await.unwrap().expect("none was kept").ended)
        });
        let (mut came_before, mut ended) = (8, 0);
        let mut late = Vec::new();
        for asked in all.join_all().await {
            match asked {
                Asked::Admission(_, Admitted::Admitted) => came_before += 1,
                Asked::Admission(number, Admitted::Outdated { epoch, .. }) => late.push((number, epoch)),
                Asked::Admission(_, other) => panic!("{other:?}"),
                Asked::End(count) => ended = count,
                Asked::Commit => (),
            }
        }
        // Whoever was admitted was so before: after it their epoch is too low.
        assert_eq!(ended, came_before, "round {round}");
        ada.has([]).await;
        for number in (1..=8).chain(11..=18) {
            let there = ada.loads(number).await;
            assert!(there.is_none_or(|entry| !entry.is_live()), "round {round}: session {number} lives");
        }
        for (number, epoch) in &late {
            assert_eq!(ada.asks(*number, |admission| admission.epoch = *epoch).await, Admitted::Admitted);
        }
        late.sort_unstable();
        ada.has(late.into_iter().map(|(number, _)| number)).await;
    }
}

pub(crate) async fn of_sweeps_at_once_each_has_its_epoch(bench: &impl Bench) {
    let ada = User::new(bench, ADA);
    ada.signs_in(1..=5).await;
    let mut sweeps = JoinSet::new();
    for _ in 0..10 {
        let ada = ada.clone();
        sweeps.spawn(
            async move { ada.store.end_all(&ada.owner, &ada.sweep(None)).await.unwrap().expect("none is kept") },
        );
    }
    let mut swept = sweeps.join_all().await;
    assert_eq!(swept.iter().map(|swept| swept.ended).sum::<u64>(), 5, "each ends once");
    let epoch = |of: &crate::store::Swept| match of.news.revoked() {
        Revoked::User(_, epoch, _) => epoch,
        other => panic!("{other:?}"),
    };
    swept.sort_by_key(epoch);
    assert!(swept.is_sorted_by(|one, next| epoch(one) < epoch(next)));
    assert_eq!(swept.last().map(epoch), Some(ada.epoch().await));
    told(bench, swept.last().map(|swept| swept.news)).await;
}
