//! The promise, as a program for one request at a time: a session is begun, changed and read, and nothing happens to it after its
//! end; signing in moves it; ending all ends all but those that are admitted later.
//!
//! An operation takes one step or more. Where a step has more than one outcome that is promised, all of them are answered.

use super::op::{Act, Name, Op, Tokens, Told};

/// A session. It is called after the operation that began it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Session {
    /// Not begun.
    #[default]
    None,
    Live {
        tokens: Tokens,
        signed_in: bool,
    },
    Ended,
    /// It goes on as another.
    Moved(Name),
    /// Idled out, or its marker has.
    Gone,
}

/// How things stand between two steps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    sessions: Vec<Session>,
    /// To which session the cookie leads that an operation was sent.
    leads: Vec<Option<Name>>,
    /// The user session.
    job: Option<Tokens>,
    completed: Vec<Tokens>,
    /// Whether all sessions have been ended at least once.
    swept: bool,
}

impl State {
    pub(crate) fn of(history: &[Op]) -> Self {
        let count = history.len();
        let (sessions, leads) = (vec![Session::None; count], vec![None; count]);
        Self { sessions, leads, job: None, completed: Vec::new(), swept: false }
    }

    /// How many steps an operation takes at least and at most.
    pub(crate) fn steps(op: &Op) -> (u8, u8) {
        let least_and_most = match (op.act, &op.told) {
            // Nothing was said, and nothing was done.
            (_, Told::NotApplied) | (Act::Read | Act::History, Told::Unknown | Told::HungUp) => (0, 0),
            (Act::SignIn(_), _) => (2, 2),
            (Act::EndAll(most) | Act::EndOthers(most), Told::Done { .. } | Told::Unknown | Told::HungUp) => (1, most),
            (Act::JobUpdate(_) | Act::JobComplete, told) if !told.is_open() && *told != Told::SignedOut => (2, 2),
            _ => (1, 1),
        };
        if op.told.is_open() { (0, least_and_most.1) } else { least_and_most }
    }

    fn session(&self, name: Option<Name>) -> Session {
        let led = name.map(|name| self.leads[usize::from(name)]);
        match led {
            None => Session::None,
            Some(None) => unreachable!("a cookie was sent before it was set"),
            Some(Some(session)) => self.sessions[usize::from(session)],
        }
    }

    /// The session that a name leads to, and all its moves, in the end.
    fn last(&self, name: Name) -> Name {
        let mut session = self.leads[usize::from(name)].expect("a cookie is sent after it was set");
        while let Session::Moved(to) = self.sessions[usize::from(session)] {
            session = to;
        }
        session
    }

    fn at(&mut self, session: Name) -> &mut Session {
        &mut self.sessions[usize::from(session)]
    }

    fn is_live(&self, session: Name) -> bool {
        matches!(self.sessions[usize::from(session)], Session::Live { .. })
    }

    /// Begins a session, and has the cookie that comes with it lead there.
    fn begin(&mut self, number: Name, tokens: Tokens, signed_in: bool) {
        *self.at(number) = Session::Live { tokens, signed_in };
        self.leads[usize::from(number)] = Some(number);
    }

    /// What can follow this step of an operation; nothing if it cannot come here.
    pub(crate) fn after(&self, number: Name, op: &Op, step: u8) -> Vec<Self> {
        if let Told::Strange(_) = op.told {
            return Vec::new();
        }
        let mut next = self.clone();
        let can = match op.act {
            Act::Read => self.read(op),
            Act::Update(token) => next.update(number, op, token),
            Act::SignIn(sent) => return self.sign_in(number, op, step, sent > 1),
            Act::SignOut => {
                if let Some(name) = op.name {
                    let last = next.last(name);
                    if next.is_live(last) {
                        *next.at(last) = Session::Ended;
                    }
                }
                op.told.is_open() || matches!(op.told, Told::Done { .. })
            }
            Act::EndAll(_) => {
                next.end_all(None);
                true
            }
            Act::EndOthers(_) => next.end_others(op),
            Act::JobUpdate(token) => next.update_job(op, token, step),
            Act::JobComplete => next.complete_job(op, step),
            Act::History => {
                let mut completed = self.completed.clone();
                completed.sort_unstable();
                op.told == Told::Completed(completed)
            }
            Act::Wait => {
                next.wait();
                true
            }
        };
        if can { vec![next] } else { Vec::new() }
    }

