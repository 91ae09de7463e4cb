//! What counts, and when the next is possible.

use super::bench::{ArchiveBench, for_all_archives};
use super::{ANY, MONTH, complete, off, own_attempt, transfer, user};
use std::time::Duration;
use thin_session::archive::{Archive, Completion, EndReason, EndedSession, Quota};
use tokio::task::JoinSet;

for_all_archives! {
    as_many_as_allowed_and_no_more
    each_layer_user_and_kind_has_its_own
    only_what_was_completed_counts
    it_counts_for_the_window_to_the_millisecond
    the_next_is_possible_when_it_is_told
    with_more_than_the_limit_the_next_waits_for_all_that_are_too_many
    a_limit_of_none_allows_none
    of_fifty_at_once_as_many_are_completed_as_are_left
    fifty_of_other_users_at_once_do_not_meet
}

const TWENTY: Quota = Quota::rolling(20, MONTH);

fn exceeded(answer: Completion) -> thin_session::archive::Timestamp {
    let Completion::Exceeded { next } = answer else { panic!("{answer:?}") };
    next
}

async fn as_many_as_allowed_and_no_more(bench: &impl ArchiveBench) {
    for number in 0..20 {
        assert_eq!(complete(bench, &transfer(number), TWENTY).await, Completion::Completed);
    }
    exceeded(complete(bench, &transfer(20), TWENTY).await);
    // The quota is what is asked for, not what was.
    assert_eq!(complete(bench, &transfer(21), Quota::rolling(21, MONTH)).await, Completion::Completed);
}

async fn each_layer_user_and_kind_has_its_own(bench: &impl ArchiveBench) {
    let (archive, one) = (bench.archive(), Quota::rolling(1, MONTH));
    let of_bob = |number| EndedSession { user: Some(user("bob")), ..transfer(number) };
    let order = |number| EndedSession { kind: "order".into(), ..transfer(number) };
    let firsts = [("", transfer(1)), ("", of_bob(2)), ("", order(3)), ("admin", transfer(4))];
    for (layer, first) in firsts {
        let answer = archive.complete(layer, &first, &own_attempt(), one).await.unwrap();
        assert_eq!(answer, Completion::Completed, "{layer} {first:?}");
    }
    for (layer, next) in [("", transfer(5)), ("", of_bob(6)), ("", order(7)), ("admin", transfer(8))] {
        exceeded(archive.complete(layer, &next, &own_attempt(), one).await.unwrap());
    }
}

async fn only_what_was_completed_counts(bench: &impl ArchiveBench) {
    let (one, now) = (Quota::rolling(1, MONTH), bench.now().await);
    let others = [EndReason::Abandoned, EndReason::Expired, EndReason::SignedOut, EndReason::Revoked];
    let others = (10..).zip(others).map(|(n, reason)| EndedSession { reason, ended: now, ..transfer(n) });
    bench.archive().add("", &others.collect::<Vec<_>>()).await.unwrap();
    assert_eq!(complete(bench, &transfer(1), one).await, Completion::Completed);
    // But also what came by the outbox.
    let by_outbox = EndedSession { ended: now, ..transfer(2) };
    bench.archive().add("", &[by_outbox]).await.unwrap();
    exceeded(complete(bench, &transfer(3), Quota::rolling(2, MONTH)).await);
    assert_eq!(complete(bench, &transfer(3), Quota::rolling(3, MONTH)).await, Completion::Completed);
}

async fn it_counts_for_the_window_to_the_millisecond(bench: &impl ArchiveBench) {
    for (round, window) in (0..).zip([Duration::from_millis(1), Duration::from_millis(1500), MONTH]) {
        let one = Quota::rolling(1, window);
        assert_eq!(complete(bench, &transfer(4 * round), one).await, Completion::Completed);
        let next = off(bench.now().await, i64::try_from(window.as_millis()).unwrap());
        bench.advance(window - Duration::from_millis(1)).await;
        assert_eq!(exceeded(complete(bench, &transfer(4 * round + 1), one).await), next);
        bench.advance(Duration::from_millis(1)).await;
        assert_eq!(bench.now().await, next);
        assert_eq!(complete(bench, &transfer(4 * round + 2), one).await, Completion::Completed);
        bench.advance(2 * MONTH).await;
    }
}

