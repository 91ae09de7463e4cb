//! What Redis refuses, memory first.

use super::{Operation, Wired, told};
use crate::bench::{connect, ttl};
use crate::entries::{KEPT, TOUCHED, at, id, key, live};
use crate::markers::{ended, moved};
use std::io::{Read as _, Write as _};
use testbed::{RedisServer, Reply};
use thin_session::store::{Key, Outcome, Store};
use tokio::time::Instant;

fn set(server: &RedisServer, setting: &str, value: &str) {
    let reply = server.command(&[b"CONFIG", b"SET", setting.as_bytes(), value.as_bytes()]);
    assert_eq!(reply.text(), "OK");
}

/// With the scripts known to Redis, and without.
#[tokio::test]
async fn without_memory_nothing_begins_and_everything_ends() {
    for flush in [false, true] {
        let wired = Wired::start().await;
        let flush = || {
            if flush {
                drop(wired.server.command(&[b"SCRIPT", b"FLUSH"]))
            }
        };
        let store = &wired.store;
        wired.create(&key(0)).await;
        set(&wired.server, "maxmemory", "1");

        assert!(!store.create(&key(1), &live(1), KEPT).await.unwrap_err().maybe_applied());
        flush();
        assert!(!store.commit(&key(0), id(1), &live(2), KEPT).await.unwrap_err().maybe_applied());
        assert_eq!(store.load(&key(0)).await.unwrap(), Some(live(1)));
        flush();
        assert!(store.touch(&key(0), at(TOUCHED), at(TOUCHED + 1), KEPT).await.unwrap());
        flush();
        assert_eq!(store.end(&key(0), Some(id(1)), moved()).await.unwrap(), Outcome::Applied);

        let mut ended = live(1);
        ended.touch(at(TOUCHED + 1));
        assert_eq!(store.load(&key(0)).await.unwrap(), Some(ended.ended(moved())));
        assert_eq!(store.load(&key(1)).await.unwrap(), None);
        assert_eq!(wired.connections(), 1);
    }
}

#[tokio::test]
async fn a_server_that_wants_replicas_changes_nothing() {
    let wired = Wired::start().await;
    wired.create(&key(0)).await;
    set(&wired.server, "min-replicas-to-write", "1");
    for (operation, shard) in
        [(Operation::Create, 1), (Operation::Commit, 0), (Operation::Touch, 0), (Operation::End, 0)]
    {
        let error = operation.on(&wired.store, &key(shard)).await.unwrap_err();
        assert!(!error.maybe_applied() && told(&error).contains("NOREPLICAS"), "{}", told(&error));
    }
    assert_eq!(wired.store.load(&key(0)).await.unwrap(), Some(live(1)));
    assert_eq!(wired.connections(), 1);
}

/// Where a name led to a server that is no longer the master, it may lead to the new one by now.
#[tokio::test]
async fn a_server_that_became_a_replica_is_connected_to_anew() {
    let wired = Wired::start().await;
    wired.create(&key(0)).await;
    let _ = wired.server.command(&[b"REPLICAOF", b"127.0.0.1", b"1"]);
    assert!(!wired.store.commit(&key(0), id(1), &live(2), KEPT).await.unwrap_err().maybe_applied());
    let _ = wired.server.command(&[b"REPLICAOF", b"NO", b"ONE"]);
    let applied = loop {
        // For some tens of milliseconds nobody connects.
        match wired.store.commit(&key(0), id(1), &live(2), KEPT).await {
            Ok(outcome) => break outcome,
            Err(error) => assert!(told(&error).contains("a moment ago"), "{}", told(&error)),
        }
    };
    assert_eq!(applied, Outcome::Applied);
    assert_eq!(wired.connections(), 2);
}

/// Asks until the answer is this refusal; all answers until then are errors as well. The refusal says that nothing was done.
async fn is_refused(wired: &Wired, operation: Operation, key: &Key, refusal: &str) {
    let give_up = Instant::now() + testbed::LIMIT;
    loop {
        let error = operation.on(&wired.store, key).await.expect_err(refusal);
        if told(&error).contains(refusal) {
            assert!(!error.maybe_applied(), "{operation:?}: {}", told(&error));
            return;
        }
        assert!(Instant::now() < give_up, "{operation:?}: {}", told(&error));
    }
}

const WRITES: [(Operation, u8); 4] =
    [(Operation::Create, 1), (Operation::Commit, 0), (Operation::Touch, 0), (Operation::End, 0)];

async fn nothing_was_done(wired: &Wired) {
    let loaded = loop {
        // The connection may have to be made anew.
        match wired.store.load(&key(0)).await {
            Ok(loaded) => break loaded,
            Err(error) => assert!(told(&error).contains("a moment ago"), "{}", told(&error)),
        }
    };
    assert_eq!(loaded, Some(live(1)));
    assert_eq!(wired.store.load(&key(1)).await.unwrap(), None);
    for (operation, shard) in WRITES {
        operation.on(&wired.store, &key(shard)).await.unwrap();
    }
    assert!(!wired.store.load(&key(0)).await.unwrap().unwrap().is_live());
}

