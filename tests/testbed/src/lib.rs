//! A real Redis and Postgres, and a network in front of Redis that fails on command, so that
//! the tests of thin-session can count what it sends and break what it needs.
//!
//! | page | what it holds |
//! |---|---|
//! | [`RedisServer`] | a server of a test's own: killed, restarted, frozen, looked into |
//! | [`PostgresServer`] | the same of Postgres, which the tests of one program can share |
//! | [`Proxy`] | the wire to it: counts requests, loses or holds them |
//! | [`Line`] | a wire for anything else: held, cut, and what was on it lost |
//! | [`Request`], [`Fault`] | what a rule of the proxy sees, and what it answers |
//! | [`Client`], [`Answer`] | a browser for a router in this process, and what it was sent |
//! | [`Http`], [`HttpAnswer`] | a browser for a server in another process |
//! | [`Example`] | an example of the crate as a program of its own |
//! | [`Process`] | any other program, which cannot outlive the test |
//! | [`Reply`] | what the server said to a command of the test itself |
//! | [`frame_len`], [`Malformed`] | where one RESP message ends and the next begins |
//! | [`wait_until`], [`LIMIT`] | waiting for something outside, with a deadline |
//! | [`free_port`] | a port for a server that the test starts itself |
//!
//! Linux only: it leans on `setpriv`, `/proc` and abstract Unix sockets.

mod client;
mod example;
mod http;
mod line;
mod port;
mod postgres;
mod process;
mod proxy;
mod resp;
mod server;
mod wait;

pub use client::{Answer, Client};
pub use example::Example;
pub use http::{Http, HttpAnswer};
pub use line::Line;
pub use port::free_port;
pub use postgres::PostgresServer;
pub use process::Process;
pub use proxy::{Fault, Proxy, Request};
pub use resp::{Malformed, Reply, frame_len};
pub use server::RedisServer;
pub use wait::{LIMIT, wait_until};
