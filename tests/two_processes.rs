//! Two real processes on one real Redis: what holds among tasks holds among servers.
//!
//! Each child is this program once more, running only [`child`]. It is told which cookie to use over a loopback
//! connection, has its half of the crowd count, and answers with what each was told.

#[allow(dead_code, reason = "each test program uses its part")]
#[path = "protocol/gate/mod.rs"]
mod gate;
#[allow(dead_code, unused_imports, unused_macros, reason = "each test program uses its part")]
#[path = "protocol/shop.rs"]
mod shop;

use axum::Router;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::map_response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use shop::{ok, routes, see, tell_kind};
use std::collections::BTreeSet;
use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;
use testbed::{Client, Fault, Proxy, RedisServer};
use thin_session::{Keyring, RedisStore, Secret, SessionLayer};
use tokio::task::JoinSet;

const CHILD: &str = "THIN_SESSION_CHILD";

/// What every server needs to know.
#[derive(Clone)]
struct Site {
    redis: String,
    secrets: [String; 2],
}

impl Site {
    fn on(redis: &str) -> Self {
        let secret = || STANDARD.encode(rand::random::<[u8; 32]>());
        Self { redis: redis.to_owned(), secrets: [secret(), secret()] }
    }

    async fn server(&self) -> Router {
        let [lasting, current] = self.secrets.each_ref().map(|text| Secret::from_base64(text).expect("a secret"));
        let keys = Keyring::new(lasting, current).expect("two secrets");
        let store = RedisStore::connect(&self.redis).await.expect("Redis is up");
        // No test is right by being fast.
        let layer = SessionLayer::new(store, keys).store_deadline(Duration::from_secs(20)).expect("it is in bounds");
        routes().layer(layer).layer(map_response(tell_kind))
    }
}

/// A server in a process of its own.
struct Server {
    process: Child,
    lines: BufReader<TcpStream>,
}

