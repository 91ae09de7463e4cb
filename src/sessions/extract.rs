//! The sessions of users as an axum extractor.

use super::Sessions;
use crate::error::SessionError;
use crate::exchange::{Roster, Ticket};
use axum::extract::FromRequestParts;
use http::request::Parts;

impl<S: Sync> FromRequestParts<S> for Sessions {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionError> {
        Ticket::of_parts(parts).map(|exchange| Self::new(Roster::of_exchange(exchange)))
    }
}
