//! What the store does in one step each. `admit`, `end` with `depart`, `commit`, `load` and `end_all` are those of
//! `thin_session::store::Store`; in Redis each but `end_all` is one script or one command (`src/redis/scripts.rs`, `user_scripts.rs`).

use super::{Flaw, World};

/// Where a record is. 0 is the anonymous session, and each request has two ids of its own.
pub(super) type Key = u8;
pub(super) const KEYS: usize = 9;

/// Nobody, and two users.
pub(super) const NOBODY: u8 = 0;
pub(super) const ADA: u8 = 1;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum State {
    #[default]
    Absent,
    Live,
    /// A marker that leads on, and the request that set it: whoever sent it knows it by what is sealed in it.
    Moved(Key, u8),
    /// A marker of an end, and whose: 0 of one session, else of all.
    Ended(Why),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Why {
    SignedOut,
    All,
    Unclaimed,
    Replaced,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Record {
    pub(super) state: State,
    pub(super) user: u8,
    pub(super) write: u8,
    /// Writes that the history names, markers' too.
    pub(super) known: u32,
    /// What the session holds, one bit each.
    pub(super) items: u8,
    /// Only to check by: a copy, to which nothing leads yet.
    pub(super) is_copy: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Call {
    Commit {
        key: Key,
        base: u8,
        write: u8,
        items: u8,
    },
    End {
        key: Key,
        expected: Option<u8>,
        to: Result<(Key, u8), Why>,
    },
    Admit {
        key: Key,
        user: u8,
        write: u8,
        items: u8,
        epoch: u8,
        is_copy: bool,
        predecessor: Option<(Key, u8, u8)>,
    },
    EndAll {
        user: u8,
    },
    /// Only in flawed protocols: a write that does not compare, and the second half of an admission.
    Put {
        key: Key,
        user: u8,
        write: u8,
        items: u8,
    },
    List {
        key: Key,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Applied,
    Found(Record),
    Absent,
    Outdated(u8),
    Predecessor(Record),
}

/// Why there is no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Surely nothing was changed.
    Unavailable,
    Unknown,
}

impl Record {
    pub(super) fn lives(&self) -> bool {
        self.state == State::Live
    }

    pub(super) fn knows(&self, write: u8) -> bool {
        self.known & bit(write) != 0
    }
}

pub(super) fn bit(write: u8) -> u32 {
    1 << write
}

impl World {
    pub(super) fn load(&self, key: Key) -> Record {
        self.records[usize::from(key)]
    }

    pub(super) fn deliver(&mut self, call: Call, flaw: Option<Flaw>) -> Reply {
        match call {
            Call::Commit { key, base, write, items } => {
                let there = self.load(key);
                match there.state {
                    State::Absent => Reply::Absent,
                    State::Live if there.write == base => {
                        self.put(key, Record { write, items, known: there.known | bit(write), ..there });
                        Reply::Applied
                    }
                    _ => Reply::Found(there),
                }
            }
            Call::End { key, expected, to } => {
                let there = self.load(key);
                match there.state {
                    State::Absent => Reply::Absent,
                    State::Live if expected.is_none_or(|expected| there.write == expected) => {
                        self.leave(key, to);
                        Reply::Applied
                    }
                    _ => Reply::Found(there),
                }
            }
            Call::Admit { key, user, write, items, epoch, is_copy, predecessor } => {
                let there = self.load(key);
                if there.state != State::Absent {
                    return Reply::Found(there);
                }
                if self.epochs[usize::from(user)] > epoch {
                    return Reply::Outdated(self.epochs[usize::from(user)]);
                }
                if let Some((old, expected, by)) = predecessor {
                    let there = self.load(old);
                    if !there.lives() || there.write != expected {
                        return Reply::Predecessor(there);
                    }
                    self.leave(old, Ok((key, by)));
                }
                self.put(key, Record { state: State::Live, user, write, known: bit(write), items, is_copy });
                if flaw != Some(Flaw::ListsInASecondStep) {
                    self.indexes |= 1 << key;
                }
                Reply::Applied
            }
            Call::EndAll { user } => {
                for key in 0..KEYS as Key {
                    if self.load(key).lives() && self.load(key).user == user && self.lists(key) {
                        self.leave(key, Err(Why::All));
                    }
                }
                self.epochs[usize::from(user)] += 1;
                Reply::Applied
            }
            Call::Put { key, user, write, items } => {
                self.put(key, Record { state: State::Live, user, write, known: bit(write), items, is_copy: true });
                Reply::Applied
            }
            Call::List { key } => {
                self.indexes |= 1 << key;
                Reply::Applied
            }
        }
    }

    pub(super) fn lists(&self, key: Key) -> bool {
        self.indexes & (1 << key) != 0
    }

    fn put(&mut self, key: Key, record: Record) {
        if self.ended & (1 << key) != 0 {
            self.wrong = Some("what has ended stays ended");
        }
        self.records[usize::from(key)] = record;
    }

    /// Leaves a marker. What a session holds ends with it, unless it moves or is only a copy.
    fn leave(&mut self, key: Key, to: Result<(Key, u8), Why>) {
        let there = self.load(key);
        let state = match to {
            Ok((to, by)) => State::Moved(to, by),
            Err(why) => State::Ended(why),
        };
        match to {
            // With all of the user's sessions the copy has ended, and what it was copied from follows it.
            Ok((to, _)) if self.load(to).state == State::Ended(Why::All) => self.dead |= there.items,
            Ok((to, _)) => self.records[usize::from(to)].is_copy = false,
            Err(why) if there.is_copy || why == Why::Unclaimed => {}
            Err(_) => self.dead |= there.items,
        }
        self.records[usize::from(key)] = Record { state, known: there.known, ..Record::default() };
        self.indexes &= !(1 << key);
        self.ended |= 1 << key;
    }
}
