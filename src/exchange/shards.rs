//! A set of shards that many add to and one takes.

use std::sync::atomic::{AtomicU64, Ordering};

/// One bit for each of the 256.
#[derive(Debug, Default)]
pub(super) struct Shards([AtomicU64; 4]);

impl Shards {
    pub(super) fn add(&self, shard: u8) {
        self.0[usize::from(shard >> 6)].fetch_or(1 << (shard & 63), Ordering::AcqRel);
    }

    /// All of them, in order; none is left.
    pub(super) fn take(&self) -> Vec<u8> {
        let words = self.0.each_ref().map(|word| word.swap(0, Ordering::AcqRel));
        (0..=u8::MAX).filter(|shard| words[usize::from(shard >> 6)] >> (shard & 63) & 1 == 1).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_is_taken_once() {
        let shards = Shards::default();
        for shard in [255, 0, 63, 64, 128, 0] {
            shards.add(shard);
        }
        assert_eq!(shards.take(), [0, 63, 64, 128, 255]);
        assert_eq!(shards.take(), [0; 0]);
        (0..=u8::MAX).for_each(|shard| shards.add(shard));
        assert_eq!(shards.take(), (0..=u8::MAX).collect::<Vec<_>>());
    }
}
