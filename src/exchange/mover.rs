//! Takes what has ended from the outboxes of the store to the archive, and finds what has run out.

use super::background::Background;
use super::dead_letters::{Trial, sorted, try_again};
use super::realm::Realm;
use super::shards::Shards;
use super::user_session::sweep;
use crate::archive::EndedSession;
use crate::error::{SessionError, SessionErrorKind};
use crate::keyring::Keyring;
use crate::sealing::open_outgoing;
use crate::store::Outgoing;
use crate::telemetry;
use rand::seq::SliceRandom as _;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

/// How many sessions are taken in one go at most, and by how many more than before.
const BATCH: usize = 100;
const MORE: usize = 10;
/// For how many milliseconds not to look at what other processes have ended. That is theirs to move; this finds what those
/// leave that have gone.
const LOOK_AGAIN: std::ops::Range<u64> = 2_000..4_000;
/// For how long to wait after a failure at first, and at most how often that is doubled.
const PAUSE: Duration = Duration::from_millis(100);
const DOUBLINGS: u32 = 6;

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
    /// How many to take in one go: fewer after a failure, as an archive may be too slow for many, or refuse one of them.
    batch: usize,
    /// How many were moved.
    moved: usize,
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
        round.moved = 0;
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
                if round.moved > 0 {
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
    let mut more_is_due = false;
    if round.sweep_at <= Instant::now() {
        more_is_due = realm.store.retire(realm.name, BATCH).await? | sweep(&realm).await?;
        if !more_is_due {
            round.sweep_at = Instant::now() + SWEEP_EVERY;
        }
    }
    let own = realm.mover.own.take();
    let shards = if round.look_at <= Instant::now() {
        let full = full_shards(&realm).await?;
        round.look_at = Instant::now() + Duration::from_millis(rand::random_range(LOOK_AGAIN));
        full
    } else {
        own
    };
    let more_waits = move_from(&realm, shards, round).await?;
    more_waits.iter().for_each(|shard| realm.mover.own.add(*shard));
    let more_is_dead = try_again(&realm, &mut round.trial).await?;
    Ok(if more_is_due || more_is_dead || !more_waits.is_empty() { Pass::More } else { Pass::Done })
}

/// The shards in whose outboxes something waits. Says how much that is.
async fn full_shards(realm: &Realm) -> Result<Vec<u8>, SessionError> {
    let full = realm.store.full_outboxes(realm.name).await?;
    telemetry::waiting(realm.name, full.iter().map(|(_, waiting)| waiting).sum());
    Ok(full.into_iter().map(|(shard, _)| shard).collect())
}

/// Moves a batch of each of these shards. Answers which of them have more. Each process, and each time, in another order: so several
/// seldom do the same work side by side, and what an archive refuses holds up its own shard and no other.
async fn move_from(realm: &Realm, mut shards: Vec<u8>, round: &mut Round) -> Result<Vec<u8>, SessionError> {
    shards.shuffle(&mut rand::rng());
    let mut more = Vec::new();
    for shard in shards {
        loop {
            let limit = round.batch;
            match move_some(realm, shard, limit).await {
                Ok((0, _)) => break,
                Ok((moved, is_all)) => {
                    if !is_all {
                        more.push(shard);
                    }
                    round.moved += moved;
                    round.batch = (limit + MORE).min(BATCH);
                    break;
                }
                Err(error) if limit == 1 => return Err(error),
                Err(error) => {
                    telemetry::archive_failed(&error);
                    round.batch = limit / 2;
                }
            }
        }
    }
    Ok(more)
}

/// Moves at most so many of a shard. Answers how many, and whether that was all.
async fn move_some(realm: &Realm, shard: u8, limit: usize) -> Result<(usize, bool), SessionError> {
    let (name, archive) = (realm.name, realm.archive()?);
    let batch = realm.store.outbox(name, shard, limit).await?;
    let ids: Vec<_> = batch.iter().map(|outgoing| outgoing.id).collect();
    let (ended, dead) = sorted(&realm.keys, name, batch, realm.clock.now());
    if !ended.is_empty() {
        archive.add(name, &ended).await?;
    }
    if !dead.is_empty() {
        archive.add_dead(name, &dead).await?;
    }
    if !ids.is_empty() {
        realm.store.sent(name, shard, &ids).await?;
        telemetry::archived(ended.len());
    }
    Ok((ids.len(), ids.len() < limit))
}

/// Moves all that waits, also what other processes have ended.
///
/// # Errors
///
/// Why not all were when the time was up.
pub(super) async fn drain(realm: &Realm, within: Duration) -> Result<(), SessionError> {
    let (until, mut round, mut failures) = (Instant::now() + within, Round::begin(), 0);
    loop {
        let before = round.moved;
        let why = match timeout_at(until, move_all(realm, &mut round)).await {
            Ok(Ok(())) if round.moved == before => return Ok(()),
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error,
            Err(elapsed) => SessionError::with_source(SessionErrorKind::unavailable(), elapsed),
        };
        failures = if round.moved == before { failures + 1 } else { 0 };
        let pause = PAUSE * 2u32.pow(failures.min(DOUBLINGS));
        if Instant::now() + pause >= until {
            return Err(why);
        }
        sleep(pause).await;
    }
}

async fn move_all(realm: &Realm, round: &mut Round) -> Result<(), SessionError> {
    let mut shards = full_shards(realm).await?;
    while !shards.is_empty() {
        shards = move_from(realm, shards, round).await?;
    }
    Ok(())
}

impl Round {
    fn begin() -> Self {
        let now = Instant::now();
        Self { sweep_at: now, look_at: now, batch: BATCH, moved: 0, trial: Trial::default() }
    }
}

/// What of an outbox can be read here.
pub(super) fn readable(keys: &Keyring, realm: &'static str, batch: &[Outgoing]) -> Vec<EndedSession> {
    let open = |outgoing| EndedSession::of(&open_outgoing(keys, realm, outgoing)?);
    let read = |outgoing| open(outgoing).inspect_err(|error| telemetry::not_archived(error)).ok();
    batch.iter().filter_map(read).collect()
}
