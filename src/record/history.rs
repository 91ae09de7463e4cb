//! Earlier write ids of a record: how a writer that heard no reply finds out whether it was applied.

use crate::id::WriteId;
use std::time::Duration;

/// The first halves of earlier write ids, newest first, without a gap.
///
/// Always the one before the last; older ones only while commits follow each other closely: a writer that resends after
/// them is told that it is not known. A record at rest carries six bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct History(Vec<[u8; History::PREFIX]>);

impl History {
    pub(crate) const PREFIX: usize = 6;
    pub(crate) const MAX: usize = 16;
    /// Commits closer together than this keep each other's ids: twice the time for which a writer resends by default.
    const RECENT: Duration = Duration::from_secs(2);

    /// The history of a record that follows one written as `last`, `age` ago.
    pub(crate) fn following(&self, last: WriteId, age: Duration) -> Self {
        let kept = if age < Self::RECENT { Self::MAX - 1 } else { 0 };
        Self(std::iter::once(prefix(last)).chain(self.0.iter().copied().take(kept)).collect())
    }

    pub(crate) fn contains(&self, id: WriteId) -> bool {
        self.0.contains(&prefix(id))
    }

    pub(crate) fn parse(bytes: &[u8]) -> Self {
        Self(bytes.as_chunks().0.to_vec())
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.as_flattened());
    }

    /// At most [`History::MAX`].
    pub(crate) fn len(&self) -> u8 {
        u8::try_from(self.0.len()).unwrap_or(u8::MAX)
    }
}

fn prefix(id: WriteId) -> [u8; History::PREFIX] {
    let [a, b, c, d, e, f, ..] = *id.as_bytes();
    [a, b, c, d, e, f]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_commits_keep_sixteen_ids_and_a_pause_forgets_all_but_the_base() {
        let ids: Vec<_> = (0..20).map(|_| WriteId::random()).collect();
        let busy = ids.iter().fold(History::default(), |history, id| history.following(*id, Duration::from_millis(5)));
        assert_eq!(usize::from(busy.len()), History::MAX);
        assert!(ids[4..].iter().all(|id| busy.contains(*id)));
        assert!(!busy.contains(ids[3]));

        let rested = busy.following(ids[0], Duration::from_secs(2));
        assert_eq!(rested.len(), 1);
        assert!(rested.contains(ids[0]));
    }
}
