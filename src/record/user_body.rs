//! The part of a user session's record that is sealed.

use super::body::Slot;
use super::bytes::{Malformed, Reader, put_number, put_prefixed};
use crate::clock::Timestamp;
use crate::id::{UserId, redacted};
use std::time::Duration;

/// The content of a session that belongs to a user.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct UserBody {
    pub(crate) created: Timestamp,
    pub(crate) user: UserId,
    /// Commits so far, the first included.
    pub(crate) updates: u32,
    /// Its idle limit, for whoever does not know its type.
    pub(crate) idle: Duration,
    /// Whether the archive is being asked to complete it: until that has answered, nothing may change.
    pub(crate) is_completing: bool,
    /// Its kind is the slot's name.
    pub(crate) slot: Slot,
}

redacted!(UserBody);

const COMPLETING: u8 = 0b1;

impl UserBody {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(96 + self.slot.bytes.len());
        out.push(if self.is_completing { COMPLETING } else { 0 });
        out.extend_from_slice(&self.created.to_bytes());
        put_prefixed(&mut out, self.user.as_str().as_bytes());
        put_number(&mut out, self.updates);
        out.extend_from_slice(&Timestamp::default().plus(self.idle).to_bytes());
        self.slot.put(&mut out);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes, "body of a user session");
        let flags = reader.byte()?;
        if flags & !COMPLETING != 0 {
            return reader.malformed();
        }
        let created = Timestamp::from_bytes(reader.array()?);
        let user = UserId::new(reader.text()?).or_else(|_| reader.malformed())?;
        let updates = reader.number()?;
        let idle = Timestamp::from_bytes(reader.array()?).since(Timestamp::default());
        let slot = Slot::read(&mut reader)?;
        if !reader.is_empty() {
            return reader.malformed();
        }
        Ok(Self { created, user, updates, idle, is_completing: flags == COMPLETING, slot })
    }
}

#[cfg(test)]
mod tests {
    use super::super::body::Codec;
    use super::*;
    use proptest::prelude::*;

    const FROZEN: &[u8] = b"\x01\
        \x01\xd1\xa9\x4a\x20\x00\
        \x03ada\
        \xac\x02\
        \0\0\0\x36\xee\x80\
        \x08transfer\x02\x01\x05money";

    fn frozen() -> UserBody {
        UserBody {
            created: Timestamp::from_millis(2_000_000_000_000),
            user: UserId::new("ada").unwrap(),
            updates: 300,
            idle: Duration::from_secs(3600),
            is_completing: true,
            slot: Slot {
                name: "transfer".into(),
                version: 2,
                codec: Codec(1),
                drop_at_sign_in: false,
                bytes: b"money".to_vec(),
            },
        }
    }

    #[test]
    fn frozen_bytes() {
        assert_eq!(frozen().encode(), FROZEN);
        assert_eq!(UserBody::decode(FROZEN), Ok(frozen()));
        let open = UserBody { is_completing: false, ..frozen() };
        assert_eq!(UserBody::decode(&open.encode()), Ok(open));
    }

    #[test]
    fn a_body_that_is_cut_longer_or_has_unknown_flags_is_refused() {
        for length in 0..FROZEN.len() {
            assert!(UserBody::decode(&FROZEN[..length]).is_err(), "{length} bytes");
        }
        assert!(UserBody::decode(&[FROZEN, b"x"].concat()).is_err());
        for flags in 2..=u8::MAX {
            assert!(UserBody::decode(&[&[flags], &FROZEN[1..]].concat()).is_err(), "flags {flags}");
        }
    }

    proptest! {
        #[test]
        fn bytes_of_any_kind_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            if let Ok(body) = UserBody::decode(&bytes) {
                prop_assert_eq!(UserBody::decode(&body.encode()), Ok(body));
            }
        }
    }
}
