//! A request is held.

use std::time::{Duration, Instant};

use testbed::Fault;

use super::{Client, INCR, PING, n, start};

#[tokio::test]
async fn a_held_request_waits_for_its_release() {
    let (server, proxy) = start();
    proxy.on_request(|request| if request.name() == "INCR" { Fault::Hold } else { Fault::Pass });
    assert!(!proxy.held());
    let mut client = Client::of(&proxy);
    client.send(&[INCR, PING].concat());

    proxy.wait_held().await;
    assert!(proxy.held());
    assert_eq!(n(&server), None);
    // What follows on the connection waits as well; other connections do not.
    assert_eq!(proxy.commands(), ["INCR"]);
    let mut other = Client::of(&proxy);
    other.send(PING);
    other.expect(b"+PONG\r\n");

    proxy.release();
    assert!(!proxy.held());
    client.expect(b":1\r\n+PONG\r\n");

    client.send(INCR);
    proxy.wait_held().await;
    assert_eq!(n(&server).as_deref(), Some("1"));
    proxy.no_faults();
    assert!(proxy.held());
    proxy.release();
    client.expect(b":2\r\n");
}

#[tokio::test]
async fn a_held_request_arrives_even_if_its_client_is_gone() {
    let (server, proxy) = start();
    proxy.on_request(|_| Fault::Hold);
    let mut client = Client::of(&proxy);
    client.send(INCR);
    proxy.wait_held().await;
    drop(client);
    proxy.release();

    let deadline = Instant::now() + Duration::from_secs(10);
    while n(&server).is_none() {
        assert!(Instant::now() < deadline, "the request never arrived");
    }
}
