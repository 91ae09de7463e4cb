//! Proof of who is signed in.

use crate::error::{SessionError, SessionErrorKind};
use crate::exchange::{Activity, Exchange, Ticket};
use crate::id::{SessionHandle, UserId};
use crate::record::{Authentication, Body};
use http::Request;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Proof, from the store, of who is signed in: the same one round trip as a [`Session`](crate::Session). 401 without,
/// which can [lead to the sign-in page](crate::guide::sign_in_page).
///
/// `Option<SignedIn>` is `None` where nobody is; an outage stays an error.
#[derive(Clone)]
pub struct SignedIn {
    authentication: Arc<Authentication>,
    exchange: Arc<Exchange>,
}

impl SignedIn {
    /// Who is signed in, for services without axum.
    ///
    /// # Errors
    ///
    /// `SignedOut` if nobody is; else as [`Session::of`](crate::Session::of).
    pub fn of<B>(request: &Request<B>) -> impl Future<Output = Result<Self, SessionError>> + Send + use<B> {
        let exchange = Ticket::of_request(request);
        async move { Self::load(exchange?).await?.ok_or_else(|| SessionErrorKind::SignedOut.into()) }
    }

    /// Who is signed in, if somebody is.
    pub(super) async fn load(exchange: Arc<Exchange>) -> Result<Option<Self>, SessionError> {
        let body = exchange.body(Activity::Counts).await?;
        let authentication = body.and_then(|body| body.authentication.clone());
        Ok(authentication.map(|authentication| Self { authentication: Arc::new(authentication), exchange }))
    }

    /// What a sign-in has just proved.
    pub(super) fn proved(exchange: Arc<Exchange>, body: Arc<Body>) -> Result<Self, SessionError> {
        let authentication = body.authentication.clone().ok_or(SessionErrorKind::SignedOut)?;
        Ok(Self { authentication: Arc::new(authentication), exchange })
    }

    /// Who.
    pub fn user_id(&self) -> &UserId {
        &self.authentication.user
    }

    /// When they last proved who they are.
    pub fn authenticated_at(&self) -> SystemTime {
        self.authentication.at.into()
    }

    /// Whether that was at most `max_age` ago.
    pub fn authenticated_within(&self, max_age: Duration) -> bool {
        self.exchange.realm().clock.now().since(self.authentication.at) <= max_age
    }

    /// The public name of this session, which stays the same at re-authentication.
    pub fn session(&self) -> &SessionHandle {
        &self.authentication.handle
    }

    /// Asks the store again: for sockets and streams, which must notice a sign-out.
    ///
    /// # Errors
    ///
    /// `Ended` if this session has ended since, or goes on under another id after re-authentication; `Unavailable`.
    pub async fn recheck(&self) -> Result<(), SessionError> {
        let body = self.exchange.reread(Activity::Counts).await?;
        let now = body.as_ref().and_then(|body| body.authentication.as_ref());
        let same = |now: &Authentication| now.handle == self.authentication.handle;
        if now.is_some_and(same) { Ok(()) } else { Err(SessionErrorKind::Ended.into()) }
    }
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn").finish_non_exhaustive()
    }
}
