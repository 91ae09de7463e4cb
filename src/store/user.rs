//! A user's sessions: who belongs to whom, who comes and who leaves.

use super::key::{Key, Name};
use super::{Entry, Marker, Timestamp};
use crate::id::{Digest, Epoch, SessionHandle, UserDigest, WriteId};
use crate::record::Malformed;
use crate::revocation::{Revocation, Revoked};
use std::fmt;
use std::time::Duration;

/// A user, as a store knows them: by a keyed digest of their id. All that is the user's lives in one shard.
///
/// `Display` names the index of their sessions, `ts:{tag}:u:digest`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Owner {
    realm: &'static str,
    user: UserDigest,
}

/// A session among those of its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Where its entry is.
    pub key: Key,
    /// Its public name, which stays the same when its key changes.
    pub handle: SessionHandle,
}

/// A session that a user signs in to.
#[derive(Debug)]
pub struct Admission<'a> {
    /// The new session.
    pub member: Member,
    /// What it holds. Its [`deadline`](Entry::deadline) is when the index forgets it.
    pub entry: &'a Entry,
    /// How long to keep it.
    pub keep_for: Duration,
    /// The user's epoch, as it was known when the request that signs in began. The store's may be lower if the store has lost it;
    /// then it takes over this one.
    pub epoch: Epoch,
    /// Until when the epoch matters.
    pub epoch_until: Timestamp,
    /// How many sessions the user may have, this one included.
    pub limit: usize,
    /// A session of the same user in whose place this one comes.
    pub predecessor: Option<&'a Departure>,
    /// Sessions of the user that end to make room.
    pub evicted: &'a [Departure],
}

/// What became of an admission.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Admitted {
    /// The session is there, its predecessor has given way, and those to be evicted have ended.
    Admitted,
    /// Nothing was changed: this stands under the new key.
    Found(Entry),
    /// Nothing was changed: all of the user's sessions have been ended since the epoch that was named.
    Outdated {
        /// The user's epoch now.
        epoch: Epoch,
        /// The time by the store's clock.
        now: Timestamp,
    },
    /// Nothing was changed: the predecessor is not as expected. What is there instead, if anything.
    Predecessor(Option<Entry>),
    /// Nothing was changed: the user would have too many sessions. The index may name some that have gone.
    Full,
}

/// A session of a user that ends, or goes on under another key.
#[derive(Clone, Debug)]
pub struct Departure {
    /// Which.
    pub member: Member,
    /// The write id that it must have; any, if none is named.
    pub expected: Option<WriteId>,
    /// What stands in its place.
    pub marker: Marker,
    /// What all processes are told.
    pub news: Option<Revocation>,
}

/// The end of all sessions of a user.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// A session that stays.
    pub except: Option<SessionHandle>,
    /// What stands in the place of the others.
    pub marker: Marker,
    /// Until when the news matter: what [`Revocation::until`] will say.
    pub until: Timestamp,
}

/// What ending all sessions came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Swept {
    /// How many sessions were ended that lived.
    pub ended: u64,
    /// What all processes are told.
    pub news: Revocation,
}

impl Owner {
    /// The user of this digest, in the layer of this name.
    pub fn new(realm: &'static str, user: UserDigest) -> Self {
        Self { realm, user }
    }

    /// Which of the 256 shards all that is the user's is in.
    pub fn shard(&self) -> u8 {
        self.user.shard().index()
    }

    /// The user.
    pub fn user(&self) -> &UserDigest {
        &self.user
    }

    /// The layer's name; empty unless it has one.
    pub fn realm(&self) -> &'static str {
        self.realm
    }

    /// What keeps the user's epoch, `ts:{tag}:e:digest`.
    #[cfg(feature = "redis")]
    pub(crate) fn epoch_name(&self) -> String {
        self.name("e").text()
    }

    fn name<'a>(&'a self, kind: &'a str) -> Name<'a> {
        Name { realm: self.realm, shard: self.shard(), kind, digest: Some(self.user.as_bytes()) }
    }

    /// The member of these bytes, as [`Member::to_bytes`] made them.
    ///
    /// # Errors
    ///
    /// If they are not one.
    pub fn member(&self, bytes: &[u8]) -> Result<Member, Malformed> {
        let (digest, handle) = bytes.split_first_chunk().ok_or(Malformed("member of an index"))?;
        let handle = handle.try_into().map_err(|_| Malformed("member of an index"))?;
        let key = Key::from_digest(self.realm, self.shard(), Digest::from_bytes(*digest));
        Ok(Member { key, handle: SessionHandle::from_bytes(handle) })
    }
}

impl Member {
    /// Bytes of a member of an index.
    pub const SIZE: usize = Digest::SIZE + SessionHandle::SIZE;

    /// What an index keeps: the digest of the key, and the handle.
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..Digest::SIZE].copy_from_slice(self.key.digest());
        bytes[Digest::SIZE..].copy_from_slice(self.handle.as_bytes());
        bytes
    }
}

impl Sweep {
    /// What all processes are to be told when the user's epoch has moved to this one.
    pub fn news(&self, owner: &Owner, epoch: Epoch) -> Revocation {
        Revocation { revoked: Revoked::User(*owner.user(), epoch, self.except), until: self.until }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name("u").text())
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owner").field("shard", &self.shard()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{SessionId, Shard};

    #[test]
    fn frozen_names_and_members() {
        let owner = Owner::new("admin", UserDigest::from_bytes([7; 16]));
        assert_eq!(owner.to_string(), "ts-admin:{18}:u:BwcHBwcHBwcHBwcHBwcHBw");
        #[cfg(feature = "redis")]
        assert_eq!(owner.epoch_name(), "ts-admin:{18}:e:BwcHBwcHBwcHBwcHBwcHBw");
        let key = Key::new("admin", Shard(0x0707), &SessionId::from_bytes([1; 16]));
        let member = Member { key, handle: SessionHandle::from_bytes([2; 16]) };
        assert_eq!(owner.member(&member.to_bytes()), Ok(member));
        for length in [0, 15, 16, 31, 33] {
            assert!(owner.member(&vec![0; length]).is_err(), "{length} bytes");
        }
    }
}
