//! For how long what has ended is kept.

use super::{Transfer, user};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use thin_session::archive::{Archive as _, Steps};
use thin_session::{
    EndReason, EndedSession, HistoryPage, Keyring, MemoryStore, SessionErrorKind, SessionLayer, Sessions, UserSession,
};
use uuid::Uuid;

const DAY: Duration = Duration::from_secs(86_400);

/// A transfer of this user that ended so many days ago.
fn ended(name: &str, days_ago: u32) -> EndedSession {
    let ended = SystemTime::now() - DAY * days_ago;
    EndedSession {
        id: Uuid::now_v7(),
        user: Some(user(name)),
        kind: "transfer".to_owned(),
        reason: EndReason::Completed,
        began: (ended - DAY).into(),
        ended: ended.into(),
        updates: 1,
        payload: "{}".to_owned(),
    }
}

fn with_archive(archive: impl thin_session::archive::Archive) -> Sessions {
    SessionLayer::with_user_sessions(MemoryStore::new(), Keyring::generate()).archive(archive).sessions()
}

/// Begins one and gives it up.
async fn give_up(sessions: &Sessions, name: &str) {
    let mut transfer: UserSession<Transfer> = sessions.user_session(&user(name)).await.unwrap();
    transfer.update(|transfer| transfer.steps.push(1)).await.unwrap();
    transfer.abandon().await.unwrap();
}

async fn left(sessions: &Sessions, name: &str) -> usize {
    sessions.history(&user(name), &HistoryPage::of(10_000)).await.unwrap().len()
}

#[tokio::test]
async fn who_is_erased_has_no_history_and_others_have() {
    let archive = Arc::new(MemoryStore::new());
    let sessions = with_archive(Arc::clone(&archive));
    for name in ["ada", "bob"] {
        archive.add("", &(0..450).map(|_| ended(name, 1)).collect::<Vec<_>>()).await.unwrap();
    }
    assert_eq!(sessions.erase(&user("ada")).await.unwrap(), 450);
    assert_eq!((left(&sessions, "ada").await, left(&sessions, "bob").await), (0, 450));
    assert_eq!(sessions.erase(&user("ada")).await.unwrap(), 0);
}

/// The archive is full, so that what ends waits in the store.
#[tokio::test]
async fn what_waits_for_the_archive_is_found_and_erased_as_well() {
    let sessions = with_archive(MemoryStore::new().with_archive_limit(0));
    for name in ["ada", "ada", "bob"] {
        give_up(&sessions, name).await;
    }
    let page = HistoryPage::of(1).of_kind("transfer").because(EndReason::Abandoned);
    let latest = sessions.history(&user("ada"), &page).await.unwrap();
    let older = sessions.history(&user("ada"), &page.before(latest[0].id)).await.unwrap();
    assert!(older[0].id < latest[0].id);
    assert_eq!(sessions.history(&user("ada"), &page.after(older[0].id)).await.unwrap(), latest);
    assert_eq!(sessions.history(&user("ada"), &page.after(Uuid::nil())).await.unwrap(), older, "the nearest");
    assert_eq!(sessions.history(&user("ada"), &page.of_kind("visit")).await.unwrap(), []);

    assert_eq!(sessions.erase(&user("ada")).await.unwrap(), 2);
    assert_eq!((left(&sessions, "ada").await, left(&sessions, "bob").await), (0, 1));
}

#[tokio::test]
async fn what_lives_goes_on_when_its_user_is_erased() {
    let sessions = with_archive(MemoryStore::new());
    let mut transfer: UserSession<Transfer> = sessions.user_session(&user("ada")).await.unwrap();
    transfer.update(|transfer| transfer.steps.push(1)).await.unwrap();
    assert_eq!(sessions.erase(&user("ada")).await.unwrap(), 0);
    transfer.update(|transfer| transfer.steps.push(2)).await.unwrap();
    assert_eq!(transfer.steps, [1, 2]);
}

#[tokio::test]
async fn what_ended_before_is_forgotten_whatever_the_user() {
    let archive = Arc::new(MemoryStore::new());
    let sessions = with_archive(Arc::clone(&archive));
    let old = (0..450).map(|number| ended(if number % 2 == 0 { "ada" } else { "bob" }, 400));
    archive.add("", &old.chain([ended("ada", 1)]).collect::<Vec<_>>()).await.unwrap();
    let a_year_ago = SystemTime::now() - DAY * 366;
    assert_eq!(sessions.forget_before(a_year_ago).await.unwrap(), 450);
    assert_eq!(sessions.forget_before(a_year_ago).await.unwrap(), 0);
    assert_eq!((left(&sessions, "ada").await, left(&sessions, "bob").await), (1, 0));
}

#[tokio::test]
async fn what_ended_is_counted_by_day() {
    let archive = Arc::new(MemoryStore::new());
    let sessions = with_archive(Arc::clone(&archive));
    archive.add("", &[ended("ada", 1), ended("bob", 1), ended("ada", 3)]).await.unwrap();
    let steps = Steps::new(SystemTime::now() - 4 * DAY - DAY / 2, DAY, 4);
    let counts = sessions.counts(Some("transfer"), steps).await.unwrap();
    let told: Vec<_> = counts.iter().map(|count| (count.from, count.reason, count.sessions)).collect();
    assert_eq!(told, [(steps.begin(1), EndReason::Completed, 1), (steps.begin(3), EndReason::Completed, 2)]);
    assert_eq!(sessions.counts(Some("visit"), steps).await.unwrap(), []);
}

#[tokio::test]
async fn without_an_archive_nothing_is_kept() {
    let sessions = SessionLayer::with_user_sessions(MemoryStore::new(), Keyring::generate()).sessions();
    let page = HistoryPage::of(1);
    let errors = [
        sessions.history(&user("ada"), &page).await.unwrap_err(),
        sessions.counts(None, Steps::new(SystemTime::now(), DAY, 1)).await.unwrap_err(),
        sessions.erase(&user("ada")).await.unwrap_err(),
        sessions.forget_before(SystemTime::now()).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error.kind(), SessionErrorKind::Misconfigured { .. }), "{error}");
    }
}
