//! Ids that sort by when they were made.

use crate::clock::Timestamp;
use uuid::Uuid;

/// A UUIDv7 of this moment (RFC 9562, section 5.7), or of the millisecond after the one that went before it in the same place: there
/// they rise, whatever clocks do.
pub(crate) fn ordered_id(now: Timestamp, before: Option<Uuid>) -> Uuid {
    let [a, b, c, d, e, f, ..] = before.unwrap_or_default().into_bytes();
    let millis = now.as_millis().max(u64::from_be_bytes([0, 0, a, b, c, d, e, f]) + 1);
    let nanos = u32::try_from(millis % 1000).unwrap_or(0) * 1_000_000;
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, millis / 1000, nanos))
}
