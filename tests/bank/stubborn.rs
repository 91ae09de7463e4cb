//! An archive that refuses one session for good, or is too slow for many at once.

use crate::forms;
use crate::shop::{ok, routes, tell_kind};
use crate::until;
use axum::http::Method;
use axum::middleware::map_response;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use testbed::Client;
use thin_session::archive::{Answer, Archive, EndedSession, HistoryPage, StoreError};
use thin_session::testing::forward;
use thin_session::{Keyring, MemoryStore, SessionLayer, Sessions, UserId};
use tokio::time::sleep;

/// What an archive does before it adds: takes its time, and may refuse.
type Before = fn(&[EndedSession]) -> (Duration, bool);

struct Stubborn {
    inner: MemoryStore,
    is_down: AtomicBool,
    before: Before,
}

impl Archive for Stubborn {
    async fn add(&self, layer: &'static str, ended: &[EndedSession]) -> Answer<()> {
        let (time, refuses) = (self.before)(ended);
        if !time.is_zero() {
            sleep(time).await;
        }
        if refuses || self.is_down.load(Ordering::SeqCst) {
            return Err(StoreError::not_applied("the test has the archive refuse"));
        }
        self.inner.add(layer, ended).await
    }

    forward!(self => self.inner; complete, settle, history, counts, add_dead, dead, remove_dead, forget, erase);
}

/// What the archive has of a user: what was filled in.
async fn archived(archive: &Stubborn, user: &str) -> BTreeSet<String> {
    let user = UserId::new(user).expect("it is an id");
    let ended = archive.inner.history("", &user, &HistoryPage::of(10_000)).await.expect("it is in memory");
    ended.into_iter().map(|ended| ended.payload).collect()
}

/// The sessions of a server, of which so many of each of two users have ended while its archive is down.
async fn with_ended(archive: &Arc<Stubborn>, deadline: Duration, each: usize) -> Sessions {
    let layer = SessionLayer::with_user_sessions(MemoryStore::new(), Keyring::generate()).archive(Arc::clone(archive));
    let layer = layer.store_deadline(deadline).expect("it is in bounds");
    let sessions = layer.sessions();
    let mut browser = Client::new(routes().merge(forms::pages()).layer(layer).layer(map_response(tell_kind)));
    for user in ["ada", "bob"] {
        ok(browser.post(&format!("/sign-in/{user}")).await);
        for number in 0..each {
            ok(browser.ask(Method::POST, &format!("/form/{user}-{number}")).await);
            ok(browser.ask(Method::POST, "/form-completed").await);
        }
    }
    sessions
}

impl Stubborn {
    fn new(before: Before) -> Arc<Self> {
        Arc::new(Self { inner: MemoryStore::new(), is_down: AtomicBool::new(true), before })
    }

    fn goes_up(&self) {
        self.is_down.store(false, Ordering::SeqCst);
    }
}

const EACH: usize = 300;

#[tokio::test]
async fn who_ends_in_an_orderly_way_leaves_nothing_behind() {
    let archive = Stubborn::new(|_| (Duration::ZERO, false));
    let sessions = with_ended(&archive, Duration::from_secs(1), 40).await;
    let began = Instant::now();
    let refused = sessions.drain(Duration::from_millis(500)).await.expect_err("the archive is down");
    assert!(refused.is_unavailable() && began.elapsed() < Duration::from_secs(2), "{refused:?}");
    assert_eq!(archived(&archive, "ada").await.len(), 0);

    archive.goes_up();
    sessions.drain(Duration::from_secs(20)).await.expect("it is up");
    assert_eq!(archived(&archive, "ada").await.len() + archived(&archive, "bob").await.len(), 80);
    sessions.drain(Duration::ZERO).await.expect("there is nothing to do");
}

/// Neither the others of its user, nor those of others.
#[tokio::test]
async fn what_an_archive_refuses_holds_up_nothing_else() {
    let before: Before = |ended| (Duration::ZERO, ended.iter().any(|ended| ended.payload == "[\"ada-7\"]"));
    let archive = Stubborn::new(before);
    let _sessions = with_ended(&archive, Duration::from_secs(1), EACH).await;
    archive.goes_up();
    let began = Instant::now();
    until("all others are archived", async || {
        archived(&archive, "ada").await.len() + archived(&archive, "bob").await.len() == 2 * EACH - 1
    })
    .await;
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(!archived(&archive, "ada").await.contains("[\"ada-7\"]"));
}

/// It cannot have a whole batch within the deadline.
#[tokio::test]
async fn an_archive_that_is_slow_is_given_less_at_a_time() {
    let before: Before = |ended| (Duration::from_millis(5) * u32::try_from(ended.len()).unwrap_or(u32::MAX), false);
    let archive = Stubborn::new(before);
    let _sessions = with_ended(&archive, Duration::from_millis(200), EACH).await;
    archive.goes_up();
    until("all are archived", async || {
        archived(&archive, "ada").await.len() + archived(&archive, "bob").await.len() == 2 * EACH
    })
    .await;
}
