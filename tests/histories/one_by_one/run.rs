//! The site and the model, beside each other.

use super::super::campaign::{is_full, report};
use super::super::op::{Act, Told};
use super::super::site::{Cookie, Received, Site};
use super::rules::{Model, Seen, Sent};
use super::step::{Asked, BROWSERS, Step, USERS, What};
use super::time::Time;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use std::cell::{Cell, RefCell};
use std::time::Instant;
use thin_session::UserId;
use tokio::runtime::Runtime;

/// A site on a store, and its time.
pub(super) struct Place {
    pub(super) site: Site,
    pub(super) time: Time,
    /// Whether the store is a server or a file, which a busy machine may keep from answering in time: nothing is claimed after that.
    pub(super) may_be_late: bool,
    /// Runs what the site has running beside.
    pub(super) runtime: Runtime,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    /// The fewest that it takes.
    pub(super) steps: Vec<Step>,
    pub(super) told: String,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    pub(super) requests: u64,
    /// How many cases were broken off as the store did not answer in time.
    pub(super) late: u64,
    pub(super) seen: Seen,
}

impl Place {
    /// Users of their own, and browsers without cookies.
    /// Answers at which step something else came of it than the model says, and what.
    async fn follow(&self, steps: &[Step], case: u64, numbers: &RefCell<Numbers>) -> Result<(), (usize, String)> {
        let mut model = Model::new(self.time.clock().is_some());
        let mut jars: [[Option<Cookie>; 2]; BROWSERS] = Default::default();
        let users: [UserId; USERS] =
            std::array::from_fn(|user| UserId::new(format_args!("{case}-{user}")).expect("it is short"));
        for (number, step) in steps.iter().enumerate() {
            let Asked { browser, with_the_cookie_before: before, what } = match *step {
                Step::Ask(asked) => asked,
                Step::Pass(times) => {
                    self.time.pass(times);
                    model.pass(times);
                    continue;
                }
            };
            let token = u8::try_from(number % 31).expect("it is small") + 1;
            let (act, user) = act(what, token);
            let cookie = jars[browser][usize::from(before)].clone();
            let Received { told, cookie: received } = self.site.ask(number, &users[user], act, cookie.as_ref()).await;
            if self.may_be_late && matches!(told, Told::NotApplied | Told::Unknown) {
                numbers.borrow_mut().late += 1;
                return Ok(());
            }
            if model.may_refuse(what, &told) {
                continue;
            }
            let sent = match &received {
                None => Sent::Nothing,
                Some(None) => Sent::Removal,
                Some(Some(_)) => Sent::Session,
            };
            if let Some(cookie) = received {
                let [now, _] = std::mem::take(&mut jars[browser]);
                jars[browser] = [cookie, now];
            }
            let expected = model.does(browser, before, what, token);
            if (&told, sent) != (&expected.0, expected.1) {
                return Err((number, format!("{told:?} and {sent:?}, but expected {expected:?}")));
            }
            for (user, id) in users.iter().enumerate() {
                let (are, expected) = (self.site.devices(id).await, model.devices(user));
                if self.may_be_late && are.is_none() {
                    numbers.borrow_mut().late += 1;
                    return Ok(());
                }
                if are != Some(expected) {
                    return Err((number, format!("user {user} has {are:?} sessions, not {expected}")));
                }
            }
            numbers.borrow_mut().requests += 1;
        }
        numbers.borrow_mut().seen.add(model.seen);
        Ok(())
    }
}

fn act(what: What, token: u8) -> (Act, usize) {
    match what {
        What::Read => (Act::Read, 0),
        What::Update => (Act::Update(token), 0),
        What::SignIn(user) => (Act::SignIn(1), user),
        What::SignOut => (Act::SignOut, 0),
        What::EndAll(user) => (Act::EndAll(1), user),
        What::EndOthers => (Act::EndOthers(1), 0),
        What::JobUpdate => (Act::JobUpdate(token), 0),
        What::JobComplete => (Act::JobComplete, 0),
        What::History(user) => (Act::History, user),
    }
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.idled_out += other.idled_out;
        self.reached_the_end += other.reached_the_end;
        self.told_of_the_end += other.told_of_the_end;
        self.completed += other.completed;
    }
}

/// Follows so many sequences of steps, each at the place that `place` has for it. Briefly they are always the same.
pub(super) fn find(cases: u32, place: impl Fn() -> std::rc::Rc<Place>) -> Result<Numbers, Found> {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 4_000, ..Config::default() };
    let mut runner = if is_full() {
        TestRunner::new(config)
    } else {
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
    };
    let (numbers, case, last) = (RefCell::default(), Cell::new(0), Cell::new(0));
    let found = runner.run(&super::step::steps(1..40), |steps| {
        let place = place();
        case.set(case.get() + 1);
        place.runtime.block_on(place.follow(&steps, case.get(), &numbers)).map_err(|(number, told)| {
            last.set(number);
            TestCaseError::fail(told)
        })
    });
    match found {
        Ok(()) => Ok(numbers.into_inner()),
        Err(TestError::Fail(told, mut steps)) => {
            // The last that failed is what is left; nobody looked at what comes after.
            steps.truncate(last.get() + 1);
            Err(Found { steps, told: told.message().to_owned() })
        }
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

/// Follows these steps.
pub(super) fn follow(steps: &[Step], place: impl Fn() -> std::rc::Rc<Place>) -> Result<(), (usize, String)> {
    let place = place();
    place.runtime.block_on(place.follow(steps, 0, &RefCell::default()))
}

/// Follows many sequences, which is to find nothing, and a line for the report.
pub(super) fn holds(what: &str, cases: u32, place: impl Fn() -> std::rc::Rc<Place>) -> Numbers {
    let begun = Instant::now();
    let numbers = find(cases, place).unwrap_or_else(|found| panic!("{what}: {}\n{:#?}", found.told, found.steps));
    let Numbers { requests, late, seen } = &numbers;
    let bound = 2 + u64::from(cases) / 50;
    assert!(*late <= bound, "{what}: in {late} of {cases} cases the store did not answer in time");
    let Seen { idled_out, reached_the_end, told_of_the_end, completed } = seen;
    report(&format!(
        "| {what} | {cases} | {requests} | {idled_out} | {reached_the_end} | {told_of_the_end} | {completed} | {} s |",
        begun.elapsed().as_secs(),
    ));
    numbers
}
