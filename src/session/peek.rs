//! A look that does not count as activity.

use super::typed::read;
use crate::data::Slots;
use crate::error::SessionError;
use crate::exchange::{Activity, Exchange, Ticket};
use http::Request;
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

/// The visitor's `T`, read without pushing the idle limit out: for pages that poll, which would otherwise keep a session
/// alive that nobody is using. Costs what [`Session`](crate::Session) costs, and cannot write.
pub struct Peek<T: Slots>(T);

impl<T: Slots> Peek<T> {
    /// The session of a request, for services without axum.
    ///
    /// # Errors
    ///
    /// As [`Session::of`](crate::Session::of).
    pub fn of<B>(request: &Request<B>) -> impl Future<Output = Result<Self, SessionError>> + Send + use<T, B> {
        let exchange = Ticket::of_request(request);
        async move { Self::load(exchange?).await.map(|(peek, _)| peek) }
    }

    /// The value, and whether one is stored.
    pub(super) async fn load(exchange: Arc<Exchange>) -> Result<(Self, bool), SessionError> {
        exchange.realm().registry.claim::<T>()?;
        let stored = read::<T>(exchange.body(Activity::Ignored).await?.as_deref())?;
        let is_stored = stored.is_some();
        Ok((Self(stored.unwrap_or_default()), is_stored))
    }

    /// The value, to give it away.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: Slots> Deref for Peek<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Shows the type and hides the value: it is the visitor's.
impl<T: Slots> fmt::Debug for Peek<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peek<{}>(…)", std::any::type_name::<T>())
    }
}
