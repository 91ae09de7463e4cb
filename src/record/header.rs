//! The part of a record that is in the clear.

use super::bytes::{Malformed, Reader};
use super::history::History;
use crate::clock::Timestamp;
use crate::id::{KeyId, WriteId};

/// The format that this release writes.
pub(crate) const FORMAT: u8 = 1;

/// Where the fields begin. Frozen for every future format: scripts inside a store read them.
pub(crate) mod offset {
    pub(crate) const STATE: usize = 1;
    pub(crate) const WRITE_ID: usize = 2;
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