    fn read(&self, op: &Op) -> bool {
        let expected = match self.session(op.name) {
            Session::Live { tokens, signed_in } => Told::Done { seen: tokens, signed_in },
            _ => Told::Done { seen: Tokens::default(), signed_in: false },
        };
        op.told == expected
    }

    fn update(&mut self, number: Name, op: &Op, token: u8) -> bool {
        match self.session(op.name) {
            Session::Live { tokens, signed_in } => {
                let tokens = tokens.and(token);
                let led = op.name.and_then(|name| self.leads[usize::from(name)]).expect("it is live");
                *self.at(led) = Session::Live { tokens, signed_in };
                op.told.is_open() || matches!(op.told, Told::Done { seen, .. } if seen == tokens)
            }
            Session::None | Session::Gone => {
                let tokens = Tokens::default().and(token);
                self.begin(number, tokens, false);
                // Of one that nobody was told of, nobody knows.
                op.told.is_open() || op.told == Told::Began { seen: tokens }
            }
            Session::Ended | Session::Moved(_) => op.told.is_open() || matches!(op.told, Told::Ended { .. }),
        }
    }

    /// Over an anonymous session it takes two steps: the new one is admitted, then the old one gives way. Only then somebody
    /// knows of the new one, but ending all ends it before.
    fn sign_in(&self, number: Name, op: &Op, step: u8, may_be_sent_again: bool) -> Vec<Self> {
        let here = usize::from(number);
        let mut next = self.clone();
        if let Told::Ended { .. } = op.told {
            // Overtaken by the end of all: at any time after that, when in doubt. Or what it has made had ended by the time that
            // it was sent again, which takes the place of one of the same user in one step.
            let mut can = if self.swept { vec![next.clone()] } else { Vec::new() };
            if may_be_sent_again {
                match (step, self.session(op.name)) {
                    (0, Session::Live { signed_in: true, tokens }) => {
                        let old = self.last(op.name.expect("it has a name"));
                        next.begin(number, tokens, true);
                        *next.at(old) = Session::Moved(number);
                        can.push(next);
                    }
                    (1, _) if self.leads[here].is_some() && !self.is_live(self.last(number)) => can.push(next),
                    _ => {}
                }
            }
            return can;
        }
        if !op.told.is_open() && !matches!(op.told, Told::Began { .. }) {
            return Vec::new();
        }
        if step == 0 {
            match self.session(op.name) {
                Session::Live { signed_in: false, .. } => {
                    *next.at(number) = Session::Live { tokens: Tokens::default(), signed_in: true };
                }
                Session::Live { signed_in: true, tokens } => {
                    let old = self.last(op.name.expect("it has a name"));
                    next.begin(number, tokens, true);
                    *next.at(old) = Session::Moved(number);
                }
                // A second click is led where the first one went, if it still is there.
                Session::Moved(_) => match self.last(op.name.expect("it has a name")) {
                    last if self.is_live(last) => next.leads[here] = Some(last),
                    _ => next.begin(number, Tokens::default(), true),
                },
                Session::None | Session::Ended | Session::Gone => next.begin(number, Tokens::default(), true),
            }
            return vec![next];
        }
        if self.leads[here].is_some() {
            // It was done in one.
            return vec![next];
        }
        let name = op.name.expect("it came with an anonymous session");
        let old = self.leads[usize::from(name)].expect("a cookie is sent after it was set");
        next.leads[here] = Some(number);
        match self.sessions[usize::from(old)] {
            Session::Live { tokens, .. } => {
                if let Session::Live { tokens: new, .. } = next.at(number) {
                    *new = tokens;
                }
                *next.at(old) = Session::Moved(number);
            }
            Session::Moved(_) => {
                let last = self.last(name);
                if self.is_live(last) {
                    *next.at(number) = Session::Ended;
                    next.leads[here] = Some(last);
                }
            }
            // It is emptied, which it is.
            Session::None | Session::Ended | Session::Gone => {}
        }
        vec![next]
    }

