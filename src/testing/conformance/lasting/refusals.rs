//! What a replacement is refused for, in this order, and that it then changes nothing.

use super::{DAY, HOUR, Transfers, entry, id, of, outgoing};
use crate::store::{Entry, LastingStore, Outcome, Replaced, Replacement, Standing, Store};
use crate::testing::conformance::LastingBench;
use crate::testing::conformance::entries::{ENDED, KEPT, MOVED, Parts, at, live};
use crate::testing::conformance::markers::{ended, moved};
use std::time::Duration;

/// Asks in vain, with something that goes out: asserts that nothing was changed.
async fn in_vain<'a, S: LastingStore + Clone>(
    ada: &Transfers<S>,
    entry: &'a Entry,
    change: impl FnOnce(&mut Replacement<'a>),
) -> Replaced {
    let (before, sent) = (ada.sight().await, outgoing(1));
    let mut replacement = Replacement {
        asked_by: Some(ada.session),
        expected: None,
        standing: Standing::Any,
        entry,
        keep_for: 2 * KEPT,
        outgoing: None,
        look_in: Some(Duration::ZERO),
    };
    change(&mut replacement);
    let replacement = Replacement { outgoing: Some(&sent), ..replacement };
    let answer = ada.store.replace(&ada.key, &replacement).await.unwrap();
    assert_eq!(ada.sight().await, before, "{answer:?}");
    answer
}

/// Whatever is wrong besides.
pub(crate) async fn another_entry_than_the_expected_is_found_first(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    let marker = |state| of(1).with_state(state).entry();
    for there in [entry(1), marker(ENDED), marker(MOVED)] {
        ada.has(&there).await;
        // The ids of 1 and 257 differ in the first byte, those of 1 and 2 in the last.
        for expected in [None, Some(id(2)), Some(id(257))] {
            for standing in [Standing::Any, Standing::Lives(Duration::ZERO), Standing::Lapsed(DAY)] {
                for session in [ada.session, crate::testing::conformance::entries::key(super::ADA)] {
                    let change = |asked: &mut Replacement<'_>| {
                        (asked.expected, asked.standing, asked.asked_by) = (expected, standing, Some(session));
                    };
                    assert_eq!(in_vain(&ada, &entry(3), change).await, Replaced::Found(there.clone()));
                }
            }
        }
        bench.passes(&ada.key, KEPT).await;
    }
}

pub(crate) async fn then_comes_that_none_is_there(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    for session in [ada.session, crate::testing::conformance::entries::key(super::ADA)] {
        for standing in [Standing::Any, Standing::Lives(DAY), Standing::Lapsed(DAY)] {
            let change = |asked: &mut Replacement<'_>| {
                (asked.expected, asked.standing, asked.asked_by) = (Some(id(1)), standing, Some(session));
            };
            assert_eq!(in_vain(&ada, &entry(1), change).await, Replaced::Absent);
        }
    }
}

pub(crate) async fn then_comes_the_browsers_session(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    ada.has(&entry(1)).await;
    let nobody = crate::testing::conformance::entries::key(super::ADA);
    let [ended_one, moved_one] = [1, 2].map(|n| crate::testing::member(&ada.owner, [n; 16], [n; 16]).key);
    for (key, marker) in [(ended_one, ended()), (moved_one, moved())] {
        assert_eq!(ada.store.create(&key, &live(7), KEPT).await.unwrap(), Outcome::Applied);
        assert_eq!(ada.store.end(&key, None, marker).await.unwrap(), Outcome::Applied);
    }
    for session in [nobody, ended_one, moved_one] {
        for standing in [Standing::Any, Standing::Lives(Duration::ZERO), Standing::Lapsed(DAY)] {
            let change = |asked: &mut Replacement<'_>| {
                (asked.expected, asked.standing, asked.asked_by) = (Some(id(1)), standing, Some(session));
            };
            assert_eq!(in_vain(&ada, &entry(2), change).await, Replaced::Unasked);
        }
    }
    // Also what would begin one, and end one.
    let marker = of(3).with_state(ENDED).entry();
    let change = |asked: &mut Replacement<'_>| (asked.expected, asked.asked_by) = (Some(id(1)), Some(nobody));
    assert_eq!(in_vain(&ada, &marker, change).await, Replaced::Unasked);
    bench.passes(&ada.key, KEPT).await;
    assert_eq!(in_vain(&ada, &entry(2), |asked| asked.asked_by = Some(nobody)).await, Replaced::Unasked);
    // Nobody asks for work outside of requests.
    assert_eq!(ada.asks(&entry(2), |asked| asked.asked_by = None).await, Replaced::Applied);
}

