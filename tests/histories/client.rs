//! Browsers of one user that do this and that at once, as a seed says.

use super::campaign::{Broken, Tally, checked, user};
use super::op::{Act, Name, Op, Recorder, Tokens, Told};
use super::site::{Cookie, Received, Site};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use thin_session::UserId;
use tokio::task::JoinSet;

/// What the clients of one history share.
struct Story {
    site: Arc<Site>,
    user: UserId,
    recorder: Recorder,
    /// All cookies that anybody was sent: somebody may send them again.
    cookies: Mutex<Vec<(Name, Cookie)>>,
    /// How often each kind of thing is done.
    mood: Mood,
}

/// How many of a hundred operations are of which kind: the rest reads.
#[derive(Clone, Copy)]
struct Mood {
    updates: u32,
    sign_ins: u32,
    sign_outs: u32,
    ends: u32,
    jobs: u32,
}

const MOODS: [Mood; 5] = [
    Mood { updates: 60, sign_ins: 10, sign_outs: 5, ends: 0, jobs: 0 },
    Mood { updates: 30, sign_ins: 35, sign_outs: 10, ends: 5, jobs: 0 },
    Mood { updates: 20, sign_ins: 25, sign_outs: 5, ends: 20, jobs: 0 },
    Mood { updates: 5, sign_ins: 15, sign_outs: 5, ends: 5, jobs: 55 },
    Mood { updates: 25, sign_ins: 20, sign_outs: 10, ends: 10, jobs: 20 },
];

struct Client {
    number: u8,
    story: Arc<Story>,
    cookie: Option<(Name, Cookie)>,
    random: StdRng,
}

/// Runs one history.
pub(crate) async fn run(site: Arc<Site>, seed: u64, user: UserId) -> Vec<Op> {
    let mut random = StdRng::seed_from_u64(seed);
    let mood = MOODS[random.random_range(0..MOODS.len())];
    let (recorder, cookies) = (Recorder::default(), Mutex::default());
    let story = Arc::new(Story { site, user, recorder, cookies, mood });
    let mut first = Client { number: 0, story: Arc::clone(&story), cookie: None, random };
    // As a rule there is something to begin with.
    if first.random.random_ratio(3, 4) {
        first.does(|number| Act::Update(number + 1)).await;
    }
    if first.random.random_ratio(mood.jobs + 10, 100) {
        first.does(|_| Act::SignIn(story.site.most())).await;
    }
    let (clients, each) = (first.random.random_range(2..=4), first.random.random_range(2..=3));
    first.with_others(clients, each).await;
    if story.site.can_wait() && first.random.random_ratio(1, 5) {
        let (number, _) = story.recorder.ask(0, None, |_| Act::Wait);
        story.site.wait().await;
        story.recorder.tell(number, Told::Done { seen: Tokens::default(), signed_in: false });
        first.with_others(2, 2).await;
    }
    // What is left?
    let left = story.cookies.lock().unwrap().clone();
    for (name, cookie) in left.into_iter().rev().take(3) {
        first.cookie = Some((name, cookie));
        first.does(|_| Act::Read).await;
    }
    first.does(|_| Act::History).await;
    drop(first);
    Arc::into_inner(story).expect("all clients are done").recorder.history()
}

impl Client {
    /// At once with others, who have the same cookie, do some things.
    async fn with_others(&mut self, clients: u8, each: u8) {
        let mut all = JoinSet::new();
        for number in 1..=clients {
            let cookie = self.cookie.clone().filter(|_| self.random.random_ratio(4, 5));
            let random = StdRng::seed_from_u64(self.random.random());
            let mut other = Self { number, story: Arc::clone(&self.story), cookie, random };
            all.spawn(async move {
                for _ in 0..each {
                    other.does_something().await;
                }
            });
        }
        all.join_all().await;
    }

    async fn does_something(&mut self) {
        match self.random.random_range(0..20) {
            0 => self.cookie = None,
            1..6 => self.cookie = self.somebodys(),
            _ => {}
        }
        let Mood { updates, sign_ins, sign_outs, ends, jobs } = self.story.mood;
        let (mut drawn, most) = (self.random.random_range(0..100), self.story.site.most());
        let mut is = |share: u32| {
            let hit = drawn < share;
            drawn = if hit { 100 } else { drawn - share };
            hit
        };
        if is(updates) {
            self.does(|number| Act::Update(number + 1)).await;
        } else if is(sign_ins) {
            self.does(|_| Act::SignIn(most)).await;
        } else if is(sign_outs) {
            self.does(|_| Act::SignOut).await;
        } else if is(ends / 2) {
            self.does(|_| Act::EndAll(most)).await;
        } else if is(ends - ends / 2) {
            self.does(|_| Act::EndOthers(most)).await;
        } else if is(2 * jobs / 3) {
            self.does(|number| Act::JobUpdate(number + 1)).await;
        } else if is(jobs - 2 * jobs / 3) {
            self.does(|_| Act::JobComplete).await;
        } else {
            self.does(|_| Act::Read).await;
        }
    }

    fn somebodys(&mut self) -> Option<(Name, Cookie)> {
        let cookies = self.story.cookies.lock().unwrap();
        let last = cookies.len().checked_sub(1)?;
        Some(cookies[last - self.random.random_range(0..=last)].clone())
    }

    async fn does(&mut self, act: impl FnOnce(u8) -> Act) {
        let patience = if self.random.random_ratio(1, 40) { self.random.random_range(1..16) } else { u32::MAX };
        self.does_with(patience, act).await;
    }

