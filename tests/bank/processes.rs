//! Fifty completions at once in two processes, where five are left. Each child is this program once more, running only [`child`].

use crate::rounds;
use crate::shop::ok;
use crate::site::Site;
use axum::Router;
use axum::http::{Method, StatusCode};
use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{self, Command, Stdio};
use std::time::Duration;
use testbed::{Client, PostgresServer, RedisServer};
use tokio::runtime::{self, Runtime};
use tokio::task::JoinSet;

const CHILD: &str = "THIN_SESSION_BANK_CHILD";

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(120);

const DONE: usize = 15;
const LEFT: usize = 5;
const EACH: usize = 25;

/// A server in a process of its own.
struct Child {
    process: process::Child,
    lines: BufReader<TcpStream>,
}

impl Child {
    fn start(site: &Site) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound").to_string();
        let process = Command::new(env::current_exe().expect("this program has a path"))
            .args(["--exact", "processes::child", "--nocapture"])
            .env(CHILD, format!("{address} {}", site.told()))
            .stdout(Stdio::null())
            .spawn()
            .expect("this program can be started");
        let (stream, _) = listener.accept().expect("the child connects");
        stream.set_read_timeout(Some(LIMIT)).expect("a timeout can be set");
        Self { process, lines: BufReader::new(stream) }
    }

    /// Has as many as [`EACH`] devices of this user complete one each.
    fn go(&mut self, user: &str) {
        writeln!(self.lines.get_mut(), "{user}").expect("the child listens");
    }

    /// How many did, and how many were told when they may.
    fn told(&mut self) -> [usize; 2] {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("the child answers in time");
        let numbers: Vec<_> = line.split_whitespace().map(|number| number.parse().expect("a number")).collect();
        numbers.try_into().expect("two numbers")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Either fails only if it is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// No test, but the other process: goes on until its parent hangs up. Does nothing when it is run as a test.
#[test]
fn child() {
    let Ok(told) = env::var(CHILD) else { return };
    let (parent, site) = told.split_once(' ').expect("five words");
    let site = Site::heard(site.split(' '));
    let runtime = runtime();
    let server = runtime.block_on(site.server());
    // Only now, as the parent takes it that who calls is ready.
    let mut parent = BufReader::new(TcpStream::connect(parent).expect("the parent listens"));
    let mut user = String::new();
    while parent.read_line(&mut user).is_ok_and(|read| read > 0) {
        let [sent, refused] = runtime.block_on(crowd(&server, user.trim_end()));
        writeln!(parent.get_mut(), "{sent} {refused}").expect("the parent listens");
        user.clear();
    }
}

fn runtime() -> Runtime {
    runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime can be built")
}

async fn crowd(server: &Router, user: &str) -> [usize; 2] {
    let mut all = JoinSet::new();
    for _ in 0..EACH {
        let device = device(server, user).await;
        all.spawn(async move { completes_one(&device).await });
    }
    let sent = all.join_all().await.into_iter().filter(|sent| *sent).count();
    [sent, EACH - sent]
}

async fn device(server: &Router, user: &str) -> Client {
    let mut device = Client::new(server.clone());
    ok(device.post(&format!("/sign-in/{user}")).await);
    device
}

/// Goes on until one is completed, or may not be. Others complete what it has begun, and change what it has seen.
async fn completes_one(device: &Client) -> bool {
    loop {
        let answer = device.ask(Method::POST, "/send-one-of-twenty").await;
        match (answer.status, answer.header("kind").unwrap_or_default()) {
            (StatusCode::OK, _) => return true,
            (StatusCode::TOO_MANY_REQUESTS, _) => {
                assert!(answer.header("retry-after").is_some(), "it says when");
                return false;
            }
            (_, "Changed" | "Contended") => {}
            (_, "Ended") => {
                let begun = device.ask(Method::POST, "/transfer/step").await;
                let kind = begun.header("kind").unwrap_or_default();
                assert!(begun.status == StatusCode::OK || ["Ended", "Contended"].contains(&kind), "{kind}");
            }
            (status, kind) => panic!("{status}, {kind}"),
        }
    }
}

/// Of fifty at once five get through, and the others are told when they may.
async fn of_fifty_at_once_five_complete(site: &Site, after_each: impl Fn()) {
    let (server, mut children) = (site.server().await, [(); 2].map(|()| Child::start(site)));
    for round in 0..rounds(2, 100) {
        let user = format!("user{round}");
        let one = device(&server, &user).await;
        for _ in 0..DONE {
            assert!(completes_one(&one).await);
        }
        children.iter_mut().for_each(|child| child.go(&user));
        let told = children.each_mut().map(Child::told);
        let [sent, refused] = [0, 1].map(|which| told[0][which] + told[1][which]);
        assert_eq!((sent, refused), (LEFT, 2 * EACH - LEFT), "round {round}");
        let history = ok(one.ask(Method::GET, &format!("/history/{user}")).await).text().to_owned();
        assert_eq!(history.matches("completed").count(), DONE + LEFT, "round {round}");

        after_each();
        let one = device(&server, &user).await;
        assert!(!completes_one(&one).await, "round {round}: it still holds");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_of_fifty_at_once_five_complete() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("bank.db").display().to_string();
    of_fifty_at_once_five_complete(&Site::new(&file, &file), || ()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_of_fifty_at_once_five_complete() {
    let database = PostgresServer::shared().database();
    of_fifty_at_once_five_complete(&Site::new(&database, &database), || ()).await;
}

/// All that Redis knew is gone, and the archive still counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_redis_of_fifty_at_once_five_complete_and_it_holds_when_redis_was_emptied() {
    let (redis, folder) = (RedisServer::start(), tempfile::tempdir().expect("a folder can be made"));
    let file = folder.path().join("bank.db").display().to_string();
    let site = Site::new(&redis.url(), &file);
    of_fifty_at_once_five_complete(&site, || drop(redis.command(&[b"FLUSHALL"]))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_redis_with_postgres_of_fifty_at_once_five_complete_and_it_holds_when_redis_was_emptied() {
    let (redis, database) = (RedisServer::start(), PostgresServer::shared().database());
    let site = Site::new(&redis.url(), &database);
    of_fifty_at_once_five_complete(&site, || drop(redis.command(&[b"FLUSHALL"]))).await;
}
