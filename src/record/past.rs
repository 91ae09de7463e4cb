//! What an archive is told of a session that has ended.

use super::archival::Archival;
use super::body::Body;
use super::bytes::{Malformed, Reader};
use super::entry::{EndReason, Entry};
use super::user_body::UserBody;
use crate::clock::Timestamp;
use crate::id::Digest;
use uuid::Uuid;

/// A session that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Departed {
    UserSession(Past),
    /// A browser's.
    Session {
        archival: Archival,
        reason: EndReason,
        ended: Timestamp,
        body: Body,
    },
}

/// A user session that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Past {
    pub(crate) id: Uuid,
    pub(crate) reason: EndReason,
    pub(crate) ended: Timestamp,
    pub(crate) body: UserBody,
}

impl Past {
    /// All but the id.
    pub(crate) fn encode(&self) -> Vec<u8> {
        [&[self.reason as u8][..], &self.ended.to_bytes(), &self.body.encode()].concat()
    }

    pub(crate) fn decode(id: Uuid, bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, "ended session");
        let reason = EndReason::from_byte(reader.byte()?)?;
        let ended = Timestamp::from_bytes(reader.array()?);
        Ok(Self { id, reason, ended, body: UserBody::decode(reader.rest())? })
    }
}

/// A browser's session as a store sends it out: the record as it stood, and what became of it.
pub(crate) struct Parted {
    pub(crate) reason: EndReason,
    pub(crate) ended: Timestamp,
    /// Of its key.
    pub(crate) digest: Digest,
    pub(crate) entry: Entry,
}

impl Parted {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let fixed = [&[self.reason as u8][..], &self.ended.to_bytes(), self.digest.as_bytes()].concat();
        [&fixed, self.entry.as_bytes()].concat()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, "ended session");
        let reason = EndReason::from_byte(reader.byte()?)?;
        let ended = Timestamp::from_bytes(reader.array()?);
        let digest = Digest::from_bytes(reader.array()?);
        Ok(Self { reason, ended, digest, entry: Entry::from_bytes(reader.rest())? })
    }
}
