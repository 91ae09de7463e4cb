//! What a user has begun: what is still open, transfers that were sent or given up, and visits with their pages; some on a page, of
//! all kinds or of one.

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
use thin_session::archive::Place;
use thin_session::{EndReason, HistoryEntry, HistoryPage, SessionError, Sessions, UserSessionData};
use uuid::Uuid;

/// How many are on a page.
const PAGE: usize = 20;

/// The kinds that can be asked for, in the words of the page.
pub(crate) const KINDS: [(Option<&str>, &str); 3] =
    [(None, "All"), (Some(Transfer::KIND), "Transfers"), (Some(Visit::KIND), "Visits")];

pub(crate) fn routes() -> Router<Arc<Office>> {
    Router::new().route("/history", get(show))
}

/// What a link says of the page that it leads to. What nobody understands is as if it were not there.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    pub(crate) kind: String,
    /// Those that began before this one; the latest of all if neither is given.
    pub(crate) before: String,
    /// Those that began after this one.
    pub(crate) after: String,
}

/// A page of the history, and which others there are.
pub(crate) struct Shelf {
    kind: Option<&'static str>,
    sessions: Vec<HistoryEntry>,
    has_newer: bool,
    has_older: bool,
}

/// Costs what a visit costs, a call for what is open, one for what waits to be moved to the archive, and one of the archive for what is
/// there.
async fn show(opened: Opened, sessions: Sessions, Query(asked): Query<Asked>) -> Result<Markup, SessionError> {
    let sessions = sessions.history(&opened.user, &asked.page()).await?;
    Ok(opened.page("History", Shelf::of(&asked, sessions).page()))
}

impl Asked {
    pub(crate) fn place(&self) -> Place {
        let id = |text: &str| Uuid::try_parse(text).ok();
        match (id(&self.before), id(&self.after)) {
            (Some(id), _) => Place::Before(id),
            (None, Some(id)) => Place::After(id),
            (None, None) => Place::Latest,
        }
    }

    /// One more than is shown: so it is known whether there are others.
    pub(crate) fn page(&self) -> HistoryPage<'static> {
        let mut page = HistoryPage::of(PAGE + 1);
        (page.kind, page.place) = (known_kind(&self.kind), self.place());
        page
    }
}

impl Shelf {
    pub(crate) fn of(asked: &Asked, mut sessions: Vec<HistoryEntry>) -> Self {
        let has_more = sessions.len() > PAGE;
        let (has_newer, has_older) = match asked.place() {
            Place::Latest => (false, has_more),
            Place::Before(_) => (true, has_more),
            Place::After(_) => {
                // The one too many is the latest.
                sessions.drain(..sessions.len().saturating_sub(PAGE));
                (has_more, true)
            }
        };
        sessions.truncate(PAGE);
        Self { kind: known_kind(&asked.kind), sessions, has_newer, has_older }
    }

    pub(crate) fn page(&self) -> Markup {
        html! {
            h1 { "History" }
            (choice("/history", self.kind))
            @if self.sessions.is_empty() { p.soft { (if self.has_newer || self.has_older { "There is nothing on this page." } else { "There is nothing yet." }) } } @else {
                ul.lines { @for session in &self.sessions { (line(session)) } }
            }
            (self.others())
        }
    }

    /// Where it goes on.
    fn others(&self) -> Markup {
        let newer = self.sessions.first().filter(|_| self.has_newer).map(|first| format!("after={}", first.id));
        let older = self.sessions.last().filter(|_| self.has_older).map(|last| format!("before={}", last.id));
        html! {
            div.actions {
                a.quiet.first href="/days" { "By day" }
                // Beyond either end: perhaps all that was there was erased.
                @if self.sessions.is_empty() && (self.has_newer || self.has_older) {
                    a.quiet href=(link("/history", self.kind, "")) { "Latest" }
                }
                @if let Some(newer) = newer { a.quiet rel="prev" href=(link("/history", self.kind, &newer)) { "Newer" } }
                @if let Some(older) = older { a.quiet rel="next" href=(link("/history", self.kind, &older)) { "Older" } }
            }
        }
    }
}

/// A kind that can be asked for; none for all.
pub(crate) fn known_kind(asked: &str) -> Option<&'static str> {
    KINDS.into_iter().find_map(|(kind, _)| kind.filter(|kind| *kind == asked))
}

/// Links to the same page of each kind.
pub(crate) fn choice(path: &str, chosen: Option<&str>) -> Markup {
    html! {
        nav.choice aria-label="Of which kind" {
            @for (kind, name) in KINDS {
                a href=(link(path, kind, "")) aria-current=[(kind == chosen).then_some("true")] { (name) }
            }
        }
    }
}

fn link(path: &str, kind: Option<&str>, place: &str) -> String {
    let kind = kind.map(|kind| format!("kind={kind}")).unwrap_or_default();
    let query: Vec<_> = [&*kind, place].into_iter().filter(|part| !part.is_empty()).collect();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
}

/// What is told of a session is JSON. It decodes to the type of today, as long as that reads what was written then.
fn line(session: &HistoryEntry) -> Markup {
    let (what, class) = match session.kind.as_str() {
        Transfer::KIND => (session.decode::<Transfer>().map(|transfer| transfer.so_far()).ok(), "transfer"),
        Visit::KIND => (session.decode::<Visit>().map(|visit| pages(&visit)).ok(), "visit"),
        _ => (None, "other"),
    };
    let took = session.ended().map(|ended| ended.duration_since(session.began).unwrap_or_default());
    html! {
        li class=(class) {
            div.what {
                strong { (what.as_deref().unwrap_or(&session.kind)) }
                span {
                    (moment(session.began)) ", "
                    @if let Some(took) = took { "for " (span(took)) } @else { "still open" }
                    ", " (session.updates) " changes"
                }
            }
            @match session.end {
                Some(end) => { strong.reason { (reason(end.reason)) } }
                None if session.kind == Transfer::KIND => { a.reason href="/transfer" { "Go on" } }
                None => { strong.reason { "Now" } }
            }
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
