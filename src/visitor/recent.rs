//! Proof that is not old.

use super::signed_in::SignedIn;
use crate::error::{SessionError, SessionErrorKind};
use http::Request;
use std::future::Future;
use std::ops::Deref;
use std::time::Duration;

/// A [`SignedIn`] that proved who they are at most `SECONDS` ago: for what a stolen or forgotten browser must not do. 401
/// without; [`Visitor::reauthenticated`](crate::Visitor::reauthenticated) renews it.
///
/// ```
/// type Recent = thin_session::RecentAuth<{ 5 * 60 }>;
///
/// async fn change_password(recent: Recent) -> String {
///     format!("by {}", recent.user_id().as_str())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct RecentAuth<const SECONDS: u64>(SignedIn);

impl<const SECONDS: u64> RecentAuth<SECONDS> {
    /// Who signed in recently, for services without axum.
    ///
    /// # Errors
    ///
    /// `NotRecent` if it was longer ago; else as [`SignedIn::of`].
    pub fn of<B>(request: &Request<B>) -> impl Future<Output = Result<Self, SessionError>> + Send + use<SECONDS, B> {
        let signed_in = SignedIn::of(request);
        async move { Self::check(signed_in.await?) }
    }

    pub(super) fn check(signed_in: SignedIn) -> Result<Self, SessionError> {
        let max_age = Duration::from_secs(SECONDS);
        if signed_in.authenticated_within(max_age) {
            Ok(Self(signed_in))
        } else {
            Err(SessionErrorKind::NotRecent { max_age }.into())
        }
    }
}

impl<const SECONDS: u64> Deref for RecentAuth<SECONDS> {
    type Target = SignedIn;

    fn deref(&self) -> &SignedIn {
        &self.0
    }
}
