//! A wire that passes bytes on as they come, whatever they mean, until it is told otherwise.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::port::Port;

/// A TCP relay in front of a server, for what is no exchange of requests and replies: a replica's link to its master.
///
/// Dropping it cuts all connections and refuses others.
#[derive(Debug)]
pub struct Line {
    port: Port,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_held: bool,
    /// How often all that was there has been cut.
    cuts: u64,
    is_gone: bool,
    ends: Vec<TcpStream>,
}

impl Line {
    /// Starts a relay to the server at `upstream`.
    #[must_use]
    pub fn start(upstream: SocketAddr) -> Self {
        let (port, listener) = Port::claim_listening();
        let shared = Arc::new(Shared { upstream, state: Mutex::default(), changed: Condvar::new() });
        let serving = Arc::clone(&shared);
        thread::spawn(move || serving.accept(&listener));
        Self { port, shared }
    }

    /// Where it is reached.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.port.addr()
    }

    /// From now on passes nothing on, in neither direction. What comes waits.
    pub fn hold(&self) {
        self.shared.state().is_held = true;
    }

    /// Passes on what has waited, and what comes.
    pub fn release(&self) {
        self.shared.state().is_held = false;
        self.shared.changed.notify_all();
    }

    /// Cuts all connections; what is held is lost. Those that come later pass.
    pub fn cut(&self) {
        let mut state = self.shared.state();
        state.is_held = false;
        state.cut();
        self.shared.changed.notify_all();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.is_gone = true;
        state.cut();
        drop(state);
        self.shared.changed.notify_all();
        // Wakes the one who accepts, who then goes.
        drop(TcpStream::connect(self.addr()));
    }
}

impl State {
    fn cut(&mut self) {
        self.cuts += 1;
        for end in self.ends.drain(..) {
            // Fails for one that is cut already.
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(self.upstream);
            let mut state = self.state();
            if state.is_gone {
                return;
            }
            // A server that is down: dropping the client is all there is to say.
            let Ok(server) = server else { continue };
            let doubled = || Some([client.try_clone().ok()?, server.try_clone().ok()?]);
            let (Some(ends), Some([from, to])) = (doubled(), doubled()) else { continue };
            state.ends.extend(ends);
            let cuts = state.cuts;
            drop(state);
            for (from, to) in [(client, to), (server, from)] {
                let shared = Arc::clone(self);
                thread::spawn(move || shared.carry(from, to, cuts));
            }
        }
    }

    /// Carries bytes one way until either end is gone, or all has been cut.
    fn carry(&self, mut from: TcpStream, mut to: TcpStream, cuts: u64) {
        let mut bytes = [0; 16 * 1024];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            let state = self.changed.wait_while(self.state(), |state| state.is_held && state.cuts == cuts);
            let is_cut = state.unwrap_or_else(PoisonError::into_inner).cuts != cuts;
            if is_cut || to.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        // The other end hears of it.
        let _ = to.shutdown(Shutdown::Both);
    }
}
