//! What a request does between two steps of the store: `src/exchange/admission.rs`, `roster.rs`, and `src/redis/users.rs`.

use super::store::{Call, KEYS, Key, Reply, State};
use super::{Flaw, Kind, Scenario, World};
use crate::turn::{Turn, hold_back};
use model_check::{By, Step};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Pc {
    #[default]
    Waiting,
    /// `Exchange::enter`.
    Admit,
    /// `members`: the list; then each record, with those to be read, those that live, and those that have gone; then tidying up.
    List,
    Records {
        left: u8,
        live: u8,
        gone: u8,
        has_moved: bool,
    },
    Heal {
        live: u8,
        gone: u8,
    },
    /// `end_named`.
    Depart(Key),
    /// `end_all` in Redis: what it reads first.
    ReadList,
    ReadEpoch(u8),
    EndAll(Option<(u8, u8)>),
    /// Only in flawed protocols.
    Raise,
    Enlist,
    Done,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Request {
    pub(super) pc: Pc,
    /// The epoch that it carries; and how often all had been ended, and the epoch, when it began.
    epoch: u8,
    began: u8,
    began_in: u8,
    /// Those that make room.
    evicted: u8,
    silent: bool,
}

impl Request {
    pub(super) fn is_under_way(&self) -> bool {
        !matches!(self.pc, Pc::Waiting | Pc::Done)
    }

    fn go(&mut self, pc: Pc) {
        (self.pc, self.silent) = (pc, false);
    }

    fn done(&mut self) {
        *self = Self { pc: Pc::Done, ..Self::default() };
    }
}

type Steps = Vec<Step<World>>;

impl Turn<'_, Scenario> {
    pub(super) fn steps(&self, steps: &mut Steps) {
        let (request, kind) = (&self.world.requests[self.r], self.scenario.requests[self.r]);
        match request.pc {
            Pc::Waiting => self.begin(kind, steps),
            Pc::Admit => self.admit(kind, steps),
            Pc::List => self.list(kind, steps),
            Pc::Records { left, live, gone, has_moved } => self.record(kind, left, live, gone, has_moved, steps),
            Pc::Heal { live, gone } => self.heal(kind, live, gone, steps),
            Pc::Depart(key) => self.depart(kind, key, steps),
            Pc::ReadList => self.step("reads the list", "", By::Itself, steps, |world, r| {
                world.requests[r].pc = Pc::ReadEpoch(world.list);
            }),
            Pc::ReadEpoch(list) => self.step("reads the epoch", "", By::Itself, steps, |world, r| {
                world.requests[r].pc = Pc::EndAll(Some((list, world.epoch)));
            }),
            Pc::EndAll(read) => self.end_all(kind, read, steps),
            Pc::Raise => self.call("moves the epoch", Call::Raise, steps, |world, r, _| world.requests[r].done()),
            Pc::Enlist => {
                let call = Call::List { key: self.key() };
                self.call("enters it into the list", call, steps, |world, r, _| world.requests[r].done());
            }
            Pc::Done => {}
        }
        if request.is_under_way() && self.world.crashes > 0 {
            self.step("its process crashes", "", By::Fault, steps, |world, r| {
                world.crashes -= 1;
                world.requests[r].done();
            });
        }
    }

    fn key(&self) -> Key {
        2 + self.r as Key
    }

    /// Sends a call, with all that can befall it: `PatientStore`. None of what is not heard.
    fn call(
        &self,
        what: &'static str,
        call: Call,
        steps: &mut Steps,
        heard: impl Fn(&mut World, usize, Option<Reply>),
    ) {
        let Scenario { limit, flaw, .. } = *self.scenario;
        self.step(what, "", By::Itself, steps, |world, r| {
            let reply = world.deliver(call, limit, flaw);
            heard(world, r, Some(reply));
        });
        if self.world.requests[self.r].silent {
            self.step(what, "and gives up", By::Itself, steps, |world, r| heard(world, r, None));
        }
        if self.world.faults == 0 {
            return;
        }
        let fails = |world: &mut World, r: usize| {
            world.faults -= 1;
            world.requests[r].silent = true;
            // Whoever sends it again reads again.
            if let Pc::EndAll(Some(_)) = world.requests[r].pc {
                world.requests[r].pc = Pc::ReadList;
            }
        };
        if let Call::EndAll { read: None, .. } = call {
            self.step(what, "and the reply is lost", By::Fault, steps, |world, r| {
                fails(world, r);
                world.deliver(call, limit, flaw);
            });
            self.step(what, "and is lost", By::Fault, steps, fails);
        } else {
            self.step(what, "and nothing is heard", By::Fault, steps, |world, r| {
                fails(world, r);
                hold_back(&mut world.late, call);
            });
        }
    }

    fn begin(&self, kind: Kind, steps: &mut Steps) {
        // Each process has heard of the end of all, or not yet.
        let known = if self.world.epoch == 0 { vec![0] } else { vec![0, self.world.epoch] };
        for epoch in known {
            let how = if epoch == 0 { "" } else { "knowing of it" };
            self.step("is sent", how, By::Somebody, steps, |world, r| {
                let (began, began_in) = (world.swept, world.epoch);
                world.requests[r] = Request { epoch, began, began_in, ..Request::default() };
                match kind {
                    // Its cookie must still lead to a live session.
                    Kind::Again(old) if !world.load(old).lives() => world.requests[r].done(),
                    Kind::SignIn if self.scenario.flaw == Some(Flaw::CountsBeforeItAdmits) => {
                        world.requests[r].pc = Pc::List
                    }
                    Kind::SignIn | Kind::Again(_) => world.requests[r].pc = Pc::Admit,
                    Kind::EndAll(_) if self.scenario.in_steps => world.requests[r].pc = Pc::ReadList,
                    Kind::EndAll(_) => world.requests[r].pc = Pc::EndAll(None),
                    Kind::EndDevice(_) => world.requests[r].pc = Pc::List,
                    Kind::Idle(key) => {
                        let there = &mut world.records[usize::from(key)];
                        if there.lives() {
                            *there = Default::default();
                        }
                        world.requests[r].done();
                    }
                }
            });
        }
    }

    fn admit(&self, kind: Kind, steps: &mut Steps) {
        let (Request { epoch, began, began_in, evicted, .. }, flaw) = (self.world.requests[self.r], self.scenario.flaw);
        let (handle, predecessor) = match kind {
            Kind::Again(old) => (old, Some(old)),
            _ => (self.key(), None),
        };
        let call = Call::Admit { key: self.key(), handle, epoch, began, predecessor, evicted };
        self.call("is admitted", call, steps, |world, r, heard| {
            let request = &mut world.requests[r];
            match heard {
                Some(Reply::Applied) if flaw == Some(Flaw::ListsInASecondStep) => request.go(Pc::Enlist),
                Some(Reply::Outdated(theirs)) if theirs <= began_in || flaw == Some(Flaw::TakesAnyEpoch) => {
                    request.epoch = theirs;
                    request.go(Pc::Admit);
                }
                Some(Reply::Full) => request.go(Pc::List),
                // There, refused, or not known.
                _ => request.done(),
            }
        });
    }

    fn list(&self, kind: Kind, steps: &mut Steps) {
        if self.scenario.in_steps {
            self.step("reads the list", "", By::Itself, steps, |world, r| {
                world.requests[r].pc = Pc::Records { left: world.list, live: 0, gone: 0, has_moved: false };
            });
        } else {
            self.step("reads whom the list names", "", By::Itself, steps, |world, r| {
                let live = (0..KEYS as Key).filter(|key| world.list & (1 << key) != 0 && world.load(*key).lives());
                let live = live.fold(0, |all, key| all | 1 << key);
                world.list = live;
                self.told(kind, live, world, r);
            });
        }
    }

    fn record(&self, kind: Kind, left: u8, live: u8, gone: u8, has_moved: bool, steps: &mut Steps) {
        let Some(key) = (0..KEYS as Key).find(|key| left & (1 << key) != 0) else {
            return self.step("has read all", "", By::Itself, steps, |world, r| {
                if gone != 0 {
                    world.requests[r].pc = Pc::Heal { live, gone };
                } else {
                    self.told(kind, live, world, r);
                }
                // It goes on under another key, which the list names by now.
                if has_moved && self.scenario.flaw != Some(Flaw::ReadsTheListOnce) {
                    world.requests[r].pc = Pc::List;
                }
            });
        };
        self.step("reads a record", "", By::Itself, steps, |world, r| {
            let (left, state) = (left & !(1 << key), world.load(key).state);
            let has_moved = has_moved || matches!(state, State::Moved(_));
            world.requests[r].pc = match state {
                State::Live => Pc::Records { left, live: live | 1 << key, gone, has_moved },
                _ => Pc::Records { left, live, gone: gone | 1 << key, has_moved },
            };
        });
    }

    fn heal(&self, kind: Kind, live: u8, gone: u8, steps: &mut Steps) {
        self.call("tidies up", Call::Heal { gone }, steps, |world, r, _| self.told(kind, live, world, r));
    }

    /// What is done with the list.
    fn told(&self, kind: Kind, live: u8, world: &mut World, r: usize) {
        let others = match kind {
            Kind::Again(old) => live & !(1 << old),
            _ => live,
        };
        let surplus = (others.count_ones() + 1).saturating_sub(self.scenario.limit);
        let first = (0..KEYS as Key).filter(|key| others & (1 << key) != 0).take(surplus as usize);
        let evicted = first.fold(0, |all, key| all | 1 << key);
        let named = |handle| (0..KEYS as Key).find(|key| live & (1 << key) != 0 && world.load(*key).handle == handle);
        // What a record was when it was read stands in the list, whatever has become of it.
        let named = if let Kind::EndDevice(handle) = kind { named(handle).or(self.was(handle, live)) } else { None };
        let request = &mut world.requests[r];
        match (kind, named) {
            (Kind::EndDevice(_), Some(key)) => request.go(Pc::Depart(key)),
            (Kind::EndDevice(handle), None) => {
                request.done();
                world.ended_handles |= 1 << handle;
            }
            _ => {
                request.evicted = evicted;
                request.go(Pc::Admit);
            }
        }
    }

    /// A record of this name among those that lived when they were read.
    fn was(&self, handle: u8, live: u8) -> Option<Key> {
        let is_of = |key: &Key| {
            *key == handle
                || usize::from(*key) >= 2
                    && self.scenario.requests.get(usize::from(*key) - 2) == Some(&Kind::Again(handle))
        };
        (0..KEYS as Key).filter(|key| live & (1 << key) != 0).find(is_of)
    }

    fn depart(&self, kind: Kind, key: Key, steps: &mut Steps) {
        let Kind::EndDevice(handle) = kind else { return };
        self.call("ends it", Call::Depart { key }, steps, |world, r, heard| match heard {
            Some(Reply::Applied) => {
                world.requests[r].done();
                world.ended_handles |= 1 << handle;
            }
            // Perhaps it has just moved to another id. Its own marker says so too, and then nobody has it any more.
            Some(_) => world.requests[r].go(Pc::List),
            None => world.requests[r].done(),
        });
    }

    fn end_all(&self, kind: Kind, read: Option<(u8, u8)>, steps: &mut Steps) {
        let (Kind::EndAll(except), flaw, by) = (kind, self.scenario.flaw, self.r as u8) else { return };
        let silent = self.world.requests[self.r].silent;
        self.call("ends all", Call::EndAll { by, except, read }, steps, |world, r, heard| {
            match heard {
                // Silent or not: that is remembered while it is tried again.
                Some(Reply::Changed) => return world.requests[r].pc = Pc::ReadList,
                Some(Reply::Applied) if flaw == Some(Flaw::RaisesTheEpochLater) => {
                    return world.requests[r].go(Pc::Raise);
                }
                Some(Reply::NotThere) if !silent || flaw == Some(Flaw::SaysThatNothingHappened) => {
                    world.told_nothing |= 1 << by;
                }
                _ => {}
            }
            world.requests[r].done();
        });
    }
}
