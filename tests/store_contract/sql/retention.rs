//! What is kept for years: the questions of analysts, how it is found, and that nobody waits for what goes.

use super::{File, Other, open, psql, shared};
use crate::archive::{ANY, own_attempt, transfer, user};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};
use thin_session::archive::{Archive, Completion, DeadLetter, EndReason, EndedSession, HistoryPage, Steps, Timestamp};
use thin_session::{Keyring, SessionLayer, SqlStore};
use uuid::Uuid;

const GUIDE: &str = include_str!("../../../src/docs/guide/archive.md");

/// What the guide shows of SQL: what both engines are asked, and then what is for Postgres.
fn shown() -> (Vec<&'static str>, Vec<&'static str>) {
    let of = |part: &'static str| part.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let (questions, upkeep) = GUIDE.split_once("\n# For how long").expect("the guide has two parts");
    (of(questions), of(upkeep))
}

/// Rows as lines and columns between bars, as Postgres tells them.
async fn ask_file(file: &File, question: &str) -> String {
    let mut link = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file.path())).await.unwrap();
    let rows = sqlx::query(AssertSqlSafe(question)).fetch_all(&mut link).await.unwrap();
    let line = |row: &SqliteRow| {
        let columns: Vec<_> = (0..row.len()).map(|column| row.get_unchecked::<String, _>(column)).collect();
        columns.join("|")
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The same whether a number is told as 67, 67.0 or 67.000.
fn plain(told: &str) -> Vec<Vec<String>> {
    let plain = |cell: &str| cell.parse::<f64>().map_or_else(|_| cell.to_owned(), |number| number.to_string());
    told.lines().map(|line| line.split('|').map(plain).collect()).collect()
}

/// On two days at the end of a month: of four transfers three were completed, and an order.
fn past() -> Vec<EndedSession> {
    let day = 86_400_000;
    let at = |number: u64, began: u64, took: u64| {
        let [began, ended] = [began, began + took].map(|after| Timestamp::from_millis(1_701_302_400_000 + after));
        EndedSession { began, ended, ..transfer(number) }
    };
    let expired = EndedSession { reason: EndReason::Expired, ..at(3, day + 1000, 3_600_000) };
    let order = EndedSession { kind: "order".into(), payload: "{}".into(), ..at(5, 2 * day, 1) };
    vec![at(1, 0, 10_000), at(2, day - 1000, 20_000), expired, at(4, day + 5, 60_000), order]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_questions_of_the_guide_are_answered() {
    let ((server, url), file) = (shared().await, File::new());
    let files = file.open().await;
    for store in [&server, &files] {
        store.add("", &past()).await.unwrap();
    }
    let expected = [
        "2023-11-30|completed|1\n2023-12-01|completed|2\n2023-12-01|expired|1",
        "2023-11|100\n2023-12|50",
        "order|1|0.001|0\ntransfer|3|30|60",
        "3|7",
    ];
    let (questions, _) = shown();
    assert_eq!(questions.len(), expected.len());
    for (question, expected) in questions.into_iter().zip(expected) {
        assert_eq!(plain(&psql(&url, &format!("SET TIME ZONE 'UTC'; {question}"))), plain(expected), "{question}");
        assert_eq!(plain(&ask_file(&file, question).await), plain(expected), "{question}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_guide_advises_for_postgres_it_takes() {
    let (store, url) = shared().await;
    let (_, upkeep) = shown();
    assert_eq!(upkeep.len(), 5);
    let letter = |number, why: &str| {
        let EndedSession { id, ended: since, .. } = transfer(number);
        DeadLetter { id, why: why.into(), since, sealed: vec![7] }
    };
    let kept = [letter(1, "another key"), letter(2, "another key")];
    store.add_dead("", &kept).await.unwrap();
    store.add_dead("", &[letter(3, "ended session: too short")]).await.unwrap();
    let told: Vec<_> = upkeep.iter().map(|words| psql(&url, words)).collect();
    let letters: Vec<_> = told[0].lines().map(|line| line.rsplit_once('|').unwrap().0).collect();
    assert_eq!(letters, ["|another key|2", "|ended session: too short|1"]);
    assert_eq!(store.dead("", Uuid::nil(), 10).await.unwrap(), kept);
    let first_ids: Vec<_> = told[4].lines().collect();
    assert_eq!((first_ids.len(), first_ids[0]), (4, "01a19467-e800-0000-0000-000000000000"), "{first_ids:?}");
    assert!(first_ids.is_sorted());
}

/// So many, of a hundred users, that ended long ago.
async fn fill(store: &SqlStore, number: u64) {
    for first in (0..number).step_by(1000) {
        let ended = |n: u64| EndedSession { user: Some(user(&format!("user {}", n % 100))), ..transfer(n) };
        store.add("", &(first..number.min(first + 1000)).map(ended).collect::<Vec<_>>()).await.unwrap();
    }
}

/// As it was carried out, whatever was planned: also when a statement has been used so often that it is planned once for all.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_found_counted_and_deleted_by_indexes() {
    let (store, url) = shared().await;
    fill(&store, 20_000).await;
    psql(&url, "VACUUM ANALYZE thin_archive");
    // What was looked at so far was so to make the indexes, and to be analysed.
    drop(store);
    let is_counted =
        || psql(&url, "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'thin_archive'") == "20000";
    tokio::task::block_in_place(|| testbed::wait_until("the server to count", is_counted));
    psql(&url, "SELECT pg_stat_reset()");
    let store = open(&url).await;
    let day = Steps::new(transfer(0).ended_at(), Duration::from_secs(1), 3);
    for number in 0..20 {
        let of = user(&format!("user {number}"));
        let page = HistoryPage::of(20).of_kind("transfer").because(EndReason::Completed);
        let page = page.ended_between(transfer(0).ended_at(), SystemTime::now());
        let first = store.history("", &of, &page).await.unwrap();
        assert_eq!(store.history("", &of, &page.before(first[19].id)).await.unwrap().len(), 20);
        assert_eq!(store.history("", &of, &page.after(first[19].id)).await.unwrap().len(), 19);
        assert_eq!(store.counts("", Some("transfer"), day).await.unwrap().len(), 3);
        assert_eq!(store.forget("", Timestamp::from(SystemTime::now()), 100).await.unwrap(), 100);
        assert_eq!(store.erase("", &of, 50).await.unwrap(), 50);
    }
    drop(store);
    let counted =
        || psql(&url, "SELECT n_tup_del = 3000, seq_scan FROM pg_stat_user_tables WHERE relname = 'thin_archive'");
    tokio::task::block_in_place(|| testbed::wait_until("the server to count", || counted().starts_with("t|")));
    assert_eq!(counted(), "t|0", "how often all rows were looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plans_of_retention_and_history_sort_nothing_and_read_no_table() {
    let (store, url) = shared().await;
    fill(&store, 20_000).await;
    psql(&url, "VACUUM ANALYZE thin_archive");
    let oldest = psql(
        &url,
        "EXPLAIN DELETE FROM thin_archive WHERE layer = '' AND id = ANY (ARRAY(SELECT s.id FROM thin_archive s \
         WHERE s.layer = '' AND s.ended < 1700000004000 ORDER BY s.ended LIMIT 200 FOR UPDATE OF s SKIP LOCKED))",
    );
    assert!(oldest.contains("thin_archive_ended") && oldest.contains("thin_archive_pkey"), "{oldest}");
    let history = psql(
        &url,
        "EXPLAIN SELECT payload FROM thin_archive WHERE layer = '' AND user_id = 'user 7' AND kind = 'transfer' \
         AND id >= '00000000-0000-0000-0000-000000000000' AND id <= 'ffffffff-ffff-ffff-ffff-ffffffffffff' \
         ORDER BY id DESC LIMIT 20",
    );
    assert!(history.contains("thin_archive_user"), "{history}");
    let counts = psql(
        &url,
        "EXPLAIN SELECT (ended - 1700000001000) / 1000, kind, reason, count(*) FROM thin_archive WHERE layer = '' \
         AND ended >= 1700000001000 AND ended < 1700000002000 GROUP BY 1, 2, 3",
    );
    assert!(counts.contains("Index Only Scan using thin_archive_ended"), "{counts}");
    for plan in [oldest, history] {
        assert!(!plan.contains("Sort") && !plan.contains("Seq Scan"), "{plan}");
    }
}

/// Nobody waits for more than some of what goes: measured by how long all of it takes.
async fn completions_go_on(place: &str) {
    let store = open(place).await;
    fill(&store, 20_000).await;
    let sessions =
        SessionLayer::with_user_sessions(store.clone(), Keyring::generate()).archive(store.clone()).sessions();
    let is_done = Arc::new(AtomicBool::new(false));
    let completing = tokio::spawn({
        let (store, is_done) = (store.clone(), Arc::clone(&is_done));
        async move {
            let mut waited = Vec::new();
            for number in 30_000.. {
                let began = Instant::now();
                let ended = EndedSession { user: Some(user("eve")), ..transfer(number) };
                let answer = store.complete("", &ended, &own_attempt(), ANY).await.unwrap();
                assert!(matches!(answer, Completion::Completed | Completion::Exceeded { .. }), "{answer:?}");
                waited.push(began.elapsed());
                if is_done.load(Ordering::SeqCst) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            waited
        }
    });
    let began = Instant::now();
    let yesterday = SystemTime::now() - Duration::from_secs(86_400);
    assert_eq!(sessions.forget_before(yesterday).await.unwrap(), 20_000);
    let all = began.elapsed();
    is_done.store(true, Ordering::SeqCst);
    let mut waited = completing.await.unwrap();
    waited.sort_unstable();
    let (middle, longest) = (waited[waited.len() / 2], waited[waited.len() - 1]);
    assert!(waited.len() >= 10, "{} were completed in {all:?}", waited.len());
    assert!(middle < all / 20 && longest < all / 4, "{middle:?}, at most {longest:?}, of {all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_on_a_file_go_on_while_twenty_thousand_are_forgotten() {
    let file = File::new();
    completions_go_on(file.path().to_str().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_on_a_server_go_on_while_twenty_thousand_are_forgotten() {
    let (_, url) = shared().await;
    completions_go_on(&url).await;
}

/// One is being deleted, by somebody who takes his time.
#[tokio::test(flavor = "multi_thread")]
async fn who_forgets_waits_for_nobody() {
    let (store, url) = shared().await;
    fill(&store, 10).await;
    let row = "SELECT 1 FROM thin_archive ORDER BY ended LIMIT 1 FOR UPDATE";
    let other = Other::says(&url, row).await;
    assert_eq!(store.forget("", Timestamp::from(SystemTime::now()), 100).await.unwrap(), 9);
    other.commits().await;
    assert_eq!(store.forget("", Timestamp::from(SystemTime::now()), 100).await.unwrap(), 1);
}

/// Not even the name is left.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_who_was_erased() {
    let (store, url) = shared().await;
    for number in 0..3 {
        let ended = EndedSession { kind: format!("kind {number}"), ..transfer(number) };
        assert_eq!(store.complete("", &ended, &own_attempt(), ANY).await.unwrap(), Completion::Completed);
        let of_bob = EndedSession { user: Some(user("bob")), ..transfer(100 + number) };
        assert_eq!(store.complete("", &of_bob, &own_attempt(), ANY).await.unwrap(), Completion::Completed);
    }
    let rows = || {
        psql(
            &url,
            "SELECT user_id, count(*) FROM (SELECT user_id FROM thin_archive UNION ALL SELECT user_id FROM thin_quota) t GROUP BY 1 ORDER BY 1",
        )
    };
    assert_eq!(rows(), "ada|6\nbob|4");
    assert_eq!(store.erase("", &user("ada"), 100).await.unwrap(), 3);
    assert_eq!(rows(), "bob|4");
}
