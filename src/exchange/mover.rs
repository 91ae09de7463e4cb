//! Takes what has ended from the outboxes of the store to the archive.

use super::background::Background;
use super::realm::Realm;
use crate::archive::{EndedSession, PatientArchive};
use crate::error::SessionError;
use crate::keyring::Keyring;
use crate::sealing::open_outgoing;
use crate::store::{Outgoing, PatientStore};
use crate::telemetry;
use std::sync::Arc;
use std::time::Duration;
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

/// The task that moves, and what wakes it.
#[derive(Debug, Default)]
pub(crate) struct Mover {
    task: Background,
    woken: Arc<Notify>,
}

/// What it takes to move.
struct Move {
    name: &'static str,
    store: PatientStore,
    archive: PatientArchive,
    keys: Keyring,
}

impl Mover {
    /// Begins, if there is an archive, unless it has.
    pub(super) fn begin(&self, realm: &Realm) {
        let Some(archive) = &realm.archive else { return };
        self.task.begin(|| {
            let (name, store, archive, keys) = (realm.name, realm.store.clone(), archive.clone(), realm.keys.clone());
            let woken = Arc::clone(&self.woken);
            async move { Move { name, store, archive, keys }.go_on(&woken).await }
        });
    }

    /// Something has ended.
    pub(super) fn wake(&self) {
        self.woken.notify_one();
    }
}

impl Move {
    async fn go_on(&self, woken: &Notify) {
        let (mut failures, mut first) = (0, 0);
        loop {
            match self.once(&mut first).await {
                Ok(true) => failures = 0,
                Ok(false) => {
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

    /// Moves a batch of each shard that has something, from `first` on. Answers whether anything was moved. After a failure it is
    /// the turn of the next shard: what an archive refuses holds up its own shard and no other.
    async fn once(&self, first: &mut u8) -> Result<bool, SessionError> {
        let mut any = false;
        let mut shards = self.store.full_outboxes(self.name).await?;
        shards.sort_by_key(|shard| shard.wrapping_sub(*first));
        for shard in shards {
            *first = shard.wrapping_add(1);
            let batch = self.store.outbox(self.name, shard, BATCH).await?;
            let ended = readable(&self.keys, self.name, &batch);
            if ended.is_empty() {
                continue;
            }
            self.archive.add(self.name, &ended).await?;
            let ids: Vec<_> = ended.iter().map(|ended| ended.id).collect();
            self.store.sent(self.name, shard, &ids).await?;
            telemetry::archived(ids.len());
            any = true;
        }
        Ok(any)
    }
}

/// What of an outbox can be read here. The rest stays where it is: a process with its keys may come.
pub(super) fn readable(keys: &Keyring, realm: &'static str, batch: &[Outgoing]) -> Vec<EndedSession> {
    let open = |outgoing| EndedSession::of(&open_outgoing(keys, realm, outgoing)?);
    let read = |outgoing| open(outgoing).inspect_err(|error| telemetry::not_archived(error)).ok();
    batch.iter().filter_map(read).collect()
}
