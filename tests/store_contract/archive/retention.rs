//! What is kept no longer.

use super::bench::{ArchiveBench, for_all_archives};
use super::{MONTH, all_of, complete, id, off, transfer, user};
use std::time::Duration;
use thin_session::archive::{Archive, Completion, EndReason, EndedSession, Quota, Timestamp};
use tokio::task::JoinSet;
use uuid::Uuid;

for_all_archives! {
    what_ended_before_is_forgotten_to_the_millisecond
    those_that_ended_first_go_first_and_no_more_than_the_limit
    only_those_of_the_layer_are_forgotten
    what_is_forgotten_counts_no_more
    two_who_forget_at_once_forget_each_once
    a_user_is_erased_some_at_a_time
    others_are_not_erased
    who_is_erased_may_begin_again
    completions_go_on_while_their_user_is_erased
    what_was_deleted_can_be_added_again
}

/// One of this number, which ended at this many seconds.
fn ended_at(number: u64, seconds: i64) -> EndedSession {
    EndedSession { ended: moment(seconds), ..transfer(number) }
}

fn moment(seconds: i64) -> Timestamp {
    off(transfer(0).ended, 1000 * seconds)
}

async fn ids(bench: &impl ArchiveBench) -> Vec<Uuid> {
    all_of(bench, "", &user("ada")).await.iter().map(|ended| ended.id).collect()
}

async fn what_ended_before_is_forgotten_to_the_millisecond(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    archive.add("", &[ended_at(1, 10), ended_at(2, 11)]).await.unwrap();
    assert_eq!(archive.forget("", moment(10), 100).await.unwrap(), 0);
    assert_eq!(archive.forget("", off(moment(10), 1), 100).await.unwrap(), 1);
    assert_eq!(ids(bench).await, [id(2)]);
    assert_eq!(archive.forget("", moment(1000), 0).await.unwrap(), 0);
    assert_eq!(archive.forget("", moment(1000), 100).await.unwrap(), 1);
    assert_eq!(archive.forget("", moment(1000), 100).await.unwrap(), 0);
}

/// Whatever the order in which they began.
async fn those_that_ended_first_go_first_and_no_more_than_the_limit(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    let ended = (0..50).map(|number| ended_at(number, 100 - i64::try_from(number).unwrap()));
    archive.add("", &ended.collect::<Vec<_>>()).await.unwrap();
    assert_eq!(archive.forget("", moment(1000), 20).await.unwrap(), 20);
    assert_eq!(ids(bench).await, (0..30).rev().map(id).collect::<Vec<_>>());
    assert_eq!(archive.forget("", moment(1000), 20).await.unwrap(), 20);
    assert_eq!(archive.forget("", moment(1000), 20).await.unwrap(), 10);
}

async fn only_those_of_the_layer_are_forgotten(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    archive.add("", &[ended_at(1, 10)]).await.unwrap();
    archive.add("admin", &[ended_at(1, 9), ended_at(2, 10)]).await.unwrap();
    assert_eq!(archive.forget("", moment(1000), 100).await.unwrap(), 1);
    assert_eq!(all_of(bench, "admin", &user("ada")).await.len(), 2, "also of the same id");
}

async fn what_is_forgotten_counts_no_more(bench: &impl ArchiveBench) {
    let (archive, one) = (bench.archive(), Quota::rolling(1, MONTH));
    assert_eq!(complete(bench, &transfer(1), one).await, Completion::Completed);
    let answer = complete(bench, &transfer(2), one).await;
    assert!(matches!(answer, Completion::Exceeded { .. }), "{answer:?}");
    let now = bench.now().await;
    assert_eq!(archive.forget("", off(now, 1), 100).await.unwrap(), 1);
    assert_eq!(complete(bench, &transfer(2), one).await, Completion::Completed);
}

