//! Takes what has ended from the outboxes of the store to the archive, and finds what has run out.

use super::background::Background;
use super::dead_letters::{Trial, try_again};
use super::moves::{BATCH, DOUBLINGS, Moves, PAUSE, full_shards};
use super::realm::Realm;
use super::shards::Shards;
use super::user_session::sweep;
use crate::error::SessionError;
use crate::telemetry;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

/// For how many milliseconds not to look at what other processes have ended. That is theirs to move; this finds what those
/// leave that have gone.
const LOOK_AGAIN: std::ops::Range<u64> = 2_000..4_000;
/// How often to look for what has run out.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// The task that moves, and what wakes it.
#[derive(Debug, Default)]
pub(crate) struct Mover {
    task: Background,
    woken: Arc<Notify>,
    /// In which something has ended in this process.
    own: Arc<Shards>,
}

/// How far the task has come.
struct Round {
    /// When to look for what has run out, and into all outboxes.
    sweep_at: Instant,
    look_at: Instant,
    moves: Moves,
    /// Of what could not be converted.
    trial: Trial,
}

/// Why a pass came to an end.
enum Pass {
    /// The layer has gone.
    Over,
    /// There is more.
    More,
    Done,
}

impl Mover {
    /// Begins, if there is an archive, unless it has.
    pub(super) fn begin(&self, realm: &Arc<Realm>) {
        if realm.archive.is_none() {
            return;
        }
        self.task.begin(|| {
            // The realm owns this task.
            let (realm, woken) = (Arc::downgrade(realm), Arc::clone(&self.woken));
            async move { go_on(&realm, &woken).await }
        });
    }

    /// Something has ended in this shard.
    pub(super) fn wake(&self, shard: u8) {
        self.own.add(shard);
        self.woken.notify_one();
    }
}

async fn go_on(realm: &Weak<Realm>, woken: &Notify) {
    let (mut failures, mut round) = (0, Round::begin());
    loop {
        let before = round.moves.moved();
        match pass(realm, &mut round).await {
            Ok(Pass::Over) => return,
            Ok(Pass::More) => failures = 0,
            Ok(Pass::Done) => {
                failures = 0;
                // Woken, or it is time.
                let _ = timeout_at(round.look_at, woken.notified()).await;
            }
            Err(error) => {
                telemetry::archive_failed(&error);
                if round.moves.moved() > before {
                    failures = 0;
                }
                // Not all processes at once.
                sleep(PAUSE.mul_f64(rand::random_range(0.5..1.0)) * 2u32.pow(failures)).await;
                failures = (failures + 1).min(DOUBLINGS);
                // What was not come to is found there.
                round.look_at = Instant::now();
            }
        }
    }
}

async fn pass(realm: &Weak<Realm>, round: &mut Round) -> Result<Pass, SessionError> {
    let Some(realm) = realm.upgrade() else { return Ok(Pass::Over) };
    let is_due = round.sweep_at <= Instant::now();
    let swept = if is_due { end_what_has_run_out(&realm).await } else { Ok(false) };
    if is_due && matches!(swept, Ok(false)) {
        round.sweep_at = Instant::now() + SWEEP_EVERY;
    }
    let own = realm.mover.own.take();
    let shards = if round.look_at <= Instant::now() {
        let full = full_shards(&realm).await?;
        round.look_at = Instant::now() + Duration::from_millis(rand::random_range(LOOK_AGAIN));
        full
    } else {
        own
    };
    let more_waits = round.moves.batch_of_each(&realm, shards).await?;
    more_waits.iter().for_each(|shard| realm.mover.own.add(*shard));
    let more_is_dead = try_again(&realm, &mut round.trial).await?;
    // What waits was moved whatever became of that.
    Ok(if swept? || more_is_dead || !more_waits.is_empty() { Pass::More } else { Pass::Done })
}

/// Of browsers and of users. Answers whether there may be more.
async fn end_what_has_run_out(realm: &Arc<Realm>) -> Result<bool, SessionError> {
    let of_browsers = realm.store.retire(realm.name, BATCH).await;
    let of_users = sweep(realm).await;
    Ok(of_browsers? | of_users?)
}

impl Round {
    fn begin() -> Self {
        let now = Instant::now();
        Self { sweep_at: now, look_at: now, moves: Moves::default(), trial: Trial::default() }
    }
}
