//! Stores that break a promise each, and the checks that say so.

use super::flawed::{FLAW, Flaw, FlawedBench};
use thin_session::testing::conformance::{Broken, Check, lasting_checks, store_checks};

/// Runs the checks of a group; answers those that failed.
async fn failed(flaw: Flaw, group: &str) -> Vec<Broken> {
    let mut failed = Vec::new();
    let checks: Vec<Check<FlawedBench>> = store_checks().into_iter().chain(lasting_checks()).collect();
    let of_group: Vec<_> = checks.iter().filter(|check| check.name().starts_with(group)).collect();
    assert!(!of_group.is_empty());
    for check in of_group {
        failed.extend(FLAW.scope(flaw, check.run()).await.err());
    }
    // What is told says which sentence was broken.
    for broken in &failed {
        assert!(broken.to_string().contains(broken.promise()), "{broken}");
    }
    failed
}

/// Asserts that of the checks of a group exactly these find the flaw.
async fn is_found(flaw: Flaw, group: &str, by: &[&str]) {
    let failed = failed(flaw, group).await;
    let names: Vec<_> = failed.iter().map(|broken| broken.name().trim_start_matches(group)).collect();
    assert_eq!(names, by, "{failed:#?}");
}

/// Asserts that these checks of a group find the flaw, and perhaps others.
async fn is_found_at_least(flaw: Flaw, group: &str, by: &[&str]) {
    let failed = failed(flaw, group).await;
    for name in by {
        assert!(failed.iter().any(|broken| broken.name().trim_start_matches(group) == *name), "{name}: {failed:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_without_a_flaw_passes_all() {
    assert_eq!(failed(Flaw::Flawless, "").await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_commits_blindly_is_found() {
    let by = ["changes_nothing_else", "over_a_whole_entry_it_is_the_same", "of_two_hundred_on_one_base_one_is_applied"];
    is_found(Flaw::CommitsBlindly, "commit::", &by).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_commits_create_is_found() {
    let by = ["replaces_the_expected_entry", "never_creates", "over_a_whole_entry_it_is_the_same"];
    is_found(Flaw::CommitCreates, "commit::", &by).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_commits_never_go_is_found() {
    is_found(Flaw::CommitKeepsForEver, "commit::", &["replaces_the_expected_entry"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_endings_forget_where_to_is_found() {
    is_found(Flaw::EndForgetsWhere, "end::", &["keeps_header_and_history"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_admits_all_is_found() {
    let by = ["then_comes_the_limit", "fifty_at_once_are_never_more_than_the_limit"];
    is_found_at_least(Flaw::AdmitsAll, "admit_refused::", &by).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_tells_nobody_is_found() {
    let by = ["it_leaves_a_marker_for_two_minutes", "under_an_absent_key_the_rest_is_seen_to"];
    is_found(Flaw::DepartsInSilence, "depart::", &by).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_ends_one_by_one_is_found() {
    let by = ["all_end", "none_admitted_before_survives_and_none_after_is_touched"];
    is_found_at_least(Flaw::EndsOneByOne, "end_all::", &by).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_replaces_unasked_is_found() {
    let by = ["then_comes_the_browsers_session", "what_has_expired_is_absent_and_asks_in_vain"];
    is_found(Flaw::ReplacesUnasked, "replace_refused::", &by).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_outbox_forgets_is_found() {
    is_found_at_least(Flaw::OutboxForgets, "outbox::", &["it_waits_until_it_is_taken_out"]).await;
}
