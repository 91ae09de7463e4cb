//! What clients did, and what they were told: a history.

use std::fmt;
use std::sync::Mutex;

/// What is in a session, or in a user session, in the order in which it was put in: numbers from 1 to 31, each put in by one
/// operation of its history.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Tokens(u128);

impl Tokens {
    const MOST: usize = 25;
    const BITS: usize = 5;

    pub(crate) fn and(self, token: u8) -> Self {
        Self(self.0 << Self::BITS | u128::from(token))
    }

    /// None if these are not tokens of a history: what is there belongs elsewhere.
    pub(crate) fn of(tokens: &[u8]) -> Option<Self> {
        if tokens.len() > Self::MOST || tokens.iter().any(|token| !(1..32).contains(token)) {
            return None;
        }
        Some(tokens.iter().fold(Self::default(), |all, token| all.and(*token)))
    }

    fn list(self) -> impl Iterator<Item = u8> {
        let places = (0..Self::MOST).rev().map(move |place| (self.0 >> (place * Self::BITS)) as u8 & 31);
        places.skip_while(|token| *token == 0)
    }

    pub(crate) fn first(self) -> Option<u8> {
        self.list().next()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.list()).finish()
    }
}

/// Which operation of its history set a cookie: that is what the session behind it is called.
pub(crate) type Name = u8;

/// What a client asks for. The cookie it sends is beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Read,
    Update(u8),
    /// Sent at most so often.
    SignIn(u8),
    SignOut,
    /// At most so often: a store that is asked again, since its answer was lost, ends again what has come meanwhile.
    EndAll(u8),
    /// Ends all of the user's sessions but the one that asks; at most so often.
    EndOthers(u8),
    /// Changes the user session, or begins one.
    JobUpdate(u8),
    JobComplete,
    /// What has been completed.
    History,
    /// So much time passes that whatever lives has idled out. Nothing else is under way but what nobody heard of again.
    Wait,
}

/// What a client was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Done. What was seen last, who is signed in.
    Done {
        seen: Tokens,
        signed_in: bool,
    },
    /// Done, and a new session's cookie came with it.
    Began {
        seen: Tokens,
    },
    /// What has been completed, sorted.
    Completed(Vec<Tokens>),
    /// It has ended; nothing was changed.
    Ended {
        seen: Option<Tokens>,
    },
    /// It is not what was seen; nothing was changed.
    Changed {
        seen: Option<Tokens>,
    },
    SignedOut,
    /// The store did not do it.
    NotApplied,
    /// Nobody can tell.
    Unknown,
    /// What nobody is ever to be told.
    Strange(String),
    /// The client hung up before it was told.
    HungUp,
}

impl Told {
    /// Whether it may have been done all the same, or may still be.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Unknown | Self::HungUp)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Op {
    pub(crate) client: u8,
    pub(crate) act: Act,
    /// The session whose cookie was sent; none was if there is none.
    pub(crate) name: Option<Name>,
    /// When it was asked, in the order of all that happened.
    pub(crate) asked: u32,
    pub(crate) told: Told,
    /// When it was told. What is open was never told.
    pub(crate) answered: u32,
}

/// Writes down what happens.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<(u32, Vec<Op>)>);

impl Recorder {
    /// Notes that something was asked, by `ask`, which is told the operation's number.
    pub(crate) fn ask(&self, client: u8, name: Option<Name>, ask: impl FnOnce(u8) -> Act) -> (u8, Act) {
        let mut history = self.0.lock().unwrap();
        let (now, ops) = &mut *history;
        *now += 1;
        let number = u8::try_from(ops.len()).expect("histories are short");
        let act = ask(number);
        ops.push(Op { client, act, name, asked: *now, told: Told::HungUp, answered: u32::MAX });
        (number, act)
    }

    pub(crate) fn tell(&self, number: u8, told: Told) {
        let mut history = self.0.lock().unwrap();
        let (now, ops) = &mut *history;
        *now += 1;
        let op = &mut ops[usize::from(number)];
        op.answered = if told.is_open() { u32::MAX } else { *now };
        op.told = told;
    }

    pub(crate) fn history(self) -> Vec<Op> {
        self.0.into_inner().unwrap().1
    }
}

/// A history as somebody would want to read it who looks for a bug.
pub(crate) fn written_out(history: &[Op]) -> String {
    let mut lines = String::new();
    for (number, op) in history.iter().enumerate() {
        let answered = if op.told.is_open() { "…".to_owned() } else { op.answered.to_string() };
        let name = op.name.map_or("without a cookie".to_owned(), |name| format!("with the cookie of {name}"));
        let times = format!("{}–{answered}", op.asked);
        lines += &format!("{number:2}  {times:>8}  client {} {name}: {:?} -> {:?}\n", op.client, op.act, op.told);
    }
    lines
}
