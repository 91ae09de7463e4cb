//! What all pages have in common. The last line of each says what it cost.

use crate::Office;
use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use maud::{DOCTYPE, Markup, html};
use std::sync::Arc;
use thin_session::Cost;

/// The style sheet and the icon: they name no session, and any cache may keep them.
pub(crate) fn routes() -> Router<Arc<Office>> {
    Router::new()
        .route("/style.css", get(async || public("text/css", include_str!("style.css"))))
        .route("/icon.svg", get(async || public("image/svg+xml", include_str!("icon.svg"))))
}

fn public(content_type: &'static str, content: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "public, max-age=60")], content)
}

/// To whom a page is shown.
pub(crate) enum Shown<'a> {
    /// To a user, as this page of the visit if it could be counted.
    Counted(Option<u32>, &'a Cost),
    /// To a user, in answer to a form.
    Answer(&'a Cost),
    /// To whoever is not signed in.
    Stranger(&'a Cost),
    /// To anybody.
    Anybody,
}

pub(crate) fn page(title: &str, content: Markup, shown: Shown<'_>) -> Markup {
    let is_user = matches!(shown, Shown::Counted(..) | Shown::Answer(_));
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Tuppence" }
                link rel="stylesheet" href="/style.css";
                link rel="icon" href="/icon.svg" type="image/svg+xml";
            }
            body {
                header {
                    a.brand href="/" { "Tup" span { "pence" } }
                    @if is_user {
                        nav aria-label="Bank" {
                            a href="/" { "Account" }
                            a href="/history" { "History" }
                            form method="post" action="/sign-out" { button.plain { "Sign out" } }
                        }
                    }
                }
                main { (content) }
                footer { p { (last_line(&shown)) } }
            }
        }
    }
}

/// Such as "3 store calls, 180 µs in the session layer. Page 7 of this visit." Written last, when all has been asked that will be.
fn last_line(shown: &Shown<'_>) -> String {
    match shown {
        Shown::Counted(Some(number), cost) => format!("{}. Page {number} of this visit.", in_words(cost)),
        Shown::Counted(None, cost) => format!("{}. This page is not counted.", in_words(cost)),
        Shown::Answer(cost) | Shown::Stranger(cost) => in_words(cost),
        Shown::Anybody => "This page asks for no session, and costs none.".to_owned(),
    }
}

fn in_words(cost: &Cost) -> String {
    let calls = match cost.store_calls() {
        1 => "1 store call".to_owned(),
        calls => format!("{calls} store calls"),
    };
    format!("{calls}, {} µs in the session layer", cost.time().as_micros())
}

/// Plain words that somebody should read first.
pub(crate) fn notice(words: &str) -> Markup {
    html! { p.notice role="alert" { (words) } }
}
