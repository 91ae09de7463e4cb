//! Visitors as axum extractors.

use super::{RecentAuth, SignedIn, Visitor};
use crate::error::{SessionError, SessionErrorKind};
use crate::exchange::Ticket;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        Ticket::of_parts(parts).map(Self::new)
    }
}

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        Self::load(Ticket::of_parts(parts)?).await?.ok_or_else(|| SessionErrorKind::SignedOut.into())
    }
}

/// `None` where nobody is signed in. Errors stay errors.
impl<S: Sync> OptionalFromRequestParts<S> for SignedIn {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, SessionError> {
        Self::load(Ticket::of_parts(parts)?).await
    }
}

impl<const SECONDS: u64, S: Sync> FromRequestParts<S> for RecentAuth<SECONDS> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionError> {
        Self::check(<SignedIn as FromRequestParts<S>>::from_request_parts(parts, state).await?)
    }
}
