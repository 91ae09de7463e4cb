//! What requests and the background tasks do between two steps: `src/exchange/moves.rs`, `mover.rs`, `dead_letters.rs`, `change.rs`,
//! `sign_out.rs`; and `src/redis/archived.rs`, which names what may have run out before it looks.

use super::store::{Call, Key, Record, Reply, State};
use super::{Flaw, Kind, Scenario, World};
use crate::turn::{Turn, hold_back};
use model_check::{By, Step};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Pc {
    /// A request that was not sent yet; a task that begins its round.
    #[default]
    Waiting,
    Commit(Key, Record),
    End(Key),
    Move(Record),
    /// Only in a flawed protocol.
    Send(u8),
    /// `move_some`: what it has read; then it acknowledges, which the flawed one does first.
    Add(u8),
    Bury(u8),
    Sent(Option<u8>),
    /// `try_again`.
    AddDead(u8),
    Unbury(Option<u8>),
    /// `retire`: what was named.
    Retire(u8),
    Done,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Process {
    pub(super) pc: Pc,
    silent: bool,
}

impl Process {
    fn go(&mut self, pc: Pc) {
        *self = Self { pc, silent: false };
    }
}

type Steps = Vec<Step<World>>;

impl Turn<'_, Scenario> {
    pub(super) fn steps(&self, steps: &mut Steps) {
        let (kind, flaw) = (self.scenario.processes[self.r], self.scenario.flaw);
        let (pc, end) = (self.world.processes[self.r].pc, if kind.is_task() { Pc::Waiting } else { Pc::Done });
        match pc {
            Pc::Waiting => self.begin(kind, steps),
            Pc::Commit(key, seen) => self.commit(kind, key, seen, steps),
            Pc::Move(seen) => self.moves(seen, steps),
            Pc::End(key) => {
                let items = self.world.load(key).items;
                self.call("ends it", Call::End { key }, steps, |world, r, heard| match heard {
                    Some(Reply::Found(Record { state: State::Moved, .. })) => world.processes[r].go(Pc::End(1)),
                    Some(Reply::Applied) if flaw == Some(Flaw::SendsInASecondStep) => {
                        world.processes[r].go(Pc::Send(items));
                    }
                    _ => world.processes[r].go(Pc::Done),
                });
            }
            Pc::Send(items) => self.goes_on("sends it out", Call::Send { items }, Pc::Done, end, steps),
            Pc::Add(items) if flaw == Some(Flaw::AcknowledgesFirst) => {
                self.goes_on("writes to the archive", Call::Add { items }, end, end, steps);
            }
            Pc::Add(items) => self.goes_on("writes to the archive", Call::Add { items }, Pc::Sent(None), end, steps),
            Pc::Bury(items) => self.goes_on("buries it", Call::Bury { items }, Pc::Sent(None), end, steps),
            Pc::Sent(then) => {
                self.goes_on("acknowledges", Call::Sent, then.map_or(end, Pc::Add), end, steps);
            }
            Pc::AddDead(items) => {
                let then = if flaw == Some(Flaw::UnburiesFirst) { end } else { Pc::Unbury(None) };
                self.goes_on("writes what was dead to the archive", Call::Add { items }, then, end, steps);
            }
            Pc::Unbury(then) => {
                self.goes_on("forgets what was dead", Call::Unbury, then.map_or(end, Pc::AddDead), end, steps);
            }
            Pc::Retire(keys) => self.goes_on("sends out what has run out", Call::Retire { keys }, end, end, steps),
            Pc::Done => {}
        }
        if !matches!(pc, Pc::Waiting | Pc::Done) && self.world.crashes > 0 {
            self.step("its process crashes", "", By::Fault, steps, |world, r| {
                world.crashes -= 1;
                world.processes[r].go(end);
            });
        }
    }

    /// Sends a call, with all that can befall it: `PatientStore` and `PatientArchive`. None of what is not heard.
    fn call(
        &self,
        what: &'static str,
        call: Call,
        steps: &mut Steps,
        heard: impl Fn(&mut World, usize, Option<Reply>),
    ) {
        self.step(what, "", By::Itself, steps, |world, r| {
            let reply = world.deliver(call, self.scenario.flaw);
            heard(world, r, Some(reply));
        });
        if self.world.processes[self.r].silent {
            self.step(what, "and gives up", By::Itself, steps, |world, r| heard(world, r, None));
        }
        if self.world.faults > 0 {
            self.step(what, "and nothing is heard", By::Fault, steps, |world, r| {
                world.faults -= 1;
                world.processes[r].silent = true;
                hold_back(&mut world.late, call);
            });
        }
    }

    /// A call after which it goes on to another, or if that is not heard to the end.
    fn goes_on(&self, what: &'static str, call: Call, then: Pc, end: Pc, steps: &mut Steps) {
        self.call(what, call, steps, |world, r, heard| world.processes[r].go(if heard.is_some() { then } else { end }));
    }

    fn begin(&self, kind: Kind, steps: &mut Steps) {
        let (world, flaw) = (self.world, self.scenario.flaw);
        let live = (0..2).find(|key| world.load(*key).state == State::Live);
        let (what, by, pc) = match kind {
            Kind::Update(_) => ("is sent", By::Somebody, live.map(|key| Pc::Commit(key, world.load(key)))),
            Kind::SignOut => ("is sent", By::Somebody, Some(Pc::End(0))),
            Kind::Again => ("is sent", By::Somebody, (live == Some(0)).then(|| Pc::Move(world.load(0)))),
            Kind::Idle => {
                if let Some(key) = live {
                    self.step("runs out", "", By::Somebody, steps, |world, r| {
                        world.run_out(key);
                        world.processes[r].go(Pc::Done);
                    });
                }
                return;
            }
            Kind::Retirer => {
                // Each of which a list says so may have run out, or was only touched since.
                let keys = (0..2).filter(|key| world.copies[usize::from(*key)].is_some());
                let keys = keys.fold(0, |all, key: Key| all | 1 << key);
                ("sees what may have run out", By::Itself, (keys != 0).then_some(Pc::Retire(keys)))
            }
            Kind::Mover { has_keys } => {
                let then = |items| match flaw {
                    Some(Flaw::AcknowledgesFirst) => Pc::Sent(Some(items)),
                    _ if has_keys => Pc::Add(items),
                    _ => Pc::Bury(items),
                };
                ("takes from the outbox", By::Itself, world.outbox.map(then))
            }
        };
        if let Some(pc) = pc {
            self.step(what, "", by, steps, |world, r| world.processes[r].go(pc));
        }
        // `try_again`, which whoever has the keys does as well.
        if let (Kind::Mover { has_keys: true }, Some(items)) = (kind, world.dead)
            && flaw != Some(Flaw::LeavesTheDeadBuried)
        {
            let pc = if flaw == Some(Flaw::UnburiesFirst) { Pc::Unbury(Some(items)) } else { Pc::AddDead(items) };
            self.step("finds what was dead", "", By::Itself, steps, |world, r| world.processes[r].go(pc));
        }
    }

    fn commit(&self, kind: Kind, key: Key, seen: Record, steps: &mut Steps) {
        let Kind::Update(item) = kind else { return };
        let (base, items) = (seen.write, seen.items | 1 << item);
        // Another id for each sealing: of each update it is enough to know how often the base has changed.
        let write = 1 + 4 * self.r as u8 + seen.known.count_ones() as u8;
        self.call("commits an update", Call::Commit { key, base, write, items }, steps, |world, r, heard| {
            match heard {
                Some(Reply::Applied) => world.acknowledged |= 1 << item,
                Some(Reply::Found(there)) if there.known & 1 << write != 0 => world.acknowledged |= 1 << item,
                Some(Reply::Found(there)) if there.state == State::Live => {
                    return world.processes[r].go(Pc::Commit(key, there));
                }
                _ => {}
            }
            world.processes[r].go(Pc::Done);
        });
    }

    /// `Exchange::succeed`.
    fn moves(&self, seen: Record, steps: &mut Steps) {
        let write = 1 + 4 * self.r as u8;
        let call = Call::Move { base: seen.write, write, items: seen.items };
        self.call("puts one in its place", call, steps, |world, r, heard| match heard {
            Some(Reply::Found(there)) if there.state == State::Live && there.known & 1 << write == 0 => {
                world.processes[r].go(Pc::Move(there));
            }
            _ => world.processes[r].go(Pc::Done),
        });
    }
}
