//! A TCP port that no other test takes.

use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixListener};

/// Below the ports that the kernel hands out for outgoing connections, so that
/// none of those can sit on the port of a server that is down for a moment.
const RANGE: Range<u16> = 10_000..22_000;

/// A port on 127.0.0.1 that is kept from other users of this library, in this
/// process and in others, for as long as the value lives, even while nothing
/// listens on it.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    /// An abstract Unix socket named after the port is the claim to it: one
    /// process at a time can bind it, and the kernel drops it with its owner.
    _claim: UnixListener,
}

impl Port {
    /// Claims a port on which nothing listens.
    pub(crate) fn claim() -> Self {
        Self::claim_listening().0
    }

    /// Claims a port, and listens on it.
    pub(crate) fn claim_listening() -> (Self, TcpListener) {
        // From a random place on, for test processes start at the same moment.
        let start = RandomState::new().hash_one(()) % RANGE.len() as u64;
        RANGE
            .cycle()
            .skip(start as usize)
            .take(RANGE.len())
            .find_map(Self::try_claim)
            .expect("there is a free port between 10000 and 21999")
    }

    /// Where a server on this port is reached.
    pub(crate) fn addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }

    /// The same as a Redis URL.
    pub(crate) fn url(&self) -> String {
        format!("redis://{}/", self.addr())
    }

    fn try_claim(number: u16) -> Option<(Self, TcpListener)> {
        let name = UnixAddr::from_abstract_name(format!("testbed-port-{number}")).ok()?;
        let port = Self { number, _claim: UnixListener::bind_addr(&name).ok()? };
        let listener = TcpListener::bind(port.addr()).ok()?;
        Some((port, listener))
    }
}

/// A port below 22000 on 127.0.0.1 on which nothing listens, and which no other
/// user of this library gets before this process ends.
#[must_use]
pub fn free_port() -> u16 {
    let port = Port::claim();
    let number = port.number;
    // The caller holds a bare number, so only the end of the process can tell
    // that it is done with the port.
    mem::forget(port);
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_has_one_owner_at_a_time() {
        let port = Port::claim();
        assert!(RANGE.contains(&port.number));
        assert!(Port::try_claim(port.number).is_none());
    }

    #[test]
    fn free_ports_differ_and_can_be_bound() {
        let ports = [free_port(), free_port()];
        assert_ne!(ports[0], ports[1]);
        for port in ports {
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("nobody listens there");
        }
    }
}
