//! Only some of a user's sessions.

use super::bench::{ArchiveBench, for_all_archives};
use super::{id, off, transfer, user};
use thin_session::archive::{Archive, EndReason, EndedSession, HistoryPage};
use uuid::Uuid;

for_all_archives! {
    of_one_kind
    for_one_reason
    both_ways_to_sign_out_are_one_reason
    ended_from_one_moment_on_and_before_another
    what_a_user_completed_of_a_kind_in_a_window
    pages_of_some_have_neither_gaps_nor_duplicates
}

/// Every third is an order, every fourth was given up, and each ended a second after the one before.
fn mixed(number: u64) -> EndedSession {
    let plain = transfer(number);
    EndedSession {
        kind: if number.is_multiple_of(3) { "order" } else { "transfer" }.to_owned(),
        reason: if number.is_multiple_of(4) { EndReason::Abandoned } else { EndReason::Completed },
        ended: off(transfer(0).ended, i64::try_from(1000 * number).unwrap()),
        ..plain
    }
}

async fn with_mixed(bench: &impl ArchiveBench) {
    bench.archive().add("", &(0..60).map(mixed).collect::<Vec<_>>()).await.unwrap();
}

async fn ids(bench: &impl ArchiveBench, page: &HistoryPage<'_>) -> Vec<Uuid> {
    let page = bench.archive().history("", &user("ada"), page).await.unwrap();
    page.iter().map(|ended| ended.id).collect()
}

/// Those of the sixty for which this holds, the one that began last in front.
fn those(is_one: impl Fn(u64) -> bool) -> Vec<Uuid> {
    (0..60).rev().filter(|number| is_one(*number)).map(id).collect()
}

const ALL: HistoryPage<'_> = HistoryPage::of(1000);

async fn of_one_kind(bench: &impl ArchiveBench) {
    with_mixed(bench).await;
    assert_eq!(ids(bench, &ALL.of_kind("order")).await, those(|number| number % 3 == 0));
    assert!(ids(bench, &ALL.of_kind("Order")).await.is_empty());
    let nameless = EndedSession { kind: String::new(), ..transfer(77) };
    bench.archive().add("", &[nameless]).await.unwrap();
    assert_eq!(ids(bench, &ALL.of_kind("")).await, [id(77)]);
}

async fn for_one_reason(bench: &impl ArchiveBench) {
    with_mixed(bench).await;
    assert_eq!(ids(bench, &ALL.because(EndReason::Abandoned)).await, those(|number| number % 4 == 0));
    assert!(ids(bench, &ALL.because(EndReason::Expired)).await.is_empty());
}

async fn both_ways_to_sign_out_are_one_reason(bench: &impl ArchiveBench) {
    let ways = [EndReason::SignedOut, EndReason::SignedOutRemembered];
    let ended: Vec<_> = (0..).zip(ways).map(|(number, reason)| EndedSession { reason, ..transfer(number) }).collect();
    bench.archive().add("", &ended).await.unwrap();
    for reason in ways {
        assert_eq!(ids(bench, &ALL.because(reason)).await, [id(1), id(0)]);
    }
}

async fn ended_from_one_moment_on_and_before_another(bench: &impl ArchiveBench) {
    with_mixed(bench).await;
    let between = |from: u64, to: u64| ALL.ended_between(mixed(from).ended_at(), mixed(to).ended_at());
    assert_eq!(ids(bench, &between(10, 20)).await, those(|number| (10..20).contains(&number)));
    assert!(ids(bench, &between(20, 20)).await.is_empty());
    assert!(ids(bench, &between(20, 10)).await.is_empty());
    let mut since = ALL;
    since.since = Some(mixed(55).ended);
    assert_eq!(ids(bench, &since).await, those(|number| number >= 55));
}

async fn what_a_user_completed_of_a_kind_in_a_window(bench: &impl ArchiveBench) {
    with_mixed(bench).await;
    let of_bob = EndedSession { user: Some(user("bob")), ..transfer(100) };
    bench.archive().add("", &[of_bob]).await.unwrap();
    let completed = ALL.of_kind("transfer").because(EndReason::Completed);
    let page = completed.ended_between(mixed(7).ended_at(), mixed(30).ended_at());
    let expected = those(|number| (7..30).contains(&number) && number % 3 != 0 && number % 4 != 0);
    assert_eq!(ids(bench, &page).await, expected);
}

async fn pages_of_some_have_neither_gaps_nor_duplicates(bench: &impl ArchiveBench) {
    with_mixed(bench).await;
    let expected = those(|number| number % 3 == 0);
    for limit in [1, 7, 20, 100] {
        let (mut down, mut next) = (Vec::new(), HistoryPage::of(limit).of_kind("order"));
        while let page = ids(bench, &next).await
            && let Some(last) = page.last()
        {
            next = next.before(*last);
            down.extend(page);
        }
        let (mut up, mut next) = (Vec::new(), next.after(Uuid::nil()));
        while let page = ids(bench, &next).await
            && let Some(first) = page.first()
        {
            next = next.after(*first);
            up.splice(0..0, page);
        }
        assert_eq!((&down, &up), (&expected, &expected), "{limit} at once");
    }
}
