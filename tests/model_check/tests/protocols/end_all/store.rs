//! What the store does in one step each: `admit`, `depart`, `load` of `thin_session::store::Store`, and `end_all`, which is one step in
//! memory and in SQL. In Redis it reads the list and the epoch, and then `SWEEP` (`src/redis/user_scripts.rs`) ends all if nothing
//! has changed since; and `members` reads the list, and then each record.

use super::{Flaw, World};

/// Where a record is. Two devices are signed in; each request has an id of its own.
pub(super) type Key = u8;
pub(super) const KEYS: usize = 6;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum State {
    #[default]
    Absent,
    Live,
    Moved(Key),
    Ended,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Record {
    pub(super) state: State,
    /// The public name, which stays when it moves.
    pub(super) handle: u8,
    /// The user's epoch at its sign-in.
    pub(super) stamp: u8,
    /// Only to check by: how often all had been ended when its sign-in began.
    pub(super) began: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Call {
    Admit {
        key: Key,
        handle: u8,
        epoch: u8,
        began: u8,
        predecessor: Option<Key>,
        evicted: u8,
    },
    Depart {
        key: Key,
    },
    /// The list and the epoch that were read, if they were.
    EndAll {
        by: u8,
        except: Option<u8>,
        read: Option<(u8, u8)>,
    },
    /// Takes out of the list what has gone.
    Heal {
        gone: u8,
    },
    /// Only in flawed protocols.
    Raise,
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
    Predecessor,
    Full,
    Changed,
    NotThere,
}

impl Record {
    pub(super) fn lives(&self) -> bool {
        self.state == State::Live
    }
}

impl World {
    pub(super) fn load(&self, key: Key) -> Record {
        self.records[usize::from(key)]
    }

    pub(super) fn deliver(&mut self, call: Call, limit: u32, flaw: Option<Flaw>) -> Reply {
        match call {
            Call::Admit { key, handle, epoch, began, predecessor, evicted } => {
                let leaving = evicted | predecessor.map_or(0, |old| 1 << old);
                if self.load(key).state != State::Absent {
                    return Reply::Found(self.load(key));
                }
                if self.epoch > epoch {
                    return Reply::Outdated(self.epoch);
                }
                if predecessor.is_some_and(|old| !self.load(old).lives()) {
                    return Reply::Predecessor;
                }
                if (self.list & !leaving).count_ones() >= limit && flaw != Some(Flaw::CountsBeforeItAdmits) {
                    return Reply::Full;
                }
                (0..KEYS as Key).filter(|old| evicted & (1 << old) != 0).for_each(|old| self.leave(old, State::Ended));
                predecessor.into_iter().for_each(|old| self.leave(old, State::Moved(key)));
                self.records[usize::from(key)] = Record { state: State::Live, handle, stamp: epoch, began };
                if flaw != Some(Flaw::ListsInASecondStep) {
                    self.list |= 1 << key;
                }
                Reply::Applied
            }
            Call::Depart { key } => match self.load(key) {
                there if there.lives() => {
                    self.leave(key, State::Ended);
                    Reply::Applied
                }
                Record { state: State::Absent, .. } => {
                    self.list &= !(1 << key);
                    Reply::Absent
                }
                there => Reply::Found(there),
            },
            Call::EndAll { by, except, read } => self.end_all(by, except, read, flaw),
            Call::Heal { gone } => {
                self.list &= !gone;
                Reply::Applied
            }
            Call::Raise => {
                self.epoch += 1;
                Reply::Applied
            }
            Call::List { key } => {
                self.list |= 1 << key;
                Reply::Applied
            }
        }
    }

    fn end_all(&mut self, by: u8, except: Option<u8>, read: Option<(u8, u8)>, flaw: Option<Flaw>) -> Reply {
        let blindly = flaw == Some(Flaw::SweepsWhatItRead);
        if read.is_some_and(|read| read != (self.list, self.epoch)) && !blindly {
            return Reply::Changed;
        }
        let among = if blindly { read.map_or(0, |(list, _)| list) } else { self.list };
        let (kept, others): (Vec<_>, Vec<_>) = (0..KEYS as Key)
            .filter(|key| among & (1 << key) != 0)
            .partition(|key| self.load(*key).lives() && except == Some(self.load(*key).handle));
        if except.is_some() && kept.is_empty() {
            return Reply::NotThere;
        }
        others.into_iter().for_each(|key| self.leave(key, State::Ended));
        self.swept += 1;
        // It was proved to be the one that stays.
        kept.into_iter().for_each(|key| self.records[usize::from(key)].began = self.swept);
        if !matches!(flaw, Some(Flaw::LeavesTheEpoch | Flaw::RaisesTheEpochLater)) {
            self.epoch += 1;
        }
        self.kept = except;
        self.swept_by |= 1 << by;
        Reply::Applied
    }

    /// Whoever lives leaves a marker; all leave the list.
    fn leave(&mut self, key: Key, state: State) {
        let there = &mut self.records[usize::from(key)];
        if there.lives() {
            *there = Record { state, ..Record::default() };
        }
        self.list &= !(1 << key);
    }
}
