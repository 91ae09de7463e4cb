//! Completions, and what they are refused for, in this order.

use super::bench::{ArchiveBench, for_all_archives};
use super::{ANY, MONTH, all_of, attempt, complete, transfer, user};
use std::time::Duration;
use thin_session::archive::{Archive, Completion, EndReason, EndedSession, Quota};

for_all_archives! {
    it_is_added_with_the_archives_time_as_its_end
    one_that_was_completed_comes_first
    one_that_has_ended_otherwise_is_not_completed
    then_comes_an_attempt_that_was_settled
    then_comes_the_quota
    a_completion_that_is_sent_again_finds_itself
    layers_are_apart
}

const NONE: Quota = Quota::rolling(0, MONTH);

async fn it_is_added_with_the_archives_time_as_its_end(bench: &impl ArchiveBench) {
    bench.advance(Duration::from_millis(1234)).await;
    let now = bench.now().await;
    assert_eq!(complete(bench, &transfer(1), ANY).await, Completion::Completed);
    bench.advance(Duration::from_millis(1)).await;
    assert_eq!(all_of(bench, "", &user("ada")).await, [EndedSession { ended: now, ..transfer(1) }]);
}

/// Whatever is wrong besides, and however it came there.
async fn one_that_was_completed_comes_first(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    assert!(!archive.settle("", &transfer(1), Some(&attempt(1))).await.unwrap());
    let completed = EndedSession { reason: EndReason::Completed, ..transfer(1) };
    archive.add("", std::slice::from_ref(&completed)).await.unwrap();
    let answer = archive.complete("", &transfer(1), &attempt(1), NONE).await.unwrap();
    assert_eq!(answer, Completion::Completed);
    assert_eq!(all_of(bench, "", &user("ada")).await, [completed], "it stays as it was");
}

/// Whoever was slow, and was taken for gone, must not be told that it is.
async fn one_that_has_ended_otherwise_is_not_completed(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    assert!(!archive.settle("", &transfer(1), Some(&attempt(1))).await.unwrap());
    let expired = EndedSession { reason: EndReason::Expired, ..transfer(1) };
    archive.add("", std::slice::from_ref(&expired)).await.unwrap();
    for number in [1, 2] {
        let answer = archive.complete("", &transfer(1), &attempt(number), ANY).await.unwrap();
        assert_eq!(answer, Completion::Settled);
    }
    assert_eq!(all_of(bench, "", &user("ada")).await, [expired], "it stays as it was");
}

async fn then_comes_an_attempt_that_was_settled(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    assert!(!archive.settle("", &transfer(1), Some(&attempt(1))).await.unwrap());
    for quota in [NONE, ANY] {
        assert_eq!(archive.complete("", &transfer(1), &attempt(1), quota).await.unwrap(), Completion::Settled);
    }
    assert_eq!(all_of(bench, "", &user("ada")).await, []);
}

async fn then_comes_the_quota(bench: &impl ArchiveBench) {
    let answer = complete(bench, &transfer(1), NONE).await;
    assert!(matches!(answer, Completion::Exceeded { .. }), "{answer:?}");
    assert_eq!(complete(bench, &transfer(1), Quota::rolling(1, MONTH)).await, Completion::Completed);
    let answer = complete(bench, &transfer(2), Quota::rolling(1, MONTH)).await;
    assert!(matches!(answer, Completion::Exceeded { .. }), "{answer:?}");
    assert_eq!(all_of(bench, "", &user("ada")).await.len(), 1, "what is refused is not there");
}

async fn a_completion_that_is_sent_again_finds_itself(bench: &impl ArchiveBench) {
    let (archive, quota) = (bench.archive(), Quota::rolling(1, MONTH));
    for _ in 0..3 {
        assert_eq!(archive.complete("", &transfer(1), &attempt(1), quota).await.unwrap(), Completion::Completed);
        bench.advance(Duration::from_secs(60)).await;
    }
    let there = all_of(bench, "", &user("ada")).await;
    assert_eq!(there.len(), 1);
    let now = bench.now().await;
    assert_eq!(there[0].ended, super::off(now, -180_000), "when it was completed first");
}

async fn layers_are_apart(bench: &impl ArchiveBench) {
    let (archive, quota) = (bench.archive(), Quota::rolling(1, MONTH));
    assert!(!archive.settle("admin", &transfer(1), Some(&attempt(1))).await.unwrap());
    assert_eq!(archive.complete("", &transfer(1), &attempt(1), quota).await.unwrap(), Completion::Completed);
    assert_eq!(archive.complete("admin", &transfer(1), &attempt(1), quota).await.unwrap(), Completion::Settled);
    assert_eq!(archive.complete("admin", &transfer(1), &attempt(2), quota).await.unwrap(), Completion::Completed);
    assert_eq!(all_of(bench, "admin", &user("ada")).await.len(), 1);
}
