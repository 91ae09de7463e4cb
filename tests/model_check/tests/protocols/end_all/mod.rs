//! Ending all sessions of a user, all but one, and one by its name, while others sign in, prove themselves again, idle out and make
//! room. Protocol 4, 9 and 14.

mod request;
mod store;

use crate::turn::{Turn, deliver_late};
use crate::{fails_with, holds};
use model_check::{Goal, Model, Step};
use request::Request;
use store::{Call, KEYS, Key, Record, State};

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// On a new device.
    SignIn,
    /// On this device: its session goes on under another id.
    Again(Key),
    /// All but that of this name.
    EndAll(Option<u8>),
    EndDevice(u8),
    /// Nobody asks: time passes, and this session idles out.
    Idle(Key),
}

/// Ways in which the protocol would be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    LeavesTheEpoch,
    RaisesTheEpochLater,
    /// Ends what the list named when it was read.
    SweepsWhatItRead,
    /// A sign-in takes the epoch of when it is admitted, not of when it began.
    TakesAnyEpoch,
    /// The one to be kept is not there, after a lost reply.
    SaysThatNothingHappened,
    /// As `RedisStore` once did: one that moves while the records are read is in neither place.
    ReadsTheListOnce,
    ListsInASecondStep,
    CountsBeforeItAdmits,
}

struct Scenario {
    requests: &'static [Kind],
    /// How many sessions a user may have.
    limit: u32,
    /// Whether the store reads before it writes, as Redis does.
    in_steps: bool,
    faults: u8,
    crashes: u8,
    flaw: Option<Flaw>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    records: [Record; KEYS],
    /// What the user's list names.
    list: u8,
    epoch: u8,
    requests: [Request; 4],
    late: Vec<Call>,
    faults: u8,
    crashes: u8,
    // From here on only to check by.
    /// How often all were ended, and whose was kept the last time.
    swept: u8,
    kept: Option<u8>,
    /// By which requests they were, and which were told that nothing has happened.
    swept_by: u8,
    told_nothing: u8,
    /// Names of which somebody was told that they have ended.
    ended_handles: u8,
}

impl Kind {
    fn name(self, r: usize) -> &'static str {
        match self {
            Self::SignIn => ["sign-in 1", "sign-in 2", "sign-in 3", "sign-in 4"][r],
            Self::Again(_) => ["proof 1", "proof 2", "proof 3", "proof 4"][r],
            Self::EndAll(None) => ["end of all 1", "end of all 2", "end of all 3", "end of all 4"][r],
            Self::EndAll(_) => "the end of all others",
            Self::EndDevice(_) => "the end of a device",
            Self::Idle(_) => "a session that idles out",
        }
    }
}

impl Model for Scenario {
    type State = World;

    fn begin(&self) -> World {
        let mut records = [Record::default(); KEYS];
        for (handle, record) in records.iter_mut().take(2).enumerate() {
            *record = Record { state: State::Live, handle: handle as u8, ..Record::default() };
        }
        World {
            records,
            list: 0b11,
            epoch: 0,
            requests: [Request::default(); 4],
            late: Vec::new(),
            faults: self.faults,
            crashes: self.crashes,
            swept: 0,
            kept: None,
            swept_by: 0,
            told_nothing: 0,
            ended_handles: 0,
        }
    }

    fn steps(&self, world: &World) -> Vec<Step<World>> {
        let mut steps = Vec::new();
        for r in 0..self.requests.len() {
            Turn { scenario: self, world, r }.steps(&mut steps);
        }
        deliver_late(&mut steps, world, world.late.len(), |to, i| {
            let call = to.late.remove(i);
            let _ = to.deliver(call, self.limit, self.flaw);
            told(call)
        });
        steps
    }

