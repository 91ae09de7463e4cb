//! The wire to a real Redis is cut at every byte of every request and every reply, for each operation of a store. What is known
//! then must be true, what is on its way beside it must not come to another, and the next request must find all in order.
//!
//! With `THIN_SESSION_FULL` set at every byte, otherwise at some of them.

mod operation;

use operation::Operation;
use std::env;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testbed::{Fault, Proxy, RedisServer, Request};
use thin_session::RedisStore;
use thin_session::store::{Outcome, Store};
use thin_session::testing::conformance::entries::{KEPT, key, live};

/// All that is in the server, in one command: names, and what `DUMP` has of them.
const ALL: &[u8] = b"local all = {} \
    for _, key in ipairs(redis.call('KEYS', '*')) do all[#all + 1] = key .. redis.call('DUMP', key) end \
    table.sort(all) return table.concat(all)";

/// The time by the server's clock.
const MILLISECOND: &[u8] = b"local now = redis.call('TIME') return now[1] * 1000 + math.floor(now[2] / 1000)";

/// No reply is longer here.
const LONGEST: usize = 500;

/// Somebody's session that has nothing to do with it.
const OTHER: u16 = 99;

struct Wire {
    /// By way of the proxy.
    store: RedisStore,
    /// Past it.
    direct: RedisStore,
    proxy: Proxy,
    server: RedisServer,
}

/// What became of the connection at one point.
#[derive(Debug, Default)]
struct Seen {
    points: usize,
    applied: usize,
    unknown: usize,
    not_applied: usize,
}

impl Wire {
    async fn start() -> Self {
        let server = RedisServer::start();
        let proxy = Proxy::start(server.addr());
        let store = RedisStore::connect(&proxy.url()).await.expect("Redis is up");
        let direct = RedisStore::connect(&server.url()).await.expect("Redis is up");
        Self { store, direct, proxy, server }
    }

    fn all(&self) -> Vec<u8> {
        self.server.command(&[b"EVAL", ALL, b"0"]).bytes()
    }

    /// What an operation finds.
    async fn prepare(&self) {
        let _ = self.server.command(&[b"FLUSHALL"]);
        operation::prepare(&self.direct).await;
        assert_eq!(self.direct.create(&key(OTHER as u8), &live(OTHER), KEPT).await.unwrap(), Outcome::Applied);
    }

