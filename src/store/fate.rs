//! What became of a write, told from what is there instead.

use crate::id::WriteId;
use crate::record::Header;

/// What a conflict says about one's own write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Applied,
    NotApplied,
    Unknown,
}

/// A conflict does not mean "not applied": an earlier transmission whose reply was lost may have been, and others may have
/// written since. So one's own id is searched for first. `silent` says that some transmission had no reply.
///
/// After a silence "not applied" takes proof as well. The base in the record is one: had the write been applied on the
/// base, its id would follow there; and it can no longer be, as the base is no longer what a commit would compare with.
pub(super) fn fate(found: &Header, own: WriteId, base: WriteId, silent: bool) -> Fate {
    if found.knows(own) {
        Fate::Applied
    } else if !silent || found.knows(base) {
        Fate::NotApplied
    } else {
        Fate::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::id::KeyId;
    use crate::record::{FORMAT, History, State};
    use std::time::Duration;

    fn found(ids: &[WriteId], state: State) -> Header {
        let (last, earlier) = ids.split_last().unwrap();
        let history = earlier.iter().fold(History::default(), |all, id| all.following(*id, Duration::ZERO));
        let (deadline, touched) = (Timestamp::default(), Timestamp::default());
        let key_id = KeyId::from_bytes([0; 4]);
        Header { format: FORMAT, state, write_id: *last, deadline, touched, key_id, history }
    }

    #[test]
    fn protocol_5_the_own_id_is_searched_for_first_also_in_markers() {
        let [base, own, other] = std::array::from_fn(|_| WriteId::random());
        for state in [State::Live, State::Ended, State::Moved] {
            for silent in [false, true] {
                assert_eq!(fate(&found(&[base, own], state), own, base, silent), Fate::Applied);
                assert_eq!(fate(&found(&[base, own, other], state), own, base, silent), Fate::Applied);
                assert_eq!(fate(&found(&[base, other], state), own, base, silent), Fate::NotApplied);
            }
        }
    }

    #[test]
    fn protocol_5b_a_history_that_may_have_wrapped_is_unknown_after_a_silence_only() {
        let [base, own] = std::array::from_fn(|_| WriteId::random());
        let others: Vec<_> = (0..=History::MAX).map(|_| WriteId::random()).collect();
        assert_eq!(fate(&found(&others, State::Live), own, base, true), Fate::Unknown);
        assert_eq!(fate(&found(&others, State::Live), own, base, false), Fate::NotApplied);
    }
}
