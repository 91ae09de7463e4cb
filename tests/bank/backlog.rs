//! SQL that is away while sessions in Redis keep ending: in a process of its own, whose memory is looked at. That is this program
//! once more, running only [`load`].

use crate::apps::{runtime, start_child};
use crate::places::Place;
use crate::shop::{self, ok};
use crate::site::Site;
use crate::{rounds, until};
use axum::Router;
use axum::http::{Method, StatusCode};
use axum::routing::post;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::io::{BufRead as _, BufReader, Write as _};
use std::iter::successors;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, process};
use testbed::Client;
use thin_session::{SessionError, UserSession, UserSessionData};
use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

const LOAD: &str = "THIN_SESSION_BANK_LOAD";

const USERS: usize = 32;

/// Bytes that each session holds.
const SIZE: usize = 4_000;
const BUDGET: usize = 8 * 1024;

/// By how much the process may grow, in KiB, from its first small backlog on: a tenth of what waits in the long version.
const GROWTH: u64 = 8 * 1024;

#[derive(Default, Serialize, Deserialize)]
struct Essay(String);

impl UserSessionData for Essay {
    const KIND: &'static str = "essay";
}

fn pages() -> Router {
    shop::routes().route("/essay", post(write)).route("/essay-completed", post(complete))
}

/// An essay, or why there is none.
type Found = Result<UserSession<Essay>, SessionError>;
type Told = (StatusCode, String);

async fn write(essay: Found) -> Result<(), Told> {
    essay.map_err(told)?.update(|essay| essay.0 = "a word ".repeat(SIZE / 7)).await.map_err(told)
}

async fn complete(essay: Found) -> Result<(), Told> {
    essay.map_err(told)?.complete().await.map_err(told)
}

