//! What the store and the archive do in one step each: `replace` of `thin_session::store::LastingStore` (`REPLACE` in
//! `src/redis/lasting_scripts.rs`) and `sent`; `complete`, `settle` and `add` of `thin_session::archive::Archive`.

use super::{Flaw, World};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum State {
    #[default]
    Absent,
    Live,
    Ended,
}

/// What stands in the user's place for this kind: one user session after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Record {
    pub(super) state: State,
    /// Which one.
    pub(super) id: u8,
    pub(super) write: u8,
    pub(super) known: u64,
    /// What it holds, one bit each.
    pub(super) items: u8,
    pub(super) is_completing: bool,
    pub(super) has_lapsed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Standing {
    Any,
    Lives,
    Lapsed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Reason {
    Completed,
    Expired,
}

/// What goes to the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Past {
    pub(super) id: u8,
    pub(super) items: u8,
    pub(super) reason: Reason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Call {
    Replace { expected: Option<u8>, standing: Standing, to: Record, outgoing: Option<Past> },
    Sent { id: u8 },
    Add { past: Past },
    Complete { past: Past, attempt: u8 },
    Settle { id: u8, attempt: Option<u8> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Applied,
    Found(Record),
    Absent,
    Untimely,
    Exceeded,
    Settled,
    IsThere(bool),
}

impl Record {
    pub(super) fn lives(&self) -> bool {
        self.state == State::Live
    }

    pub(super) fn knows(&self, write: u8) -> bool {
        self.known & 1 << write != 0
    }
}

impl World {
    pub(super) fn deliver(&mut self, call: Call, flaw: Option<Flaw>) -> Reply {
        match call {
            Call::Replace { expected, standing, to, outgoing } => self.replace(expected, standing, to, outgoing, flaw),
            Call::Sent { id } => {
                self.outbox[usize::from(id)] = None;
                Reply::Applied
            }
            Call::Add { past } => {
                self.archive(past, None);
                Reply::Applied
            }
            Call::Complete { past, attempt } => {
                match self.archived[usize::from(past.id)] {
                    Some((there, _)) if there.reason == Reason::Completed => return Reply::Applied,
                    Some(_) if flaw == Some(Flaw::TakesAnyEndForCompleted) => return Reply::Applied,
                    Some(_) => return Reply::Settled,
                    None if self.settled & 1 << attempt != 0 => return Reply::Settled,
                    None => {}
                }
                if self.quota == 0 {
                    return Reply::Exceeded;
                }
                self.quota -= 1;
                self.archive(past, Some(attempt));
                Reply::Applied
            }
            Call::Settle { id, attempt } => {
                if self.archived[usize::from(id)].is_some() {
                    return Reply::IsThere(true);
                }
                if flaw != Some(Flaw::GivesBackUntold) {
                    self.settled |= attempt.map_or(0, |attempt| 1 << attempt);
                }
                Reply::IsThere(false)
            }
        }
    }

    fn replace(
        &mut self,
        expected: Option<u8>,
        standing: Standing,
        to: Record,
        outgoing: Option<Past>,
        flaw: Option<Flaw>,
    ) -> Reply {
        let there = self.record;
        let is_there = there.state != State::Absent;
        let blindly = flaw == Some(Flaw::EndsWhateverIsThere) && to.state == State::Ended && there.lives();
        if is_there && Some(there.write) != expected && !blindly {
            return Reply::Found(there);
        }
        if !is_there && expected.is_some() {
            return Reply::Absent;
        }
        let is_timely = match standing {
            Standing::Any => true,
            Standing::Lives => !there.has_lapsed || flaw == Some(Flaw::CommitsWhatHasLapsed),
            Standing::Lapsed => there.has_lapsed,
        };
        if is_there && !is_timely {
            return Reply::Untimely;
        }
        if there.lives() && (!to.lives() || to.id != there.id) {
            self.ended |= 1 << there.id;
        }
        if to.lives() && self.ended & 1 << to.id != 0 {
            self.wrong = Some("what has ended stays ended");
        }
        let goes_on = to.lives() && there.lives() && to.id == there.id;
        if goes_on && there.has_lapsed && !to.is_completing && standing == Standing::Lives {
            self.wrong = Some("what has run out stays so");
        }
        self.record = Record { known: there.known | 1 << to.write, has_lapsed: goes_on && there.has_lapsed, ..to };
        if let Some(past) = outgoing {
            self.outbox[usize::from(past.id)] = Some(past);
        }
        Reply::Applied
    }

    /// Adds it, unless it is there: then it must be the same.
    fn archive(&mut self, past: Past, attempt: Option<u8>) {
        let there = &mut self.archived[usize::from(past.id)];
        match there {
            Some((first, _)) if *first != past => self.wrong = Some("the archive is told of an end once"),
            Some(_) => {}
            None => *there = Some((past, attempt)),
        }
        if attempt.is_some_and(|attempt| self.told_exceeded & 1 << attempt != 0) {
            self.wrong = Some("what was told to exceed the quota is not completed");
        }
    }
}
