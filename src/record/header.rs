//! The part of a record that is in the clear.

use super::bytes::{Malformed, Reader};
use super::history::History;
use crate::clock::Timestamp;
use crate::id::{KeyId, WriteId};

/// The format that this release writes.
pub(crate) const FORMAT: u8 = 1;

/// The same for a browser's session that goes to the archive when it ends: an [`Archival`](super::Archival) stands before what is
/// sealed.
pub(crate) const ARCHIVED: u8 = 2;

/// Where the fields begin. Frozen for every future format: scripts inside a store read them.
pub(crate) mod offset {
    pub(crate) const STATE: usize = 1;
    pub(crate) const WRITE_ID: usize = 2;
    pub(crate) const DEADLINE: usize = 14;
    pub(crate) const TOUCHED: usize = 20;
    pub(crate) const HISTORY_LEN: usize = 26;
    pub(crate) const HISTORY: usize = 31;
}

/// Whether a value is a session or the marker that one leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Live = 0,
    /// Ended; the tail says why.
    Ended = 1,
    /// Continued under another id, which the tail holds sealed.
    Moved = 2,
}

impl State {
    pub(crate) fn from_byte(byte: u8) -> Result<Self, Malformed> {
        match byte {
            0 => Ok(Self::Live),
            1 => Ok(Self::Ended),
            2 => Ok(Self::Moved),
            _ => Err(Malformed("state of a record")),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) format: u8,
    pub(crate) state: State,
    pub(crate) write_id: WriteId,
    /// When the session ends whatever happens.
    pub(crate) deadline: Timestamp,
    /// The last activity that was noted.
    pub(crate) touched: Timestamp,
    pub(crate) key_id: KeyId,
    pub(crate) history: History,
}

impl Header {
    /// The header and what follows it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let mut reader = Reader::new(bytes, "header of a record");
        let format = reader.byte()?;
        let state = State::from_byte(reader.byte()?)?;
        let write_id = WriteId::from_bytes(reader.array()?);
        let deadline = Timestamp::from_bytes(reader.array()?);
        let touched = Timestamp::from_bytes(reader.array()?);
        let earlier = usize::from(reader.byte()?);
        if earlier > History::MAX {
            return reader.malformed();
        }
        let key_id = KeyId::from_bytes(reader.array()?);
        let history = History::parse(reader.take(earlier * History::PREFIX)?);
        Ok((Self { format, state, write_id, deadline, touched, key_id, history }, reader.rest()))
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.format, self.state as u8]);
        out.extend_from_slice(self.write_id.as_bytes());
        out.extend_from_slice(&self.deadline.to_bytes());
        out.extend_from_slice(&self.touched.to_bytes());
        out.push(self.history.len());
        out.extend_from_slice(self.key_id.as_bytes());
        self.history.put(out);
    }

    /// Whether the write of this id is in this record or went before it, as far back as the record knows.
    pub(crate) fn knows(&self, id: WriteId) -> bool {
        self.write_id == id || self.history.contains(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    /// A header field by field, as every release has to read it.
    const FROZEN: &[u8] = b"\x01\
        \x00\
        write id now\
        \x01\xd1\xa9\x4a\x20\x00\
        \x01\xd1\xa9\x4a\x1f\xff\
        \x02\
        \xc0\xff\xee\x07\
        newer.\
        older.";

    fn frozen() -> Header {
        let [older, newer] = [b"older.______", b"newer.______"].map(|id| WriteId::from_bytes(*id));
        Header {
            format: FORMAT,
            state: State::Live,
            write_id: WriteId::from_bytes(*b"write id now"),
            deadline: Timestamp::from_millis(2_000_000_000_000),
            touched: Timestamp::from_millis(1_999_999_999_999),
            key_id: KeyId::from_bytes([0xc0, 0xff, 0xee, 7]),
            history: History::default().following(older, Duration::ZERO).following(newer, Duration::ZERO),
        }
    }

    #[test]
    fn frozen_bytes() {
        let mut bytes = Vec::new();
        frozen().put(&mut bytes);
        assert_eq!(bytes, FROZEN);
        let body = [FROZEN, b"body"].concat();
        assert_eq!(Header::parse(&body), Ok((frozen(), &b"body"[..])));
    }

    #[test]
    fn the_offsets_for_scripts_are_those_of_the_fields() {
        assert_eq!(FROZEN[offset::STATE], State::Live as u8);
        assert_eq!(&FROZEN[offset::WRITE_ID..][..WriteId::SIZE], b"write id now");
        assert_eq!(FROZEN[offset::DEADLINE..][..Timestamp::SIZE], frozen().deadline.to_bytes());
        assert_eq!(FROZEN[offset::TOUCHED..][..Timestamp::SIZE], frozen().touched.to_bytes());
        assert_eq!(FROZEN[offset::HISTORY_LEN], 2);
        assert_eq!(&FROZEN[offset::HISTORY..], b"newer.older.");
    }

    #[test]
    fn a_header_that_is_cut_is_refused() {
        for length in 0..FROZEN.len() {
            assert_eq!(Header::parse(&FROZEN[..length]).err(), Some(Malformed("header of a record")), "{length} bytes");
        }
    }

    #[test]
    fn states_and_histories_that_nobody_writes_are_refused() {
        let with = |at: usize, byte: u8| {
            let mut bytes = [FROZEN, &[0; 2048]].concat();
            bytes[at] = byte;
            Header::parse(&bytes).is_ok()
        };
        for byte in 0..=u8::MAX {
            assert_eq!(with(offset::STATE, byte), byte <= State::Moved as u8, "state {byte}");
            assert_eq!(with(offset::HISTORY_LEN, byte), usize::from(byte) <= History::MAX, "{byte} earlier ids");
        }
    }

    #[test]
    fn it_knows_its_own_write_and_the_earlier_ones() {
        let id = |bytes: &[u8; WriteId::SIZE]| WriteId::from_bytes(*bytes);
        for known in [b"write id now", b"newer.______", b"older.------"] {
            assert!(frozen().knows(id(known)), "{known:?}");
        }
        for unknown in [b"write id not", b"other.______", b"______newer."] {
            assert!(!frozen().knows(id(unknown)), "{unknown:?}");
        }
    }

    proptest! {
        #[test]
        fn bytes_of_any_kind_never_panic_and_come_back_as_they_were(
            state in 0u8..4,
            earlier in 0u8..20,
            mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            if bytes.len() > offset::HISTORY_LEN {
                (bytes[offset::STATE], bytes[offset::HISTORY_LEN]) = (state, earlier);
            }
            if let Ok((header, rest)) = Header::parse(&bytes) {
                let mut again = Vec::new();
                header.put(&mut again);
                again.extend_from_slice(rest);
                prop_assert_eq!(again, bytes);
            }
        }
    }
}
