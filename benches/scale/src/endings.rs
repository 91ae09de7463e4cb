//! The sessions that begin and end all the while.

use crate::system::Subject;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use testbed::LIMIT;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// How many may be under way. Fewer than there are connections, so that who is measured never waits for one.
const AT_ONCE: usize = 12;

/// Whose turn it is, one after the other: nobody has two under way.
static TURN: AtomicUsize = AtomicUsize::new(0);

/// Endings at a rate, or as near to it as they get. It ends by [`stop`](Self::stop).
#[derive(Debug)]
pub(crate) struct Endings {
    subject: Subject,
    /// What was kept when it began.
    before: u64,
    counts: Arc<Counts>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Counts {
    ended: AtomicU64,
    failed: AtomicU64,
    last_failure: std::sync::Mutex<Option<String>>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Ended {
    /// How many have ended, and are kept.
    pub(crate) ended: u64,
    pub(crate) failed: u64,
    pub(crate) last_failure: Option<String>,
}

/// How many have ended at some moment, and how many were kept then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    pub(crate) at: Instant,
    pub(crate) ended: u64,
    pub(crate) kept: u64,
}

impl Endings {
    pub(crate) fn begin(subject: &Subject, users: usize, per_second: f64) -> Self {
        let (subject, counts) = (subject.clone(), Arc::<Counts>::default());
        let before = subject.kept();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(go_on(subject.clone(), users, per_second, Arc::clone(&counts), stopped));
        Self { subject, before, counts, stop, task }
    }

    pub(crate) fn progress(&self) -> Progress {
        Progress {
            at: Instant::now(),
            ended: self.counts.ended.load(Ordering::SeqCst),
            kept: self.subject.kept() - self.before,
        }
    }

    /// Begins no more, and waits until all that have ended are where they are to be kept.
    ///
    /// # Panics
    ///
    /// If they are not in time.
    pub(crate) async fn stop(self) -> Ended {
        let _ = self.stop.send(());
        self.task.await.expect("it does not panic");
        let ended = || self.counts.ended.load(Ordering::SeqCst);
        let began = Instant::now();
        while self.subject.kept() - self.before < ended() {
            assert!(began.elapsed() < LIMIT, "waited {LIMIT:?} for the mover");
            sleep(Duration::from_millis(2)).await;
        }
        Ended {
            ended: ended(),
            failed: self.counts.failed.load(Ordering::SeqCst),
            last_failure: self.counts.last_failure.lock().expect("nobody panics with it").clone(),
        }
    }
}

async fn go_on(
    subject: Subject,
    users: usize,
    per_second: f64,
    counts: Arc<Counts>,
    mut stopped: oneshot::Receiver<()>,
) {
    let permits = Arc::new(Semaphore::new(AT_ONCE.min(users)));
    let mut ticks = interval(Duration::from_secs_f64(1.0 / per_second));
    // What is late is made up for.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut all = JoinSet::new();
    loop {
        let permit = async {
            ticks.tick().await;
            Arc::clone(&permits).acquire_owned().await.expect("it is never closed")
        };
        let permit = tokio::select! {
            permit = permit => permit,
            _ = &mut stopped => break,
        };
        while all.try_join_next().is_some() {}
        let (subject, counts) = (subject.clone(), Arc::clone(&counts));
        all.spawn(async move {
            // Scattered over all users.
            let user = TURN.fetch_add(1, Ordering::Relaxed).wrapping_mul(7_919) % users;
            match subject.end(user).await {
                Ok(()) => drop(counts.ended.fetch_add(1, Ordering::SeqCst)),
                Err(error) => {
                    counts.failed.fetch_add(1, Ordering::SeqCst);
                    *counts.last_failure.lock().expect("nobody panics with it") = Some(error);
                }
            }
            drop(permit);
        });
    }
    // What is under way goes to its end.
    all.join_all().await;
}