impl Server {
    fn start(site: &Site) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound").to_string();
        let [lasting, current] = &site.secrets;
        let process = Command::new(env::current_exe().expect("this program has a path"))
            .args(["--exact", "child", "--nocapture"])
            .env(CHILD, [&address, &site.redis, lasting, current].map(String::as_str).join(" "))
            .stdout(Stdio::null())
            .spawn()
            .expect("this program can be started");
        let (stream, _) = listener.accept().expect("the child connects");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout can be set");
        Self { process, lines: BufReader::new(stream) }
    }

    /// Has so many requests begin to count under this cookie.
    fn go(&mut self, requests: usize, cookie: &str) {
        writeln!(self.lines.get_mut(), "{requests} {cookie}").expect("the child listens");
    }

    /// What each of them was told.
    fn told(&mut self) -> Vec<String> {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("the child answers in time");
        line.split_whitespace().map(str::to_owned).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Either fails only if it is gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// No test, but the other process: counts until its parent hangs up. Does nothing when it is run as a test.
#[test]
fn child() {
    let Ok(told) = env::var(CHILD) else { return };
    let [parent, redis, lasting, current]: [String; 4] =
        told.split(' ').map(str::to_owned).collect::<Vec<_>>().try_into().expect("four words");
    let site = Site { redis, secrets: [lasting, current] };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime can be built");
    let server = runtime.block_on(site.server());
    // Only now, as the parent takes it that who calls is ready.
    let mut parent = BufReader::new(TcpStream::connect(parent).expect("the parent listens"));
    let mut line = String::new();
    while parent.read_line(&mut line).is_ok_and(|read| read > 0) {
        let (requests, cookie) = line.trim_end().split_once(' ').expect("how many, and the cookie");
        let told = runtime.block_on(count(&server, requests.parse().expect("a number"), cookie));
        writeln!(parent.get_mut(), "{}", told.join(" ")).expect("the parent listens");
        line.clear();
    }
}

/// Has so many requests count, and answers what each was told: its number, or the kind of the error.
async fn count(server: &Router, requests: usize, cookie: &str) -> Vec<String> {
    let mut browser = Client::new(server.clone());
    browser.headers.insert(header::COOKIE, HeaderValue::from_str(cookie).expect("a cookie is visible ASCII"));
    let mut all = JoinSet::new();
    for _ in 0..requests {
        let browser = browser.clone();
        all.spawn(async move {
            let answer = browser.ask(Method::POST, "/count").await;
            match answer.status {
                StatusCode::OK => answer.text().to_owned(),
                status => format!("{status}:{}", answer.header("kind").unwrap_or_default()).replace(' ', "_"),
            }
        });
    }
    all.join_all().await
}

/// Has each server count so often at the same time. Answers what was told at each, and where the counter stands, which
/// began at 1.
async fn round(servers: &mut [Server; 2], requests: usize, here: &Router) -> ([Vec<String>; 2], usize) {
    let mut browser = Client::new(here.clone());
    ok(browser.post("/count").await);
    let cookie = browser.cookie_header();
    for server in servers.iter_mut() {
        server.go(requests, &cookie);
    }
    let told = servers.each_mut().map(Server::told);
    assert!(told.iter().all(|told| told.len() == requests), "each was told something");
    (told, see(&browser, "/count").await.parse().expect("it is a number"))
}

fn numbers(told: &[String]) -> BTreeSet<usize> {
    told.iter().filter_map(|word| word.parse().ok()).collect()
}

/// Checks that what was acknowledged happened once, each with a number of its own, and that nothing else did, save what
/// was told to be unknown. Answers how much was acknowledged, and how much was unknown.
fn settled(told: &[String], counted: usize) -> (usize, usize) {
    let (sure, numbers) = (told.iter().filter(|word| word.parse::<usize>().is_ok()).count(), numbers(told));
    let unknown = told.iter().filter(|word| word.ends_with(":Unknown")).count();
    assert_eq!(numbers.len(), sure, "no number twice: {told:?}");
    assert!(numbers.iter().all(|number| (2..=counted).contains(number)), "{counted} counted: {told:?}");
    assert!(sure < counted && counted <= 1 + sure + unknown, "{counted} counted: {told:?}");
    (sure, unknown)
}

#[tokio::test]
async fn sixty_four_increments_through_two_processes_all_count() {
    let redis = RedisServer::start();
    let site = Site::on(&redis.url());
    let (mut servers, here) = ([Server::start(&site), Server::start(&site)], site.server().await);
    let (mut whole, mut stalled, mut met) = (0, 0, 0);
    while whole < 50 {
        let (told, counted) = round(&mut servers, 32, &here).await;
        let [first, second] = told.each_ref().map(|half| numbers(half));
        match settled(&told.concat(), counted) {
            (64, 0) => whole += 1,
            // A machine so busy that a reply took longer than is waited for. That is told, and shows nothing more.
            (_, 1..) => stalled += 1,
            (sure, 0) => panic!("{sure} acknowledged, and the rest refused: {told:?}"),
        }
        met += usize::from(first.last() > second.first() && second.last() > first.first());
        assert!(stalled < 10, "this machine is too busy, or replies get lost");
    }
    assert!(met > 25, "the two counted at the same time in {met} rounds");
}

/// The connection is cut instead of the reply to one commit in ten, and with it go the replies to all that follow.
///
/// No more at once than a record's history holds: so hardly anything is unknown, and nothing hides behind that.
#[tokio::test]
async fn with_replies_lost_on_the_wire_every_increment_counts_once_or_is_told_to_be_unknown() {
    let redis = RedisServer::start();
    let proxy = Proxy::start(redis.addr());
    let site = Site::on(&proxy.url());
    let (mut servers, here) = ([Server::start(&site), Server::start(&site)], site.server().await);
    let (mut acknowledged, mut unknown) = (0, 0);
    for seed in 0..30 {
        let random = Mutex::new(StdRng::seed_from_u64(seed));
        proxy.on_request(move |request| {
            // Whoever follows news runs scripts as well, on no session.
            let is_commit = request.words.iter().any(|word| word.windows(3).any(|part| part == b":s:"))
                && request.name().starts_with("EVAL");
            let unlucky = is_commit && random.lock().unwrap().random_ratio(1, 10);
            if unlucky { Fault::LoseReply } else { Fault::Pass }
        });
        let (told, counted) = round(&mut servers, 8, &here).await;
        proxy.no_faults();
        let (sure, unsure) = settled(&told.concat(), counted);
        acknowledged += sure;
        unknown += unsure;
    }
    assert!(acknowledged > 20 * 16 && unknown < 20, "{acknowledged} acknowledged, {unknown} unknown");
}