/// With all causes.
fn told(error: SessionError) -> Told {
    let causes = successors(Some(&error as &dyn Error), |error: &&dyn Error| (*error).source());
    (error.kind().status(), causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
}

/// A process in which sessions end as it is told.
struct Load {
    process: process::Child,
    line: BufReader<TcpStream>,
}

impl Load {
    fn start(site: &Site) -> Self {
        let (process, mut line) = start_child("backlog::load", LOAD, &site.told());
        line.read_line(&mut String::new()).expect("the child is ready in time");
        Self { process, line }
    }

    /// Has so many end, evenly over this time, and answers how many requests failed: none because of SQL.
    fn ends(&mut self, sessions: usize, over: Duration) -> usize {
        writeln!(self.line.get_mut(), "{sessions} {}", over.as_micros()).expect("the child listens");
        let mut line = String::new();
        self.line.read_line(&mut line).expect("the child answers in time");
        line.trim_end().parse().expect("no request failed because of SQL")
    }

    /// KiB of memory that it has.
    fn memory(id: u32) -> u64 {
        let status = fs::read_to_string(format!("/proc/{id}/status")).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it has memory");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // Either fails only if it is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// No test, but the other process: goes on until its parent hangs up. Does nothing when it is run as a test.
#[test]
fn load() {
    let Ok(told) = env::var(LOAD) else { return };
    let (parent, site) = told.split_once(' ').expect("where its parent is");
    let (site, runtime) = (Site::heard(site.split(' ')), runtime());
    let mut parent = BufReader::new(TcpStream::connect(parent).expect("the parent listens"));
    let users = runtime.block_on(async {
        let layer = site.layer().await;
        let server = pages().layer(layer.budget(BUDGET).expect("it is in bounds"));
        let mut users = Vec::new();
        for user in 0..USERS {
            let mut browser = Client::new(server.clone());
            ok(browser.post(&format!("/sign-in/user{user}")).await);
            users.push(browser);
        }
        users
    });
    writeln!(parent.get_mut(), "ready").expect("the parent listens");
    let mut line = String::new();
    while parent.read_line(&mut line).is_ok_and(|read| read > 0) {
        let (sessions, micros) = line.trim_end().split_once(' ').expect("how many, and for how long");
        let (sessions, micros) = (sessions.parse().expect("a number"), micros.parse().expect("a number"));
        let late = runtime.block_on(end(&users, sessions, Duration::from_micros(micros)));
        writeln!(parent.get_mut(), "{late}").expect("the parent listens");
        line.clear();
    }
}

/// Answers how many requests were refused.
async fn end(users: &[Client], sessions: usize, over: Duration) -> usize {
    let pace = Arc::new(Mutex::new(interval(over / u32::try_from(sessions).expect("not so many"))));
    let (begun, mut all) = (Arc::<AtomicUsize>::default(), JoinSet::new());
    for user in users {
        let (user, pace, begun) = (user.clone(), Arc::clone(&pace), Arc::clone(&begun));
        all.spawn(async move {
            let mut late = 0;
            while begun.fetch_add(1, Ordering::SeqCst) < sessions {
                pace.lock().await.tick().await;
                late += asks(&user, "/essay").await + asks(&user, "/essay-completed").await;
            }
            late
        });
    }
    all.join_all().await.into_iter().sum()
}

/// Until it is done. Answers how often it failed. Redis may be late on a busy machine, which is not what is tried here.
async fn asks(user: &Client, path: &str) -> usize {
    for failures in 0.. {
        let answer = user.ask(Method::POST, path).await;
        match answer.status {
            StatusCode::OK => return failures,
            // It was done the last time, when nobody could tell.
            StatusCode::CONFLICT if failures > 0 => return failures,
            _ => assert!(!answer.text().contains("database"), "{path}: {}", answer.text()),
        }
        sleep(Duration::from_millis(20)).await;
    }
    unreachable!("it asks until it is done")
}

/// A process that ends them, with SQL away for some time: no request fails, all are archived, and it keeps none of them meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_sql_is_away_sessions_go_on_ending_and_wait_in_redis() {
    let place = Arc::new(tokio::task::block_in_place(Place::redis_and_postgres));
    let mut load = tokio::task::block_in_place(|| Load::start(&place.site));
    let (warm_up, away) = (100, Duration::from_secs(rounds(4, 60) as u64));
    let sessions = rounds(200, 20_000);

    place.stop_sql().await;
    tokio::task::block_in_place(|| load.ends(warm_up, Duration::from_secs(2)));
    place.start_sql().await;
    until("the first have drained", async || place.left_to_do().await == 0).await;

    let id = load.process.id();
    let (before, most) = (Load::memory(id), Arc::<AtomicU64>::default());
    let watch = tokio::spawn({
        let most = Arc::clone(&most);
        async move {
            loop {
                most.fetch_max(Load::memory(id), Ordering::SeqCst);
                sleep(Duration::from_millis(20)).await;
            }
        }
    });
    place.stop_sql().await;
    let late = tokio::task::block_in_place(|| load.ends(sessions, away));
    let backlog = place.left_to_do().await;
    place.start_sql().await;
    let began = Instant::now();
    until("all have drained", async || place.left_to_do().await == 0).await;
    let drained = began.elapsed();
    // And so it goes on.
    tokio::task::block_in_place(|| load.ends(warm_up, Duration::from_secs(2)));
    until("the last have drained", async || place.left_to_do().await == 0).await;
    watch.abort();

    assert_eq!(backlog, i64::try_from(sessions).expect("not so many"), "all waited");
    assert_eq!(place.count().await, i64::try_from(sessions + 2 * warm_up).expect("not so many"));
    let grown = most.load(Ordering::SeqCst).saturating_sub(before);
    eprintln!(
        "{backlog} waited and drained in {drained:?}; {before} KiB before, and at most {grown} KiB more; {late} requests failed for other reasons"
    );
    assert!(grown < GROWTH, "it grew from {before} KiB by {grown} KiB");
}
