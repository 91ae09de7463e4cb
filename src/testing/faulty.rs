//! A store that can be taken down.

use super::forward;
use crate::archive::Archive;
use crate::memory::MemoryStore;
use crate::store::{Answer, LastingStore, Revocations, Store, StoreError};
use std::sync::atomic::{AtomicBool, Ordering};

/// A store in memory that refuses everything while it is down.
#[derive(Debug, Default)]
pub(super) struct FaultyStore {
    inner: MemoryStore,
    down: AtomicBool,
}

impl FaultyStore {
    pub(super) fn new(inner: MemoryStore) -> Self {
        Self { inner, down: AtomicBool::new(false) }
    }

    pub(super) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    fn up(&self) -> Answer<&MemoryStore> {
        if self.down.load(Ordering::SeqCst) {
            return Err(StoreError::not_applied("the test took the store down"));
        }
        Ok(&self.inner)
    }
}

impl Store for FaultyStore {
    forward! {
        self => self.up()?;
        load, create, commit, commit_over, touch, end, admit, depart, members, end_all, publish
    }

    /// Goes on while the store is down: a process counts as cut off only after ten seconds.
    async fn follow(&self, realm: &'static str, known: &Revocations) {
        self.inner.follow(realm, known).await;
    }
}

impl LastingStore for FaultyStore {
    forward! {
        self => self.up()?;
        load_both, load_several, replace, renew, outbox, full_outboxes, due, put_off, retire, sent
    }
}

impl Archive for FaultyStore {
    forward! {
        self => self.up()?;
        add, complete, settle, history, counts, add_dead, dead, remove_dead, forget, erase
    }
}