async fn the_next_is_possible_when_it_is_told(bench: &impl ArchiveBench) {
    let three = Quota::rolling(3, MONTH);
    let mut ends = Vec::new();
    for number in 0..3 {
        // Not in the order in which they began.
        assert_eq!(complete(bench, &transfer(10 - number), three).await, Completion::Completed);
        ends.push(bench.now().await);
        bench.advance(Duration::from_millis(1000 * (number + 1))).await;
    }
    for (number, end) in (20..).zip(ends) {
        let next = exceeded(complete(bench, &transfer(number), three).await);
        assert_eq!(next, off(end, i64::try_from(MONTH.as_millis()).unwrap()));
        let left = next.as_millis() - bench.now().await.as_millis();
        bench.advance(Duration::from_millis(left - 1)).await;
        assert_eq!(exceeded(complete(bench, &transfer(number), three).await), next);
        bench.advance(Duration::from_millis(1)).await;
        assert_eq!(complete(bench, &transfer(number), three).await, Completion::Completed);
    }
}

/// After a quota was lowered.
async fn with_more_than_the_limit_the_next_waits_for_all_that_are_too_many(bench: &impl ArchiveBench) {
    let mut ends = Vec::new();
    for number in 0..5 {
        assert_eq!(complete(bench, &transfer(number), ANY).await, Completion::Completed);
        ends.push(bench.now().await);
        bench.advance(Duration::from_secs(60)).await;
    }
    let next = exceeded(complete(bench, &transfer(9), Quota::rolling(2, MONTH)).await);
    assert_eq!(next, off(ends[3], i64::try_from(MONTH.as_millis()).unwrap()), "then one of them counts");
}

async fn a_limit_of_none_allows_none(bench: &impl ArchiveBench) {
    let (none, now) = (Quota::rolling(0, MONTH), bench.now().await);
    let in_a_window = off(now, i64::try_from(MONTH.as_millis()).unwrap());
    assert_eq!(exceeded(complete(bench, &transfer(1), none).await), in_a_window);
    assert_eq!(complete(bench, &transfer(2), ANY).await, Completion::Completed);
    assert_eq!(exceeded(complete(bench, &transfer(3), none).await), in_a_window);
}

async fn of_fifty_at_once_as_many_are_completed_as_are_left(bench: &impl ArchiveBench) {
    let first = bench.now().await;
    for number in 0..15 {
        assert_eq!(complete(bench, &transfer(number), TWENTY).await, Completion::Completed);
    }
    bench.advance(Duration::from_secs(60)).await;
    let mut completing = JoinSet::new();
    for number in 100..150 {
        let archive = bench.archive().clone();
        completing.spawn(async move { archive.complete("", &transfer(number), &own_attempt(), TWENTY).await.unwrap() });
    }
    let answers = completing.join_all().await;
    let completed = answers.iter().filter(|answer| **answer == Completion::Completed).count();
    let next = off(first, i64::try_from(MONTH.as_millis()).unwrap());
    let told = answers.iter().filter(|answer| **answer == Completion::Exceeded { next }).count();
    assert_eq!((completed, told), (5, 45));
    assert_eq!(super::all_of(bench, "", &user("ada")).await.len(), 20);
}

async fn fifty_of_other_users_at_once_do_not_meet(bench: &impl ArchiveBench) {
    let mut completing = JoinSet::new();
    for number in 0..50 {
        let archive = bench.archive().clone();
        let ended = EndedSession { user: Some(user(&format!("user {number}"))), ..transfer(number) };
        let quota = Quota::rolling(1, MONTH);
        completing.spawn(async move { archive.complete("", &ended, &own_attempt(), quota).await.unwrap() });
    }
    assert_eq!(completing.join_all().await, [Completion::Completed; 50]);
}
