//! What is added, all or none.

use super::bench::{ArchiveBench, for_all_archives};
use super::{MONTH, all_of, complete, id, transfer, user};
use thin_session::archive::{Archive, Completion, EndReason, EndedSession, Quota};
use tokio::task::JoinSet;

for_all_archives! {
    nothing_is_there_at_first
    all_comes_back_as_it_was
    any_text_will_do
    what_is_added_again_stays_as_it_is
    nothing_to_add_is_added
    layers_and_users_are_apart
    the_same_from_many_at_once_is_there_once
}

async fn nothing_is_there_at_first(bench: &impl ArchiveBench) {
    assert_eq!(all_of(bench, "", &user("ada")).await, []);
}

async fn all_comes_back_as_it_was(bench: &impl ArchiveBench) {
    let reasons = [
        EndReason::SignedOut,
        EndReason::Replaced,
        EndReason::Revoked,
        EndReason::Evicted,
        EndReason::Completed,
        EndReason::Abandoned,
        EndReason::Expired,
    ];
    let mut ended: Vec<_> = (0..).zip(reasons).map(|(n, reason)| EndedSession { reason, ..transfer(n) }).collect();
    ended.push(EndedSession { updates: u32::MAX, payload: "null".into(), kind: "ü'\"%\\".into(), ..transfer(7) });
    ended.push(EndedSession { updates: 0, payload: format!("\"{}\"", "x".repeat(100_000)), ..transfer(8) });
    bench.archive().add("", &ended).await.unwrap();
    ended.reverse();
    assert_eq!(all_of(bench, "", &user("ada")).await, ended);
}

/// Also what some databases keep in no text; and nobody becomes somebody else by that.
async fn any_text_will_do(bench: &impl ArchiveBench) {
    let texts = ["\0", "\u{1a}", "\u{1a}00", "\u{1a}\0", "\0\0a", "00", "\u{fffd}", "\u{10ffff}\r\n"];
    for (number, text) in (0..).zip(texts) {
        let payload = format!("[{},{:?},0.10,{{\"b\":1,\"a\":2}}]", serde_json::json!(text), "\\u0000");
        let ended = EndedSession { user: Some(user(text)), kind: text.to_owned(), payload, ..transfer(number) };
        bench.archive().add("", std::slice::from_ref(&ended)).await.unwrap();
        assert_eq!(all_of(bench, "", &user(text)).await, std::slice::from_ref(&ended));
        let other = EndedSession { id: id(100 + number), ..ended };
        assert_eq!(complete(bench, &other, Quota::rolling(2, MONTH)).await, Completion::Completed);
        assert_eq!(all_of(bench, "", &user(text)).await.len(), 2);
    }
}

async fn what_is_added_again_stays_as_it_is(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    archive.add("", &[transfer(1), transfer(2)]).await.unwrap();
    let other =
        |number| EndedSession { reason: EndReason::Expired, updates: 99, payload: "0".into(), ..transfer(number) };
    // With one that is new, and one that is named twice.
    archive.add("", &[other(2), transfer(3), other(1), other(3)]).await.unwrap();
    archive.add("", &[transfer(1)]).await.unwrap();
    assert_eq!(all_of(bench, "", &user("ada")).await, [transfer(3), transfer(2), transfer(1)]);
    // Also under another user's name: an id is there once.
    let of_bob = EndedSession { user: Some(user("bob")), ..other(2) };
    archive.add("", &[of_bob]).await.unwrap();
    assert_eq!(all_of(bench, "", &user("bob")).await, []);
}

async fn nothing_to_add_is_added(bench: &impl ArchiveBench) {
    bench.archive().add("", &[]).await.unwrap();
    assert_eq!(all_of(bench, "", &user("ada")).await, []);
}

async fn layers_and_users_are_apart(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    let of_bob = EndedSession { user: Some(user("bob")), ..transfer(2) };
    archive.add("", &[transfer(1), of_bob.clone()]).await.unwrap();
    // The same id in another layer is another's.
    let there = EndedSession { payload: "[]".into(), ..transfer(1) };
    archive.add("admin", std::slice::from_ref(&there)).await.unwrap();
    assert_eq!(all_of(bench, "", &user("ada")).await, [transfer(1)]);
    assert_eq!(all_of(bench, "", &user("bob")).await, [of_bob]);
    assert_eq!(all_of(bench, "admin", &user("ada")).await, [there]);
    assert_eq!(all_of(bench, "admin", &user("bob")).await, []);
    assert_eq!(all_of(bench, "", &user("ad")).await, []);
    assert_eq!(all_of(bench, "", &user("ADA")).await, []);
}

async fn the_same_from_many_at_once_is_there_once(bench: &impl ArchiveBench) {
    let mut adding = JoinSet::new();
    for mover in 0..10 {
        let archive = bench.archive().clone();
        adding.spawn(async move {
            // Each has some in common with the next.
            let ended: Vec<_> = (mover..mover + 10).map(transfer).collect();
            archive.add("", &ended).await.unwrap();
        });
    }
    adding.join_all().await;
    let there = all_of(bench, "", &user("ada")).await;
    assert_eq!(there.iter().map(|ended| ended.id).collect::<Vec<_>>(), (0..19).rev().map(id).collect::<Vec<_>>());
}
