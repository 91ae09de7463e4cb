//! The wire between a store and its server, in the hands of the test.
//!
//! | page | what it holds |
//! |---|---|
//! | [`fault`] | what can befall a request |
//! | [`request`] | a command on its way to the server |
//! | [`control`] | what the test and the connections share |
//! | [`link`] | one connection |
//! | [`frames`] | a byte stream, read message by message |

mod control;
mod fault;
mod frames;
mod link;
mod request;

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::net::TcpListener;
use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;
use tokio::time;

use crate::port::Port;
use crate::wait::LIMIT;
use control::Control;
pub use fault::Fault;
pub use request::Request;

/// A TCP proxy in front of a Redis server that counts the requests on the wire
/// and does to them what the test says.
///
/// It runs on a thread and a runtime of its own, and so goes on whatever
/// becomes of the runtime of the test; dropping it cuts all its connections.
///
/// It takes each request to have one reply, in order, and passes on what the
/// server sends unasked (RESP3 `>`); `SUBSCRIBE`, `MONITOR` and `CLIENT REPLY`
/// break with that and have no place here.
pub struct Proxy {
    port: Port,
    control: Arc<Control>,
    upstream: Arc<Mutex<SocketAddr>>,
    runtime: Handle,
    /// The thread runs until the other end of this is gone.
    life: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts a proxy in front of the server at `upstream`, which need not be
    /// up before somebody connects.
    #[must_use]
    pub fn start(upstream: SocketAddr) -> Self {
        let (port, listener) = Port::claim_listening();
        listener.set_nonblocking(true).expect("a listener can be made non-blocking");
        let control = Arc::new(Control::default());
        let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
        let handle = runtime.handle().clone();
        let (life, until_dropped) = oneshot::channel();
        let shared = Arc::clone(&control);
        let upstream = Arc::new(Mutex::new(upstream));
        let leads_to = Arc::clone(&upstream);
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("the runtime has I/O");
                tokio::select! {
                    () = accept(&listener, &leads_to, &shared) => {}
                    _ = until_dropped => {}
                }
            });
        });
        Self { port, control, upstream, runtime: handle, life: Some(life), thread: Some(thread) }
    }

    /// Where it is reached, as `redis://127.0.0.1:PORT/`.
    #[must_use]
    pub fn url(&self) -> String {
        self.port.url()
    }

    /// Where it is reached, as an address.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.port.addr()
    }

    /// From now on connects to this server, as a name does that leads elsewhere. Connections that there are stay as they are.
    pub fn lead_to(&self, upstream: SocketAddr) {
        *self.upstream.lock().unwrap_or_else(PoisonError::into_inner) = upstream;
    }

    /// How many requests have come since the start or the last
    /// [`reset`](Self::reset), lost and held ones included.
    ///
    /// A request counts before it goes on to the server, so whoever has its
    /// reply finds it counted.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.control.requests()
    }

    /// The names of these requests in the order they came, such as `EVALSHA`.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        self.control.commands()
    }

    /// Forgets the requests so far.
    pub fn reset(&self) {
        self.control.reset();
    }

    /// How many connections have been accepted since the start.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.control.connections()
    }

    /// From now on asks `rule` what is to befall each request, in place of any
    /// rule before. Two connections may ask at once, one asks in order.
    pub fn on_request(&self, rule: impl Fn(&Request) -> Fault + Send + Sync + 'static) {
        self.control.set_rule(Some(Arc::new(rule)));
    }

    /// From now on lets every request pass. Those held stay so until
    /// [`release`](Self::release).
    pub fn no_faults(&self) {
        self.control.set_rule(None);
    }

    /// Whether a request has been held since the last [`release`](Self::release).
    #[must_use]
    pub fn held(&self) -> bool {
        self.control.held()
    }

    /// Waits until a request is held; at once if one is.
    ///
    /// # Panics
    ///
    /// When none is in time.
    pub async fn wait_held(&self) {
        let control = Arc::clone(&self.control);
        let wait = async move { time::timeout(LIMIT, control.wait_held()).await };
        // By the clock of the proxy, as the test may have stopped its own.
        let waited = self.runtime.spawn(wait).await;
        let held = waited.expect("the runtime of the proxy lives as long as the proxy");
        assert!(held.is_ok(), "waited {LIMIT:?} for a request to be held");
    }

    /// Lets go of every request that is held now. What is held later waits for
    /// the next call.
    pub fn release(&self) {
        self.control.release();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.life.take());
        if let Some(thread) = self.thread.take() {
            // A panic in there has been printed, and a drop must not add to it.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("addr", &self.addr()).field("commands", &self.commands()).finish_non_exhaustive()
    }
}

/// Serves every connection until dropped.
async fn accept(listener: &TcpListener, upstream: &Mutex<SocketAddr>, control: &Arc<Control>) {
    loop {
        // One that was gone before it could be accepted is nobody's concern.
        if let Ok((client, _)) = listener.accept().await {
            let number = control.count_connection();
            let upstream = *upstream.lock().unwrap_or_else(PoisonError::into_inner);
            tokio::spawn(link::serve(client, upstream, Arc::clone(control), number));
        }
    }
}
