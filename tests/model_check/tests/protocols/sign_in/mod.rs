//! Signing in over an anonymous session, over one of the same user and over another user's, while others update it, sign out, sign in
//! and end all sessions of the user. Protocol 1, 2 and 10.

mod request;
mod store;

use crate::turn::{Turn, deliver_late};
use crate::{fails_with, holds};
use model_check::{Goal, Model, Step};
use request::Request;
use store::{ADA, Call, KEYS, Key, NOBODY, Record, State, bit};

const BOB: u8 = 2;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    SignIn(u8),
    /// Puts this into the session.
    Update(u8),
    SignOut,
    EndAll(u8),
}

/// Ways in which the protocol would be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    MarksBeforeItCopies,
    /// What it copied was ended by others: it goes on with the copy.
    KeepsWhatHasEnded,
    EmptiesTheFirstCopy,
    /// After a lost reply its own marker is somebody else's.
    DoesNotKnowItself,
    CopiesAgainWithoutComparing,
    /// Another sign-in has moved it: it goes on with the copy.
    KeepsBoth,
    FollowsAnybody,
    EndsWhateverIsThere,
    DropsWhatItDoesNotKnow,
    ListsInASecondStep,
    /// The marker is an end like any other.
    BeginsAnewWhereItMoved,
}

/// Who does what, and how much may fail.
struct Scenario {
    requests: &'static [Kind],
    faults: u8,
    crashes: u8,
    flaw: Option<Flaw>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    records: [Record; KEYS],
    /// Which of them their users' lists name.
    indexes: u16,
    epochs: [u8; 3],
    requests: [Request; 4],
    /// On their way for longer than anybody waits.
    late: Vec<Call>,
    /// The browser's cookies: of a signed-in session, and of an anonymous one.
    jar: [Option<Key>; 2],
    faults: u8,
    crashes: u8,
    // From here on only to check by.
    /// Items of updates that were told to be done; and items that have ended with their session.
    acknowledged: u8,
    dead: u8,
    /// Ids that are under a marker; that were handed to the browser; with which somebody has signed out.
    ended: u16,
    handed: u16,
    signed_out: u16,
    wrong: Option<&'static str>,
}

impl Kind {
    fn user(self) -> Option<u8> {
        if let Self::SignIn(user) = self { Some(user) } else { None }
    }

    fn name(self, r: usize) -> &'static str {
        match self {
            Self::SignIn(ADA) => ["Ada's sign-in 1", "Ada's sign-in 2", "Ada's sign-in 3", "Ada's sign-in 4"][r],
            Self::SignIn(_) => "Bob's sign-in",
            Self::Update(1) => "an update",
            Self::Update(_) => "another update",
            Self::SignOut => "a sign-out",
            Self::EndAll(_) => "the end of all",
        }
    }
}

impl World {
    fn is_quiet(&self) -> bool {
        !self.requests.iter().any(Request::is_under_way)
    }

    /// Where a cookie leads: `Exchange::look_up` and `Move::follow`.
    fn leads_to(&self, mut key: Key) -> Option<Key> {
        loop {
            match self.load(key).state {
                State::Live => return Some(key),
                State::Moved(to, _) => key = to,
                State::Absent | State::Ended(_) => return None,
            }
        }
    }

    fn led_to_by(&self, keys: u16) -> u16 {
        let led_to = (0..KEYS as Key).filter(|key| keys & (1 << key) != 0).filter_map(|key| self.leads_to(key));
        led_to.fold(0, |all, key| all | 1 << key)
    }

    fn items_of(&self, keys: u16) -> impl Iterator<Item = u8> {
        (0..KEYS).filter(move |key| keys & (1 << key) != 0).map(|key| self.records[key].items)
    }
}

impl Model for Scenario {
    type State = World;

    fn begin(&self) -> World {
        let anonymous = Record { state: State::Live, known: bit(0), items: 1, ..Record::default() };
        let mut records = [Record::default(); KEYS];
        records[0] = anonymous;
        World {
            records,
            indexes: 0,
            epochs: [0; 3],
            requests: [Request::default(); 4],
            late: Vec::new(),
            jar: [None, Some(0)],
            faults: self.faults,
            crashes: self.crashes,
            acknowledged: 1,
            dead: 0,
            ended: 0,
            handed: 1,
            signed_out: 0,
            wrong: None,
        }
    }

