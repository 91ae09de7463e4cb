//! At which user sessions of a shard to look, and when.

use crate::store::Timestamp;
use std::collections::{BTreeSet, HashMap};

/// By the name of the layer.
#[derive(Default)]
pub(super) struct Due(HashMap<&'static str, Index>);

#[derive(Default)]
struct Index {
    times: HashMap<[u8; 16], Timestamp>,
    /// The same, the first in front.
    order: BTreeSet<(Timestamp, [u8; 16])>,
}

impl Due {
    /// Names one, unless it is named.
    pub(super) fn name(&mut self, realm: &'static str, digest: &[u8; 16], at: Timestamp) {
        let index = self.0.entry(realm).or_default();
        if !index.times.contains_key(digest) {
            index.set(*digest, at);
        }
    }

    /// Sets the time of one that is named.
    pub(super) fn put_off(&mut self, realm: &str, digest: &[u8; 16], at: Timestamp) {
        if let Some(index) = self.0.get_mut(realm)
            && index.forget(digest)
        {
            index.set(*digest, at);
        }
    }

    pub(super) fn forget(&mut self, realm: &str, digest: &[u8; 16]) {
        if let Some(index) = self.0.get_mut(realm) {
            index.forget(digest);
        }
    }

    /// Those whose time has come, the first in front.
    pub(super) fn by(&self, realm: &str, now: Timestamp) -> Vec<[u8; 16]> {
        let order = self.0.get(realm).into_iter().flat_map(|index| &index.order);
        order.take_while(|(at, _)| *at <= now).map(|(_, digest)| *digest).collect()
    }
}

impl Index {
    fn set(&mut self, digest: [u8; 16], at: Timestamp) {
        self.times.insert(digest, at);
        self.order.insert((at, digest));
    }

    /// Answers whether it was named.
    fn forget(&mut self, digest: &[u8; 16]) -> bool {
        let at = self.times.remove(digest);
        at.is_some_and(|at| self.order.remove(&(at, *digest)))
    }
}
