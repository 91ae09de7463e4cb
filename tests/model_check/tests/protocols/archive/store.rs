//! What the store and the archive do in one step each: `commit`, `end`, `admit` with a predecessor, `retire` and `sent` of
//! `thin_session::store`, as the scripts `COMMIT_ARCHIVED`, `END`, `ADMIT` and `RETIRE` do it in Redis, where a copy outlives the
//! record; and `add`, `add_dead` and `remove_dead` of `thin_session::archive::Archive`.

use super::{Flaw, World};

/// Where the session is at first, and where it goes on if somebody proves themselves again.
pub(super) type Key = u8;
pub(super) const KEYS: usize = 2;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum State {
    #[default]
    Absent,
    Live,
    Moved,
    Ended,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Record {
    pub(super) state: State,
    pub(super) write: u8,
    pub(super) known: u32,
    /// What the session holds, one bit each.
    pub(super) items: u8,
}

/// All are about the one session, by whose id outbox and archive know it.
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
    },
    Move {
        base: u8,
        write: u8,
        items: u8,
    },
    /// Of those that were named.
    Retire {
        keys: u8,
    },
    Sent,
    Add {
        items: u8,
    },
    Bury {
        items: u8,
    },
    Unbury,
    /// Only in a flawed protocol: what an ending sends out, in a step of its own.
    Send {
        items: u8,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Applied,
    Found(Record),
    Absent,
}

impl World {
    pub(super) fn load(&self, key: Key) -> Record {
        self.records[usize::from(key)]
    }

    pub(super) fn lives(&self) -> bool {
        self.records.iter().any(|record| record.state == State::Live)
    }

    pub(super) fn deliver(&mut self, call: Call, flaw: Option<Flaw>) -> Reply {
        match call {
            Call::Commit { key, base, write, items } => {
                let there = self.load(key);
                match there.state {
                    State::Absent => return Reply::Absent,
                    State::Live if there.write == base => {
                        self.put(key, Record { write, items, known: there.known | 1 << write, ..there });
                        if flaw != Some(Flaw::CommitsWithoutTheCopy) {
                            self.copy(key, items, flaw);
                        }
                    }
                    _ => return Reply::Found(there),
                }
            }
            Call::End { key } => {
                let there = self.load(key);
                match there.state {
                    State::Absent => return Reply::Absent,
                    State::Live => {
                        self.mark(key, State::Ended);
                        self.ended = Some(there.items);
                        self.copies[usize::from(key)] = None;
                        if flaw != Some(Flaw::SendsInASecondStep) {
                            self.send(there.items);
                        }
                    }
                    _ => return Reply::Found(there),
                }
            }
            Call::Move { base, write, items } => {
                let (old, new) = (self.load(0), self.load(1));
                if new.state != State::Absent {
                    return Reply::Found(new);
                }
                if old.state != State::Live || old.write != base {
                    return Reply::Found(old);
                }
                self.mark(0, State::Moved);
                if flaw == Some(Flaw::SendsOutWhatMoves) {
                    self.send(items);
                }
                if flaw != Some(Flaw::MovesWithoutItsCopy) {
                    self.copies[0] = None;
                }
                self.put(1, Record { state: State::Live, write, known: 1 << write, items });
                self.copy(1, items, flaw);
            }
            Call::Retire { keys } => {
                for key in (0..KEYS as Key).filter(|key| keys & (1 << key) != 0) {
                    let has_gone = self.load(key).state != State::Live || flaw == Some(Flaw::RetiresWithoutLooking);
                    if let Some(items) = self.copies[usize::from(key)].filter(|_| has_gone) {
                        self.copies[usize::from(key)] = None;
                        self.send(items);
                    }
                }
            }
            Call::Sent => self.outbox = None,
            Call::Add { items } => {
                if self.archived.is_none() || flaw == Some(Flaw::AddsTwice) {
                    self.archived = Some(items);
                    self.added += 1;
                }
            }
            Call::Bury { items } => self.dead = self.dead.or(Some(items)),
            Call::Unbury => self.dead = None,
            Call::Send { items } => self.send(items),
        }
        Reply::Applied
    }

    /// Its time has run out: the record goes, and the copy is still there.
    pub(super) fn run_out(&mut self, key: Key) {
        self.ended = Some(self.load(key).items);
        self.records[usize::from(key)] = Record::default();
    }

    fn send(&mut self, items: u8) {
        self.outbox = self.outbox.or(Some(items));
    }

    fn put(&mut self, key: Key, record: Record) {
        if self.ended.is_some() {
            self.wrong = Some("what has ended stays ended");
        }
        self.records[usize::from(key)] = record;
    }

    fn copy(&mut self, key: Key, items: u8, flaw: Option<Flaw>) {
        self.copies[usize::from(key)] = (flaw != Some(Flaw::ForgetsWhatRunsOut)).then_some(items);
    }

    fn mark(&mut self, key: Key, state: State) {
        let there = &mut self.records[usize::from(key)];
        *there = Record { state, known: there.known, ..Record::default() };
    }
}
