//! The model: what has to come of each request, if there is only one at a time.

use super::super::op::{Tokens, Told};
use super::super::site::{ABSOLUTE, IDLE, LIFETIME};
use super::step::{BROWSERS, MINUTES, USERS, What};
use std::time::Duration;

/// The limits, as often as [`MINUTES`] are in them.
const IDLES_OUT: u64 = times(IDLE);
const ENDS: u64 = times(ABSOLUTE);
const JOB_ENDS: u64 = times(LIFETIME);

const fn times(limit: Duration) -> u64 {
    limit.as_secs() / (MINUTES * 60)
}

/// What is there.
pub(super) struct Model {
    now: u64,
    /// Whether limits hold that count whatever happens.
    absolute: bool,
    sessions: Vec<Session>,
    /// The session to which each browser's cookie leads, and that of the cookie before.
    browsers: [[Option<usize>; 2]; BROWSERS],
    jobs: [Option<Job>; USERS],
    completed: [Vec<Tokens>; USERS],
    /// When all of the user's sessions were ended last. Who signs in at the same moment may be refused.
    swept: [Option<u64>; USERS],
    pub(super) seen: Seen,
}

struct Session {
    notes: Tokens,
    user: Option<usize>,
    /// The same where a sign-in of the same user goes on with it.
    handle: usize,
    began: u64,
    used: u64,
    /// When it ended, or went on as another: some time later nothing tells of it any more.
    left: Option<u64>,
    went_to: Option<usize>,
}

struct Job {
    notes: Tokens,
    began: u64,
    used: u64,
}

/// What a browser was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    Nothing,
    /// The cookie of a session that begins, or goes on under another id.
    Session,
    Removal,
}

/// How often what matters has come to pass.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) idled_out: u64,
    pub(super) reached_the_end: u64,
    pub(super) told_of_the_end: u64,
    pub(super) completed: u64,
}

impl Model {
    pub(super) fn new(absolute: bool) -> Self {
        let (sessions, completed) = (Vec::new(), Default::default());
        let (browsers, jobs) = (Default::default(), Default::default());
        Self { now: 1, absolute, sessions, browsers, jobs, completed, swept: [None; USERS], seen: Seen::default() }
    }

    pub(super) fn pass(&mut self, times: u64) {
        self.now += times;
    }

    /// How many sessions a user has.
    pub(super) fn devices(&self, user: usize) -> usize {
        (0..self.sessions.len()).filter(|id| self.sessions[*id].user == Some(user) && self.lives(*id)).count()
    }

    fn lives(&self, id: usize) -> bool {
        let session = &self.sessions[id];
        session.left.is_none() && self.now - session.used < IDLES_OUT && !self.is_past_its_end(id)
    }

    fn is_past_its_end(&self, id: usize) -> bool {
        self.absolute && self.now - self.sessions[id].began >= ENDS
    }

    /// Whether something still tells that a session was there: a marker, for two minutes.
    fn has_left_a_marker(&self, id: usize) -> bool {
        self.sessions[id].left == Some(self.now)
    }

    fn begin(&mut self, browser: usize, notes: Tokens, user: Option<usize>, handle: Option<usize>) {
        let id = self.sessions.len();
        let (began, used, left) = (self.now, self.now, None);
        let (handle, went_to) = (handle.unwrap_or(id), None);
        self.sessions.push(Session { notes, user, handle, began, used, left, went_to });
        self.browsers[browser] = [Some(id), self.browsers[browser][0]];
    }

    fn end_all(&mut self, user: usize, but: Option<usize>) {
        for id in 0..self.sessions.len() {
            if self.sessions[id].user == Some(user) && self.lives(id) && but != Some(id) {
                self.sessions[id].left = Some(self.now);
            }
        }
        self.swept[user] = Some(self.now);
    }

    /// The user session that lives.
    fn job(&mut self, user: usize) -> Option<&mut Job> {
        let (now, absolute) = (self.now, self.absolute);
        let lives = |job: &&mut Job| now - job.used < IDLES_OUT && (!absolute || now - job.began < JOB_ENDS);
        self.jobs[user].as_mut().filter(lives)
    }

    /// Whether this is an answer that is promised as well: nothing was done.
    pub(super) fn may_refuse(&self, what: What, told: &Told) -> bool {
        matches!(what, What::SignIn(user) if self.swept[user] == Some(self.now)) && matches!(told, Told::Ended { .. })
    }

