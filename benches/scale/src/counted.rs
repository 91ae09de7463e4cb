//! An archive that counts what the mover brings.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use thin_session::SqlStore;
use thin_session::archive::{Answer, Archive, EndedSession};
use thin_session::testing::forward;

/// The archive in Postgres, as it is.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    archive: SqlStore,
    moved: Arc<AtomicU64>,
}

impl Counted {
    pub(crate) fn new(archive: SqlStore) -> Self {
        Self { archive, moved: Arc::default() }
    }

    /// How many have come so far.
    pub(crate) fn moved(&self) -> u64 {
        self.moved.load(Ordering::SeqCst)
    }
}

impl Archive for Counted {
    async fn add(&self, layer: &'static str, ended: &[EndedSession]) -> Answer<()> {
        self.archive.add(layer, ended).await?;
        self.moved.fetch_add(ended.len() as u64, Ordering::SeqCst);
        Ok(())
    }

    forward!(self => self.archive; complete, settle, history, counts, add_dead, dead, remove_dead, forget, erase);
}