    fn broken(&self, world: &World) -> Option<&'static str> {
        let live = || world.records.iter().enumerate().filter(|(_, record)| record.lives());
        if live().any(|(key, _)| world.list & (1 << key) == 0) {
            return Some("no session lives that its user's list does not name");
        }
        if live().any(|(_, record)| record.began < world.swept) {
            return Some("whoever began to sign in before all were ended does not live after that");
        }
        if live().any(|(_, record)| record.stamp < world.epoch && world.kept != Some(record.handle)) {
            return Some("nobody who lives is refused by those who have heard");
        }
        if live().any(|(_, record)| world.ended_handles & (1 << record.handle) != 0) {
            return Some("what was told to have ended does not live");
        }
        if live().count() > self.limit as usize {
            return Some("no user has more sessions than allowed");
        }
        (world.told_nothing & world.swept_by != 0).then_some("who is told that nothing has happened is told the truth")
    }

    fn goals(&self) -> Vec<Goal<World>> {
        vec![("every request comes to an end", |world| !world.requests.iter().any(Request::is_under_way))]
    }
}

impl super::Scenario for Scenario {
    fn name(&self, r: usize) -> &'static str {
        self.requests[r].name(r)
    }

    fn names(&self) -> Vec<&'static str> {
        let store = if self.in_steps { "a store in several steps" } else { "a store in one step" };
        self.requests.iter().enumerate().map(|(r, kind)| kind.name(r)).chain([store]).collect()
    }

    fn failures(&self) -> (u8, u8) {
        (self.faults, self.crashes)
    }
}

fn told(call: Call) -> &'static str {
    match call {
        Call::Admit { .. } => "an admission",
        Call::Depart { .. } => "an ending",
        Call::EndAll { .. } => "the end of all",
        Call::Heal { .. } => "what tidies up",
        Call::Raise => "an epoch",
        Call::List { .. } => "an entry in a list",
    }
}

fn scenario(requests: &'static [Kind], limit: u32, in_steps: bool, faults: u8, crashes: u8) -> Scenario {
    Scenario { requests, limit, in_steps, faults, crashes, flaw: None }
}

#[test]
fn each_scenario_holds() {
    use Kind::{Again, EndAll, EndDevice, Idle, SignIn};
    for in_steps in [false, true] {
        let both = |brief, full, limit| {
            holds(&scenario(brief, limit, in_steps, 1, 1), &scenario(full, limit, in_steps, 2, 2));
        };
        both(&[EndAll(None), SignIn, Again(0)], &[EndAll(None), SignIn, Again(0), EndAll(None)], 4);
        both(&[EndAll(Some(0)), Again(0), SignIn], &[EndAll(Some(0)), Again(0), SignIn, EndDevice(0)], 4);
        both(&[EndDevice(0), Again(0), Idle(1)], &[EndDevice(0), Again(0), EndAll(Some(1)), Idle(1)], 4);
        both(&[SignIn, SignIn, Again(0)], &[SignIn, SignIn, Again(0), EndAll(Some(0))], 2);
    }
}

#[test]
fn each_flaw_is_found() {
    use Flaw::*;
    use Kind::{Again, EndAll, EndDevice, SignIn};
    let survived = "whoever began to sign in before all were ended does not live after that";
    let flaws: [(Flaw, Scenario, &str); 8] = [
        (LeavesTheEpoch, scenario(&[EndAll(None), SignIn], 4, false, 0, 0), survived),
        (RaisesTheEpochLater, scenario(&[EndAll(None), SignIn], 4, false, 0, 0), survived),
        (SweepsWhatItRead, scenario(&[EndAll(None), SignIn], 4, true, 0, 0), survived),
        (TakesAnyEpoch, scenario(&[EndAll(None), SignIn], 4, false, 0, 0), survived),
        (
            SaysThatNothingHappened,
            scenario(&[EndAll(Some(0)), EndDevice(0)], 4, false, 1, 0),
            "who is told that nothing has happened is told the truth",
        ),
        (
            ReadsTheListOnce,
            scenario(&[EndDevice(0), Again(0)], 4, true, 0, 0),
            "what was told to have ended does not live",
        ),
        (
            ListsInASecondStep,
            scenario(&[SignIn], 4, false, 0, 0),
            "no session lives that its user's list does not name",
        ),
        (CountsBeforeItAdmits, scenario(&[SignIn, SignIn], 3, false, 0, 0), "no user has more sessions than allowed"),
    ];
    for (flaw, scenario, property) in flaws {
        fails_with(flaw, &Scenario { flaw: Some(flaw), ..scenario }, property);
    }
}
