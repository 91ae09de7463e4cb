//! What has ended: transfers that were sent or given up, and visits with their pages.

use crate::Office;
use crate::text::{moment, span};
use crate::transfer::Transfer;
use crate::visit::{Opened, Visit};
use axum::Router;
use axum::extract::Query;
use axum::routing::get;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;
use thin_session::{EndReason, EndedSession, SessionError, Sessions, UserSessionData};
use uuid::Uuid;

/// How many are on a page.
const PAGE: usize = 20;

pub(crate) fn routes() -> Router<Arc<Office>> {
    Router::new().route("/history", get(show))
}

#[derive(Deserialize)]
struct From {
    /// Those that began before this one; the latest of all if not given.
    before: Option<String>,
}

/// Costs what a visit costs, a call for what waits to be moved to the archive, and one of the archive for what is there.
async fn show(opened: Opened, sessions: Sessions, Query(from): Query<From>) -> Result<Markup, SessionError> {
    let before = from.before.and_then(|id| Uuid::try_parse(&id).ok());
    let ended = sessions.history(&opened.user, before, PAGE).await?;
    Ok(opened.page("History", content(&ended)))
}

fn content(ended: &[EndedSession]) -> Markup {
    html! {
        h1 { "History" }
        @if ended.is_empty() { p.soft { "Nothing has ended yet." } } @else {
            ul.lines { @for past in ended { (line(past)) } }
        }
        @if let [.., last] = ended && ended.len() == PAGE {
            div.actions { a.quiet href={ "/history?before=" (last.id) } { "Older" } }
        }
    }
}

/// What the archive has of a session is JSON. It decodes to the type of today, as long as that reads what was written then.
fn line(past: &EndedSession) -> Markup {
    let (what, class) = match past.kind.as_str() {
        Transfer::KIND => (past.decode::<Transfer>().map(|transfer| transfer.so_far()).ok(), "transfer"),
        Visit::KIND => (past.decode::<Visit>().map(|visit| pages(&visit)).ok(), "visit"),
        _ => (None, "other"),
    };
    let took = past.ended_at().duration_since(past.began_at()).unwrap_or_default();
    html! {
        li class=(class) {
            div.what {
                strong { (what.as_deref().unwrap_or(&past.kind)) }
                span { (moment(past.began_at())) ", for " (span(took)) ", " (past.updates) " changes" }
            }
            strong.reason { (reason(past.reason)) }
        }
    }
}

fn pages(visit: &Visit) -> String {
    match visit.pages {
        1 => "A visit of 1 page".to_owned(),
        pages => format!("A visit of {pages} pages"),
    }
}

fn reason(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Completed => "Sent",
        EndReason::Abandoned => "Given up",
        EndReason::Expired => "Ran out",
        _ => "Ended",
    }
}
