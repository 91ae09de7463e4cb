//! Entries by their bytes, as the table in `src/record/mod.rs` has them.

use crate::store::{Entry, Key, Timestamp, WriteId};
use crate::testing;
use std::time::{Duration, UNIX_EPOCH};

pub const LIVE: u8 = 0;
pub const ENDED: u8 = 1;
pub const MOVED: u8 = 2;

/// How long most entries are kept here: longer than any test runs.
pub const KEPT: Duration = Duration::from_secs(1800);

/// When most entries were touched last.
pub const TOUCHED: u64 = 1_700_000_000_000;

/// The parts of an entry that stores look at.
#[derive(Clone, Debug)]
pub struct Parts {
    /// 1, or 2 for what goes to the archive.
    pub format: u8,
    pub state: u8,
    pub id: [u8; 12],
    pub deadline: [u8; 6],
    pub touched: u64,
    /// How many earlier write ids there are.
    pub history: u8,
    pub tail: Vec<u8>,
}

impl Parts {
    pub fn with_state(self, state: u8) -> Self {
        Self { state, ..self }
    }

    pub fn with_tail(self, tail: &[u8]) -> Self {
        Self { tail: tail.to_vec(), ..self }
    }

    /// One that goes to the archive under this id.
    pub fn archived(self, id: [u8; 16]) -> Self {
        let tail = [&id[..], &[0, 0, 0, 3], &self.tail].concat();
        Self { format: 2, tail, ..self }
    }

    pub fn with_deadline(self, deadline: Timestamp) -> Self {
        Self { deadline: deadline.to_bytes(), ..self }
    }

    pub fn entry(&self) -> Entry {
        Entry::from_bytes(self.bytes()).expect("an entry in order")
    }

    pub fn bytes(&self) -> Vec<u8> {
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
pub fn parts(id: u16) -> Parts {
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

pub fn live(id: u16) -> Entry {
    parts(id).entry()
}

pub fn id(id: u16) -> WriteId {
    live(id).write_id()
}

pub fn key(shard: u8) -> Key {
    testing::key(shard, [7; 16])
}

pub fn at(millis: u64) -> Timestamp {
    Timestamp::from(UNIX_EPOCH + Duration::from_millis(millis))
}
