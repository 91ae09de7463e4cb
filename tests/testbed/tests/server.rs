//! The server, put through what tests put it through.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use testbed::{RedisServer, Reply};

fn set(server: &RedisServer, key: &[u8], value: &[u8]) {
    assert_eq!(server.command(&[b"SET", key, value]).text(), "OK");
}

#[test]
fn servers_are_apart_and_on_low_ports() {
    let one = RedisServer::start();
    let two = RedisServer::start();
    assert_ne!(one.addr(), two.addr());
    assert!(one.addr().port() < 22_000);
    assert_eq!(one.url(), format!("redis://{}/", one.addr()));

    set(&one, b"k", b"v");
    assert_eq!(one.command(&[b"GET", b"k"]).bytes(), b"v");
    assert_eq!(two.command(&[b"GET", b"k"]), Reply::Nil);
}

#[test]
fn a_dropped_server_is_gone() {
    let server = RedisServer::start();
    let addr = server.addr();
    let folder = server.command(&[b"CONFIG", b"GET", b"dir"]).items().remove(1).text();
    assert!(std::fs::exists(&folder).expect("the folder can be looked for"));

    drop(server);

    TcpStream::connect(addr).expect_err("nobody listens");
    assert!(!std::fs::exists(&folder).expect("the folder can be looked for"));
}

#[test]
fn a_killed_server_refuses_and_comes_back_empty() {
    let mut server = RedisServer::start();
    let addr = server.addr();
    set(&server, b"k", b"v");

    server.kill();
    let refused = TcpStream::connect(addr).expect_err("nobody listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);

    server.restart();
    assert_eq!(server.addr(), addr);
    assert!(server.keys().is_empty());
}

#[test]
fn arguments_win_and_outlast_a_restart() {
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    set(&server, b"k", b"v");

    server.restart();

    assert_eq!(server.command(&[b"GET", b"k"]).bytes(), b"v");
}

#[test]
#[should_panic(expected = "redis-server ended with")]
fn arguments_it_does_not_know_are_reported() {
    let _ = RedisServer::start_with(&["--no-such-option", "1"]);
}

#[test]
fn a_frozen_server_answers_only_once_thawed() {
    let server = RedisServer::start();
    server.freeze();

    let mut client = TcpStream::connect(server.addr()).expect("the kernel accepts");
    client.write_all(b"PING\r\n").expect("the kernel takes it");
    let mut reply = [0; 7];
    // However short or long this is, nothing comes.
    client.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout can be set");
    let silence = client.read(&mut reply).expect_err("the server is frozen");
    assert_eq!(silence.kind(), ErrorKind::WouldBlock);

    server.thaw();
    client.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout can be set");
    client.read_exact(&mut reply).expect("the server runs on");
    assert_eq!(&reply, b"+PONG\r\n");
}

#[test]
fn a_frozen_server_can_be_killed() {
    let mut server = RedisServer::start();
    server.freeze();
    server.restart();
    assert_eq!(server.command(&[b"PING"]).text(), "PONG");
}

#[test]
fn a_server_that_is_loading_can_be_had_before_it_is_ready() {
    let mut server = RedisServer::start_slow_to_load();
    server.restart_loading();
    let reply = server.command(&[b"GET", b"1"]);
    assert!(matches!(&reply, Reply::Error(words) if words.starts_with("LOADING")), "{reply:?}");
    assert!(server.is_loading());
    server.finish_loading();
    assert!(!server.is_loading());
    assert_eq!(server.command(&[b"DBSIZE"]).int(), 60_000);
}

#[test]
fn a_refusal_is_a_reply() {
    let server = RedisServer::start();
    let reply = server.command(&[b"NONSENSE"]);
    assert!(matches!(reply, Reply::Error(words) if words.starts_with("ERR")));
}

#[test]
fn a_dump_shows_names_and_values_of_every_type() {
    let server = RedisServer::start();
    // Long and monotonous: what Redis would compress if it were let.
    let hidden = b"secret-".repeat(50);
    set(&server, b"a-string", b"its\r\nvalue");
    assert_eq!(server.command(&[b"HSET", b"a-hash", b"field", &hidden]).int(), 1);
    assert_eq!(server.command(&[b"RPUSH", b"a-list", &hidden]).int(), 1);

    let mut keys = server.keys();
    keys.sort();
    assert_eq!(keys, [&b"a-hash"[..], b"a-list", b"a-string"]);

    let dump = server.dump();
    let count = |part: &[u8]| dump.windows(part.len()).filter(|bytes| *bytes == part).count();
    assert_eq!(count(b"a-string\nits\r\nvalue\n"), 1);
    assert_eq!(count(b"a-hash\n"), 1);
    assert_eq!(count(&hidden), 2);
}
