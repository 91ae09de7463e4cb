//! Whether a session costs more where there are many: stores with a thousand, a hundred thousand and a million of them, side by side.

use crate::cases::Case;
use crate::client::Browser;
use crate::engine::{Batch, Engine};
use crate::report::{Growth, Topology, quartiles};
use crate::stopwatch::Stopwatch;
use crate::subjects::ours;
use testbed::RedisServer;

const SIZES: [usize; 3] = [1_000, 100_000, 1_000_000];
/// So many sessions of each store are asked for, from all over it.
const ASKED: usize = 1_000;
const IN_FLIGHT: usize = 16;

/// A store, full.
struct Stand {
    sessions: usize,
    engine: Engine,
    batches: Vec<Batch>,
    /// Nanoseconds by case and round.
    times: [Vec<f64>; 2],
    stopwatch: Stopwatch,
    // Kept as long as the store.
    _server: RedisServer,
    _folder: tempfile::TempDir,
}

const CASES: [Case; 2] = [Case::Read, Case::Update];

pub async fn run(rounds: usize) -> Vec<Growth> {
    let mut all = Vec::new();
    for store in ["memory", "SQLite", "Redis"] {
        let mut stands = Vec::new();
        for sessions in SIZES {
            eprintln!("{store}: {sessions} sessions");
            stands.push(Stand::filled(store, sessions).await);
        }
        for round in 0..rounds {
            for i in 0..stands.len() {
                stands[(i + round) % SIZES.len()].turn().await;
            }
            eprintln!("{store}: round {} of {rounds}", round + 1);
        }
        for (place, case) in CASES.into_iter().enumerate() {
            for stand in &stands {
                let (times, few) = (&stand.times[place], &stands[0].times[place]);
                all.push(Growth {
                    store: store.to_owned(),
                    case,
                    sessions: stand.sessions,
                    nanos: quartiles(times.clone()),
                    of_few: quartiles(times.iter().zip(few).map(|(many, few)| many / few).collect()),
                });
            }
        }
    }
    all
}

impl Stand {
    async fn filled(store: &str, sessions: usize) -> Self {
        let (server, folder) = (RedisServer::start(), tempfile::tempdir().expect("a folder can be made"));
        let router = match store {
            "memory" => ours::memory().router,
            "SQLite" => ours::sqlite(&folder.path().join("sessions.db")).await,
            _ => ours::redis(&server.url()).await.router,
        };
        let (engine, mut asked) = (Engine::Here(router), Vec::new());
        // In portions, of which all but a few browsers are forgotten.
        let portions = (sessions / ASKED).max(1);
        for _ in 0..portions {
            let each = (sessions / portions).div_ceil(IN_FLIGHT);
            let batches = engine.run(Case::Create, vec![vec![Browser::default(); each]; IN_FLIGHT], 1).await;
            let wanted = ASKED.div_ceil(portions);
            asked.extend(batches.into_iter().flatten().take(wanted));
        }
        let batches = asked.chunks(ASKED / IN_FLIGHT).map(<[_]>::to_vec).collect();
        let stopwatch = Stopwatch::new(Topology::OneCore, &server);
        Self { sessions, engine, batches, times: Default::default(), stopwatch, _server: server, _folder: folder }
    }

    /// Each of the sessions that are asked for once.
    async fn turn(&mut self) {
        for (place, case) in CASES.into_iter().enumerate() {
            let batches = std::mem::take(&mut self.batches);
            let count: usize = batches.iter().map(Vec::len).sum();
            let began = self.stopwatch.now();
            self.batches = self.engine.run(case, batches, 1).await;
            self.times[place].push((self.stopwatch.now() - began).as_nanos() as f64 / count as f64);
        }
    }
}
