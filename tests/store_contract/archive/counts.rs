//! How many ended, and when.

use super::bench::{ArchiveBench, for_all_archives};
use super::{off, transfer, user};
use std::time::Duration;
use thin_session::archive::{Archive, Count, EndReason, EndedSession, Steps};

for_all_archives! {
    each_stretch_has_what_ended_in_it
    they_come_by_stretch_then_kind_then_reason
    what_ends_before_or_after_is_in_none
    of_one_kind_or_of_all
    all_users_of_one_layer_are_counted
    where_there_were_none_there_is_no_count
    there_are_no_more_stretches_than_the_most
    steps_of_next_to_nothing_and_of_ages
}

const SECOND: Duration = Duration::from_secs(1);

/// One of this number, which ended so many milliseconds after the first stretch began.
fn ended_after(number: u64, millis: i64) -> EndedSession {
    EndedSession { ended: off(transfer(0).ended, millis), ..transfer(number) }
}

/// So many stretches of a second.
fn seconds(number: usize) -> Steps {
    Steps::new(transfer(0).ended_at(), SECOND, number)
}

/// What was counted: by the number of the stretch.
fn told(counts: &[Count]) -> Vec<(u64, &str, &str, u64)> {
    let told = |count: &Count| {
        let after = count.from.as_millis() - transfer(0).ended.as_millis();
        assert_eq!(after % 1000, 0, "a stretch is named by when it begins");
        (after / 1000, count.reason.as_str(), count.sessions)
    };
    counts.iter().map(|count| (told(count).0, &*count.kind, told(count).1, told(count).2)).collect()
}

async fn each_stretch_has_what_ended_in_it(bench: &impl ArchiveBench) {
    let ends = [0, 1, 999, 1000, 2999, 3000];
    let ended: Vec<_> = (0..).zip(ends).map(|(number, after)| ended_after(number, after)).collect();
    bench.archive().add("", &ended).await.unwrap();
    let counts = bench.archive().counts("", None, seconds(4)).await.unwrap();
    let (kind, how) = ("transfer", "completed");
    assert_eq!(told(&counts), [(0, kind, how, 3), (1, kind, how, 1), (2, kind, how, 1), (3, kind, how, 1)]);
}

async fn they_come_by_stretch_then_kind_then_reason(bench: &impl ArchiveBench) {
    let mut ended = Vec::new();
    for (number, after) in (0..).step_by(12).zip([1500, 500]) {
        let kinds = ["b", "a", "B", ""].into_iter();
        let reasons = [EndReason::Expired, EndReason::Completed, EndReason::Abandoned];
        let all = kinds.flat_map(|kind| reasons.map(|reason| (kind.to_owned(), reason)));
        ended.extend((number..).zip(all).map(|(n, (kind, reason))| EndedSession {
            kind,
            reason,
            ..ended_after(n, after)
        }));
    }
    bench.archive().add("", &ended).await.unwrap();
    let counts = bench.archive().counts("", None, seconds(2)).await.unwrap();
    let counts = told(&counts);
    assert_eq!(counts.len(), 24);
    assert!(counts.is_sorted(), "{counts:?}");
}

async fn what_ends_before_or_after_is_in_none(bench: &impl ArchiveBench) {
    let ended: Vec<_> = (0..).zip([-1, 2000, i64::from(i32::MAX)]).map(|(n, after)| ended_after(n, after)).collect();
    bench.archive().add("", &ended).await.unwrap();
    assert_eq!(bench.archive().counts("", None, seconds(2)).await.unwrap(), []);
}

async fn of_one_kind_or_of_all(bench: &impl ArchiveBench) {
    let order = EndedSession { kind: "order".into(), ..ended_after(2, 10) };
    bench.archive().add("", &[ended_after(1, 0), order]).await.unwrap();
    let of = async |kind| bench.archive().counts("", kind, seconds(1)).await.unwrap();
    assert_eq!(told(&of(Some("order")).await), [(0, "order", "completed", 1)]);
    assert_eq!(told(&of(None).await), [(0, "order", "completed", 1), (0, "transfer", "completed", 1)]);
    assert_eq!(of(Some("")).await, []);
}

async fn all_users_of_one_layer_are_counted(bench: &impl ArchiveBench) {
    let of_bob = EndedSession { user: Some(user("bob")), ..ended_after(2, 5) };
    bench.archive().add("", &[ended_after(1, 0), of_bob.clone()]).await.unwrap();
    bench.archive().add("admin", &[of_bob]).await.unwrap();
    let of = async |layer| bench.archive().counts(layer, None, seconds(1)).await.unwrap();
    assert_eq!(told(&of("").await), [(0, "transfer", "completed", 2)]);
    assert_eq!(told(&of("admin").await), [(0, "transfer", "completed", 1)]);
    assert_eq!(of("ad").await, []);
}

async fn where_there_were_none_there_is_no_count(bench: &impl ArchiveBench) {
    assert_eq!(bench.archive().counts("", None, seconds(1000)).await.unwrap(), []);
    bench.archive().add("", &[ended_after(1, 500_000)]).await.unwrap();
    assert_eq!(
        told(&bench.archive().counts("", None, seconds(1000)).await.unwrap()),
        [(500, "transfer", "completed", 1)]
    );
    assert_eq!(bench.archive().counts("", None, seconds(0)).await.unwrap(), []);
}

async fn there_are_no_more_stretches_than_the_most(bench: &impl ArchiveBench) {
    let ended: Vec<_> = (0..3000).map(|n| ended_after(n, i64::try_from(n).unwrap())).collect();
    bench.archive().add("", &ended).await.unwrap();
    let steps = Steps::new(transfer(0).ended_at(), Duration::from_millis(1), usize::MAX);
    let counts = bench.archive().counts("", None, steps).await.unwrap();
    assert_eq!(counts.len(), Steps::MAX);
    assert!(counts.iter().all(|count| count.sessions == 1));
}

async fn steps_of_next_to_nothing_and_of_ages(bench: &impl ArchiveBench) {
    bench.archive().add("", &[ended_after(1, 0), ended_after(2, 1)]).await.unwrap();
    let of = async |each| bench.archive().counts("", None, Steps::new(transfer(0).ended_at(), each, 9)).await.unwrap();
    assert_eq!(of(Duration::ZERO).await.len(), 2, "a millisecond at least");
    let ages = of(Duration::MAX).await;
    assert_eq!(ages.iter().map(|count| count.sessions).collect::<Vec<_>>(), [2]);
}
