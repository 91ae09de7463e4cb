//! What happens between two steps: `src/exchange/user_session/` (`change.rs`, `end.rs`, `quota.rs`, `settle.rs`, `sweep.rs`), and
//! `moves.rs`, of which the model of the archive knows more.

use super::store::{Call, Past, Reason, Record, Reply, Standing, State};
use super::{Flaw, IDS, Kind, Scenario, World};
use crate::turn::{Turn, hold_back};
use model_check::{By, Step};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Pc {
    /// A request that was not sent yet; a task that begins its round.
    #[default]
    Waiting,
    Load,
    /// A write under way, and what for.
    Replace(Call, For),
    /// `Archive::complete` of what is frozen.
    Complete,
    /// `PatientArchive::complete`: an earlier transmission may still come, and is crossed out.
    CrossOut,
    /// `settle_if_known`.
    Settle,
    Add(Past),
    Sent(u8),
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum For {
    Update,
    End,
    Freeze,
    /// The archive has it: whether this request was told so, or found it so.
    Close(bool),
    GiveBack,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Process {
    pub(super) pc: Pc,
    /// What was last seen there; and what its holder decides on.
    view: Record,
    seen: Option<(u8, u8)>,
    has_looked: bool,
    silent: bool,
    sealed: u8,
    frozen: u8,
}

impl Process {
    pub(super) fn is_under_way(&self) -> bool {
        !matches!(self.pc, Pc::Waiting | Pc::Done)
    }

    fn go(&mut self, pc: Pc) {
        (self.pc, self.silent) = (pc, false);
    }

    /// It is over: for a task, until its next round.
    fn ends(&mut self, kind: Kind) {
        let sealed = if kind.is_task() { self.sealed } else { 0 };
        let pc = if kind.is_task() { Pc::Waiting } else { Pc::Done };
        *self = Self { pc, sealed, ..Self::default() };
    }

    fn seal(&mut self, r: usize) -> u8 {
        self.sealed += 1;
        assert!(self.sealed <= 9, "ids for more writes");
        9 * r as u8 + self.sealed
    }
}

type Steps = Vec<Step<World>>;

impl Turn<'_, Scenario> {
    pub(super) fn steps(&self, steps: &mut Steps) {
        let process = &self.world.processes[self.r];
        match process.pc {
            Pc::Waiting => self.begin(steps),
            Pc::Load => self.step("looks", "", By::Itself, steps, |world, r| {
                world.processes[r].view = world.record;
                self.look(world, r);
            }),
            Pc::Replace(call, reason) => self.replace(call, reason, steps),
            Pc::Complete => self.complete(steps),
            Pc::CrossOut => self.cross_out(steps),
            Pc::Settle => [false, true].into_iter().for_each(|is_abandoned| self.settle(is_abandoned, steps)),
            Pc::Add(past) => self.call("writes to the archive", Call::Add { past }, steps, |world, r, heard| {
                let kind = self.kind();
                match heard {
                    Some(_) => world.processes[r].go(Pc::Sent(past.id)),
                    None => world.processes[r].ends(kind),
                }
            }),
            Pc::Sent(id) => {
                self.call("acknowledges", Call::Sent { id }, steps, |world, r, _| world.processes[r].ends(self.kind()));
            }
            Pc::Done => {}
        }
        if process.is_under_way() && self.world.crashes > 0 {
            self.step("its process crashes", "", By::Fault, steps, |world, r| {
                world.crashes -= 1;
                world.processes[r].ends(self.kind());
            });
        }
    }

    fn kind(&self) -> Kind {
        self.scenario.processes[self.r]
    }

    /// Sends a call, with all that can befall it. None of what is not heard.
    fn call(
        &self,
        what: &'static str,
        call: Call,
        steps: &mut Steps,
        heard: impl Fn(&mut World, usize, Option<Reply>),
    ) {
        let flaw = self.scenario.flaw;
        self.step(what, "", By::Itself, steps, |world, r| {
            let reply = world.deliver(call, flaw);
            heard(world, r, Some(reply));
        });
        if self.world.processes[self.r].silent {
            self.step(what, "and gives up", By::Itself, steps, |world, r| heard(world, r, None));
        }
        if self.world.faults == 0 {
            return;
        }
        self.step(what, "and nothing is heard", By::Fault, steps, |world, r| {
            world.faults -= 1;
            world.processes[r].silent = true;
            hold_back(&mut world.late, call);
        });
    }

    fn begin(&self, steps: &mut Steps) {
        let world = self.world;
        let looks_for_frozen =
            world.record.is_completing && self.scenario.flaw != Some(Flaw::NobodyLooksForWhatIsFrozen);
        match self.kind() {
            Kind::Time if world.record.lives() => self.step("runs out", "", By::Somebody, steps, |world, r| {
                world.record.has_lapsed = true;
                world.processes[r].pc = Pc::Done;
            }),
            Kind::Room => self.step("leaves the quota", "", By::Somebody, steps, |world, r| {
                world.quota += 1;
                world.processes[r].pc = Pc::Done;
            }),
            Kind::Mover => world.outbox.into_iter().flatten().for_each(|past| {
                self.step("takes from the outbox", "", By::Itself, steps, |world, r| {
                    world.processes[r].pc = Pc::Add(past)
                });
            }),
            Kind::Sweeper if world.record.lives() && (world.record.has_lapsed || looks_for_frozen) => {
                self.step("finds one that is due", "", By::Itself, steps, |world, r| {
                    world.processes[r].view = world.record;
                    self.decide(world, r);
                });
            }
            Kind::Update(_) | Kind::Complete | Kind::Within => {
                self.step("is sent", "", By::Somebody, steps, |world, r| world.processes[r].pc = Pc::Load);
            }
            Kind::Time | Kind::Sweeper => {}
        }
    }

    /// The first look is what its holder decides on.
    fn look(&self, world: &mut World, r: usize) {
        let process = &mut world.processes[r];
        let Record { id, items, .. } = process.view;
        if !std::mem::replace(&mut process.has_looked, true) {
            process.seen = process.view.lives().then_some((id, items)).filter(|_| !process.view.has_lapsed);
            if process.seen.is_none() && !matches!(self.kind(), Kind::Update(_)) {
                return process.ends(self.kind());
            }
        }
        self.decide(world, r);
    }

    /// What to do about what is there.
    fn decide(&self, world: &mut World, r: usize) {
        let (flaw, process) = (self.scenario.flaw, &mut world.processes[r]);
        let view = process.view;
        if view.lives() && view.is_completing && flaw != Some(Flaw::AsksBeforeItFreezes) {
            return process.go(Pc::Settle);
        }
        let is_as_seen = view.lives() && !view.has_lapsed && process.seen == Some((view.id, view.items));
        match self.kind() {
            Kind::Update(item) => self.update(item, world, r),
            Kind::Sweeper if view.lives() && view.has_lapsed => {
                self.write(world, r, Standing::Lapsed, ended(view), Some(past(view, Reason::Expired)), For::End);
            }
            Kind::Complete if is_as_seen => {
                self.write(world, r, Standing::Lives, ended(view), Some(past(view, Reason::Completed)), For::End);
            }
            Kind::Within if is_as_seen && flaw == Some(Flaw::AsksBeforeItFreezes) => process.go(Pc::Complete),
            // There is no time for a third try.
            Kind::Within if is_as_seen && process.frozen < 2 => {
                process.frozen += 1;
                let to = Record { is_completing: true, ..view };
                self.write(world, r, Standing::Lives, to, None, For::Freeze);
            }
            // Changed, or ended.
            kind => process.ends(kind),
        }
    }

    /// `Desk::change`.
    fn update(&self, item: u8, world: &mut World, r: usize) {
        let process = &mut world.processes[r];
        let view = process.view;
        let any = self.scenario.flaw == Some(Flaw::TakesAnyInstance);
        let is_live = view.lives() && !view.has_lapsed;
        if is_live && process.seen.is_none_or(|(id, _)| id == view.id || any) {
            process.seen = process.seen.filter(|_| any).or(Some((view.id, view.items)));
            let to = Record { items: view.items | 1 << item, ..view };
            return self.write(world, r, Standing::Lives, to, None, For::Update);
        }
        let is_first = view.state == State::Absent;
        let id = if is_first { 0 } else { view.id + 1 };
        if is_live || process.seen.is_some() || usize::from(id) == IDS {
            return process.ends(self.kind());
        }
        let lapsed = view.lives().then(|| past(view, Reason::Expired));
        let standing = if lapsed.is_some() { Standing::Lapsed } else { Standing::Any };
        let to = Record { state: State::Live, id, items: 1 << item, ..Record::default() };
        self.write(world, r, standing, to, lapsed, For::Update);
    }

    /// Seals, and goes to send.
    fn write(&self, world: &mut World, r: usize, standing: Standing, to: Record, outgoing: Option<Past>, reason: For) {
        let process = &mut world.processes[r];
        let (view, write) = (process.view, process.seal(r));
        let expected = (view.state != State::Absent).then_some(view.write);
        let to = Record { write, known: 0, has_lapsed: false, ..to };
        process.go(Pc::Replace(Call::Replace { expected, standing, to, outgoing }, reason));
    }

    fn replace(&self, call: Call, reason: For, steps: &mut Steps) {
        let Call::Replace { to, standing, .. } = call else { return };
        let silent = self.world.processes[self.r].silent;
        let what = match reason {
            For::Update => "commits an update",
            For::End => "ends it",
            For::Freeze => "freezes it",
            For::Close(_) => "ends what the archive has",
            For::GiveBack => "gives it back",
        };
        self.call(what, call, steps, |world, r, heard| {
            let process = &mut world.processes[r];
            match heard {
                Some(Reply::Applied) => self.applied(to, reason, world, r),
                Some(Reply::Found(there)) if there.knows(to.write) => {
                    process.view = there;
                    self.applied(to, reason, world, r);
                }
                Some(Reply::Found(there)) => {
                    process.view = there;
                    self.not_applied(reason, world, r);
                }
                Some(Reply::Untimely) if !silent || standing != Standing::Lapsed => {
                    if reason == For::GiveBack {
                        // It has run out meanwhile.
                        return self.write(
                            world,
                            r,
                            Standing::Any,
                            ended(to),
                            Some(past(to, Reason::Expired)),
                            For::End,
                        );
                    }
                    process.view.has_lapsed = !process.view.has_lapsed;
                    self.not_applied(reason, world, r);
                }
                Some(Reply::Absent) if !silent => {
                    process.view = Record::default();
                    self.not_applied(reason, world, r);
                }
                // Not known; what is frozen is found by whoever looks next.
                _ => process.ends(self.kind()),
            }
        });
    }

    fn applied(&self, to: Record, reason: For, world: &mut World, r: usize) {
        let (kind, seen) = (self.kind(), world.processes[r].seen);
        let process = &mut world.processes[r];
        match reason {
            For::Update => {
                process.ends(kind);
                if let Kind::Update(item) = kind {
                    world.acknowledged[usize::from(to.id)] |= 1 << item;
                }
                if seen.is_some_and(|(id, _)| id != to.id) {
                    world.wrong = Some("nothing is decided on another than was seen");
                }
            }
            For::End => {
                if kind == Kind::Complete {
                    world.told_completed |= 1 << to.id;
                }
                world.processes[r].ends(kind);
            }
            For::Freeze => {
                // Others have looked at it since: then it is not frozen any more.
                let there = Record { known: 0, has_lapsed: false, ..to };
                let is_frozen = process.view.write == to.write || !process.view.knows(to.write);
                process.view = if is_frozen { there } else { process.view };
                if is_frozen { process.go(Pc::Complete) } else { self.decide(world, r) }
            }
            For::Close(_) | For::GiveBack if kind == Kind::Sweeper => process.ends(kind),
            For::Close(true) => process.ends(kind),
            For::Close(false) => process.go(Pc::Load),
            For::GiveBack if process.frozen > 0 && kind == Kind::Within => process.ends(kind),
            For::GiveBack => process.go(Pc::Load),
        }
    }

    fn not_applied(&self, reason: For, world: &mut World, r: usize) {
        let (kind, process) = (self.kind(), &mut world.processes[r]);
        match reason {
            For::Close(true) => process.ends(kind),
            _ if kind == Kind::Sweeper => process.ends(kind),
            For::GiveBack if process.frozen > 0 => process.ends(kind),
            _ => self.decide(world, r),
        }
    }

    /// `complete_within`, from when it is frozen.
    fn complete(&self, steps: &mut Steps) {
        let Process { view, silent, .. } = self.world.processes[self.r];
        let (flaw, attempt) = (self.scenario.flaw, view.write);
        let call = Call::Complete { past: past(view, Reason::Completed), attempt };
        self.call("asks the archive", call, steps, |world, r, heard| match heard {
            Some(Reply::Applied) => self.completed(view, world, r),
            Some(Reply::Exceeded) if silent && flaw != Some(Flaw::RefusesWithoutCrossingOut) => {
                world.processes[r].go(Pc::CrossOut);
            }
            Some(Reply::Exceeded) => self.exceeded(view, world, r),
            Some(Reply::Settled) => world.processes[r].go(Pc::Load),
            None if flaw == Some(Flaw::GivesBackWhatIsNotKnown) => self.give_back(view, world, r),
            _ => world.processes[r].ends(self.kind()),
        });
    }

    fn cross_out(&self, steps: &mut Steps) {
        let view = self.world.processes[self.r].view;
        let call = Call::Settle { id: view.id, attempt: Some(view.write) };
        self.call("crosses out what may be late", call, steps, |world, r, heard| match heard {
            Some(Reply::IsThere(true)) => self.completed(view, world, r),
            Some(_) => self.exceeded(view, world, r),
            None => world.processes[r].ends(self.kind()),
        });
    }

    fn completed(&self, view: Record, world: &mut World, r: usize) {
        world.told_completed |= 1 << view.id;
        self.write(world, r, Standing::Any, ended(view), None, For::Close(true));
    }

    fn exceeded(&self, view: Record, world: &mut World, r: usize) {
        world.told_exceeded |= 1 << view.write;
        self.give_back(view, world, r);
    }

    fn give_back(&self, view: Record, world: &mut World, r: usize) {
        let back = Record { is_completing: false, ..view };
        self.write(world, r, Standing::Lives, back, None, For::GiveBack);
    }

    /// Whoever was completing it may count as gone, by the clock of who finds it.
    fn settle(&self, is_abandoned: bool, steps: &mut Steps) {
        let view = self.world.processes[self.r].view;
        let call = Call::Settle { id: view.id, attempt: is_abandoned.then_some(view.write) };
        let what = if is_abandoned { "settles what is abandoned" } else { "asks the archive whether it has it" };
        self.call(what, call, steps, |world, r, heard| match heard {
            Some(Reply::IsThere(true)) => self.write(world, r, Standing::Any, ended(view), None, For::Close(false)),
            Some(_) if is_abandoned => self.give_back(view, world, r),
            Some(_) if self.kind() != Kind::Sweeper => world.processes[r].go(Pc::Load),
            _ => world.processes[r].ends(self.kind()),
        });
    }
}

/// What stands in the place of one that has ended.
fn ended(view: Record) -> Record {
    Record { state: State::Ended, id: view.id, ..Record::default() }
}

fn past(view: Record, reason: Reason) -> Past {
    Past { id: view.id, items: view.items, reason }
}
