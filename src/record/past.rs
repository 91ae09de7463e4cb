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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{KeyId, UserId, WriteId};
    use crate::record::{Codec, FORMAT, Header, History, Slot, State};
    use std::time::Duration;

    const ENDED: &[u8] = b"\x08\x01\xd1\xa9\x4a\x20\x00";

    fn ended() -> Timestamp {
        Timestamp::from_millis(2_000_000_000_000)
    }

    #[test]
    fn frozen_bytes_of_a_user_session() {
        let body = UserBody {
            created: ended(),
            user: UserId::new("ada").unwrap(),
            updates: 3,
            idle: Duration::from_secs(60),
            is_completing: false,
            slot: Slot { name: "t".into(), version: 1, codec: Codec(1), drop_at_sign_in: false, bytes: vec![7] },
        };
        let id = Uuid::from_bytes([5; 16]);
        let past = Past { id, reason: EndReason::Abandoned, ended: ended(), body };
        let bytes = past.encode();
        assert_eq!(bytes, [ENDED, &past.body.encode()].concat());
        for length in 0..bytes.len() {
            assert!(Past::decode(id, &bytes[..length]).is_err(), "{length} bytes");
        }
        assert_eq!(Past::decode(id, &bytes), Ok(past));
    }

    #[test]
    fn frozen_bytes_of_a_browsers_session() {
        let header = Header {
            format: FORMAT,
            state: State::Live,
            write_id: WriteId::from_bytes(*b"write id now"),
            deadline: ended(),
            touched: ended(),
            key_id: KeyId::from_bytes(*b"key1"),
            history: History::default(),
        };
        let (entry, digest) = (Entry::new(&header, b"sealed"), Digest::from_bytes(*b"digest of an id."));
        let bytes = Parted { reason: EndReason::Abandoned, ended: ended(), digest, entry: entry.clone() }.encode();
        assert_eq!(bytes, [ENDED, b"digest of an id.", entry.as_bytes()].concat());
        let read = Parted::decode(&bytes).unwrap();
        assert_eq!((read.reason, read.ended), (EndReason::Abandoned, ended()));
        assert!(read.digest == digest && read.entry == entry);
        for length in 0..bytes.len() - b"sealed".len() {
            assert!(Parted::decode(&bytes[..length]).is_err(), "{length} bytes");
        }
    }
}
