//! A wire of bytes: passed on, held, lost.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use testbed::{LIMIT, Line, RedisServer};

fn connect(line: &Line) -> TcpStream {
    let stream = TcpStream::connect(line.addr()).expect("it listens");
    stream.set_read_timeout(Some(LIMIT)).expect("a timeout can be set");
    stream
}

fn expect(stream: &mut TcpStream, reply: &[u8]) {
    let mut bytes = vec![0; reply.len()];
    stream.read_exact(&mut bytes).expect("a reply comes");
    assert_eq!(bytes, reply);
}

#[test]
fn what_is_held_comes_later_and_what_is_cut_never() {
    let server = RedisServer::start();
    let line = Line::start(server.addr());
    let mut client = connect(&line);
    client.write_all(b"INCR n\r\n").expect("it is taken");
    expect(&mut client, b":1\r\n");

    line.hold();
    client.write_all(b"INCR n\r\n").expect("it is taken");
    client.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout can be set");
    let silence = client.read(&mut [0]).expect_err("it is held");
    assert_eq!(silence.kind(), ErrorKind::WouldBlock);
    client.set_read_timeout(Some(LIMIT)).expect("a timeout can be set");
    line.release();
    expect(&mut client, b":2\r\n");

    line.hold();
    client.write_all(b"INCR n\r\n").expect("it is taken");
    line.cut();
    assert!(matches!(client.read(&mut [0]), Ok(0) | Err(_)), "it is cut");
    assert_eq!(server.command(&[b"GET", b"n"]).bytes(), b"2", "what was held is lost");

    let mut again = connect(&line);
    again.write_all(b"INCR n\r\n").expect("it is taken");
    expect(&mut again, b":3\r\n");
    let addr = line.addr();
    drop(line);
    assert!(matches!(again.read(&mut [0]), Ok(0) | Err(_)), "it is cut");
    testbed::wait_until("nobody to listen", || TcpStream::connect(addr).is_err());
}
