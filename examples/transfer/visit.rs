//! How many pages a user has opened in one go, on whatever devices: counted on every page.
//!
//! It costs each page a round trip, or two where the page needs another session too. That is the price of a number that all
//! devices share, and that is in the archive a year later.

use crate::pages::{self, Shown};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use maud::Markup;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use thin_session::{Cost, SessionError, SignedIn, UserId, UserSession, UserSessionData};

/// A visit: it ends an hour after the last page, or look at it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Visit {
    pub(crate) pages: u32,
}

impl UserSessionData for Visit {
    const KIND: &'static str = "visit";
    const IDLE: Duration = Duration::from_secs(3600);
    const LIFETIME: Duration = Duration::from_secs(86_400);
}

/// A page that a signed-in user has opened, and which is counted. Whoever is not is sent to sign in (see `error`).
///
/// In a handler that asks for another user session name that first: both loads are one round trip then.
pub(crate) struct Opened {
    pub(crate) user: UserId,
    number: Option<u32>,
    cost: Cost,
}

/// Counts a page, and answers which one of this visit it is. A page that cannot be counted is shown all the same.
pub(crate) async fn count(visit: &mut UserSession<Visit>) -> Option<u32> {
    let counted = visit.update(|visit| {
        visit.pages = visit.pages.saturating_add(1);
        visit.pages
    });
    match counted.await {
        Ok(number) => Some(number),
        Err(error) => {
            tracing::warn!(%error, "a page is not counted");
            None
        }
    }
}

impl Opened {
    /// The page, with what it has cost in the last line.
    pub(crate) fn page(&self, title: &str, content: Markup) -> Markup {
        pages::page(title, content, Shown::Counted(self.number, &self.cost))
    }
}

/// Costs one load, and one commit.
impl<S: Send + Sync> FromRequestParts<S> for Opened {
    type Rejection = SessionError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionError> {
        let mut visit = <UserSession<Visit> as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        let who = <SignedIn as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        let cost = <Cost as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        Ok(Self { user: who.user_id().clone(), number: count(&mut visit).await, cost })
    }
}
