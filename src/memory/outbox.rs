//! What waits in a shard until an archive has it.

use crate::store::Outgoing;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

#[derive(Default)]
pub(super) struct Outbox {
    /// By the name of the layer, and by id.
    waiting: HashMap<&'static str, BTreeMap<Uuid, Vec<u8>>>,
    /// How many came that the store does not know of.
    uncounted: usize,
}

impl Outbox {
    pub(super) fn put(&mut self, realm: &'static str, outgoing: Outgoing) {
        let waiting = self.waiting.entry(realm).or_default();
        self.uncounted += usize::from(waiting.insert(outgoing.id, outgoing.sealed).is_none());
    }

    /// How many came since this was asked last.
    pub(super) fn count(&mut self) -> usize {
        std::mem::take(&mut self.uncounted)
    }

    /// Of many, from a place by chance on: what cannot be sent does not stand in the way of the rest.
    pub(super) fn some(&self, realm: &str, limit: usize) -> Vec<Outgoing> {
        let Some(waiting) = self.waiting.get(realm).filter(|waiting| !waiting.is_empty()) else { return Vec::new() };
        let first = if waiting.len() > limit { rand::random_range(0..waiting.len()) } else { 0 };
        let all = waiting.iter().skip(first).chain(waiting.iter().take(first));
        all.take(limit).map(|(id, sealed)| Outgoing { id: *id, sealed: sealed.clone() }).collect()
    }

    pub(super) fn len(&self, realm: &str) -> usize {
        self.waiting.get(realm).map_or(0, BTreeMap::len)
    }

    /// Answers how many there were.
    pub(super) fn take(&mut self, realm: &str, ids: &[Uuid]) -> usize {
        let Some(waiting) = self.waiting.get_mut(realm) else { return 0 };
        ids.iter().filter(|id| waiting.remove(id).is_some()).count()
    }
}
