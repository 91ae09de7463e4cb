//! A user session that is changed, completed with and without a quota, runs out, and is followed by the next: with whoever finds it
//! frozen after a crash. Protocol 7, 8 and 12.

mod process;
mod store;

use crate::turn::{Turn, deliver_late};
use crate::{fails_with, holds};
use model_check::{Goal, Model, Step};
use process::Process;
use store::{Call, Past, Reason, Record, State};

/// How many user sessions there are, one after the other.
const IDS: usize = 2;

/// What a process is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Puts this in, or begins the next with it.
    Update(u8),
    Complete,
    /// Within a quota.
    Within,
    /// Nobody asks: time passes, and it runs out; or one that was completed leaves the quota's window.
    Time,
    Room,
    Sweeper,
    Mover,
}

/// Ways in which the protocol would be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    GivesBackUntold,
    GivesBackWhatIsNotKnown,
    AsksBeforeItFreezes,
    CommitsWhatHasLapsed,
    EndsWhateverIsThere,
    TakesAnyInstance,
    RefusesWithoutCrossingOut,
    /// As archives once did: what somebody else has abandoned or found to have run out is there, and so it is completed.
    TakesAnyEndForCompleted,
    NobodyLooksForWhatIsFrozen,
}

struct Scenario {
    processes: &'static [Kind],
    quota: u8,
    faults: u8,
    crashes: u8,
    flaw: Option<Flaw>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    record: Record,
    outbox: [Option<Past>; IDS],
    /// With the attempt that completed it, if one has.
    archived: [Option<(Past, Option<u8>)>; IDS],
    /// Attempts that come to nothing.
    settled: u64,
    /// How many more may be completed.
    quota: u8,
    processes: [Process; 6],
    late: Vec<Call>,
    faults: u8,
    crashes: u8,
    // From here on only to check by.
    ended: u8,
    acknowledged: [u8; IDS],
    told_completed: u8,
    told_exceeded: u64,
    wrong: Option<&'static str>,
}

impl Kind {
    fn is_task(self) -> bool {
        matches!(self, Self::Sweeper | Self::Mover)
    }

    fn name(self, r: usize) -> &'static str {
        match self {
            Self::Update(_) => ["update 1", "update 2", "update 3"].get(r).unwrap_or(&"update 4"),
            Self::Complete => "a completion",
            Self::Within => {
                ["completion in a quota 1", "completion in a quota 2"].get(r).unwrap_or(&"completion in a quota 3")
            }
            Self::Time => "the user session",
            Self::Room => "an old one",
            Self::Sweeper => "who looks for what is due",
            Self::Mover => "a mover",
        }
    }
}

impl World {
    fn out(&self, id: usize) -> Option<Past> {
        self.archived[id].map(|(past, _)| past).or(self.outbox[id])
    }
}

impl Model for Scenario {
    type State = World;

    fn begin(&self) -> World {
        World {
            record: Record { state: State::Live, known: 1, items: 1, ..Record::default() },
            outbox: [None; IDS],
            archived: [None; IDS],
            settled: 0,
            quota: self.quota,
            processes: [Process::default(); 6],
            late: Vec::new(),
            faults: self.faults,
            crashes: self.crashes,
            ended: 0,
            acknowledged: [1, 0],
            told_completed: 0,
            told_exceeded: 0,
            wrong: None,
        }
    }

    fn steps(&self, world: &World) -> Vec<Step<World>> {
        let mut steps = Vec::new();
        for r in 0..self.processes.len() {
            Turn { scenario: self, world, r }.steps(&mut steps);
        }
        deliver_late(&mut steps, world, world.late.len(), |to, i| {
            let call = to.late.remove(i);
            let _ = to.deliver(call, self.flaw);
            told(call)
        });
        steps
    }

