//! Replacements that meet each other, and the end of the session that asks.

use super::{ADA, HOUR, Transfers, entry, id, of, outgoing};
use crate::store::{
    Admission, Admitted, Departure, Epoch, LastingStore, Member, Outcome, Replaced, Store, Sweep, WriteId,
};
use crate::testing;
use crate::testing::conformance::LastingBench;
use crate::testing::conformance::entries::{ENDED, KEPT, at};
use crate::testing::conformance::markers::ended;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use tokio::task::JoinSet;

/// Asks two hundred times at once; answers the number of the one that was applied, which all the others were shown.
async fn one_of_two_hundred<S: LastingStore + Clone>(ada: &Transfers<S>, expected: Option<WriteId>) -> u16 {
    let mut asking = JoinSet::new();
    for number in 1..=200 {
        let ada = ada.clone();
        asking.spawn(async move { (number, ada.asks(&entry(number), |asked| asked.expected = expected).await) });
    }
    let answers = asking.join_all().await;
    let applied: Vec<_> = answers.iter().filter(|(_, answer)| *answer == Replaced::Applied).collect();
    let [(winner, _)] = applied[..] else { panic!("applied: {applied:?}") };
    ada.shows(&entry(*winner)).await;
    let there = Replaced::Found(ada.loads().await.unwrap());
    assert_eq!(answers.iter().filter(|(_, answer)| *answer == there).count(), 199);
    *winner
}

pub(crate) async fn of_two_hundred_on_one_base_one_is_applied(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    ada.has(&entry(0)).await;
    one_of_two_hundred(&ada, Some(id(0))).await;
}

pub(crate) async fn of_two_hundred_that_begin_one_does(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    let first = one_of_two_hundred(&ada, None).await;
    let marker = of(300).with_state(ENDED).entry();
    assert_eq!(ada.asks(&marker, |asked| asked.expected = Some(id(first))).await, Replaced::Applied);
    // In the place of one that has ended too.
    one_of_two_hundred(&ada, Some(id(300))).await;
}

pub(crate) async fn of_forty_that_end_it_one_does_and_goes_out(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    ada.has(&entry(0)).await;
    let mut asking = JoinSet::new();
    for number in 1..=40 {
        let ada = ada.clone();
        asking.spawn(async move {
            let (marker, past) = (of(number.into()).with_state(ENDED).entry(), outgoing(number));
            let change = |asked: &mut crate::store::Replacement<'_>| asked.expected = Some(id(0));
            let answer = ada.asks(&marker, |asked| {
                change(asked);
                asked.outgoing = Some(&past);
            });
            (number, answer.await)
        });
    }
    let answers = asking.join_all().await;
    let applied: Vec<_> = answers.iter().filter(|(_, answer)| *answer == Replaced::Applied).collect();
    let [(winner, _)] = applied[..] else { panic!("applied: {applied:?}") };
    let past = outgoing(*winner);
    assert_eq!(ada.waiting().await, [(past.id, past.sealed)]);
}

/// Writes from several tasks for as long as the browser's session lives, ends it meanwhile, and asserts that nothing is
/// written any more when that has been answered.
async fn nothing_after<S: LastingStore + Clone>(ada: &Transfers<S>, end: impl AsyncFnOnce()) {
    let (numbers, written) = (Arc::new(AtomicU16::new(1)), Arc::new(AtomicU16::new(0)));
    let is_over = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    for _ in 0..8 {
        let (ada, numbers, written, is_over) = (ada.clone(), numbers.clone(), written.clone(), is_over.clone());
        writers.spawn(async move {
            let mut expected = None;
            loop {
                let number = numbers.fetch_add(1, Ordering::Relaxed);
                // One that began after the end has been answered is the last.
                let is_last = is_over.load(Ordering::SeqCst);
                match ada.asks(&entry(number), |asked| asked.expected = expected).await {
                    Replaced::Applied => {
                        assert!(!is_last, "written after the end");
                        written.fetch_add(1, Ordering::Relaxed);
                        expected = Some(id(number));
                    }
                    Replaced::Found(there) => expected = Some(there.write_id()),
                    Replaced::Unasked => return,
                    other => panic!("{other:?}"),
                }
            }
        });
    }
    while written.load(Ordering::Relaxed) < 20 {
        tokio::task::yield_now().await;
    }
    end().await;
    is_over.store(true, Ordering::SeqCst);
    let left = ada.loads().await;
    writers.join_all().await;
    assert_eq!(ada.loads().await, left, "written after the end");
}

pub(crate) async fn once_the_browsers_session_has_ended_none_is_applied(bench: &impl LastingBench) {
    for user in 0..5 {
        let ada = Transfers::of_user(bench, user).await;
        let end = async || assert_eq!(ada.store.end(&ada.session, None, ended()).await.unwrap(), Outcome::Applied);
        nothing_after(&ada, end).await;
    }
}

/// One that has signed in, and asks.
async fn signed_in<B: LastingBench>(bench: &B, user: u8) -> (Transfers<B::Store>, Member) {
    let ada = Transfers::of_user(bench, user).await;
    let member = testing::member(&ada.owner, [ADA; 16], [ADA; 16]);
    let (epoch_until, session) = (at(*super::BASE + HOUR), entry(900));
    let (epoch, entry, predecessor, evicted) = (Epoch::default(), &session, None, &[][..]);
    let admission = Admission { member, entry, keep_for: KEPT, epoch, epoch_until, limit: 1, predecessor, evicted };
    assert_eq!(ada.store.admit(&ada.owner, &admission).await.unwrap(), Admitted::Admitted);
    (Transfers { session: member.key, ..ada }, member)
}

pub(crate) async fn once_it_has_departed_none_is_applied(bench: &impl LastingBench) {
    for user in 0..5 {
        let (ada, member) = signed_in(bench, user).await;
        let departure = Departure { member, expected: None, marker: ended().clone(), news: None };
        let end = async || assert_eq!(ada.store.depart(&ada.owner, &departure).await.unwrap(), Outcome::Applied);
        nothing_after(&ada, end).await;
    }
}

pub(crate) async fn once_all_have_ended_none_is_applied(bench: &impl LastingBench) {
    for user in 0..5 {
        let (ada, _) = signed_in(bench, user).await;
        let sweep = Sweep { except: None, marker: ended().clone(), until: at(*super::BASE + HOUR) };
        let end = async || {
            let swept = ada.store.end_all(&ada.owner, &sweep).await.unwrap();
            assert_eq!(swept.map(|swept| swept.ended), Some(1));
        };
        nothing_after(&ada, end).await;
    }
}
