//! Attempts that come to nothing.

use super::bench::{ArchiveBench, for_all_archives};
use super::{ANY, all_of, attempt, complete, id, transfer, user};
use std::time::Duration;
use thin_session::archive::{Archive, Completion, EndReason, EndedSession};
use tokio::task::JoinSet;

for_all_archives! {
    an_attempt_that_was_settled_comes_to_nothing
    it_is_remembered_for_a_day
    other_attempts_go_on
    who_only_asks_settles_nothing
    of_one_that_is_there_it_is_said
    a_completion_and_its_settling_agree
}

async fn an_attempt_that_was_settled_comes_to_nothing(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    for _ in 0..2 {
        assert!(!archive.settle("", &transfer(1), Some(&attempt(1))).await.unwrap());
        let late = archive.complete("", &transfer(1), &attempt(1), ANY).await.unwrap();
        assert_eq!(late, Completion::Settled);
    }
    assert_eq!(all_of(bench, "", &user("ada")).await, []);
}

async fn it_is_remembered_for_a_day(bench: &impl ArchiveBench) {
    let (archive, day) = (bench.archive(), Duration::from_secs(86_400));
    assert!(!archive.settle("", &transfer(1), Some(&attempt(1))).await.unwrap());
    bench.advance(day - Duration::from_millis(1)).await;
    // Whatever is done in the meantime.
    assert!(!archive.settle("", &transfer(2), Some(&attempt(2))).await.unwrap());
    assert_eq!(complete(bench, &transfer(3), ANY).await, Completion::Completed);
    assert_eq!(archive.complete("", &transfer(1), &attempt(1), ANY).await.unwrap(), Completion::Settled);
}

async fn other_attempts_go_on(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    for number in [1, 2, 257] {
        assert!(!archive.settle("", &transfer(1), Some(&attempt(number))).await.unwrap());
    }
    // Of the same session, and of others.
    assert_eq!(archive.complete("", &transfer(1), &attempt(3), ANY).await.unwrap(), Completion::Completed);
    assert_eq!(archive.complete("", &transfer(2), &attempt(4), ANY).await.unwrap(), Completion::Completed);
    // Which is then there for the one that was settled as well.
    assert_eq!(archive.complete("", &transfer(1), &attempt(1), ANY).await.unwrap(), Completion::Completed);
    assert_eq!(all_of(bench, "", &user("ada")).await.len(), 2);
}

async fn who_only_asks_settles_nothing(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    assert!(!archive.settle("", &transfer(1), None).await.unwrap());
    assert_eq!(archive.complete("", &transfer(1), &attempt(1), ANY).await.unwrap(), Completion::Completed);
    assert!(archive.settle("", &transfer(1), None).await.unwrap());
}

async fn of_one_that_is_there_it_is_said(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    assert_eq!(archive.complete("", &transfer(1), &attempt(1), ANY).await.unwrap(), Completion::Completed);
    let expired = EndedSession { reason: EndReason::Expired, ..transfer(2) };
    archive.add("", &[expired]).await.unwrap();
    for number in [1, 2] {
        for write in [1, 2] {
            assert!(archive.settle("", &transfer(number), Some(&attempt(write))).await.unwrap());
        }
    }
    assert!(!archive.settle("admin", &transfer(1), Some(&attempt(1))).await.unwrap(), "not in another layer");
}

/// Whoever comes first.
async fn a_completion_and_its_settling_agree(bench: &impl ArchiveBench) {
    for number in 0..40 {
        let mut both = JoinSet::new();
        let [completes, settles] = [(); 2].map(|()| bench.archive().clone());
        both.spawn(async move {
            let answer = completes.complete("", &transfer(number), &attempt(1), ANY).await.unwrap();
            assert!(matches!(answer, Completion::Completed | Completion::Settled));
            answer == Completion::Completed
        });
        both.spawn(async move { settles.settle("", &transfer(number), Some(&attempt(1))).await.unwrap() });
        let answers = both.join_all().await;
        assert_eq!(answers[0], answers[1], "{number}");
        let is_there = all_of(bench, "", &user("ada")).await.iter().any(|ended| ended.id == id(number));
        assert_eq!(is_there, answers[0], "{number}");
    }
}