    fn broken(&self, world: &World) -> Option<&'static str> {
        if world.wrong.is_some() {
            return world.wrong;
        }
        let there = &world.record;
        for id in 0..IDS {
            if there.lives() && usize::from(there.id) == id {
                let is_archived = world.archived[id].is_some() && !there.is_completing;
                if is_archived || world.outbox[id].is_some() {
                    return Some(LIVES);
                }
                if world.acknowledged[id] & !there.items != 0 {
                    return Some(UPDATE);
                }
            }
            let out = world.out(id);
            if world.ended & 1 << id != 0 && out.is_none() {
                return Some("what has ended is in the archive, or on its way there");
            }
            if out.is_some_and(|past| world.acknowledged[id] & !past.items != 0) {
                return Some(UPDATE);
            }
            let is_completed = out.is_some_and(|past| past.reason == Reason::Completed);
            if world.told_completed & 1 << id != 0 && !is_completed {
                return Some("what was told to be completed is");
            }
        }
        None
    }

    fn goals(&self) -> Vec<Goal<World>> {
        vec![(SETTLED, |world| {
            let is_frozen = world.record.lives() && world.record.is_completing;
            let waits = world.outbox.iter().any(Option::is_some);
            !is_frozen && !waits && !world.processes.iter().any(Process::is_under_way)
        })]
    }
}

const LIVES: &str = "what is in the archive, or on its way there, is not changed any more";
const SETTLED: &str = "what is being completed is settled, and what has ended comes to the archive";
const UPDATE: &str = "no acknowledged update is lost";

impl super::Scenario for Scenario {
    fn name(&self, r: usize) -> &'static str {
        self.processes[r].name(r)
    }

    fn names(&self) -> Vec<&'static str> {
        self.processes.iter().enumerate().map(|(r, kind)| kind.name(r)).collect()
    }

    fn failures(&self) -> (u8, u8) {
        (self.faults, self.crashes)
    }
}

fn told(call: Call) -> &'static str {
    match call {
        Call::Replace { .. } => "a replacement",
        Call::Sent { .. } => "an acknowledgement",
        Call::Add { .. } => "what goes to the archive",
        Call::Complete { .. } => "a completion",
        Call::Settle { .. } => "a question",
    }
}

fn scenario(processes: &'static [Kind], quota: u8, faults: u8, crashes: u8) -> Scenario {
    Scenario { processes, quota, faults, crashes, flaw: None }
}

#[test]
fn each_scenario_holds() {
    use Kind::{Complete, Mover, Room, Sweeper, Time, Update, Within};
    let brief = scenario(&[Update(1), Complete, Time, Sweeper, Mover], 1, 1, 0);
    let full = scenario(&[Update(1), Complete, Update(2), Time, Sweeper, Mover], 1, 1, 1);
    holds(&brief, &full);
    let brief = scenario(&[Within, Update(1), Sweeper], 1, 0, 1);
    let full = scenario(&[Within, Within, Sweeper], 1, 0, 1);
    holds(&brief, &full);
    let brief = scenario(&[Within, Sweeper], 1, 1, 0);
    let full = scenario(&[Within, Update(1), Sweeper], 1, 1, 0);
    holds(&brief, &full);
    let brief = scenario(&[Within, Room, Time, Sweeper, Mover], 0, 0, 1);
    let full = scenario(&[Within, Update(1), Room, Time, Sweeper, Mover], 0, 0, 0);
    holds(&brief, &full);
}

#[test]
fn each_flaw_is_found() {
    use Flaw::*;
    use Kind::{Complete, Mover, Room, Sweeper, Time, Update, Within};
    let flaws: [(Flaw, Scenario, &str); 9] = [
        (GivesBackUntold, scenario(&[Within, Sweeper], 1, 0, 0), LIVES),
        (GivesBackWhatIsNotKnown, scenario(&[Within], 1, 1, 0), LIVES),
        (AsksBeforeItFreezes, scenario(&[Within, Update(1)], 1, 0, 0), LIVES),
        (CommitsWhatHasLapsed, scenario(&[Update(1), Time], 1, 0, 0), "what has run out stays so"),
        (EndsWhateverIsThere, scenario(&[Complete, Update(1)], 1, 0, 0), UPDATE),
        (
            TakesAnyInstance,
            scenario(&[Update(1), Complete, Update(2)], 1, 0, 0),
            "nothing is decided on another than was seen",
        ),
        (
            RefusesWithoutCrossingOut,
            scenario(&[Within, Room], 0, 1, 0),
            "what was told to exceed the quota is not completed",
        ),
        (
            TakesAnyEndForCompleted,
            scenario(&[Within, Time, Sweeper, Mover], 1, 0, 0),
            "what was told to be completed is",
        ),
        (NobodyLooksForWhatIsFrozen, scenario(&[Within, Sweeper], 1, 0, 1), SETTLED),
    ];
    for (flaw, scenario, property) in flaws {
        fails_with(flaw, &Scenario { flaw: Some(flaw), ..scenario }, property);
    }
}
