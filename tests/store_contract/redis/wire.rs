//! How many requests an operation takes, and of which kind.

use super::{Operation, Wired};
use crate::bench::{connect, ttl};
use crate::entries::{KEPT, key, live};
use crate::markers::ended;
use testbed::Fault;
use thin_session::store::{Outcome, Store};

#[tokio::test]
async fn every_operation_is_one_request() {
    let wired = Wired::start().await;
    for (operation, command) in Operation::ALL.into_iter().zip(["GET", "SET", "EVALSHA", "EVALSHA", "EVALSHA"]) {
        let key = key(operation as u8);
        if operation != Operation::Create {
            wired.create(&key).await;
        }
        wired.proxy.reset();
        operation.on(&wired.store, &key).await.unwrap();
        assert_eq!(wired.proxy.commands(), [command], "{operation:?}");
    }
    assert_eq!(wired.connections(), 1);
}

#[tokio::test]
async fn a_create_that_finds_something_reads_it_with_a_second_request() {
    let wired = Wired::start().await;
    wired.create(&key(0)).await;
    assert_eq!(wired.store.create(&key(0), &live(2), KEPT).await.unwrap(), Outcome::Found(live(1)));
    assert_eq!(wired.proxy.commands(), ["SET", "GET"]);
}

/// Cut off after any request, everything has an expiry.
#[tokio::test]
async fn value_and_expiry_are_set_as_one() {
    let wired = Wired::start().await;
    for operation in [Operation::Create, Operation::Commit, Operation::Touch, Operation::End] {
        let (key, name) = (key(operation as u8), key(operation as u8).to_string());
        if operation != Operation::Create {
            wired.create(&key).await;
        }
        wired.proxy.on_request(|_| Fault::LoseReply);
        operation.on(&wired.store, &key).await.unwrap_err();
        wired.proxy.no_faults();
        assert!(ttl(&wired.server, name.as_bytes()) > 0, "{operation:?}");
    }
}

#[tokio::test]
async fn scripts_that_redis_has_forgotten_are_sent_again() {
    let wired = Wired::start().await;
    for operation in [Operation::Commit, Operation::Touch, Operation::End] {
        let key = key(operation as u8);
        wired.create(&key).await;
        let flushed = wired.server.command(&[b"SCRIPT", b"FLUSH"]);
        assert_eq!(flushed.text(), "OK");
        operation.on(&wired.store, &key).await.unwrap();
        assert_eq!(wired.proxy.commands(), ["EVALSHA", "EVAL"], "{operation:?}");
    }
}

#[tokio::test]
async fn the_reply_to_an_eval_may_be_what_is_there() {
    let wired = Wired::start().await;
    wired.create(&key(0)).await;
    let _ = wired.server.command(&[b"SCRIPT", b"FLUSH"]);
    let other = Some(live(2).write_id());
    assert_eq!(wired.store.end(&key(0), other, ended()).await.unwrap(), Outcome::Found(live(1)));
}

#[tokio::test]
async fn resp3_will_do() {
    let server = testbed::RedisServer::start();
    let store = connect(&format!("{}?protocol=resp3", server.url())).await;
    let key = key(0);
    assert_eq!(store.load(&key).await.unwrap(), None);
    for operation in [Operation::Create, Operation::Touch, Operation::Commit, Operation::End] {
        operation.on(&store, &key).await.unwrap();
    }
    assert_eq!(store.load(&key).await.unwrap(), Some(live(2).ended(ended())));
    let there = Outcome::Found(live(2).ended(ended()));
    assert_eq!(store.create(&key, &live(3), KEPT).await.unwrap(), there);
}