    fn steps(&self, world: &World) -> Vec<Step<World>> {
        let mut steps = Vec::new();
        for r in 0..self.requests.len() {
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
        let (mut held, mut copies) = (world.dead, 0);
        for (key, record) in world.records.iter().enumerate().filter(|(_, record)| record.lives()) {
            if record.user != NOBODY && !world.lists(key as Key) {
                return Some("no session lives that its user's list does not name");
            }
            if record.is_copy { copies |= record.items } else { held |= record.items }
        }
        if world.acknowledged & !held != 0 {
            return Some("no acknowledged update is lost");
        }
        let is_calm = (world.faults, world.crashes) == (self.faults, self.crashes);
        if is_calm && world.is_quiet() && copies != 0 {
            return Some("if nothing fails no copy is left behind");
        }
        if world.led_to_by(world.signed_out) != 0 {
            return Some("after a sign-out nothing lives where its cookies lead");
        }
        let mut counted = world.dead;
        for items in world.items_of(world.led_to_by(world.handed)) {
            if counted & items != 0 {
                return Some(if world.dead & items != 0 { ENDED_CONTENT } else { TWO_COPIES });
            }
            counted |= items;
        }
        None
    }

    fn goals(&self) -> Vec<Goal<World>> {
        // The next user of a browser does not find it, nor does who has signed out.
        if self.requests.iter().any(|kind| matches!(kind, Kind::SignIn(BOB) | Kind::SignOut)) {
            return Vec::new();
        }
        vec![("whoever signs in once more finds all that was acknowledged", |world| {
            let led_to = world.jar.iter().flatten().filter_map(|key| world.leads_to(*key)).next();
            let found = led_to.map_or(0, |key| world.load(key).items);
            world.is_quiet() && world.acknowledged & !world.dead & !found == 0
        })]
    }
}

const ENDED_CONTENT: &str = "what has ended is in no session that anybody has";
const TWO_COPIES: &str = "no two live copies count";

impl super::Scenario for Scenario {
    fn name(&self, r: usize) -> &'static str {
        self.requests[r].name(r)
    }

    fn names(&self) -> Vec<&'static str> {
        self.requests.iter().enumerate().map(|(r, kind)| kind.name(r)).collect()
    }

    fn failures(&self) -> (u8, u8) {
        (self.faults, self.crashes)
    }
}

fn told(call: Call) -> &'static str {
    match call {
        Call::Commit { .. } => "a commit",
        Call::End { .. } => "an ending",
        Call::Admit { .. } => "an admission",
        Call::EndAll { .. } => "the end of all",
        Call::Put { .. } => "a copy",
        Call::List { .. } => "an entry in a list",
    }
}

const SIGN_IN: Kind = Kind::SignIn(ADA);

fn scenario(requests: &'static [Kind], faults: u8, crashes: u8) -> Scenario {
    Scenario { requests, faults, crashes, flaw: None }
}

#[test]
fn each_scenario_holds() {
    use Kind::{EndAll, SignOut, Update};
    let brief = scenario(&[SIGN_IN, SIGN_IN, Update(1)], 1, 1);
    holds(&brief, &scenario(&[SIGN_IN, SIGN_IN, SIGN_IN], 1, 2));
    let brief = scenario(&[SIGN_IN, SignOut, Update(1)], 1, 1);
    holds(&brief, &scenario(&[SIGN_IN, SIGN_IN, SignOut, Update(1)], 1, 1));
    let brief = scenario(&[SIGN_IN, EndAll(ADA), Update(1)], 1, 1);
    holds(&brief, &scenario(&[SIGN_IN, EndAll(ADA), Update(1), Update(2)], 2, 2));
    let brief = scenario(&[SIGN_IN, Kind::SignIn(BOB), Update(1)], 1, 0);
    holds(&brief, &scenario(&[SIGN_IN, Kind::SignIn(BOB), Update(1), SIGN_IN], 1, 1));
}

#[test]
fn each_flaw_is_found() {
    use Flaw::*;
    use Kind::{EndAll, SignOut, Update};
    let flaws: [(Flaw, &'static [Kind], u8, u8, &str); 11] = [
        (MarksBeforeItCopies, &[SIGN_IN], 0, 1, "no acknowledged update is lost"),
        (KeepsWhatHasEnded, &[SIGN_IN, SignOut], 0, 0, ENDED_CONTENT),
        (EmptiesTheFirstCopy, &[SIGN_IN, SignOut, Update(1)], 0, 0, "if nothing fails no copy is left behind"),
        (DoesNotKnowItself, &[SIGN_IN], 1, 0, "no acknowledged update is lost"),
        (CopiesAgainWithoutComparing, &[SIGN_IN, EndAll(ADA), Update(1)], 0, 0, "what has ended stays ended"),
        (KeepsBoth, &[SIGN_IN, SIGN_IN], 0, 0, TWO_COPIES),
        (FollowsAnybody, &[SIGN_IN, Kind::SignIn(BOB)], 0, 0, "nobody is handed the session of another user"),
        (EndsWhateverIsThere, &[SIGN_IN, Update(1)], 0, 0, "no acknowledged update is lost"),
        (DropsWhatItDoesNotKnow, &[SIGN_IN], 1, 0, "no acknowledged update is lost"),
        (ListsInASecondStep, &[SIGN_IN], 0, 0, "no session lives that its user's list does not name"),
        (
            BeginsAnewWhereItMoved,
            &[SIGN_IN, SIGN_IN],
            0,
            0,
            "whoever signs in once more finds all that was acknowledged",
        ),
    ];
    for (flaw, requests, faults, crashes, property) in flaws {
        let flawed = Scenario { requests, faults, crashes, flaw: Some(flaw) };
        fails_with(flaw, &flawed, property);
    }
}