    fn end_all(&mut self, but: Option<Name>) {
        for (number, session) in (0..).zip(&mut self.sessions) {
            if matches!(session, Session::Live { signed_in: true, .. }) && but != Some(number) {
                *session = Session::Ended;
            }
        }
        self.swept = true;
    }

    fn end_others(&mut self, op: &Op) -> bool {
        // It keeps its public name when a sign-in of the same user moves it, and by that it is spared.
        let asking = op.name.map(|name| self.last(name)).filter(|last| self.is_live(*last));
        match op.told {
            Told::Done { .. } | Told::Unknown | Told::HungUp => {
                self.end_all(asking);
                asking.is_some()
            }
            Told::SignedOut => !matches!(self.session(op.name), Session::Live { signed_in: true, .. }),
            Told::Ended { .. } => asking.is_none(),
            _ => false,
        }
    }

    /// First the user session is seen, then it is changed if it still is there.
    fn update_job(&mut self, op: &Op, token: u8, step: u8) -> bool {
        let signed_in = matches!(self.session(op.name), Session::Live { signed_in: true, .. });
        match &op.told {
            Told::SignedOut => return !signed_in,
            Told::Unknown | Told::HungUp => {
                if signed_in {
                    self.job = Some(self.job.unwrap_or_default().and(token));
                }
                return signed_in;
            }
            _ => {}
        }
        match (&op.told, step) {
            // What was seen is not told where it was changed.
            (Told::Done { .. }, 0) => signed_in,
            (Told::Done { seen: after, .. }, _) => {
                let tokens = self.job.unwrap_or_default().and(token);
                self.job = Some(tokens);
                signed_in && *after == tokens
            }
            (Told::Ended { seen }, 0) => signed_in && self.job.unwrap_or_default() == seen.unwrap_or_default(),
            (Told::Ended { seen }, _) => {
                let was = seen.and_then(Tokens::first);
                let is = self.job.and_then(Tokens::first);
                // Where none was seen, one may have been joined that was completed then.
                !signed_in || ((was.is_none() || was != is) && !self.completed.is_empty())
            }
            _ => false,
        }
    }

    fn complete_job(&mut self, op: &Op, step: u8) -> bool {
        let signed_in = matches!(self.session(op.name), Session::Live { signed_in: true, .. });
        match &op.told {
            Told::SignedOut => return !signed_in,
            Told::Unknown | Told::HungUp => {
                self.completed.extend(self.job.take());
                return signed_in;
            }
            _ => {}
        }
        let seen = match &op.told {
            Told::Done { seen, .. } => *seen,
            Told::Ended { seen } | Told::Changed { seen } => seen.unwrap_or_default(),
            _ => return false,
        };
        if step == 0 {
            return signed_in && self.job.unwrap_or_default() == seen;
        }
        let is_as_seen = self.job.unwrap_or_default() == seen;
        match op.told {
            Told::Done { .. } => {
                self.completed.extend(self.job.take());
                signed_in && is_as_seen && seen != Tokens::default()
            }
            Told::Ended { .. } => {
                !signed_in || seen == Tokens::default() || self.job.and_then(Tokens::first) != seen.first()
            }
            _ => !is_as_seen && self.job.and_then(Tokens::first) == seen.first(),
        }
    }

    fn wait(&mut self) {
        for session in &mut self.sessions {
            if *session != Session::None {
                *session = Session::Gone;
            }
        }
        self.job = None;
    }
}
