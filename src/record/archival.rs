//! What a record says in the clear of a session that goes to the archive when it ends.

use super::bytes::{Malformed, Reader};
use uuid::Uuid;

/// By what the archive knows a browser's session. Stands in front of what is sealed, so that a store can send the record out as it
/// is: it ends sessions that nobody has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Archival {
    /// A UUIDv7, the same for as long as it goes on, also when it moves to another id; a visitor's who signs in begins anew.
    pub(crate) id: Uuid,
    /// Commits so far, the first included.
    pub(crate) updates: u32,
}

impl Archival {
    pub(crate) const SIZE: usize = 20;

    pub(crate) fn new(id: Uuid) -> Self {
        Self { id, updates: 1 }
    }

    /// The same after one commit more.
    pub(crate) fn updated(self) -> Self {
        Self { updates: self.updates.saturating_add(1), ..self }
    }

    pub(crate) fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let (id, updates) = bytes.split_at_mut(16);
        id.copy_from_slice(self.id.as_bytes());
        updates.copy_from_slice(&self.updates.to_be_bytes());
        bytes
    }

    /// It, and what is sealed after it.
    pub(crate) fn split(rest: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let mut reader = Reader::new(rest, "record that goes to the archive: it has no id");
        let id = Uuid::from_bytes(reader.array()?);
        let updates = u32::from_be_bytes(reader.array()?);
        Ok((Self { id, updates }, reader.rest()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frozen_bytes() {
        let archival = Archival { id: Uuid::from_bytes(*b"sixteen bytes id"), updates: 0x0102_0304 };
        assert_eq!(archival.to_bytes(), *b"sixteen bytes id\x01\x02\x03\x04");
        let (read, rest) = Archival::split(b"sixteen bytes id\x01\x02\x03\x04sealed").unwrap();
        assert_eq!((read, rest), (archival, &b"sealed"[..]));
        for length in 0..Archival::SIZE {
            assert!(Archival::split(&archival.to_bytes()[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn every_commit_counts() {
        let first = Archival::new(Uuid::from_bytes([5; 16]));
        assert_eq!((first.updates, first.updated().updates, first.updated().id), (1, 2, first.id));
        let last = Archival { updates: u32::MAX, ..first };
        assert_eq!(last.updated(), last);
    }
}
