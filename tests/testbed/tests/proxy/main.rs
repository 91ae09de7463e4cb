//! The proxy, in front of a real server.

mod client;
mod cutting;
mod holding;
mod losing;
mod passing;

use client::Client;
use testbed::{Proxy, RedisServer, Reply};

const INCR: &[u8] = b"*2\r\n$4\r\nincr\r\n$1\r\nn\r\n";
const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";

fn start() -> (RedisServer, Proxy) {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.addr());
    (server, proxy)
}

/// What the server holds under the key that [`INCR`] counts up.
fn n(server: &RedisServer) -> Option<String> {
    match server.command(&[b"GET", b"n"]) {
        Reply::Nil => None,
        reply => Some(reply.text()),
    }
}
