//! What waits in a shard until an archive has it.

use crate::store::Outgoing;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// By the name of the layer, and by id.
#[derive(Default)]
pub(super) struct Outbox(HashMap<&'static str, BTreeMap<Uuid, Vec<u8>>>);

impl Outbox {
    /// Answers whether it is one more.
    pub(super) fn put(&mut self, realm: &'static str, outgoing: &Outgoing) -> bool {
        let waiting = self.0.entry(realm).or_default();
        waiting.insert(outgoing.id, outgoing.sealed.clone()).is_none()
    }

    pub(super) fn some(&self, realm: &str, limit: usize) -> Vec<Outgoing> {
        let waiting = self.0.get(realm).into_iter().flatten().take(limit);
        waiting.map(|(id, sealed)| Outgoing { id: *id, sealed: sealed.clone() }).collect()
    }

    pub(super) fn is_empty(&self, realm: &str) -> bool {
        self.0.get(realm).is_none_or(BTreeMap::is_empty)
    }

    /// Answers how many there were.
    pub(super) fn take(&mut self, realm: &str, ids: &[Uuid]) -> usize {
        let Some(waiting) = self.0.get_mut(realm) else { return 0 };
        ids.iter().filter(|id| waiting.remove(id).is_some()).count()
    }
}
