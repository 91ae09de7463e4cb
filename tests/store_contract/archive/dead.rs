//! What could not be converted.

use super::bench::{ArchiveBench, for_all_archives};
use super::{ANY, all_of, complete, id, off, transfer, user};
use thin_session::archive::{Archive, Completion, DeadLetter, Timestamp};
use tokio::task::JoinSet;
use uuid::Uuid;

for_all_archives! {
    none_is_there_at_first
    it_comes_back_as_it_was
    what_is_added_again_stays_as_it_is
    they_come_by_id_from_one_on
    those_of_other_layers_are_left_alone
    what_is_removed_has_gone_and_may_come_again
    a_session_of_the_same_id_is_another_matter
    the_oldest_are_forgotten_after_the_sessions
    a_user_who_is_erased_leaves_them
    many_at_once_add_and_remove_the_same
}

/// One of this number. Its content holds bytes that text would not.
fn letter(number: u64) -> DeadLetter {
    let sealed = [b"\0\r\n\xff'%\"\\"[..].into(), number.to_be_bytes().to_vec()].concat();
    DeadLetter { id: id(number), why: "sealed elsewhere".into(), since: transfer(number).ended, sealed }
}

fn letters(numbers: impl IntoIterator<Item = u64>) -> Vec<DeadLetter> {
    numbers.into_iter().map(letter).collect()
}

fn moment(seconds: i64) -> Timestamp {
    off(transfer(0).ended, 1000 * seconds)
}

async fn there(bench: &impl ArchiveBench, layer: &'static str) -> Vec<DeadLetter> {
    bench.archive().dead(layer, Uuid::nil(), 10_000).await.unwrap()
}

async fn none_is_there_at_first(bench: &impl ArchiveBench) {
    assert_eq!(there(bench, "").await, []);
    bench.archive().add_dead("", &[]).await.unwrap();
    bench.archive().remove_dead("", &[]).await.unwrap();
    bench.archive().remove_dead("", &[id(1)]).await.unwrap();
    assert_eq!(there(bench, "").await, []);
}

async fn it_comes_back_as_it_was(bench: &impl ArchiveBench) {
    let contents = [Vec::new(), (0..=255).collect(), vec![0; 100_000]];
    let whys = ["", "\0\u{1a}ü'\"%\\", "sealed under another key"];
    let all: Vec<_> = (1..)
        .zip(contents.into_iter().zip(whys))
        .map(|(number, (sealed, why))| DeadLetter { why: why.into(), sealed, ..letter(number) })
        .collect();
    bench.archive().add_dead("", &all).await.unwrap();
    assert_eq!(there(bench, "").await, all);
}

async fn what_is_added_again_stays_as_it_is(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    archive.add_dead("", &letters([1, 2])).await.unwrap();
    let other = |number| DeadLetter { why: "other".into(), since: moment(99), sealed: vec![1], ..letter(number) };
    // With one that is new, and one that is named twice.
    archive.add_dead("", &[other(2), letter(3), other(1), other(3)]).await.unwrap();
    assert_eq!(there(bench, "").await, letters(1..=3));
}

async fn they_come_by_id_from_one_on(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    archive.add_dead("", &letters([5, 300, 1, 4, 256, 2, 255, 3])).await.unwrap();
    let some = async |from, limit| archive.dead("", from, limit).await.unwrap();
    assert_eq!(some(Uuid::nil(), 3).await, letters(1..=3));
    assert_eq!(some(id(3), 3).await, letters(3..=5), "and that one");
    assert_eq!(some(id(6), 3).await, letters([255, 256, 300]));
    assert_eq!(some(id(6), 2).await, letters([255, 256]));
    assert_eq!(some(id(301), 3).await, []);
    assert_eq!(some(Uuid::max(), 3).await, []);
    assert_eq!(some(Uuid::nil(), 0).await, []);
}

