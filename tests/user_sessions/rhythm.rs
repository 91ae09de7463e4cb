//! When a process looks for what has ended and how much it takes at a time, in a time that passes only where all wait.

use super::{Transfer, Visit, step, user};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use thin_session::archive::{Answer, Archive, DeadLetter, EndedSession, StoreError};
use thin_session::store::{Entry, Key, LastingStore, Store};
use thin_session::testing::forward;
use thin_session::{Clock, HistoryPage, Keyring, MemoryStore, SessionErrorKind, SessionLayer, Sessions, UserSession};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

const MINUTE: Duration = Duration::from_secs(60);

/// A store and an archive in one, that remembers how often it was asked for what, and takes nothing while it is down.
#[derive(Default)]
struct Watched {
    inner: MemoryStore,
    asked: Mutex<HashMap<&'static str, usize>>,
    taken: Mutex<Vec<usize>>,
    is_down: AtomicBool,
}

impl Watched {
    fn with_clock(clock: &Clock) -> Arc<Self> {
        Arc::new(Self { inner: MemoryStore::new().with_clock(clock.clone()), ..Self::default() })
    }

    /// The sessions of a process, for as long as the answer is held.
    fn process(self: &Arc<Self>, clock: &Clock) -> Sessions {
        let layer = SessionLayer::with_user_sessions(Arc::clone(self), Keyring::generate());
        layer.archive(Arc::clone(self)).clock(clock.clone()).sessions()
    }

    fn count(&self, operation: &'static str) {
        *self.asked.lock().unwrap().entry(operation).or_default() += 1;
    }

    /// How often since this was asked last.
    fn asked(&self, operation: &'static str) -> usize {
        self.asked.lock().unwrap().remove(operation).unwrap_or(0)
    }

    async fn archived(&self, name: &str) -> usize {
        self.inner.history("", &user(name), &HistoryPage::of(10_000)).await.unwrap().len()
    }
}

impl Store for Watched {
    forward!(self => self.inner; load, create, commit, commit_over, touch, end, admit, depart, members, end_all, publish, follow);
}

impl LastingStore for Watched {
    async fn full_outboxes(&self, realm: &'static str) -> Answer<Vec<(u8, usize)>> {
        self.count("full_outboxes");
        self.inner.full_outboxes(realm).await
    }

    async fn due(&self, realm: &'static str, limit: usize) -> Answer<Vec<(Key, Entry)>> {
        self.count("due");
        self.inner.due(realm, limit).await
    }

    forward!(self => self.inner; load_both, load_several, replace, renew, outbox, put_off, retire, sent);
}

impl Archive for Watched {
    async fn add(&self, layer: &'static str, ended: &[EndedSession]) -> Answer<()> {
        self.count("add");
        if self.is_down.load(Ordering::SeqCst) {
            return Err(StoreError::refused("the test has the archive down"));
        }
        self.taken.lock().unwrap().push(ended.len());
        self.inner.add(layer, ended).await
    }

    async fn dead(&self, layer: &'static str, from: Uuid, limit: usize) -> Answer<Vec<DeadLetter>> {
        self.count("dead");
        self.inner.dead(layer, from, limit).await
    }

    forward!(self => self.inner; complete, settle, history, counts, add_dead, remove_dead, forget, erase);
}

/// A process whose archive is down, where so many of Ada's have ended.
async fn with_waiting(times: u32) -> (Arc<Watched>, Sessions) {
    let site = Arc::new(Watched::default());
    let sessions = site.process(&Clock::system());
    site.is_down.store(true, Ordering::SeqCst);
    give_up(&sessions, "ada", times).await;
    (site, sessions)
}