    /// The sizes of the requests that an operation sends.
    async fn sizes(&self, operation: Operation) -> Vec<usize> {
        self.prepare().await;
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&sizes);
        self.proxy.on_request(move |request| {
            seen.lock().unwrap().push(request.size());
            Fault::Pass
        });
        operation.on(&self.store).await.unwrap();
        self.proxy.no_faults();
        sizes.lock().unwrap().clone()
    }

    /// Carries an operation out with this fault at its request of this number, and looks what is true of what is said. Answers
    /// whether it was carried out all the same.
    async fn cut(&self, operation: Operation, number: usize, fault: Fault, seen: &mut Seen) -> bool {
        self.prepare().await;
        // Activity is noted in milliseconds: what is noted in the same one leaves no trace.
        let millisecond = || self.server.command(&[b"EVAL", MILLISECOND, b"0"]).int();
        let noted = millisecond();
        while millisecond() == noted {}
        // The connection is there before it is cut.
        self.finds_the_other().await;
        let before = self.all();
        let (sent, others) = (AtomicUsize::new(0), key(OTHER as u8).to_string().into_bytes());
        self.proxy.on_request(move |request: &Request| {
            let is_of_the_operation = !is_greeting(request) && !request.words.contains(&others);
            if is_of_the_operation && sent.fetch_add(1, Ordering::SeqCst) + 1 == number { fault } else { Fault::Pass }
        });
        let other = key(OTHER as u8);
        let (answer, beside) = tokio::join!(operation.on(&self.store), self.store.load(&other));
        self.proxy.no_faults();
        // What was on its way beside it is lost with the connection, or is what it was.
        if let Ok(beside) = beside {
            assert_eq!(beside, Some(live(OTHER)), "{operation:?} {number} {fault:?}");
        }
        let applied = self.all() != before;
        let context = format!("{operation:?}, request {number}, {fault:?}: {answer:?}, applied {applied}");
        seen.points += 1;
        match &answer {
            Ok(()) => assert_eq!(applied, operation.writes(), "{context}"),
            Err(error) if error.maybe_applied() => seen.unknown += 1,
            Err(_) => {
                assert!(!applied, "{context}");
                seen.not_applied += 1;
            }
        }
        seen.applied += usize::from(applied);
        if operation.writes() && operation.is_one_request() {
            match fault {
                Fault::CutReply(_) => assert!(applied, "{context}"),
                Fault::CutRequest(_) if answer.is_ok() => panic!("{context}"),
                _ => {}
            }
        }
        self.finds_the_other().await;
        answer.is_ok()
    }

    /// The next request finds all in order; the connection may have to be made anew.
    async fn finds_the_other(&self) {
        for _ in 0..50 {
            match self.store.load(&key(OTHER as u8)).await {
                Ok(found) => return assert_eq!(found, Some(live(OTHER))),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        panic!("the store does not come back");
    }
}

fn is_greeting(request: &Request) -> bool {
    matches!(request.name().as_str(), "HELLO" | "CLIENT" | "SELECT" | "AUTH" | "PING")
}

fn stride() -> usize {
    if env::var_os("THIN_SESSION_FULL").is_some() { 1 } else { 23 }
}

/// The points at which a message of this size is cut: its ends always.
fn points(size: usize) -> impl Iterator<Item = usize> {
    (0..size).step_by(stride()).chain([size.saturating_sub(1), size])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_at_every_byte_what_is_known_is_true() {
    let wire = Wire::start().await;
    let (mut requests, mut replies) = (Seen::default(), Seen::default());
    for operation in Operation::ALL {
        let sizes = wire.sizes(operation).await;
        assert_eq!(sizes.len() == 1, operation.is_one_request(), "{operation:?} sends {}", sizes.len());
        for (number, size) in (1..).zip(sizes) {
            for bytes in points(size) {
                let done = wire.cut(operation, number, Fault::CutRequest(bytes), &mut requests).await;
                assert!(!done, "{operation:?}: cut after {bytes} of {size} bytes it cannot be answered");
            }
            // Until the whole reply comes before the cut.
            for bytes in (0..).step_by(stride()) {
                if bytes > LONGEST {
                    assert!(!operation.is_one_request(), "{operation:?}: no reply is that long");
                    // The next request finds the connection cut.
                    break;
                }
                if wire.cut(operation, number, Fault::CutReply(bytes), &mut replies).await {
                    break;
                }
            }
        }
        if stride() == 1 {
            eprintln!("{operation:?}: {} points of requests and {} of replies so far", requests.points, replies.points);
        }
    }
    assert_eq!(requests.not_applied + requests.unknown, requests.points);
    assert!(requests.applied > 0 && replies.applied > 0 && replies.unknown > 0, "{requests:?}, {replies:?}");
    for (what, Seen { points, applied, unknown, not_applied }) in [("requests", requests), ("replies", replies)] {
        report(&format!(
            "| {what} of {} operations | {points} | {applied} | {unknown} | {not_applied} |",
            Operation::ALL.len()
        ));
    }
}

/// Two replies that come when nobody waits for them any more go to nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_late_replies_go_to_nobody() {
    let wire = Wire::start().await;
    wire.prepare().await;
    for number in 1..=20 {
        let (late, later, next) = (key(100), key(101), key(102));
        for (key, id) in [(&late, 100), (&later, 101), (&next, 102)] {
            let _ = wire.direct.create(key, &live(id), KEPT).await.unwrap();
        }
        wire.finds_the_other().await;
        wire.proxy.on_request(|request| if request.name() == "GET" { Fault::HoldReply } else { Fault::Pass });
        let (first, second) = tokio::join!(wire.store.load(&late), wire.store.load(&later));
        assert!(first.is_err() && second.is_err(), "round {number}: nobody waits that long");
        wire.proxy.no_faults();
        let (release, found) = tokio::join!(async { wire.proxy.release() }, wire.store.load(&next));
        let () = release;
        if let Ok(found) = found {
            assert_eq!(found, Some(live(102)), "round {number}");
        }
        wire.finds_the_other().await;
    }
}

/// A line for the campaign's report, if there is to be one.
fn report(line: &str) {
    let Some(file) = env::var_os("THIN_SESSION_REPORT") else { return };
    let mut file = OpenOptions::new().create(true).append(true).open(file).expect("the report can be written");
    writeln!(file, "{line}").expect("the report can be written");
}