/// By the store's clock, which it tells.
pub(crate) async fn then_comes_whether_it_lives(bench: &impl LastingBench) {
    let now = bench.clock().now().as_millis();
    let hour = Duration::from_millis(HOUR);
    let idle_for = |millis: u64| Parts { touched: now - millis, ..of(1) };
    let past = idle_for(0).with_deadline(at(now));
    let cases = [
        (idle_for(0), hour, true),
        (idle_for(HOUR / 2), hour, true),
        (idle_for(HOUR), hour, false),
        (idle_for(2 * HOUR), hour, false),
        (idle_for(2 * HOUR), 3 * hour, true),
        // Its deadline has come, whatever it is that it was used a moment ago.
        (past.clone(), hour, false),
        (past, DAY, false),
    ];
    for (user, (there, idle, lives)) in (0..).zip(cases) {
        let ada = Transfers::of_user(bench, user).await;
        ada.has(&there.entry()).await;
        let standing =
            |standing| move |asked: &mut Replacement<'_>| (asked.expected, asked.standing) = (Some(id(1)), standing);
        let (holds, fails) = if lives {
            (Standing::Lives(idle), Standing::Lapsed(idle))
        } else {
            (Standing::Lapsed(idle), Standing::Lives(idle))
        };
        let before = bench.clock().now();
        let answer = in_vain(&ada, &entry(2), standing(fails)).await;
        let Replaced::Untimely(at) = answer else { panic!("{answer:?} to {fails:?} of {:?}", there.touched) };
        assert!(before <= at && at <= bench.clock().now(), "{at:?} is the time by the store's clock");
        assert_eq!(ada.asks(&entry(2), standing(holds)).await, Replaced::Applied);
    }
}

pub(crate) async fn with_time_it_idles_out(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    let idle = Duration::from_millis(30);
    assert_eq!(ada.asks(&entry(1), |_| ()).await, Replaced::Applied);
    let touched = ada.shows(&entry(1)).await;
    bench.wait(idle).await;
    let standing =
        |standing| move |asked: &mut Replacement<'_>| (asked.expected, asked.standing) = (Some(id(1)), standing);
    let answer = in_vain(&ada, &entry(2), standing(Standing::Lives(idle))).await;
    let Replaced::Untimely(now) = answer else { panic!("{answer:?}") };
    assert!(now.as_millis() >= touched.as_millis() + 30);
    assert!(!ada.store.renew(&ada.key, touched, idle, KEPT).await.unwrap());
    assert_eq!(ada.asks(&entry(2), standing(Standing::Lapsed(idle))).await, Replaced::Applied);
    assert!(ada.shows(&entry(2)).await > touched, "which begins anew");
}

pub(crate) async fn no_idle_limit_and_the_longest(bench: &impl LastingBench) {
    let now = bench.clock().now().as_millis();
    let cases = [
        (now, Duration::ZERO, false),
        (now + HOUR, Duration::ZERO, true),
        (0, Duration::MAX, true),
        ((1 << 48) - 1, Duration::MAX, true),
    ];
    for (user, (touched, idle, lives)) in (0..).zip(cases) {
        let ada = Transfers::of_user(bench, user).await;
        ada.has(&Parts { touched, ..of(1) }.entry()).await;
        let fails = if lives { Standing::Lapsed(idle) } else { Standing::Lives(idle) };
        let change = |asked: &mut Replacement<'_>| (asked.expected, asked.standing) = (Some(id(1)), fails);
        let answer = in_vain(&ada, &entry(2), change).await;
        assert!(matches!(answer, Replaced::Untimely(_)), "{answer:?} to {fails:?}");
    }
}

pub(crate) async fn what_has_expired_is_absent_and_asks_in_vain(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    ada.has(&entry(1)).await;
    bench.passes(&ada.key, KEPT).await;
    // The memory's clock has moved for both.
    let asked_by = crate::testing::member(&ada.owner, [5; 16], [5; 16]).key;
    assert_eq!(ada.store.create(&asked_by, &live(5), KEPT).await.unwrap(), Outcome::Applied);
    let ada = Transfers { session: asked_by, ..ada };
    assert_eq!(in_vain(&ada, &entry(2), |asked| asked.expected = Some(id(1))).await, Replaced::Absent);
    bench.passes(&asked_by, KEPT).await;
    assert_eq!(in_vain(&ada, &entry(2), |_| ()).await, Replaced::Unasked);
    assert_eq!(ada.asks(&entry(2), |asked| asked.asked_by = None).await, Replaced::Applied);
}

pub(crate) async fn a_replacement_that_is_sent_again_finds_itself(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    assert_eq!(ada.asks(&entry(1), |_| ()).await, Replaced::Applied);
    let there = ada.loads().await.unwrap();
    assert_eq!(in_vain(&ada, &entry(1), |_| ()).await, Replaced::Found(there));
    assert_eq!(ada.asks(&entry(2), |asked| asked.expected = Some(id(1))).await, Replaced::Applied);
    let there = ada.loads().await.unwrap();
    let again = in_vain(&ada, &entry(2), |asked| asked.expected = Some(id(1))).await;
    assert_eq!(again, Replaced::Found(there));
}