async fn those_of_other_layers_are_left_alone(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    let there_as_well = DeadLetter { sealed: vec![7], ..letter(1) };
    archive.add_dead("", &letters([1, 2])).await.unwrap();
    archive.add_dead("admin", std::slice::from_ref(&there_as_well)).await.unwrap();
    assert_eq!(there(bench, "").await, letters([1, 2]));
    archive.remove_dead("", &[id(1), id(2)]).await.unwrap();
    assert_eq!(archive.forget("", moment(1000), 100).await.unwrap(), 0);
    assert_eq!(there(bench, "admin").await, [there_as_well]);
    assert_eq!(there(bench, "adm").await, []);
}

async fn what_is_removed_has_gone_and_may_come_again(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    for _ in 0..2 {
        archive.add_dead("", &letters(1..=5)).await.unwrap();
        archive.remove_dead("", &[id(2), id(9), id(4), id(2)]).await.unwrap();
        assert_eq!(there(bench, "").await, letters([1, 3, 5]));
    }
}

/// Somebody may have moved it who could read it.
async fn a_session_of_the_same_id_is_another_matter(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    archive.add_dead("", &letters([1, 2])).await.unwrap();
    assert_eq!(all_of(bench, "", &user("ada")).await, []);
    assert!(!archive.settle("", &transfer(1), None).await.unwrap());
    assert_eq!(complete(bench, &transfer(1), ANY).await, Completion::Completed);
    archive.add("", &[transfer(2)]).await.unwrap();
    assert_eq!(there(bench, "").await, letters([1, 2]));
    archive.remove_dead("", &[id(1), id(2)]).await.unwrap();
    assert_eq!(all_of(bench, "", &user("ada")).await.len(), 2);
}

async fn the_oldest_are_forgotten_after_the_sessions(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    let since = |number: u64, seconds| DeadLetter { since: moment(seconds), ..letter(number) };
    archive.add_dead("", &[since(1, 30), since(2, 10), since(3, 20), since(4, 40)]).await.unwrap();
    archive.add("", &[transfer(1), transfer(2)]).await.unwrap();
    assert_eq!(archive.forget("", moment(10), 100).await.unwrap(), 2, "the sessions, and not what came then");
    assert_eq!(archive.forget("", off(moment(10), 1), 100).await.unwrap(), 1);
    archive.add("", &[transfer(1), transfer(2)]).await.unwrap();
    assert_eq!(archive.forget("", moment(100), 2).await.unwrap(), 2);
    assert_eq!(there(bench, "").await.len(), 3);
    archive.add("", &[transfer(1)]).await.unwrap();
    assert_eq!(archive.forget("", moment(100), 2).await.unwrap(), 2);
    assert_eq!(there(bench, "").await, [since(1, 30), since(4, 40)]);
    assert_eq!(archive.forget("", moment(40), 2).await.unwrap(), 1);
    assert_eq!(archive.forget("", moment(100), 2).await.unwrap(), 1);
    assert_eq!((archive.forget("", moment(100), 2).await.unwrap(), there(bench, "").await), (0, vec![]));
}

/// Nobody can tell whose they are.
async fn a_user_who_is_erased_leaves_them(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    archive.add_dead("", &letters([1])).await.unwrap();
    archive.add("", &[transfer(1)]).await.unwrap();
    assert_eq!(archive.erase("", &user("ada"), 100).await.unwrap(), 1);
    assert_eq!(there(bench, "").await, letters([1]));
}

async fn many_at_once_add_and_remove_the_same(bench: &impl ArchiveBench) {
    let mut all = JoinSet::new();
    for mover in 0..10 {
        let archive = bench.archive().clone();
        all.spawn(async move {
            // Each has some in common with the next, in another order.
            let mut some = letters(mover..mover + 10);
            if mover % 2 == 0 {
                some.reverse();
            }
            archive.add_dead("", &some).await.unwrap();
            let ids: Vec<_> = some.iter().map(|letter| letter.id).collect();
            archive.remove_dead("", &ids[..5]).await.unwrap();
        });
    }
    all.join_all().await;
    let left = there(bench, "").await;
    bench.archive().remove_dead("", &left.iter().map(|letter| letter.id).collect::<Vec<_>>()).await.unwrap();
    assert_eq!(there(bench, "").await, []);
}
