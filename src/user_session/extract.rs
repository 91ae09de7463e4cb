//! User sessions as axum extractors.

use super::UserSession;
use crate::data::UserSessionData;
use crate::error::{SessionError, SessionErrorKind};
use crate::exchange::Ticket;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

impl<T: UserSessionData, S: Sync> FromRequestParts<S> for UserSession<T> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        Self::load(Ticket::of_parts(parts)?).await?.ok_or_else(|| SessionErrorKind::SignedOut.into())
    }
}

/// `None` where the user has none of this kind at present, or nobody is signed in. Errors stay errors.
impl<T: UserSessionData, S: Sync> OptionalFromRequestParts<S> for UserSession<T> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, SessionError> {
        let session = Self::load(Ticket::of_parts(parts)?).await?;
        Ok(session.filter(|session| Self::id(session).is_some()))
    }
}
