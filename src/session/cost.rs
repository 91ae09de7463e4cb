//! What sessions cost a request.

use crate::error::SessionError;
use crate::exchange::{Exchange, Ticket};
use http::Request;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// What sessions have cost a request so far.
///
/// As an extractor it is for a footer; the page then counts as one that asked for a session, and is not for shared
/// caches. For a log line or a `Server-Timing` header it is in the extensions of each response whose handler asked for
/// a session or a visitor, where middleware around the layer finds it.
#[derive(Clone)]
pub struct Cost(Arc<Exchange>);

impl Cost {
    /// The cost of a request, for services without axum.
    ///
    /// # Errors
    ///
    /// Misconfigured without a [`SessionLayer`](crate::SessionLayer) around.
    pub fn of<B>(request: &Request<B>) -> impl Future<Output = Result<Self, SessionError>> + Send + use<B> {
        std::future::ready(Ticket::of_request(request).map(Self::new))
    }

    pub(crate) fn new(exchange: Arc<Exchange>) -> Self {
        Self(exchange)
    }

    /// Calls of the store, each a round trip where the store is on another machine.
    pub fn store_calls(&self) -> u32 {
        self.0.meter().calls()
    }

    /// Time in this layer, with that of the store.
    pub fn time(&self) -> Duration {
        self.0.meter().elapsed()
    }
}

impl fmt::Debug for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cost").field("store_calls", &self.store_calls()).field("time", &self.time()).finish()
    }
}
