//! Short rounds, in which all subjects take their turns.

use crate::cases::Case;
use crate::client::Browser;
use crate::engine::Engine;
use crate::report::{Row, Topology, quartiles};
use crate::stopwatch::Stopwatch;
use crate::subjects::{self, BARE, Keeps, OURS_APART, OURS_MEMORY, RAW, RAW_APART, Subject};
use std::collections::BTreeMap;
use std::time::Duration;
use testbed::RedisServer;

pub const IN_FLIGHT: [usize; 3] = [1, 16, 64];

/// How long one turn takes, about.
const TURN: Duration = Duration::from_millis(15);
const SHORT_TURN: Duration = Duration::from_millis(4);

/// Case, in flight, subject.
type Id = (Case, usize, usize);

struct Field {
    subjects: Vec<Subject>,
    engines: Vec<Engine>,
    /// Nanoseconds per request, by round.
    times: BTreeMap<Id, Vec<f64>>,
    /// Requests in a turn of one in flight.
    turns: BTreeMap<Id, usize>,
    stopwatch: Stopwatch,
    /// With cookies, for those that set none.
    stranger: Browser,
}

/// All subjects, or those that `names` names beside the ones that are compared with.
pub async fn run(topology: Topology, rounds: usize, names: &[&str]) -> Vec<Row> {
    let server = RedisServer::start();
    let mut field = Field::new(topology, &server, names).await;
    for round in 0..=rounds {
        // The first one warms up, and finds out how many requests fill a turn.
        field.round(round).await;
        eprintln!("{}: round {round} of {rounds}", topology.name());
    }
    field.rows(topology)
}

/// One subject asked for the same all the time, for whoever wants to look inside.
pub async fn steady(name: &str, case: &str, in_flight: usize, times: usize) {
    let server = RedisServer::start();
    let mut subjects = subjects::all(&server.url()).await;
    subjects.retain(|subject| subject.name == name);
    let subject = subjects.pop().expect("a subject of that name");
    let cases = [&Case::STORED[..], &Case::ALONE].concat();
    let case = cases.into_iter().find(|known| known.name() == case).expect("a case of that name");
    let enter = if Case::STORED.contains(&case) { Case::Create } else { subject.enters_by.unwrap_or(Case::Plain) };
    let engine = Engine::Here(subject.router);
    let batches = engine.run(enter, (0..in_flight).map(|_| vec![Browser::default()]).collect(), 1).await;
    let began = std::time::Instant::now();
    engine.run(case, batches, times).await;
    eprintln!("{} ns each", began.elapsed().as_nanos() / (times * in_flight) as u128);
}

impl Field {
    async fn new(topology: Topology, server: &RedisServer, names: &[&str]) -> Self {
        let redis = &server.url();
        let mut subjects = subjects::all(redis).await;
        if !names.is_empty() {
            let needed = [BARE, subjects::NO_OP, RAW, OURS_MEMORY];
            subjects.retain(|subject| needed.contains(&subject.name) || names.contains(&subject.name));
        }
        let mut engines: Vec<_> = subjects.iter().map(|subject| Engine::Here(subject.router.clone())).collect();
        if topology == Topology::TwoCores {
            for name in [RAW_APART, OURS_APART] {
                engines.push(Engine::apart(name, redis, 2));
                let router = axum::Router::new();
                subjects.push(Subject { name, router, keeps: Keeps::InRedis, enters_by: None, knows_visitors: false });
            }
        }
        let mut stranger = Browser::default();
        let ours = subjects.iter().find(|subject| subject.name == OURS_MEMORY).expect("it is one of all");
        stranger.visit(&mut ours.router.clone(), Case::SignIn).await;
        let stopwatch = Stopwatch::new(topology, server);
        Self { subjects, engines, times: BTreeMap::new(), turns: BTreeMap::new(), stopwatch, stranger }
    }

    async fn round(&mut self, round: usize) {
        let subjects = self.subjects.len();
        for i in 0..subjects {
            let subject = (i + round) % subjects;
            if matches!(self.engines[subject], Engine::Here(_)) {
                self.alone(subject).await;
            }
        }
        for in_flight in IN_FLIGHT {
            for i in 0..subjects {
                let subject = (i + round) % subjects;
                if self.subjects[subject].keeps != Keeps::Nothing {
                    self.stored(subject, in_flight).await;
                }
            }
        }
        if round == 0 {
            self.times.clear();
        }
    }

