//! What cannot be converted on its way to the archive stands in nobody's way, and is not lost.

use super::{Transfer, step, user};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use thin_session::archive::{Archive as _, DeadLetter};
use thin_session::store::{Entry, LastingStore as _, Marker, Outgoing, Replaced, Replacement, Standing, Store as _};
use thin_session::{HistoryPage, Keyring, MemoryStore, SessionLayer, Sessions, testing};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

/// A store, and an archive beside it.
struct Site {
    store: Arc<MemoryStore>,
    archive: Arc<MemoryStore>,
}

impl Site {
    fn new() -> Self {
        Self { store: Arc::default(), archive: Arc::default() }
    }

    /// A process that has these keys, for as long as the answer is held.
    fn process(&self, keys: &Keyring) -> Sessions {
        let layer = SessionLayer::with_user_sessions(Arc::clone(&self.store), keys.clone());
        layer.archive(Arc::clone(&self.archive)).sessions()
    }

    /// The same with an archive that takes nothing, so that what ends waits.
    fn process_without_archive(&self, keys: &Keyring) -> Sessions {
        let layer = SessionLayer::with_user_sessions(Arc::clone(&self.store), keys.clone());
        layer.archive(MemoryStore::new().with_archive_limit(0)).sessions()
    }

    async fn dead(&self) -> Vec<DeadLetter> {
        self.archive.dead("", Uuid::nil(), 10_000).await.unwrap()
    }

    async fn archived(&self, name: &str) -> usize {
        self.archive.history("", &user(name), &HistoryPage::of(10_000)).await.unwrap().len()
    }

    async fn nothing_waits(&self) -> bool {
        self.store.full_outboxes("").await.unwrap().is_empty()
    }

    /// Puts something into an outbox that nobody has sealed.
    async fn has_rubbish(&self, id: Uuid) {
        let place = testing::user_session_key(&testing::owner("", [7; 16]), "transfer");
        let outgoing = Outgoing { id, sealed: b"rubbish".to_vec() };
        let there = self.store.load(&place).await.unwrap();
        let entry = Entry::from_bytes(live_bytes()).unwrap().ended(&testing::ended_marker());
        let replacement = Replacement {
            asked_by: None,
            expected: there.map(|there| there.write_id()),
            standing: Standing::Any,
            entry: &entry,
            keep_for: Marker::KEPT,
            outgoing: Some(&outgoing),
            look_in: None,
        };
        assert_eq!(self.store.replace(&place, &replacement).await.unwrap(), Replaced::Applied);
    }
}

/// An entry that lives, as far as a store looks at it.
fn live_bytes() -> Vec<u8> {
    let mut bytes = vec![1, 0];
    bytes.extend([5; 12]);
    bytes.extend([0xff; 6]);
    bytes.extend([0; 6]);
    bytes.extend([0; 20]);
    bytes
}

async fn ends(sessions: &Sessions, name: &str, times: u32) {
    for number in 0..times {
        let mut transfer = sessions.user_session::<Transfer>(&user(name)).await.unwrap();
        step(&mut transfer, number).await;
        transfer.complete().await.unwrap();
    }
}

async fn until<F: Future<Output = bool>>(what: &str, happened: impl Fn() -> F) {
    let wait = async {
        while !happened().await {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(600), wait).await.expect(what);
}

/// More than fit into a batch, among what can be read.
#[tokio::test(start_paused = true)]
async fn what_a_process_without_its_key_meets_is_kept_until_one_comes_that_has_it() {
    let (site, keys, others) = (Site::new(), Keyring::generate(), Keyring::generate());
    let gone = site.process_without_archive(&keys);
    ends(&gone, "ada", 250).await;
    drop(gone);

    let other = site.process(&others);
    ends(&other, "bob", 10).await;
    until("all leave the outboxes", || site.nothing_waits()).await;
    assert_eq!((site.archived("ada").await, site.archived("bob").await, site.dead().await.len()), (0, 10, 250));
    assert_eq!(other.history(&user("ada"), &HistoryPage::of(10)).await.unwrap(), []);
    let letters = site.dead().await;
    assert!(letters.iter().all(|letter| letter.why == "sealed under another key, or by a newer release"));
    sleep(Duration::from_secs(300)).await;
    assert_eq!(site.dead().await, letters, "this one tries again in vain, and changes nothing");
    drop(other);

    let back = site.process(&keys);
    until("they are taken up again", || async { site.dead().await.is_empty() }).await;
    let history = back.history(&user("ada"), &HistoryPage::of(1000)).await.unwrap();
    assert_eq!((history.len(), site.archived("bob").await), (250, 10));
    let first = &history[249];
    assert_eq!(first.decode::<Transfer>().unwrap().steps, [0]);
}

/// The one that has the key was there all the time.
#[tokio::test(start_paused = true)]
async fn a_process_that_is_up_tries_again_now_and_then() {
    let (site, keys, others) = (Site::new(), Keyring::generate(), Keyring::generate());
    let gone = site.process_without_archive(&keys);
    ends(&gone, "ada", 1).await;
    drop(gone);
    let other = site.process(&others);
    until("it is put aside", || async { site.dead().await.len() == 1 }).await;
    let letter = site.dead().await;
    drop(other);
    site.archive.remove_dead("", &[letter[0].id]).await.unwrap();

    let _has_the_key = site.process(&keys);
    sleep(Duration::from_secs(10)).await;
    site.archive.add_dead("", &letter).await.unwrap();
    until("it is taken up", || async { site.dead().await.is_empty() }).await;
    assert_eq!(site.archived("ada").await, 1);
}

/// Also where they are more than a batch, and in front of those that can be converted.
#[tokio::test(start_paused = true)]
async fn what_is_damaged_stays_and_does_not_hold_up_the_rest() {
    let (site, keys) = (Site::new(), Keyring::generate());
    for number in 0..120 {
        site.has_rubbish(Uuid::from_u128(number)).await;
    }
    let gone = site.process_without_archive(&keys);
    ends(&gone, "ada", 30).await;
    drop(gone);
    let other = site.process(&Keyring::generate());
    until("all leave the outboxes", || site.nothing_waits()).await;
    drop(other);
    let _back = site.process(&keys);
    until("they are taken up again", || async { site.archived("ada").await == 30 }).await;
    let left = site.dead().await;
    assert_eq!(left.len(), 120);
    assert_eq!(left[0].sealed, b"rubbish");
    assert!(left.iter().all(|letter| letter.id < Uuid::from_u128(120)));
}

#[tokio::test(start_paused = true)]
async fn retention_forgets_them_and_who_is_erased_is_not_found_in_them() {
    let (site, keys) = (Site::new(), Keyring::generate());
    let gone = site.process_without_archive(&keys);
    ends(&gone, "ada", 3).await;
    drop(gone);
    let other = site.process(&Keyring::generate());
    until("all leave the outboxes", || site.nothing_waits()).await;
    assert_eq!(other.erase(&user("ada")).await.unwrap(), 0);
    assert_eq!(other.forget_before(SystemTime::now() - Duration::from_secs(3600)).await.unwrap(), 0);
    assert_eq!(site.dead().await.len(), 3);
    assert_eq!(other.forget_before(SystemTime::now() + Duration::from_secs(3600)).await.unwrap(), 3);
    assert_eq!(site.dead().await, []);
}
