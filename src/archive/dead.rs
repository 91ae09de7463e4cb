//! What could not be converted.

use super::Timestamp;
use std::fmt;
use uuid::Uuid;

/// A session that has ended and could not be converted where it was to be moved: sealed under a key that is not known there, written
/// by a newer release, or damaged.
#[derive(Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The session's id.
    pub id: Uuid,
    /// Why it could not be converted, in few words: the same for the same cause, and nothing of what it holds.
    pub why: String,
    /// When it was found that it cannot be.
    pub since: Timestamp,
    /// What was in the store's outbox, as it was: [`Outgoing::sealed`](crate::store::Outgoing::sealed).
    pub sealed: Vec<u8>,
}

impl fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetter").field("why", &self.why).finish_non_exhaustive()
    }
}
