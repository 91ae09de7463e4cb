//! Entries by their bytes, as the table in `src/record/mod.rs` has them.

use std::time::{Duration, UNIX_EPOCH};
use thin_session::store::{Entry, Key, Timestamp, WriteId};
use thin_session::testing;

pub(crate) const LIVE: u8 = 0;
pub(crate) const ENDED: u8 = 1;
pub(crate) const MOVED: u8 = 2;

/// How long most entries are kept here: longer than any test runs.
pub(crate) const KEPT: Duration = Duration::from_secs(1800);

/// When most entries were touched last.
pub(crate) const TOUCHED: u64 = 1_700_000_000_000;

/// The parts of an entry that stores look at.
#[derive(Clone)]
pub(crate) struct Parts {
    /// 1, or 2 for what goes to the archive.
    pub(crate) format: u8,
    pub(crate) state: u8,
    pub(crate) id: [u8; 12],
    pub(crate) deadline: [u8; 6],
    pub(crate) touched: u64,
    /// How many earlier write ids there are.
    pub(crate) history: u8,
    pub(crate) tail: Vec<u8>,
}

impl Parts {
    pub(crate) fn with_state(self, state: u8) -> Self {
        Self { state, ..self }
    }

    pub(crate) fn with_tail(self, tail: &[u8]) -> Self {
        Self { tail: tail.to_vec(), ..self }
    }

    /// One that goes to the archive under this id.
    pub(crate) fn archived(self, id: [u8; 16]) -> Self {
        let tail = [&id[..], &[0, 0, 0, 3], &self.tail].concat();
        Self { format: 2, tail, ..self }
    }

    pub(crate) fn with_deadline(self, deadline: Timestamp) -> Self {
        Self { deadline: deadline.to_bytes(), ..self }
    }

    pub(crate) fn entry(&self) -> Entry {
        Entry::from_bytes(self.bytes()).expect("an entry in order")
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.format, self.state];
        bytes.extend(self.id);
        bytes.extend(self.deadline);
        bytes.extend(&self.touched.to_be_bytes()[2..]);
        bytes.push(self.history);
        bytes.extend([0xde, 0xad, 0x0a, 0x0d]);
        bytes.extend((0..self.history).flat_map(|i| [0, i, b'\r', b'\n', 0xff, i]));
        bytes.extend(&self.tail);
        bytes
    }
}

/// A live one. Its write id and body hold bytes that text would not.
pub(crate) fn parts(id: u16) -> Parts {
    let [a, b] = id.to_be_bytes();
    let id = [a, 0, b'\n', 0xff, b'\'', b'%', b'"', b'\\', 0, 0x80, b'\r', b];
    let deadline = [0, 0xff, 0, 0xff, 0, 0xff];
    Parts {
        format: 1,
        state: LIVE,
        id,
        deadline,
        touched: TOUCHED,
        history: 1,
        tail: [&[b, 0][..], b"\r\nbody\xff"].concat(),
    }
}

pub(crate) fn live(id: u16) -> Entry {
    parts(id).entry()
}

pub(crate) fn id(id: u16) -> WriteId {
    live(id).write_id()
}

pub(crate) fn key(shard: u8) -> Key {
    testing::key(shard, [7; 16])
}

pub(crate) fn at(millis: u64) -> Timestamp {
    Timestamp::from(UNIX_EPOCH + Duration::from_millis(millis))
}
