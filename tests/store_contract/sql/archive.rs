//! The tables that analysts read, and a quota that processes share: this program once more, running only [`completer`].

use super::{File, open, psql, shared};
use crate::archive::{ANY, MONTH, attempt, own_attempt, transfer, user};
use std::env;
use testbed::{Process, wait_until};
use thin_session::Clock;
use thin_session::archive::{Archive, Completion, EndReason, EndedSession, HistoryPage, Quota};
use tokio::task::JoinSet;

const CHILD: &str = "THIN_SESSION_SQL_COMPLETER";
const TWENTY: Quota = Quota::rolling(20, MONTH);

fn start(place: &str, first: u64) -> Process {
    let program = env::current_exe().expect("this program has a path");
    let args = ["--exact", "sql::archive::completer", "--nocapture"].map(str::to_owned);
    let output = tempfile::tempfile().expect("a temporary file");
    Process::spawn_with(program.to_str().expect("it is text"), &args, &[(CHILD, &format!("{place}\n{first}"))], output)
}

/// Not a test by itself: completes 25 at once.
#[tokio::test(flavor = "multi_thread")]
async fn completer() {
    let Ok(told) = env::var(CHILD) else { return };
    let (place, first) = told.split_once('\n').expect("it is told two things");
    let (store, first) = (open(place).await, first.parse::<u64>().unwrap());
    let mut completing = JoinSet::new();
    for number in first..first + 25 {
        let store = store.clone();
        completing.spawn(async move {
            let answer = store.complete("", &transfer(number), &own_attempt(), TWENTY).await.unwrap();
            assert!(matches!(answer, Completion::Completed | Completion::Exceeded { .. }), "{answer:?}");
        });
    }
    completing.join_all().await;
}

/// Fifteen are there, and fifty come: from two processes, or through two stores.
async fn five_of_fifty(place: &str) {
    let stores = [open(place).await, open(place).await];
    for number in 0..15 {
        let answer = stores[0].complete("", &transfer(number), &own_attempt(), TWENTY).await.unwrap();
        assert_eq!(answer, Completion::Completed);
    }
    let mut children = [start(place, 100), start(place, 200)];
    tokio::task::block_in_place(|| {
        wait_until("both to have ended", || {
            children.iter_mut().all(|child| child.ended().inspect(|status| assert!(status.success())).is_some())
        });
    });
    assert_eq!(stores[1].history("", &user("ada"), &HistoryPage::of(1000)).await.unwrap().len(), 20);
    let mut completing = JoinSet::new();
    for number in 300..350 {
        let (store, thirty) = (stores[usize::from(number % 2 == 0)].clone(), Quota::rolling(30, MONTH));
        completing.spawn(async move { store.complete("", &transfer(number), &own_attempt(), thirty).await.unwrap() });
    }
    let answers = completing.join_all().await;
    assert_eq!(answers.iter().filter(|answer| **answer == Completion::Completed).count(), 10);
    assert_eq!(stores[0].history("", &user("ada"), &HistoryPage::of(1000)).await.unwrap().len(), 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_in_two_processes_on_a_file_five_are_completed() {
    let file = File::new();
    five_of_fifty(file.path().to_str().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_in_two_processes_on_a_server_five_are_completed() {
    let (_, url) = shared().await;
    five_of_fifty(&url).await;
}

/// Whatever characters it holds.
#[tokio::test(flavor = "multi_thread")]
async fn analysts_see_times_and_fields() {
    let (store, url) = shared().await;
    let payload = r#"{"to":"a\u0000b\\u0000","amount":12,"amount":13}"#.to_owned();
    let ended = EndedSession { payload, reason: EndReason::Expired, ..transfer(1) };
    store.add("", std::slice::from_ref(&ended)).await.unwrap();
    assert_eq!(store.history("", &user("ada"), &HistoryPage::of(10)).await.unwrap(), [ended]);
    let question = "SELECT id, user_id, kind, reason, began AT TIME ZONE 'UTC', extract(epoch FROM ended - began), updates, \
                    payload->>'to', (payload->'amount')::int + 1 FROM thin_history";
    let told = psql(&url, question);
    let id = transfer(1).id;
    let expected = format!("{id}|ada|transfer|expired|2023-11-14 22:13:20|1.000000|3|a\u{fffd}b\\ufffd|14");
    assert_eq!(told, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_users_history_and_quota_are_found_by_an_index() {
    let (store, url) = shared().await;
    for number in 0..10 {
        let ended =
            |n: u64| EndedSession { user: Some(user(&format!("user {}", n % 100))), ..transfer(100 * number + n) };
        store.add("", &(0..100).map(ended).collect::<Vec<_>>()).await.unwrap();
    }
    let plan = |question: &str| {
        psql(&url, "ANALYZE thin_archive");
        psql(&url, &format!("EXPLAIN {question}"))
    };
    let of_user = "layer = '' AND user_id = 'user 7'";
    let history = plan(&format!(
        "SELECT payload FROM thin_archive WHERE {of_user} AND id <= 'ffffffff-ffff-ffff-ffff-ffffffffffff' \
         ORDER BY id DESC LIMIT 5"
    ));
    assert!(history.contains("thin_archive_user") && !history.contains("Sort"), "{history}");
    let quota = plan(&format!(
        "SELECT ended FROM thin_archive WHERE {of_user} AND kind = 'transfer' AND ended > 5 AND reason = 'completed' \
         ORDER BY ended DESC LIMIT 1 OFFSET 2"
    ));
    assert!(quota.contains("Index") && !quota.contains("Seq Scan"), "{quota}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_settled_goes_when_it_has_run_out() {
    let (store, url) = shared().await;
    let clock = Clock::manual();
    let store = store.with_clock(clock.clone());
    assert!(!store.settle("", &transfer(1), Some(&attempt(1))).await.unwrap());
    assert_eq!(store.complete("", &transfer(2), &attempt(2), ANY).await.unwrap(), Completion::Completed);
    clock.advance(std::time::Duration::from_secs(26 * 3600));
    super::sweep::used_until(&store, &clock, &url, &["thin_settled"], 0).await;
    assert_eq!(store.history("", &user("ada"), &HistoryPage::of(10)).await.unwrap().len(), 1);
}
