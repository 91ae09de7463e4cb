//! What an archive is told of a session that has ended.

use super::bytes::{Malformed, Reader};
use super::entry::EndReason;
use super::user_body::UserBody;
use crate::clock::Timestamp;
use uuid::Uuid;

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
