//! What waits in the store while the archive takes nothing: how much that is can be seen, and it has an end.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use thin_session::archive::{Archive as _, EndReason, EndedSession, Timestamp};
use thin_session::{
    HistoryPage, Keyring, MemoryStore, SessionError, SessionErrorKind, SessionLayer, Sessions, UserId, UserSessionData,
};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

/// One for all tests of this process: each has a layer of its own.
static NUMBERS: LazyLock<PrometheusHandle> =
    LazyLock::new(|| PrometheusBuilder::new().install_recorder().expect("no other recorder is there"));

#[derive(Default, Serialize, Deserialize)]
struct Order(u32);

impl UserSessionData for Order {
    const KIND: &'static str = "order";
}

/// What the archives here have room for.
const ROOM: usize = 10;

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

/// An archive that is full of what others had.
async fn full_archive() -> Arc<MemoryStore> {
    let archive = MemoryStore::new().with_archive_limit(ROOM);
    let time = Timestamp::from_millis(1_700_000_000_000);
    let of_others = || EndedSession {
        id: Uuid::now_v7(),
        user: Some(user("others")),
        kind: "order".into(),
        reason: EndReason::Completed,
        began: time,
        ended: time,
        updates: 1,
        payload: "1".into(),
    };
    let all: Vec<_> = std::iter::repeat_with(of_others).take(ROOM).collect();
    archive.add("", &all).await.unwrap();
    archive.into()
}

async fn has_room_again(archive: &MemoryStore) {
    assert_eq!(archive.erase("", &user("others"), 100).await.unwrap(), ROOM as u64);
}

async fn begins(sessions: &Sessions, name: &str) -> Result<(), SessionError> {
    sessions.user_session::<Order>(&user(name)).await?.update(|order| order.0 += 1).await
}

async fn ends(sessions: &Sessions, name: &str) -> Result<(), SessionError> {
    sessions.user_session::<Order>(&user(name)).await?.complete().await
}

/// Waits until a number is told like this.
async fn says(line: &str) {
    let told = async {
        while !NUMBERS.render().lines().any(|told| told == line) {
            sleep(Duration::from_millis(10)).await;
        }
    };
    let told = timeout(Duration::from_secs(600), told).await;
    assert!(told.is_ok(), "no {line:?} in\n{}", NUMBERS.render());
}

#[tokio::test(start_paused = true)]
async fn how_much_waits_is_a_number() {
    LazyLock::force(&NUMBERS);
    let archive = full_archive().await;
    let layer = SessionLayer::with_user_sessions(MemoryStore::new(), Keyring::generate());
    let sessions = layer.named("number").unwrap().archive(Arc::clone(&archive)).sessions();
    says("thin_session_outbox_sessions{layer=\"number\"} 0").await;
    for number in 0..5 {
        let name = format!("user {number}");
        begins(&sessions, &name).await.unwrap();
        ends(&sessions, &name).await.unwrap();
    }
    says("thin_session_outbox_sessions{layer=\"number\"} 5").await;
    has_room_again(&archive).await;
    says("thin_session_outbox_sessions{layer=\"number\"} 0").await;
}

/// Nobody can begin, nothing is lost, and what was begun can end: also when nothing can be moved for ever so long.
#[tokio::test(start_paused = true)]
async fn what_waits_in_memory_has_an_end() {
    const LIMIT: usize = 6;
    let archive = full_archive().await;
    let store = MemoryStore::new().with_limit(LIMIT);
    let layer = SessionLayer::with_user_sessions(store, Keyring::generate());
    let sessions = layer.named("memory").unwrap().archive(Arc::clone(&archive)).sessions();
    begins(&sessions, "bob").await.unwrap();
    let mut ended = 0;
    let refused = loop {
        match begins(&sessions, "ada").await {
            Ok(()) => ends(&sessions, "ada").await.unwrap(),
            Err(refused) => break refused,
        }
        ended += 1;
        assert!(ended < LIMIT, "it has room for no more");
    };
    assert!(matches!(refused.kind(), SessionErrorKind::Unavailable { .. }), "{refused}");
    // Bob's is still there, and one place is the marker of what was Ada's last.
    assert_eq!(ended, LIMIT - 2);
    ends(&sessions, "bob").await.unwrap();
    let waiting = async |name| sessions.history(&user(name), &HistoryPage::of(100)).await.unwrap().len();
    assert_eq!((waiting("ada").await, waiting("bob").await), (ended, 1));

    says(&format!("thin_session_outbox_sessions{{layer=\"memory\"}} {}", ended + 1)).await;
    has_room_again(&archive).await;
    says("thin_session_outbox_sessions{layer=\"memory\"} 0").await;
    assert_eq!((waiting("ada").await, waiting("bob").await), (ended, 1));
    begins(&sessions, "ada").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_converted_is_counted_and_so_is_what_can_be_later() {
    LazyLock::force(&NUMBERS);
    let (store, keys, archive) = (Arc::new(MemoryStore::new()), Keyring::generate(), Arc::new(MemoryStore::new()));
    let process = |keys: &Keyring, archive| {
        let layer = SessionLayer::with_user_sessions(Arc::clone(&store), keys.clone());
        layer.named("dead").unwrap().archive(archive).sessions()
    };
    let gone = process(&keys, full_archive().await);
    for name in ["ada", "bob"] {
        begins(&gone, name).await.unwrap();
        ends(&gone, name).await.unwrap();
    }
    drop(gone);
    let other = process(&Keyring::generate(), Arc::clone(&archive));
    says("thin_session_dead_letters_total 2").await;
    says("thin_session_outbox_sessions{layer=\"dead\"} 0").await;
    drop(other);
    let _back = process(&keys, Arc::clone(&archive));
    says("thin_session_dead_letters_revived_total 2").await;
}
