//! Sessions as axum extractors.

use super::{Cost, LazySession, Peek, Session};
use crate::data::Slots;
use crate::error::SessionError;
use crate::exchange::Ticket;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

impl<T: Slots, S: Sync> FromRequestParts<S> for Session<T> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        Self::load(Ticket::of_parts(parts)?).await.map(|(session, _)| session)
    }
}

/// `None` where no `T` is stored, also if the visitor has a session with other content. Errors stay errors.
impl<T: Slots, S: Sync> OptionalFromRequestParts<S> for Session<T> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, SessionError> {
        let (session, is_stored) = Self::load(Ticket::of_parts(parts)?).await?;
        Ok(is_stored.then_some(session))
    }
}

impl<T: Slots, S: Sync> FromRequestParts<S> for Peek<T> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        Self::load(Ticket::of_parts(parts)?).await.map(|(peek, _)| peek)
    }
}

/// `None` where no `T` is stored. Errors stay errors.
impl<T: Slots, S: Sync> OptionalFromRequestParts<S> for Peek<T> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, SessionError> {
        let (peek, is_stored) = Self::load(Ticket::of_parts(parts)?).await?;
        Ok(is_stored.then_some(peek))
    }
}

impl<T: Slots, S: Sync> FromRequestParts<S> for LazySession<T> {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        Ticket::of_parts(parts).map(Self::new)
    }
}

impl<S: Sync> FromRequestParts<S> for Cost {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        Ticket::of_parts(parts).map(Self::new)
    }
}