#[tokio::test]
async fn a_replica_changes_nothing() {
    let wired = Wired::start().await;
    wired.create(&key(0)).await;
    let _ = wired.server.command(&[b"REPLICAOF", b"127.0.0.1", b"1"]);
    for (operation, shard) in WRITES {
        is_refused(&wired, operation, &key(shard), "read only replica").await;
    }
    let _ = wired.server.command(&[b"REPLICAOF", b"NO", b"ONE"]);
    nothing_was_done(&wired).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_busy_changes_nothing() {
    let wired = Wired::start().await;
    wired.create(&key(0)).await;
    set(&wired.server, "lua-time-limit", "5");
    let addr = wired.server.addr();
    // What it is killed with is an error.
    let busy = std::thread::spawn(move || {
        let mut stream = std::net::TcpStream::connect(addr).unwrap();
        stream.write_all(b"EVAL \"while true do end\" 0\r\n").unwrap();
        stream.read(&mut [0; 64]).unwrap()
    });
    testbed::wait_until("Redis to be busy", || matches!(wired.server.command(&[b"PING"]), Reply::Error(_)));
    for (operation, shard) in WRITES.into_iter().chain([(Operation::Load, 0)]) {
        is_refused(&wired, operation, &key(shard), "BUSY").await;
    }
    assert_eq!(wired.server.command(&[b"SCRIPT", b"KILL"]).text(), "OK");
    assert!(busy.join().unwrap() > 0);
    nothing_was_done(&wired).await;
}

#[tokio::test]
async fn a_server_that_is_loading_changes_nothing_and_has_lost_nothing() {
    let mut wired = Wired::of(RedisServer::start_slow_to_load()).await;
    wired.create(&key(0)).await;
    wired.server.restart_loading();
    for (operation, shard) in WRITES.into_iter().chain([(Operation::Load, 0)]) {
        is_refused(&wired, operation, &key(shard), "loading the dataset").await;
    }
    assert!(wired.server.is_loading(), "it was so all the time");
    wired.server.finish_loading();
    nothing_was_done(&wired).await;
}

#[tokio::test]
async fn what_is_no_entry_is_an_error_and_never_absent() {
    let wired = Wired::start().await;
    let name = key(0).to_string();
    let (short, long) = (vec![1; 20], live(1).as_bytes().iter().copied().chain(vec![0; 128 * 1024]).collect());
    for value in [vec![], short, vec![b'x'; 100], long] {
        let _ = wired.server.command(&[b"SET", name.as_bytes(), &value, b"PX", b"100000"]);
        assert!(!wired.store.load(&key(0)).await.unwrap_err().maybe_applied());
        assert!(!wired.store.create(&key(0), &live(2), KEPT).await.unwrap_err().maybe_applied());
        assert!(!wired.store.commit(&key(0), id(3), &live(2), KEPT).await.unwrap_err().maybe_applied());
    }
    let _ = wired.server.command(&[b"DEL", name.as_bytes()]);
    let _ = wired.server.command(&[b"RPUSH", name.as_bytes(), b"a", b"list"]);
    for operation in Operation::ALL.into_iter().filter(|operation| *operation != Operation::Create) {
        assert!(!operation.on(&wired.store, &key(0)).await.unwrap_err().maybe_applied(), "{operation:?}");
    }
    assert_eq!(wired.connections(), 1);
}

/// The one way in which a script can stop half-way: a right is taken away while the server runs.
#[tokio::test]
async fn half_an_ending_is_unknown() {
    let server = RedisServer::start();
    let user = |rule: &[u8]| {
        let reply = server.command(&[b"ACL", b"SETUSER", b"app", b"on", b">secret", b"~*", rule]);
        assert_eq!(reply.text(), "OK");
    };
    user(b"+@all");
    let store = connect(&server.url().replace("//", "//app:secret@")).await;
    assert_eq!(store.create(&key(0), &live(1), KEPT).await.unwrap(), Outcome::Applied);
    user(b"-set");
    assert!(!store.commit(&key(0), id(1), &live(2), KEPT).await.unwrap_err().maybe_applied());
    let error = store.end(&key(0), None, ended()).await.unwrap_err();
    assert!(error.maybe_applied(), "{}", told(&error));
    assert!((1..=120_000).contains(&ttl(&server, key(0).to_string().as_bytes())));
    assert_eq!(store.load(&key(0)).await.unwrap(), Some(live(1)));

    user(b"-setrange");
    assert!(store.touch(&key(0), at(TOUCHED), at(TOUCHED + 1), KEPT).await.unwrap_err().maybe_applied());
    user(b"+@all");
    assert_eq!(store.end(&key(0), None, ended()).await.unwrap(), Outcome::Applied);
}
