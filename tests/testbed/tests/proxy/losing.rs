//! A request or its reply is lost.

use std::io::{Read, Write};
use std::net::TcpListener;

use testbed::{Fault, Proxy, free_port, wait_until};

use super::{Client, INCR, n, start};

#[test]
fn a_lost_reply_leaves_the_command_executed() {
    let (server, proxy) = start();
    proxy.on_request(|_| Fault::LoseReply);
    let mut client = Client::of(&proxy);
    client.send(INCR);
    client.expect_cut();
    assert_eq!(n(&server).as_deref(), Some("1"));
    assert_eq!(proxy.requests(), 1);

    proxy.no_faults();
    let mut client = Client::of(&proxy);
    client.send(INCR);
    client.expect(b":2\r\n");
}

#[test]
fn a_lost_request_leaves_the_command_unexecuted() {
    let (server, proxy) = start();
    proxy.on_request(|_| Fault::LoseRequest);
    let mut client = Client::of(&proxy);
    client.send(INCR);
    client.expect_cut();
    assert_eq!(n(&server), None);
    assert_eq!(proxy.requests(), 1);
}

#[test]
fn a_loss_spares_what_came_before_and_takes_what_comes_after() {
    for (fault, executed) in [(Fault::LoseReply, "2"), (Fault::LoseRequest, "1")] {
        let (server, proxy) = start();
        proxy.on_request(move |request| if request.number == 2 { fault } else { Fault::Pass });
        let mut client = Client::of(&proxy);
        client.send(&[INCR, INCR, INCR].concat());
        client.expect(b":1\r\n");
        client.expect_cut();
        assert_eq!(n(&server).as_deref(), Some(executed), "{fault:?}");
        assert_eq!(proxy.requests(), 2, "{fault:?}");
    }
}

#[test]
fn what_the_server_sends_unasked_is_no_reply() {
    const PUSH: &[u8] = b">2\r\n+invalidate\r\n*1\r\n+n\r\n";
    const REPLY: &[u8] = b"|1\r\n+ttl\r\n:60\r\n:1\r\n";

    // No real server can be told to say something between request and reply.
    let upstream = TcpListener::bind(("127.0.0.1", free_port())).expect("the port is free");
    let proxy = Proxy::start(upstream.local_addr().expect("it has an address"));
    proxy.on_request(|request| match request.number {
        2 => Fault::LoseReply,
        _ => Fault::Pass,
    });
    let mut client = Client::of(&proxy);
    let (mut server, _) = upstream.accept().expect("the proxy connects");

    client.send(&[INCR, INCR].concat());
    let mut requests = vec![0; 2 * INCR.len()];
    server.read_exact(&mut requests).expect("both pass");
    let answer = [PUSH, REPLY, PUSH, REPLY, PUSH].concat();
    server.write_all(&answer).expect("the proxy reads");

    client.expect(&[PUSH, REPLY, PUSH].concat());
    client.expect_cut();
}

#[test]
fn a_request_cut_short_is_not_executed_and_a_whole_one_is() {
    for (bytes, executed) in [(0, None), (1, None), (INCR.len() - 1, None), (INCR.len(), Some("1"))] {
        let (server, proxy) = start();
        proxy.on_request(move |request| {
            assert_eq!(request.size(), INCR.len());
            Fault::CutRequest(bytes)
        });
        let mut client = Client::of(&proxy);
        client.send(INCR);
        client.expect_cut();
        assert_eq!(n(&server).as_deref(), executed, "{bytes} bytes");
    }
}

#[test]
fn a_reply_cut_short_comes_so_far() {
    for bytes in 0..=4 {
        let (server, proxy) = start();
        proxy.on_request(move |_| Fault::CutReply(bytes));
        let mut client = Client::of(&proxy);
        client.send(INCR);
        client.expect(&b":1\r\n"[..bytes]);
        client.expect_cut();
        assert_eq!(n(&server).as_deref(), Some("1"));
    }
}

#[test]
fn a_held_reply_comes_when_it_is_released_and_others_behind_it() {
    let (server, proxy) = start();
    proxy.on_request(|request| if request.number == 1 { Fault::HoldReply } else { Fault::Pass });
    let mut client = Client::of(&proxy);
    client.send(INCR);
    client.send(INCR);
    wait_until("both to be executed", || n(&server).as_deref() == Some("2"));
    wait_until("the reply to be held", || proxy.held());
    proxy.release();
    client.expect(b":1\r\n:2\r\n");
}
