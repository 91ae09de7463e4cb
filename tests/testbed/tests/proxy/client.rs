//! A client that speaks in bytes.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use testbed::Proxy;

/// A connection by way of the proxy.
pub(crate) struct Client(TcpStream);

impl Client {
    pub(crate) fn of(proxy: &Proxy) -> Self {
        let stream = TcpStream::connect(proxy.addr()).expect("the proxy listens");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout can be set");
        Self(stream)
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("the proxy reads");
    }

    #[track_caller]
    pub(crate) fn expect(&mut self, reply: &[u8]) {
        let mut bytes = vec![0; reply.len()];
        self.0.read_exact(&mut bytes).expect("a reply comes");
        assert_eq!(bytes.escape_ascii().to_string(), reply.escape_ascii().to_string());
    }

    /// A cut is an end of the stream or an error, but not a timeout.
    #[track_caller]
    pub(crate) fn expect_cut(&mut self) {
        match self.0.read(&mut [0]) {
            Ok(len) => assert_eq!(len, 0, "a reply came"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
}