/// Has so many transfers of somebody be given up.
async fn give_up(sessions: &Sessions, name: &str, times: u32) {
    for number in 0..times {
        let mut transfer = sessions.user_session::<Transfer>(&user(name)).await.unwrap();
        step(&mut transfer, number).await;
        transfer.abandon().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn at_rest_it_looks_every_few_seconds_sweeps_every_ten_and_tries_the_dead_once_a_minute() {
    let site = Arc::new(Watched::default());
    let letter =
        DeadLetter { id: Uuid::from_u128(7), why: "rubbish".into(), since: Clock::system().now(), sealed: vec![9] };
    site.inner.add_dead("", &[letter]).await.unwrap();
    let _sessions = site.process(&Clock::system());
    sleep(10 * MINUTE).await;
    let (looks, sweeps, trials) = (site.asked("full_outboxes"), site.asked("due"), site.asked("dead"));
    assert!((150..=301).contains(&looks), "{looks} looks in ten minutes, every two to four seconds");
    assert!((43..=61).contains(&sweeps), "{sweeps} sweeps in ten minutes, with one of the looks");
    assert!((9..=11).contains(&trials), "{trials} trials in ten minutes, with one of the looks");
}

/// Not at the next look.
#[tokio::test(start_paused = true)]
async fn what_ends_is_moved_at_once() {
    let site = Arc::new(Watched::default());
    let sessions = site.process(&Clock::system());
    for ended in 1..=20 {
        give_up(&sessions, "ada", 1).await;
        sleep(Duration::from_millis(2)).await;
        assert_eq!(site.archived("ada").await, ended);
        // Looks come every two to four seconds: most of these are between two of them.
        sleep(Duration::from_millis(1_370)).await;
    }
}

/// More than fit into a batch, all from one shard.
#[tokio::test(start_paused = true)]
async fn after_a_failure_batches_grow_again_until_nothing_waits() {
    let (site, _sessions) = with_waiting(800).await;
    sleep(MINUTE).await;
    assert_eq!(site.archived("ada").await, 0);

    site.is_down.store(false, Ordering::SeqCst);
    while site.archived("ada").await == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    sleep(Duration::from_millis(2)).await;
    assert_eq!(site.archived("ada").await, 800, "without a pause in between");
    let taken = site.taken.lock().unwrap().clone();
    assert_eq!(taken, [1, 11, 21, 31, 41, 51, 61, 71, 81, 91, 100, 100, 100, 40]);
}

#[tokio::test(start_paused = true)]
async fn an_archive_that_is_down_is_asked_ever_more_rarely() {
    let (site, _sessions) = with_waiting(200).await;
    sleep(MINUTE).await;
    // 100, 50, 25, 12, 6, 3, and one by one.
    let at_first = site.asked("add");
    assert!((6 + 14..=6 + 26).contains(&at_first), "{at_first} times in the first minute");
    sleep(10 * MINUTE).await;
    let later = site.asked("add");
    assert!((93..=189).contains(&later), "{later} times in ten minutes, every 3.2 to 6.4 seconds");
}

/// With the pauses of whoever moves in the background, and for no longer than it was told.
#[tokio::test(start_paused = true)]
async fn who_drains_gives_up_in_time_and_says_why() {
    let (site, sessions) = with_waiting(3).await;
    let began = Instant::now();
    let refused = sessions.drain(Duration::from_secs(10)).await.unwrap_err();
    assert!(refused.is_unavailable(), "{refused:?}");
    // 0.2, 0.4, 0.8, 1.6 and 3.2 seconds; another 6.4 would be too long.
    let took = began.elapsed().as_millis();
    assert!((6_200..6_250).contains(&took), "{took} ms");

    site.is_down.store(false, Ordering::SeqCst);
    sessions.drain(Duration::from_secs(10)).await.unwrap();
    assert_eq!(site.archived("ada").await, 3);
}

/// More than are looked at in one go.
#[tokio::test(start_paused = true)]
async fn what_has_run_out_is_found_in_one_sweep() {
    let clock = Clock::manual();
    let site = Watched::with_clock(&clock);
    let sessions = site.process(&clock);
    for number in 0..250 {
        let mut visit: UserSession<Visit> = sessions.user_session(&user(&format!("user{number}"))).await.unwrap();
        visit.update(|visit| visit.pages += 1).await.unwrap();
    }
    sleep(MINUTE).await;
    clock.advance(2 * 60 * MINUTE);
    site.asked("due");
    while site.asked("due") == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    sleep(Duration::from_millis(2)).await;
    let mut archived = 0;
    for number in 0..250 {
        archived += site.archived(&format!("user{number}")).await;
    }
    assert_eq!(archived, 250, "without a pause in between");
}

/// It was used meanwhile, and the look at its former end puts off the next to its new one.
#[tokio::test(start_paused = true)]
async fn what_is_looked_at_before_its_time_is_left_alone_until_then() {
    let clock = Clock::manual();
    let site = Watched::with_clock(&clock);
    let sessions = site.process(&clock);
    let mut visit: UserSession<Visit> = sessions.user_session(&user("ada")).await.unwrap();
    visit.update(|visit| visit.pages += 1).await.unwrap();
    clock.advance(59 * MINUTE);
    visit.update(|visit| visit.pages += 1).await.unwrap();
    clock.advance(2 * MINUTE);
    sleep(MINUTE).await;
    assert_eq!(site.archived("ada").await, 0);
    visit.update(|visit| visit.pages += 1).await.unwrap();
    clock.advance(61 * MINUTE);
    sleep(MINUTE).await;
    assert_eq!(site.archived("ada").await, 1);
    let refused = visit.update(|visit| visit.pages += 1).await.unwrap_err();
    assert_eq!(*refused.kind(), SessionErrorKind::Ended);
}
