//! What a replacement does.

use super::{ADA, DAY, HOUR, Transfers, entry, id, of, outgoing};
use crate::store::{LastingStore, Replaced, Standing, Store};
use crate::testing;
use crate::testing::conformance::LastingBench;
use crate::testing::conformance::entries::{ENDED, KEPT, LIVE, Parts, TOUCHED, at, live};

pub(crate) async fn one_begins_where_nothing_is(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    assert_eq!(ada.asks(&entry(1), |_| ()).await, Replaced::Applied);
    ada.shows(&entry(1)).await;
    assert_eq!(ada.waiting().await, []);
    bench.passes(&ada.key, KEPT).await;
    assert_eq!(ada.loads().await, None);
}

pub(crate) async fn it_comes_in_the_place_of_another_for_its_own_time(bench: &impl LastingBench) {
    for (user, keep_for) in [(1, KEPT / 2), (2, 2 * KEPT)] {
        let ada = Transfers::of_user(bench, user).await;
        assert_eq!(ada.asks(&entry(1), |_| ()).await, Replaced::Applied);
        let next = entry(2);
        let answer = ada.asks(&next, |asked| {
            (asked.expected, asked.keep_for, asked.standing) = (Some(id(1)), keep_for, Standing::Lives(DAY));
        });
        assert_eq!(answer.await, Replaced::Applied);
        ada.shows(&entry(2)).await;
        bench.passes(&ada.key, keep_for).await;
        assert_eq!(ada.loads().await, None);
    }
}

pub(crate) async fn one_ends_and_the_next_begins_in_its_place(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    let (marker, past) = (of(2).with_state(ENDED).entry(), outgoing(1));
    assert_eq!(ada.asks(&entry(1), |_| ()).await, Replaced::Applied);
    let ends = ada.asks(&marker, |asked| (asked.expected, asked.outgoing) = (Some(id(1)), Some(&past))).await;
    assert_eq!(ends, Replaced::Applied);
    ada.shows(&marker).await;
    assert_eq!(ada.waiting().await, [(past.id, past.sealed.clone())]);
    assert_eq!(ada.asks(&entry(3), |asked| asked.expected = Some(id(2))).await, Replaced::Applied);
    ada.shows(&entry(3)).await;
    assert_eq!(ada.waiting().await, [(past.id, past.sealed)], "it waits until it is taken out");
}

/// In one step, also with what goes out.
pub(crate) async fn one_that_has_lapsed_gives_way_to_the_next(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    ada.has(&Parts { touched: TOUCHED, ..of(1) }.entry()).await;
    let past = outgoing(1);
    let next = entry(2);
    let answer = ada.asks(&next, |asked| {
        (asked.expected, asked.standing) = (Some(id(1)), Standing::Lapsed(DAY));
        asked.outgoing = Some(&past);
    });
    assert_eq!(answer.await, Replaced::Applied);
    ada.shows(&next).await;
    assert_eq!(ada.waiting().await, [(past.id, past.sealed)]);
}

/// Whatever the entry says itself.
pub(crate) async fn the_time_of_the_last_touch_is_the_stores(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    for touched in [0, TOUCHED, (1 << 48) - 1] {
        for state in [LIVE, ENDED] {
            let new = |number| Parts { touched, ..of(number).with_state(state) }.entry();
            let before = bench.clock().now();
            assert_eq!(ada.asks(&new(1), |_| ()).await, Replaced::Applied);
            let first = ada.shows(&new(1)).await;
            assert_eq!(ada.asks(&new(2), |asked| asked.expected = Some(id(1))).await, Replaced::Applied);
            let second = ada.shows(&new(2)).await;
            assert!(before <= first && first <= second && second <= bench.clock().now(), "{first:?} and {second:?}");
            bench.passes(&ada.key, KEPT).await;
            ada.lives_on().await;
        }
    }
}

pub(crate) async fn it_never_goes_back(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    let later = at(bench.clock().now().as_millis() + HOUR);
    let last = at((1 << 48) - 1);
    for (touched, state) in [(later, LIVE), (later, ENDED), (last, ENDED)] {
        ada.has(&Parts { touched: touched.as_millis(), ..of(1).with_state(state) }.entry()).await;
        assert_eq!(ada.asks(&entry(2), |asked| asked.expected = Some(id(1))).await, Replaced::Applied);
        assert_eq!(ada.shows(&entry(2)).await, touched);
        bench.passes(&ada.key, KEPT).await;
        ada.lives_on().await;
    }
}

pub(crate) async fn a_standing_of_what_is_not_there_is_not_asked_for(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    for standing in [Standing::Lives(DAY), Standing::Lapsed(DAY)] {
        assert_eq!(ada.asks(&entry(1), |asked| asked.standing = standing).await, Replaced::Applied);
        bench.passes(&ada.key, KEPT).await;
        ada.lives_on().await;
    }
}

pub(crate) async fn of_other_kinds_users_and_layers_nothing_changes(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    let bob = Transfers::of(bench, testing::owner("", [0xb0; 16])).await;
    // One who shares her shard.
    let eve = std::array::from_fn(|i| if i == 0 { ADA } else { 0xee });
    let eve = Transfers::of(bench, testing::owner("", eve)).await;
    let admin = Transfers::of(bench, testing::owner("admin", [ADA; 16])).await;
    let visits = Transfers { key: testing::user_session_key(&ada.owner, "visits"), ..ada.clone() };
    let others = [&bob, &eve, &admin, &visits];
    for (number, other) in (10..).zip(others) {
        other.has(&entry(number)).await;
    }
    let before = [others[0].sight().await, others[1].sight().await, others[2].sight().await];
    assert_eq!(ada.asks(&entry(1), |_| ()).await, Replaced::Applied);
    let (marker, past) = (of(2).with_state(ENDED).entry(), outgoing(1));
    let ends = ada.asks(&marker, |asked| (asked.expected, asked.outgoing) = (Some(id(1)), Some(&past))).await;
    assert_eq!(ends, Replaced::Applied);
    assert_eq!(bob.sight().await, before[0]);
    assert_eq!(admin.sight().await, before[2], "another layer has an outbox of its own");
    assert_eq!((eve.loads().await, visits.loads().await), (Some(entry(11)), Some(entry(13))));
    assert_eq!(ada.store.load(&ada.session).await.unwrap(), Some(live(900)), "it is only looked at");
    assert_eq!(eve.store.full_outboxes("").await.unwrap(), [(ADA, 1)]);
}
