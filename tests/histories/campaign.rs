//! Many histories on one store: briefly in every run of the tests, for long in a campaign.

use super::checker::{Verdict, check};
use super::client::{Numbers, run};
use super::op::{Op, written_out};
use super::site::Site;
use std::env;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use thin_session::UserId;
use tokio::task::JoinSet;

/// So many histories, or in a campaign so many, or one in so many of those.
pub(crate) fn count(brief: u64, full: u64) -> u64 {
    let one_in = env::var("THIN_SESSION_ONE_IN").map_or(1, |one_in| one_in.parse().expect("it is a number"));
    if is_full() { (full / one_in).max(brief) } else { brief }
}

pub(crate) fn is_full() -> bool {
    env::var_os("THIN_SESSION_FULL").is_some()
}

/// A history that no order explains.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) seed: u64,
    pub(crate) told: String,
}

/// What has come of a campaign so far.
pub(crate) struct Tally {
    what: &'static str,
    histories: u64,
    begun: Instant,
    so_far: Mutex<(Numbers, Instant)>,
}

impl Tally {
    pub(crate) fn of(what: &'static str, histories: u64) -> Self {
        Self { what, histories, begun: Instant::now(), so_far: Mutex::new((Numbers::default(), Instant::now())) }
    }

    /// As many as there are.
    pub(crate) fn for_as_long_as_it_takes(what: &'static str) -> Self {
        Self::of(what, 0)
    }

    pub(crate) fn add(&self, numbers: Numbers) {
        let mut so_far = self.so_far.lock().unwrap();
        so_far.0.add(numbers);
        if is_full() && so_far.1.elapsed() > Duration::from_secs(10) {
            so_far.1 = Instant::now();
            eprintln!("{}", self.line(&so_far.0));
        }
    }

    fn line(&self, so_far: &Numbers) -> String {
        let Numbers { histories, operations, ambiguous, hung_up, .. } = so_far;
        let done = (20 * histories / self.histories.max(*histories).max(1)) as usize;
        let bar = format!("{}{}", "#".repeat(done), ".".repeat(20usize.saturating_sub(done)));
        let percent = so_far.ambiguous_percent();
        format!(
            "[{bar}] {}: {histories} of {} histories, {operations} operations, {ambiguous} ambiguous ({percent:.2} % of \
             writes), {hung_up} hung up, {:.0} s",
            self.what,
            self.histories,
            self.begun.elapsed().as_secs_f64(),
        )
    }

    /// Tells how it went, and holds it to what is promised.
    pub(crate) fn ends(self) {
        let (what, expected) = (self.what, self.histories);
        let numbers = self.reported(what);
        assert_eq!(numbers.histories, expected, "{what}");
        let percent = numbers.ambiguous_percent();
        assert!(percent < 2.0, "{what}: of {} writes {} were ambiguous", numbers.writes, numbers.ambiguous);
    }

    /// The same where nobody can promise how much remains unknown.
    pub(crate) fn ends_in_trouble(self, times: u64) {
        let what = format!("{} {times} times", self.what);
        assert!(self.reported(&what).histories > 0, "{what}");
    }

    fn reported(self, what: &str) -> Numbers {
        let (numbers, _) = self.so_far.into_inner().unwrap();
        let Numbers { histories, operations, writes, ambiguous, hung_up } = numbers;
        let (percent, seconds) = (numbers.ambiguous_percent(), self.begun.elapsed().as_secs());
        report(&format!(
            "| {what} | {histories} | {operations} | {ambiguous} of {writes} ({percent:.2} %) | {hung_up} | {seconds} s |",
        ));
        numbers
    }
}

/// A line for the campaign's report, if there is to be one.
pub(crate) fn report(line: &str) {
    let Some(file) = env::var_os("THIN_SESSION_REPORT") else { return };
    let mut file = OpenOptions::new().create(true).append(true).open(file).expect("the report can be written");
    writeln!(file, "{line}").expect("the report can be written");
}

/// What has no order fails the test.
pub(crate) fn fail<T>(broken: Broken) -> T {
    panic!("no order explains this history: {}", broken.told);
}

/// Runs one history and checks it.
async fn one(site: Arc<Site>, seed: u64) -> Result<Numbers, Broken> {
    let history = run(site, seed, user(seed)).await;
    checked(&history, seed)
}

/// Each history has a user of its own.
pub(crate) fn user(seed: u64) -> UserId {
    UserId::new(format_args!("user-{seed}")).expect("it is short")
}

pub(crate) fn checked(history: &[Op], seed: u64) -> Result<Numbers, Broken> {
    match check(history) {
        Verdict::Fine => Ok(Numbers::of(history)),
        Verdict::Broken(missing) => {
            let told = format!("seed {seed}, never reached: {missing:?}\n{}", written_out(history));
            Err(Broken { seed, told })
        }
    }
}

/// One after the other: what happens is the same whenever the seeds are, if nothing waits but in turns.
pub(crate) async fn in_turn(site: Site, seeds: impl Iterator<Item = u64>, tally: &Tally) -> Result<(), Broken> {
    let site = Arc::new(site);
    for seed in seeds {
        tally.add(one(Arc::clone(&site), seed).await?);
    }
    Ok(())
}

/// So many at once.
pub(crate) async fn at_once(
    site: Site,
    mut seeds: impl Iterator<Item = u64>,
    at_once: usize,
    tally: &Tally,
) -> Result<(), Broken> {
    let (site, mut all) = (Arc::new(site), JoinSet::new());
    loop {
        while all.len() < at_once
            && let Some(seed) = seeds.next()
        {
            all.spawn(one(Arc::clone(&site), seed));
        }
        match all.join_next().await {
            Some(done) => tally.add(done.expect("no client panics")?),
            None => return Ok(()),
        }
    }
}
