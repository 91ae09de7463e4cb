//! Takes what has ended from the outboxes of the store to the archive, and finds what has run out.

use super::background::Background;
use super::dead_letters::{Trial, sorted, try_again};
use super::realm::Realm;
use super::user_session::sweep;
use crate::archive::EndedSession;
use crate::error::SessionError;
use crate::keyring::Keyring;
use crate::sealing::open_outgoing;
use crate::store::Outgoing;
use crate::telemetry;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// How many sessions are taken in one go.
const BATCH: usize = 100;
/// For how many milliseconds to wait before looking again, unless something ends in this process. Other processes' endings
/// are theirs to move; this finds those of processes that have gone.
const LOOK_AGAIN: std::ops::Range<u64> = 2_000..4_000;
/// For how long to wait after a failure at first, and at most how often that is doubled.
const PAUSE: Duration = Duration::from_millis(100);
const DOUBLINGS: u32 = 8;

/// How often to look for what has run out.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// The task that moves, and what wakes it.
#[derive(Debug, Default)]
pub(crate) struct Mover {
    task: Background,
    woken: Arc<Notify>,
}

/// How far the task has come.
#[derive(Default)]
struct Round {
    /// When it last looked for what has run out.
    swept: Option<Instant>,
    /// The shard whose turn it is.
    first: u8,
    /// Of what could not be converted.
    trial: Trial,
}

/// Why a pass came to an end.
enum Pass {
    /// The layer has gone.
    Over,
    /// There may be more.
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

    /// Something has ended.
    pub(super) fn wake(&self) {
        self.woken.notify_one();
    }
}

async fn go_on(realm: &Weak<Realm>, woken: &Notify) {
    let (mut failures, mut round) = (0, Round::default());
    loop {
        match pass(realm, &mut round).await {
            Ok(Pass::Over) => return,
            Ok(Pass::More) => failures = 0,
            Ok(Pass::Done) => {
                failures = 0;
                let look_again = Duration::from_millis(rand::random_range(LOOK_AGAIN));
                // Woken, or it is time.
                let _ = timeout(look_again, woken.notified()).await;
            }
            Err(error) => {
                telemetry::archive_failed(&error);
                sleep(PAUSE * 2u32.pow(failures)).await;
                failures = (failures + 1).min(DOUBLINGS);
            }
        }
    }
}

async fn pass(realm: &Weak<Realm>, round: &mut Round) -> Result<Pass, SessionError> {
    let Some(realm) = realm.upgrade() else { return Ok(Pass::Over) };
    let is_due = round.swept.is_none_or(|swept| swept.elapsed() >= SWEEP_EVERY);
    let mut more = is_due && sweep(&realm).await?;
    if is_due && !more {
        round.swept = Some(Instant::now());
    }
    more |= move_on(&realm, &mut round.first).await?;
    more |= try_again(&realm, &mut round.trial).await?;
    Ok(if more { Pass::More } else { Pass::Done })
}

/// Moves a batch of each shard that has something, from `first` on. Answers whether anything was moved. After a failure it is the
/// turn of the next shard: what an archive refuses holds up its own shard and no other.
async fn move_on(realm: &Realm, first: &mut u8) -> Result<bool, SessionError> {
    let (name, archive) = (realm.name, realm.archive()?);
    let (mut any, mut shards) = (false, realm.store.full_outboxes(name).await?);
    telemetry::waiting(name, shards.iter().map(|(_, waiting)| waiting).sum());
    shards.sort_by_key(|(shard, _)| shard.wrapping_sub(*first));
    for (shard, _) in shards {
        *first = shard.wrapping_add(1);
        let batch = realm.store.outbox(name, shard, BATCH).await?;
        let ids: Vec<_> = batch.iter().map(|outgoing| outgoing.id).collect();
        let (ended, dead) = sorted(&realm.keys, name, batch, realm.clock.now());
        if !ended.is_empty() {
            archive.add(name, &ended).await?;
            telemetry::archived(ended.len());
        }
        if !dead.is_empty() {
            archive.add_dead(name, &dead).await?;
        }
        realm.store.sent(name, shard, &ids).await?;
        any |= !ids.is_empty();
    }
    Ok(any)
}

/// What of an outbox can be read here.
pub(super) fn readable(keys: &Keyring, realm: &'static str, batch: &[Outgoing]) -> Vec<EndedSession> {
    let open = |outgoing| EndedSession::of(&open_outgoing(keys, realm, outgoing)?);
    let read = |outgoing| open(outgoing).inspect_err(|error| telemetry::not_archived(error)).ok();
    batch.iter().filter_map(read).collect()
}
