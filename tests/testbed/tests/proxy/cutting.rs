//! A connection ends for other reasons than a fault.

use std::net::TcpStream;

use testbed::Fault;

use super::{Client, PING, start};

#[test]
fn a_killed_server_cuts_and_a_restarted_one_is_reached_again() {
    let (mut server, proxy) = start();
    let mut client = Client::of(&proxy);
    client.send(PING);
    client.expect(b"+PONG\r\n");

    server.kill();
    client.expect_cut();
    Client::of(&proxy).expect_cut();

    server.restart();
    let mut client = Client::of(&proxy);
    client.send(PING);
    client.expect(b"+PONG\r\n");
}

#[test]
fn a_dropped_proxy_cuts_everything() {
    let (_server, proxy) = start();
    proxy.on_request(|_| Fault::Hold);
    let mut client = Client::of(&proxy);
    client.send(PING);
    let addr = proxy.addr();
    drop(proxy);
    client.expect_cut();
    TcpStream::connect(addr).expect_err("nobody listens");
}

#[test]
fn a_rule_that_panics_cuts_its_connection_alone() {
    let (_server, proxy) = start();
    proxy.on_request(|request| match request.number {
        1 => panic!("as the test wants it"),
        _ => Fault::Pass,
    });
    let mut client = Client::of(&proxy);
    client.send(PING);
    client.expect_cut();
    let mut client = Client::of(&proxy);
    client.send(PING);
    client.expect(b"+PONG\r\n");
}
