//! What only the crate itself can make, for tests of a store of one's own.

use crate::clock::{Clock, Timestamp};
use crate::id::{SessionHandle, SessionId, Shard, UserDigest};
use crate::record::EndReason;
use crate::store::{Entry, Key, Marker, Member, Outgoing, Owner, Revocation, Revocations, Revoked};

/// The key of a session in the store, for tests of a store of one's own.
pub fn key(shard: u8, id: [u8; 16]) -> Key {
    Key::new("", Shard(u16::from_be_bytes([shard, 0])), &SessionId::from_bytes(id))
}

/// A user of the layer of this name, for tests of a store of one's own. The first byte of `digest` is the shard.
pub fn owner(realm: &'static str, digest: [u8; 16]) -> Owner {
    Owner::new(realm, UserDigest::from_bytes(digest))
}

/// A session of this user, for tests of a store of one's own.
pub fn member(owner: &Owner, id: [u8; 16], handle: [u8; 16]) -> Member {
    let key = Key::new(owner.realm(), owner.user().shard(), &SessionId::from_bytes(id));
    Member { key, handle: SessionHandle::from_bytes(handle) }
}

/// Where this user has sessions of this kind, one at a time; for tests of a store of one's own.
pub fn user_session_key(owner: &Owner, kind: &str) -> Key {
    Key::of_user_session(owner.realm(), owner.user(), kind)
}

/// What a session leaves that was signed out, for tests of a store of one's own.
pub fn ended_marker() -> Marker {
    Marker::ended(EndReason::SignedOut)
}

/// What a session leaves that goes on under another id, which these bytes hold; for tests of a store of one's own.
pub fn moved_marker(destination: &[u8]) -> Marker {
    Marker::moved(destination.to_vec())
}

/// What a store has sent out of the session under this key: why and when it ended, and what it was; none if that is not what it is.
pub fn sent_out(outgoing: &Outgoing, key: &Key) -> Option<(EndReason, Timestamp, Entry)> {
    outgoing.unparted(key)
}

/// News, for tests of a store of one's own.
pub fn revocation(revoked: Revoked, until: Timestamp) -> Revocation {
    Revocation { revoked, until }
}

/// Somebody who follows the news and has heard nothing so far, for tests of a store of one's own.
pub fn revocations(clock: &Clock) -> Revocations {
    Revocations::new(clock.clone())
}

/// Whether the store was [heard](Revocations::heard) in the last ten seconds, for tests of a store of one's own.
pub fn is_fresh(known: &Revocations) -> bool {
    known.is_fresh()
}