    /// What a browser has to be told, and sent. `token` is what it puts in.
    pub(super) fn does(&mut self, browser: usize, before: bool, what: What, token: u8) -> (Told, Sent) {
        let id = self.browsers[browser][usize::from(before)];
        let live = id.filter(|id| self.lives(*id));
        self.note(id, live);
        let done = |seen, signed_in| (Told::Done { seen, signed_in }, Sent::Nothing);
        // Whatever asks for a session uses it.
        if let (Some(id), false) = (live, matches!(what, What::EndAll(_) | What::History(_))) {
            self.sessions[id].used = self.now;
        }
        let user = live.and_then(|id| self.sessions[id].user);
        match (what, live, user) {
            (What::Read, live, user) => {
                done(live.map(|id| self.sessions[id].notes).unwrap_or_default(), user.is_some())
            }
            (What::Update, Some(id), _) => {
                let notes = &mut self.sessions[id].notes;
                *notes = notes.and(token);
                done(*notes, false)
            }
            (What::Update, None, _) if id.is_some_and(|id| self.has_left_a_marker(id)) => {
                self.seen.told_of_the_end += 1;
                (Told::Ended { seen: None }, Sent::Nothing)
            }
            (What::Update, None, _) => {
                let notes = Tokens::default().and(token);
                self.begin(browser, notes, None, None);
                (Told::Done { seen: notes, signed_in: false }, Sent::Session)
            }
            (What::SignIn(new), live, user) => {
                // What one user had is nothing to the next.
                let goes_on = live.filter(|_| user.is_none() || user == Some(new)).map(|id| &self.sessions[id]);
                let notes = goes_on.map(|session| session.notes).unwrap_or_default();
                let handle = goes_on.and_then(|session| session.user.map(|_| session.handle));
                let goes_on = goes_on.is_some();
                if let Some(id) = live {
                    self.sessions[id].left = Some(self.now);
                    self.sessions[id].went_to = goes_on.then_some(self.sessions.len());
                }
                self.begin(browser, notes, Some(new), handle);
                (Told::Done { seen: Tokens::default(), signed_in: true }, Sent::Session)
            }
            (What::SignOut, ..) => {
                if let Some(id) = id.filter(|id| !self.is_past_its_end(*id)) {
                    self.sign_out(id);
                }
                self.browsers[browser] = [None, self.browsers[browser][0]];
                (Told::Done { seen: Tokens::default(), signed_in: false }, Sent::Removal)
            }
            (What::EndAll(user), ..) => {
                self.end_all(user, None);
                done(Tokens::default(), false)
            }
            (What::EndOthers, _, Some(user)) => {
                self.end_all(user, live);
                done(Tokens::default(), true)
            }
            (What::JobUpdate, _, Some(user)) => {
                let now = self.now;
                if self.job(user).is_none() {
                    self.jobs[user] = Some(Job { notes: Tokens::default(), began: now, used: now });
                }
                let job = self.job(user).expect("it lives");
                (job.notes, job.used) = (job.notes.and(token), now);
                done(job.notes, true)
            }
            (What::JobComplete, _, Some(user)) => match self.job(user).map(|job| job.notes) {
                Some(notes) => {
                    self.jobs[user] = None;
                    self.completed[user].push(notes);
                    self.seen.completed += 1;
                    done(notes, true)
                }
                None => (Told::Ended { seen: Some(Tokens::default()) }, Sent::Nothing),
            },
            (What::EndOthers | What::JobUpdate | What::JobComplete, _, None) => (Told::SignedOut, Sent::Nothing),
            (What::History(user), ..) => {
                let mut completed = self.completed[user].clone();
                completed.sort_unstable();
                (Told::Completed(completed), Sent::Nothing)
            }
        }
    }

    /// Ends it, or what it goes on as: a marker leads there, and later the handle if somebody is signed in.
    fn sign_out(&mut self, id: usize) {
        let mut last = id;
        while let (true, Some(next)) = (self.has_left_a_marker(last), self.sessions[last].went_to) {
            last = next;
        }
        let Session { user, handle, .. } = self.sessions[last];
        for other in 0..self.sessions.len() {
            let is_it = other == last || (user.is_some() && self.sessions[other].handle == handle);
            if is_it && self.lives(other) {
                self.sessions[other].left = Some(self.now);
            }
        }
    }

    fn note(&mut self, id: Option<usize>, live: Option<usize>) {
        if let (Some(id), None) = (id, live)
            && self.sessions[id].left.is_none()
        {
            let ended = self.is_past_its_end(id);
            self.seen.reached_the_end += u64::from(ended);
            self.seen.idled_out += u64::from(!ended);
        }
    }
}
