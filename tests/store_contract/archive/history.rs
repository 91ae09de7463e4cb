//! A user's sessions, page by page.

use super::bench::{ArchiveBench, for_all_archives};
use super::{all_of, id, transfer, user};
use thin_session::archive::{Archive, EndReason, EndedSession, HistoryPage};
use uuid::Uuid;

for_all_archives! {
    the_one_that_began_last_is_in_front
    pages_have_neither_gaps_nor_duplicates
    back_again_they_have_neither_gaps_nor_duplicates
    what_comes_in_meanwhile_moves_no_page
    a_page_of_none_and_one_before_all
    other_users_are_not_seen
}

/// Whatever the order in which they ended, and came in.
async fn the_one_that_began_last_is_in_front(bench: &impl ArchiveBench) {
    let numbers = [5, 1, 300, 2, 4, 255, 3, 256];
    for number in numbers {
        let ended = crate::entries::at(1_800_000_000_000 - 1000 * number);
        let (kind, reason) = (format!("kind {}", number % 2), EndReason::Abandoned);
        bench.archive().add("", &[EndedSession { kind, reason, ended, ..transfer(number) }]).await.unwrap();
    }
    let ids: Vec<_> = all_of(bench, "", &user("ada")).await.into_iter().map(|ended| ended.id).collect();
    assert_eq!(ids, [300, 256, 255, 5, 4, 3, 2, 1].map(id));
}

/// The ids of all, read in pages.
async fn in_pages(bench: &impl ArchiveBench, limit: usize) -> Vec<Uuid> {
    let (mut ids, mut next) = (Vec::new(), HistoryPage::of(limit));
    loop {
        let page = bench.archive().history("", &user("ada"), &next).await.unwrap();
        assert!(page.len() <= limit);
        let Some(last) = page.last() else { return ids };
        next = next.before(last.id);
        ids.extend(page.iter().map(|ended| ended.id));
    }
}

async fn pages_have_neither_gaps_nor_duplicates(bench: &impl ArchiveBench) {
    // Several began in each millisecond.
    let ended: Vec<_> = (0..50).map(transfer).collect();
    bench.archive().add("", &ended).await.unwrap();
    let all: Vec<_> = (0..50).rev().map(id).collect();
    for limit in [1, 7, 10, 50, 1000] {
        assert_eq!(in_pages(bench, limit).await, all, "{limit} at once");
    }
}

/// From the one that began first to the latest.
async fn back_again_they_have_neither_gaps_nor_duplicates(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    archive.add("", &(0..50).map(transfer).collect::<Vec<_>>()).await.unwrap();
    let all: Vec<_> = (0..50).rev().map(id).collect();
    for limit in [1, 7, 50, 1000] {
        let (mut ids, mut next) = (Vec::new(), HistoryPage::of(limit).after(Uuid::nil()));
        loop {
            let page = archive.history("", &user("ada"), &next).await.unwrap();
            let Some(first) = page.first() else { break };
            next = next.after(first.id);
            ids.splice(0..0, page.iter().map(|ended| ended.id));
        }
        assert_eq!(ids, all, "{limit} at once");
    }
    let none = HistoryPage::of(10).after(id(49));
    assert_eq!(archive.history("", &user("ada"), &none).await.unwrap(), []);
    assert_eq!(archive.history("", &user("ada"), &none.after(Uuid::max())).await.unwrap(), []);
    let next = archive.history("", &user("ada"), &HistoryPage::of(2).after(id(20))).await.unwrap();
    assert_eq!(next, [transfer(22), transfer(21)], "the nearest, and not the latest of all");
}

async fn what_comes_in_meanwhile_moves_no_page(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    archive.add("", &(10..20).map(transfer).collect::<Vec<_>>()).await.unwrap();
    let first = archive.history("", &user("ada"), &HistoryPage::of(5)).await.unwrap();
    archive.add("", &(20..30).map(transfer).collect::<Vec<_>>()).await.unwrap();
    let second = archive.history("", &user("ada"), &HistoryPage::of(10).before(first[4].id)).await.unwrap();
    assert_eq!(second, (10..15).rev().map(transfer).collect::<Vec<_>>());
}

async fn a_page_of_none_and_one_before_all(bench: &impl ArchiveBench) {
    let archive = bench.archive();
    archive.add("", &[transfer(1), transfer(2)]).await.unwrap();
    assert_eq!(archive.history("", &user("ada"), &HistoryPage::of(0)).await.unwrap(), []);
    assert_eq!(archive.history("", &user("ada"), &HistoryPage::of(10).before(id(1))).await.unwrap(), []);
    assert_eq!(archive.history("", &user("ada"), &HistoryPage::of(10).before(Uuid::nil())).await.unwrap(), []);
    // One that is not there is a place between the others all the same.
    assert_eq!(archive.history("", &user("ada"), &HistoryPage::of(10).before(Uuid::max())).await.unwrap().len(), 2);
}

async fn other_users_are_not_seen(bench: &impl ArchiveBench) {
    let ended: Vec<_> = (0..30)
        .map(|number| EndedSession {
            user: Some(user(["ada", "bob", "eve"][(number % 3) as usize])),
            ..transfer(number)
        })
        .collect();
    bench.archive().add("", &ended).await.unwrap();
    assert_eq!(in_pages(bench, 4).await, (0..30).rev().filter(|number| number % 3 == 0).map(id).collect::<Vec<_>>());
    assert_eq!(all_of(bench, "admin", &user("ada")).await, []);
}
