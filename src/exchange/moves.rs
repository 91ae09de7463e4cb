//! From the outboxes of the store to the archive, some at a time.

use super::dead_letters::sorted;
use super::realm::Realm;
use crate::archive::EndedSession;
use crate::error::{SessionError, SessionErrorKind};
use crate::keyring::Keyring;
use crate::sealing::open_outgoing;
use crate::store::Outgoing;
use crate::telemetry;
use rand::seq::SliceRandom as _;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// How many sessions are taken in one go at most, and by how many more than the time before.
pub(super) const BATCH: usize = 100;
const MORE: usize = 10;
/// For how long to wait after a failure at first, and at most how often that is doubled.
pub(super) const PAUSE: Duration = Duration::from_millis(100);
pub(super) const DOUBLINGS: u32 = 6;

/// Who moves, and how it went so far.
pub(super) struct Moves {
    /// How many to take in one go: fewer after a failure, as an archive may be too slow for many, or refuse one of them.
    batch: usize,
    moved: usize,
}

impl Moves {
    /// How many were moved.
    pub(super) fn moved(&self) -> usize {
        self.moved
    }

    /// Moves a batch of each of these shards. Answers which of them have more. Each process, and each time, in another order: so
    /// several seldom do the same work side by side, and what an archive refuses holds up its own shard and no other.
    pub(super) async fn batch_of_each(&mut self, realm: &Realm, mut shards: Vec<u8>) -> Result<Vec<u8>, SessionError> {
        shards.shuffle(&mut rand::rng());
        let mut more = Vec::new();
        for shard in shards {
            let (moved, is_all) = self.some_of(realm, shard).await?;
            if moved > 0 && !is_all {
                more.push(shard);
            }
        }
        Ok(more)
    }

    /// Moves a batch of a shard, if need be a smaller one. Answers how many, and whether that was all.
    async fn some_of(&mut self, realm: &Realm, shard: u8) -> Result<(usize, bool), SessionError> {
        loop {
            match move_some(realm, shard, self.batch).await {
                Ok((moved, is_all)) => {
                    self.moved += moved;
                    if moved > 0 {
                        self.batch = (self.batch + MORE).min(BATCH);
                    }
                    return Ok((moved, is_all));
                }
                Err(error) if self.batch == 1 => return Err(error),
                Err(error) => {
                    telemetry::archive_failed(&error);
                    self.batch /= 2;
                }
            }
        }
    }
}

impl Default for Moves {
    fn default() -> Self {
        Self { batch: BATCH, moved: 0 }
    }
}

/// Moves at most so many of a shard. Answers how many, and whether that was all.
async fn move_some(realm: &Realm, shard: u8, limit: usize) -> Result<(usize, bool), SessionError> {
    let (name, archive) = (realm.name, realm.archive()?);
    let batch = realm.store.outbox(name, shard, limit).await?;
    let ids: Vec<_> = batch.iter().map(|outgoing| outgoing.id).collect();
    let (ended, dead) = sorted(&realm.keys, name, batch, realm.clock.now());
    if !ended.is_empty() {
        archive.add(name, &ended).await?;
        telemetry::archived(ended.len());
    }
    if !dead.is_empty() {
        archive.add_dead(name, &dead).await?;
    }
    if !ids.is_empty() {
        realm.store.sent(name, shard, &ids).await?;
    }
    Ok((ids.len(), ids.len() < limit))
}

/// The shards in whose outboxes something waits. Says how much that is.
pub(super) async fn full_shards(realm: &Realm) -> Result<Vec<u8>, SessionError> {
    let full = realm.store.full_outboxes(realm.name).await?;
    telemetry::waiting(realm.name, full.iter().map(|(_, waiting)| waiting).sum());
    Ok(full.into_iter().map(|(shard, _)| shard).collect())
}

/// Moves all that waits, also what other processes have ended.
///
/// # Errors
///
/// Why not all were when the time was up.
pub(super) async fn drain(realm: &Realm, within: Duration) -> Result<(), SessionError> {
    let (until, mut moves, mut failures) = (Instant::now() + within, Moves::default(), 0);
    loop {
        let before = moves.moved;
        let why = match timeout_at(until, move_all(realm, &mut moves)).await {
            Ok(Ok(())) if moves.moved == before => return Ok(()),
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error,
            Err(elapsed) => SessionError::with_source(SessionErrorKind::unavailable(), elapsed),
        };
        failures = if moves.moved == before { failures + 1 } else { 0 };
        let pause = PAUSE * 2u32.pow(failures.min(DOUBLINGS));
        if Instant::now() + pause >= until {
            return Err(why);
        }
        sleep(pause).await;
    }
}

async fn move_all(realm: &Realm, moves: &mut Moves) -> Result<(), SessionError> {
    let mut shards = full_shards(realm).await?;
    while !shards.is_empty() {
        shards = moves.batch_of_each(realm, shards).await?;
    }
    Ok(())
}

/// What of an outbox can be read here.
pub(super) fn readable(keys: &Keyring, realm: &'static str, batch: &[Outgoing]) -> Vec<EndedSession> {
    let open = |outgoing| EndedSession::of(&open_outgoing(keys, realm, outgoing)?);
    let read = |outgoing| open(outgoing).inspect_err(|error| telemetry::not_archived(error)).ok();
    batch.iter().filter_map(read).collect()
}