    /// What needs no store.
    async fn alone(&mut self, subject: usize) {
        let Subject { enters_by, knows_visitors, ref router, .. } = self.subjects[subject];
        let mut known = self.stranger.clone();
        if let Some(case) = enters_by {
            known = Browser::default();
            known.visit(&mut router.clone(), case).await;
            assert!(known.has_cookies());
        }
        for case in Case::ALONE {
            let browser = if case == Case::Plain { Browser::default() } else { known.clone() };
            if case != Case::Visitor || knows_visitors {
                self.turn(subject, case, 1, vec![vec![browser]], SHORT_TURN).await;
            }
        }
    }

    /// Sessions are begun, read, changed and ended.
    async fn stored(&mut self, subject: usize, in_flight: usize) {
        let fresh = |count: usize| (0..in_flight).map(|_| vec![Browser::default(); count]).collect();
        let create = (Case::Create, in_flight, subject);
        let count = *self.turns.get(&create).unwrap_or(&8);
        let began = self.stopwatch.now();
        let mut batches = self.engines[subject].run(Case::Create, fresh(count), 1).await;
        self.note(create, began, count, TURN);
        for case in [Case::Read, Case::Update] {
            let (rest, firsts): (Vec<_>, Vec<_>) =
                batches.into_iter().map(|mut batch| (batch.split_off(1), batch)).unzip();
            let firsts = self.turn(subject, case, in_flight, firsts, TURN).await;
            batches = firsts.into_iter().zip(rest).map(|(first, rest)| [first, rest].concat()).collect();
        }
        let count = batches[0].len();
        let began = self.stopwatch.now();
        self.engines[subject].run(Case::SignOut, batches, 1).await;
        self.note((Case::SignOut, in_flight, subject), began, count, TURN);
    }

    async fn turn(
        &mut self,
        subject: usize,
        case: Case,
        in_flight: usize,
        batches: Vec<Vec<Browser>>,
        turn: Duration,
    ) -> Vec<Vec<Browser>> {
        let id = (case, in_flight, subject);
        let times = *self.turns.get(&id).unwrap_or(&20);
        let began = self.stopwatch.now();
        let batches = self.engines[subject].run(case, batches, times).await;
        self.note(id, began, times, turn);
        batches
    }

    fn note(&mut self, id: Id, began: Duration, count: usize, turn: Duration) {
        // So many by each of those in flight.
        let each = (self.stopwatch.now() - began).as_secs_f64() / count as f64;
        let fill = (turn.as_secs_f64() / each) as usize;
        self.turns.entry(id).or_insert(fill.clamp(2, 20_000));
        self.times.entry(id).or_default().push(each * 1e9 / id.1 as f64);
    }

    fn rows(&self, topology: Topology) -> Vec<Row> {
        let find = |name| self.subjects.iter().position(|subject| subject.name == name).expect("one of all");
        let (bare, no_op, raw) = (find(BARE), find(subjects::NO_OP), find(RAW));
        let row = |(&(case, in_flight, subject), times): (&Id, &Vec<f64>)| {
            let beside = |other: usize, combine: fn(f64, f64) -> f64| {
                // A visitor is compared with the route that asks for nothing, in the same way.
                let case = if case == Case::Visitor { Case::PlainWithCookies } else { case };
                let others = self.times.get(&(case, in_flight, other))?;
                Some(quartiles(times.iter().zip(others).map(|(own, other)| combine(*own, *other)).collect()))
            };
            Row {
                topology,
                case,
                in_flight,
                subject: self.subjects[subject].name.to_owned(),
                nanos: quartiles(times.clone()),
                of_raw: beside(raw, |own, raw| raw / own),
                over_bare: beside(bare, |own, other| own - other),
                over_no_op: beside(no_op, |own, other| own - other),
                over_untouched: (case == Case::Visitor).then(|| beside(subject, |own, other| own - other)).flatten(),
            }
        };
        self.times.iter().map(row).collect()
    }
}
