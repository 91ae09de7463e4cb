//! A session that waits to be asked for.

use super::typed::{Session, replace};
use crate::data::Slots;
use crate::error::SessionError;
use crate::exchange::{Exchange, Ticket};
use http::Request;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

/// The visitor's `T`, loaded when [`load`](Self::load) is called: for handlers that need it on some of their paths only,
/// and for those that want to look at the form first.
pub struct LazySession<T: Slots> {
    exchange: Arc<Exchange>,
    data: PhantomData<fn() -> T>,
}

impl<T: Slots> LazySession<T> {
    /// The session of a request, for services without axum. Costs nothing yet.
    ///
    /// # Errors
    ///
    /// Misconfigured without a [`SessionLayer`](crate::SessionLayer) around.
    pub fn of<B>(request: &Request<B>) -> impl Future<Output = Result<Self, SessionError>> + Send + use<T, B> {
        std::future::ready(Ticket::of_request(request).map(Self::new))
    }

    pub(super) fn new(exchange: Arc<Exchange>) -> Self {
        Self { exchange, data: PhantomData }
    }

    /// Loads the session.
    ///
    /// # Errors
    ///
    /// As [`Session::of`].
    pub fn load(&self) -> impl Future<Output = Result<Session<T>, SessionError>> + Send + use<T> {
        let exchange = Arc::clone(&self.exchange);
        async move { Session::load(exchange).await.map(|(session, _)| session) }
    }

    /// Sets the value without decoding what is stored: the way out when that does not decode.
    ///
    /// # Errors
    ///
    /// As [`Session::replace`].
    pub async fn replace(&self, value: T) -> Result<Session<T>, SessionError> {
        self.exchange.realm().registry.claim::<T>()?;
        replace(&self.exchange, &value).await?;
        Ok(Session::new(value, Arc::clone(&self.exchange)))
    }
}

impl<T: Slots> fmt::Debug for LazySession<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LazySession<{}>", std::any::type_name::<T>())
    }
}
