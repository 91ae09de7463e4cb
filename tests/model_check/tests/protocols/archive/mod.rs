//! One browser's session on its way to the archive, in whatever way it ends: with updates, a change of its id, two movers side by side,
//! one of which may not have the keys, and two who look for what has run out. Protocol 12 and 17.

mod process;
mod store;

use crate::turn::{Turn, deliver_late};
use crate::{fails_with, holds};
use model_check::{Goal, Model, Step};
use process::Process;
use store::{Call, KEYS, Record, State};

/// What a process is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Puts this into the session.
    Update(u8),
    SignOut,
    /// The session goes on under another id.
    Again,
    /// Nobody asks: time passes, and it idles out.
    Idle,
    /// Takes from the outbox to the archive, again and again.
    Mover {
        has_keys: bool,
    },
    /// Looks for what has run out, again and again.
    Retirer,
}

/// Ways in which the protocol would be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    AcknowledgesFirst,
    SendsInASecondStep,
    RetiresWithoutLooking,
    AddsTwice,
    SendsOutWhatMoves,
    MovesWithoutItsCopy,
    CommitsWithoutTheCopy,
    ForgetsWhatRunsOut,
    UnburiesFirst,
    LeavesTheDeadBuried,
}

struct Scenario {
    processes: &'static [Kind],
    faults: u8,
    crashes: u8,
    flaw: Option<Flaw>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    records: [Record; KEYS],
    /// What outlives a record, and is listed as something that may run out.
    copies: [Option<u8>; KEYS],
    outbox: Option<u8>,
    archived: Option<u8>,
    /// A dead letter.
    dead: Option<u8>,
    processes: [Process; 7],
    late: Vec<Call>,
    faults: u8,
    crashes: u8,
    // From here on only to check by.
    /// How often it was written to the archive.
    added: u8,
    /// What it held when it ended; and what it was told to hold.
    ended: Option<u8>,
    acknowledged: u8,
    wrong: Option<&'static str>,
}

impl Kind {
    fn is_task(self) -> bool {
        matches!(self, Self::Mover { .. } | Self::Retirer)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Update(1) => "an update",
            Self::Update(_) => "another update",
            Self::SignOut => "a sign-out",
            Self::Again => "a proof",
            Self::Idle => "the session",
            Self::Mover { has_keys: true } => "a mover",
            Self::Mover { has_keys: false } => "a mover without keys",
            Self::Retirer => "who looks for what has run out",
        }
    }
}

impl Model for Scenario {
    type State = World;

    fn begin(&self) -> World {
        let live = Record { state: State::Live, known: 1, items: 1, write: 0 };
        World {
            records: [live, Record::default()],
            copies: [(self.flaw != Some(Flaw::ForgetsWhatRunsOut)).then_some(1), None],
            outbox: None,
            archived: None,
            dead: None,
            processes: [Process::default(); 7],
            late: Vec::new(),
            faults: self.faults,
            crashes: self.crashes,
            added: 0,
            ended: None,
            acknowledged: 1,
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
        if world.added > 1 {
            return Some(ONCE);
        }
        let out = [world.outbox, world.archived, world.dead];
        if world.lives() {
            return out.iter().any(Option::is_some).then_some(LIVES);
        }
        let ended = world.ended?;
        if world.acknowledged & !ended != 0 {
            return Some("no acknowledged update is lost");
        }
        // As long as nobody has sent it out, a copy is what is left.
        let left = out.into_iter().chain(world.copies).flatten();
        if left.clone().next().is_none() {
            return Some(LOST);
        }
        left.into_iter().any(|items| items != ended).then_some(LAST)
    }

    fn goals(&self) -> Vec<Goal<World>> {
        vec![(ARRIVES, |world| {
            let is_left = world.outbox.is_some() || world.dead.is_some() || world.copies.iter().any(Option::is_some);
            world.lives() || world.archived.is_some() && !is_left
        })]
    }
}

const ONCE: &str = "it is in the archive once";
const LIVES: &str = "what lives is not in the archive, nor on its way there";
const LOST: &str = "what has ended is in the archive, or on its way there";
const ARRIVES: &str = "what has ended comes to be in the archive and nowhere else";
const LAST: &str = "the archive has what it held last";

impl super::Scenario for Scenario {
    fn name(&self, r: usize) -> &'static str {
        self.processes[r].name()
    }

    fn names(&self) -> Vec<&'static str> {
        self.processes.iter().map(|kind| kind.name()).collect()
    }

    fn failures(&self) -> (u8, u8) {
        (self.faults, self.crashes)
    }
}

fn told(call: Call) -> &'static str {
    match call {
        Call::Commit { .. } => "a commit",
        Call::End { .. } => "an ending",
        Call::Move { .. } => "a move",
        Call::Retire { .. } => "what retires",
        Call::Sent => "an acknowledgement",
        Call::Add { .. } => "what goes to the archive",
        Call::Bury { .. } => "a dead letter",
        Call::Unbury => "the end of a dead letter",
        Call::Send { .. } => "what goes out",
    }
}

const MOVER: Kind = Kind::Mover { has_keys: true };
const KEYLESS: Kind = Kind::Mover { has_keys: false };

fn scenario(processes: &'static [Kind], faults: u8, crashes: u8) -> Scenario {
    Scenario { processes, faults, crashes, flaw: None }
}

#[test]
fn each_scenario_holds() {
    use Kind::{Again, Idle, Retirer, SignOut, Update};
    let brief = scenario(&[Update(1), SignOut, MOVER, KEYLESS], 1, 1);
    let full = scenario(&[Update(1), Update(2), SignOut, Again, MOVER, KEYLESS], 1, 2);
    holds(&brief, &full);
    let brief = scenario(&[Update(1), Idle, Again, MOVER, Retirer], 1, 1);
    let full = scenario(&[Update(1), Idle, Again, SignOut, MOVER, MOVER, Retirer], 1, 1);
    holds(&brief, &full);
    let brief = scenario(&[Idle, SignOut, MOVER, Retirer, Retirer], 1, 1);
    let full = scenario(&[Idle, SignOut, MOVER, KEYLESS, Retirer, Retirer], 2, 2);
    holds(&brief, &full);
}

#[test]
fn each_flaw_is_found() {
    use Flaw::*;
    use Kind::{Again, Idle, Retirer, SignOut, Update};
    let flaws: [(Flaw, &'static [Kind], u8, u8, &str); 10] = [
        (AcknowledgesFirst, &[SignOut, MOVER], 0, 0, LOST),
        (SendsInASecondStep, &[SignOut, MOVER], 0, 0, LOST),
        (RetiresWithoutLooking, &[Retirer], 0, 0, LIVES),
        (AddsTwice, &[SignOut, MOVER, MOVER], 0, 0, ONCE),
        (SendsOutWhatMoves, &[Again], 0, 0, LIVES),
        (MovesWithoutItsCopy, &[Again, Retirer], 0, 0, LIVES),
        (CommitsWithoutTheCopy, &[Update(1), Idle, Retirer], 0, 0, LAST),
        (ForgetsWhatRunsOut, &[Idle, Retirer], 0, 0, LOST),
        (UnburiesFirst, &[SignOut, MOVER, KEYLESS], 0, 0, LOST),
        (LeavesTheDeadBuried, &[SignOut, MOVER, KEYLESS], 0, 0, ARRIVES),
    ];
    for (flaw, processes, faults, crashes, property) in flaws {
        let flawed = Scenario { processes, faults, crashes, flaw: Some(flaw) };
        fails_with(flaw, &flawed, property);
    }
}