async fn two_who_forget_at_once_forget_each_once(bench: &impl ArchiveBench) {
    bench.archive().add("", &(0..600).map(|number| ended_at(number, 1)).collect::<Vec<_>>()).await.unwrap();
    let mut forgetting = JoinSet::new();
    for _ in 0..4 {
        let archive = bench.archive().clone();
        forgetting.spawn(async move {
            let mut all = 0;
            for _ in 0..20 {
                all += archive.forget("", moment(2), 30).await.unwrap();
            }
            all
        });
    }
    assert_eq!(forgetting.join_all().await.iter().sum::<u64>(), 600);
    assert!(ids(bench).await.is_empty());
}

async fn a_user_is_erased_some_at_a_time(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    let reasons = [EndReason::Completed, EndReason::Expired, EndReason::Abandoned];
    let ended =
        (0..50).map(|n| EndedSession { kind: format!("{}", n % 3), reason: reasons[n as usize % 3], ..transfer(n) });
    archive.add("", &ended.collect::<Vec<_>>()).await.unwrap();
    assert_eq!(archive.erase("", &user("ada"), 0).await.unwrap(), 0);
    for (erased, left) in [(20, 30), (20, 10), (10, 0), (0, 0)] {
        assert_eq!(archive.erase("", &user("ada"), 20).await.unwrap(), erased);
        assert_eq!(ids(bench).await.len(), left);
    }
}

async fn others_are_not_erased(bench: &impl ArchiveBench) {
    let (archive, one) = (bench.archive(), Quota::rolling(1, MONTH));
    let of_bob = EndedSession { user: Some(user("bob")), ..transfer(2) };
    for ended in [transfer(1), of_bob] {
        assert_eq!(complete(bench, &ended, one).await, Completion::Completed);
    }
    archive.add("admin", &[transfer(1)]).await.unwrap();
    assert_eq!(archive.erase("", &user("ada"), 100).await.unwrap(), 1);
    assert_eq!(archive.erase("", &user("bo"), 100).await.unwrap(), 0);
    assert_eq!(all_of(bench, "", &user("bob")).await.len(), 1);
    assert_eq!(all_of(bench, "admin", &user("ada")).await.len(), 1);
    let next = EndedSession { user: Some(user("bob")), ..transfer(3) };
    let answer = complete(bench, &next, one).await;
    assert!(matches!(answer, Completion::Exceeded { .. }), "{answer:?}");
}

async fn who_is_erased_may_begin_again(bench: &impl ArchiveBench) {
    let (archive, one) = (bench.archive(), Quota::rolling(1, MONTH));
    for number in 0..3 {
        assert_eq!(complete(bench, &transfer(number), one).await, Completion::Completed);
        assert_eq!(archive.erase("", &user("ada"), 100).await.unwrap(), 1);
    }
}

/// Each is done or refused, and the quota holds for what is left.
async fn completions_go_on_while_their_user_is_erased(bench: &impl ArchiveBench) {
    let mut completing = JoinSet::new();
    for number in 0..40 {
        let archive = bench.archive().clone();
        completing.spawn(async move {
            let attempt = super::own_attempt();
            let answer = archive.complete("", &transfer(number), &attempt, Quota::rolling(3, MONTH)).await.unwrap();
            assert!(matches!(answer, Completion::Completed | Completion::Exceeded { .. }), "{answer:?}");
        });
        let archive = bench.archive().clone();
        completing.spawn(async move { assert!(archive.erase("", &user("ada"), 2).await.unwrap() <= 2) });
    }
    completing.join_all().await;
    assert!(ids(bench).await.len() <= 3);
}

async fn what_was_deleted_can_be_added_again(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    for _ in 0..2 {
        archive.add("", &[transfer(1), transfer(2)]).await.unwrap();
        assert_eq!(archive.forget("", off(transfer(2).ended, 1), 100).await.unwrap(), 2);
        archive.add("", &[transfer(1), transfer(2)]).await.unwrap();
        assert_eq!(archive.erase("", &user("ada"), 100).await.unwrap(), 2);
    }
    bench.advance(Duration::from_secs(1)).await;
    assert!(!archive.settle("", &transfer(1), None).await.unwrap());
}
