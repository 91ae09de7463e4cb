//! How much of everything there is, and for how long it is measured.

use serde::Serialize;
use std::time::Duration;

/// The load that this crate was begun for: 30,000 updates a day.
const SEED: f64 = 30_000.0 / 86_400.0;

/// What is measured.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// How many users are signed in, each with an active session.
    pub users: usize,
    /// How many sessions have ended before, of each database. Figures are compared with those of the first.
    pub old: Vec<u64>,
    /// How often each is measured while sessions end.
    pub rounds: usize,
    /// For how long each time.
    pub window: Duration,
    /// For how long before that the same goes on unmeasured.
    pub warm_up: Duration,
    /// How many sessions are to end each second.
    pub endings: f64,
    /// How many active sessions are updated each second meanwhile.
    pub updates: f64,
    /// What is measured while none ends.
    pub rates: Vec<Rate>,
    /// Whether Postgres waits for the disk.
    pub durable: bool,
    /// Whether Postgres notes where its time goes, which takes some of it.
    pub notes_statements: bool,
}

/// A rate of updates.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Rate {
    /// How many times the load of the seed.
    pub times: u32,
    /// How many updates a second that is.
    pub per_second: f64,
    /// How often it is measured.
    pub rounds: usize,
    /// For how long each time.
    pub window: Duration,
    /// Whether all are measured at once, as they hardly meet.
    pub at_once: bool,
}

impl Rate {
    fn of(times: u32, rounds: usize, window: Duration) -> Self {
        let per_second = SEED * f64::from(times);
        Self { times, per_second, rounds, window, at_once: per_second < 10.0 }
    }
}

impl Plan {
    /// What the guide has. Takes about ten minutes.
    #[must_use]
    pub fn full() -> Self {
        let second = Duration::from_secs(1);
        Self {
            users: 10_000,
            old: vec![0, 100_000, 1_000_000],
            rounds: 16,
            window: second,
            warm_up: Duration::from_millis(700),
            endings: 1_000.0,
            updates: SEED * 1_000.0,
            rates: vec![
                Rate::of(1, 1, 45 * second),
                Rate::of(10, 1, 15 * second),
                Rate::of(100, 4, second),
                Rate::of(1_000, 8, second),
            ],
            durable: false,
            notes_statements: false,
        }
    }

    /// The same with little of everything: shows that it runs, and says nothing about time.
    #[must_use]
    pub fn short() -> Self {
        let window = Duration::from_millis(200);
        Self {
            users: 40,
            old: vec![0, 500, 3_000],
            rounds: 2,
            window,
            warm_up: Duration::from_millis(50),
            endings: 50.0,
            updates: 50.0,
            rates: vec![Rate::of(20, 1, 5 * window), Rate::of(100, 2, window)],
            durable: false,
            notes_statements: false,
        }
    }

    /// How many steps it takes, for a bar.
    pub(crate) fn steps(&self, systems: usize) -> usize {
        let at_rates: usize =
            self.rates.iter().map(|rate| rate.rounds * if rate.at_once { 1 } else { 2 * systems }).sum();
        self.old.len() * (1 + self.rounds * systems) + at_rates
    }
}