    /// Gives up when it has looked for an answer so many times. Answers whether it did.
    async fn does_with(&mut self, patience: u32, act: impl FnOnce(u8) -> Act) -> bool {
        let name = self.cookie.as_ref().map(|(name, _)| *name);
        let (number, act) = self.story.recorder.ask(self.number, name, act);
        let server = self.random.random_range(0..2);
        let (story, cookie) = (Arc::clone(&self.story), self.cookie.as_ref().map(|(_, cookie)| cookie.clone()));
        let request = Box::pin(async move { story.site.ask(server, &story.user, act, cookie.as_ref()).await });
        let Some(Received { told, cookie }) = (Impatient { request, patience }).await else {
            self.story.recorder.tell(number, Told::HungUp);
            return true;
        };
        let told = match (told, &cookie) {
            (Told::Done { seen, .. }, Some(Some(_))) => Told::Began { seen },
            (told, _) => told,
        };
        self.story.recorder.tell(number, told);
        if let Some(cookie) = cookie {
            self.cookie = cookie.map(|cookie| (number, cookie));
            self.story.cookies.lock().unwrap().extend(self.cookie.clone());
        }
        false
    }
}

/// A history in which one request is dropped when it has been looked at so many times, while somebody else's is under way; what is
/// asked next must be done. Answers whether it was dropped, or had been done by then.
pub(crate) async fn interrupted(
    site: &Arc<Site>,
    seed: u64,
    act: fn(u8) -> Act,
    signed_in: bool,
    polls: u32,
    tally: &Tally,
) -> Result<bool, Broken> {
    let story = |user| {
        let (site, recorder, cookies) = (Arc::clone(site), Recorder::default(), Mutex::default());
        Arc::new(Story { site, user, recorder, cookies, mood: MOODS[0] })
    };
    let (ours, theirs) = (story(user(seed)), story(UserId::new(format_args!("other-{seed}")).expect("it is short")));
    let random = || StdRng::seed_from_u64(seed);
    let mut client = Client { number: 0, story: Arc::clone(&ours), cookie: None, random: random() };
    let mut other = Client { number: 0, story: Arc::clone(&theirs), cookie: None, random: random() };
    other.does_with(u32::MAX, |number| Act::Update(number + 1)).await;
    client.does_with(u32::MAX, |number| Act::Update(number + 1)).await;
    if signed_in {
        client.does_with(u32::MAX, |_| Act::SignIn(1)).await;
        client.does_with(u32::MAX, |number| Act::JobUpdate(number + 1)).await;
    }
    let (dropped, _) =
        tokio::join!(client.does_with(polls, act), other.does_with(u32::MAX, |number| Act::Update(number + 1)),);
    // On the same session, on both servers.
    for _ in 0..2 {
        client.does_with(u32::MAX, |_| Act::Read).await;
        client.does_with(u32::MAX, |number| Act::Update(number + 1)).await;
    }
    client.does_with(u32::MAX, |number| Act::JobUpdate(number + 1)).await;
    client.does_with(u32::MAX, |_| Act::SignIn(1)).await;
    client.does_with(u32::MAX, |number| Act::JobUpdate(number + 1)).await;
    client.does_with(u32::MAX, |_| Act::JobComplete).await;
    client.does_with(u32::MAX, |_| Act::History).await;
    drop((client, other));
    for story in [ours, theirs] {
        let history = Arc::into_inner(story).expect("all clients are done").recorder.history();
        let numbers = checked(&history, seed)?;
        // Nothing but what was dropped is open, or was not done.
        let undone = |op: &&Op| op.told == Told::NotApplied || op.told == Told::Unknown;
        let undone: Vec<_> = history.iter().filter(undone).collect();
        assert!(undone.is_empty(), "seed {seed}: {undone:?}");
        tally.add(numbers);
    }
    Ok(dropped)
}

/// Gives up when it has looked for an answer so many times.
struct Impatient<F> {
    request: Pin<Box<F>>,
    patience: u32,
}

impl<F: Future> Future for Impatient<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(left) = self.patience.checked_sub(1) else { return Poll::Ready(None) };
        self.patience = if self.patience == u32::MAX { u32::MAX } else { left };
        match self.request.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// What the history came to, in numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Numbers {
    pub(crate) histories: u64,
    pub(crate) operations: u64,
    pub(crate) writes: u64,
    /// Of which nobody could tell whether they were applied.
    pub(crate) ambiguous: u64,
    /// Whose client did not wait for an answer.
    pub(crate) hung_up: u64,
}

impl Numbers {
    pub(crate) fn of(history: &[Op]) -> Self {
        let count = |is: fn(&Op) -> bool| history.iter().filter(|op| is(op)).count() as u64;
        let is_write = |op: &Op| !matches!(op.act, Act::Read | Act::History | Act::Wait);
        Self {
            histories: 1,
            operations: history.len() as u64,
            writes: count(is_write),
            ambiguous: count(|op| op.told == Told::Unknown),
            hung_up: count(|op| op.told == Told::HungUp),
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.histories += other.histories;
        self.operations += other.operations;
        self.writes += other.writes;
        self.ambiguous += other.ambiguous;
        self.hung_up += other.hung_up;
    }

    /// How many of a hundred writes nobody could tell the fate of.
    pub(crate) fn ambiguous_percent(&self) -> f64 {
        100.0 * self.ambiguous as f64 / self.writes.max(1) as f64
    }
}
