//! What passes is counted, and shown to the rule.

use testbed::Fault;

use super::{Client, INCR, PING, n, start};

#[test]
fn counts_what_passes() {
    let (server, proxy) = start();
    assert!(proxy.addr().port() < 22_000);
    assert_eq!(proxy.url(), format!("redis://{}/", proxy.addr()));
    assert_eq!((proxy.requests(), proxy.connections()), (0, 0));

    let mut client = Client::of(&proxy);
    for count in 1..=3 {
        client.send(INCR);
        client.expect(format!(":{count}\r\n").as_bytes());
        assert_eq!(proxy.requests(), count);
    }
    let mut other = Client::of(&proxy);
    other.send(PING);
    other.expect(b"+PONG\r\n");

    assert_eq!(proxy.commands(), ["INCR", "INCR", "INCR", "PING"]);
    assert_eq!(proxy.connections(), 2);
    assert_eq!(n(&server).as_deref(), Some("3"));

    proxy.reset();
    assert_eq!(proxy.requests(), 0);
    assert!(proxy.commands().is_empty());
    assert_eq!(proxy.connections(), 2);
}

#[test]
fn counts_requests_that_share_or_split_a_packet() {
    let (_server, proxy) = start();
    let mut client = Client::of(&proxy);
    let many = [INCR, PING, INCR].concat();
    client.send(&many);
    client.expect(b":1\r\n+PONG\r\n:2\r\n");
    assert_eq!(proxy.commands(), ["INCR", "PING", "INCR"]);

    proxy.reset();
    for byte in &many {
        client.send(&[*byte]);
    }
    client.expect(b":3\r\n+PONG\r\n:4\r\n");
    assert_eq!(proxy.commands(), ["INCR", "PING", "INCR"]);
}

#[test]
fn it_leads_elsewhere_from_the_next_connection_on() {
    let (server, proxy) = start();
    let mut before = Client::of(&proxy);
    before.send(INCR);
    before.expect(b":1\r\n");
    let other = testbed::RedisServer::start();
    proxy.lead_to(other.addr());
    before.send(INCR);
    before.expect(b":2\r\n");
    let mut after = Client::of(&proxy);
    after.send(INCR);
    after.expect(b":1\r\n");
    assert_eq!((n(&server).as_deref(), n(&other).as_deref()), (Some("2"), Some("1")));
}

#[test]
fn a_rule_sees_the_request() {
    let (_server, proxy) = start();
    let (seen, requests) = std::sync::mpsc::channel();
    proxy.on_request(move |request| {
        let _ = seen.send(request.clone());
        Fault::Pass
    });
    let mut client = Client::of(&proxy);
    client.send(&[INCR, PING].concat());
    client.expect(b":1\r\n+PONG\r\n");

    let requests: Vec<_> = requests.try_iter().collect();
    assert_eq!((requests[0].number, requests[1].number), (1, 2));
    assert_eq!(requests[0].name(), "INCR");
    assert_eq!(requests[0].words, [&b"incr"[..], b"n"]);
}
