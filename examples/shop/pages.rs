//! What all pages have in common. The last line of each says what it cost.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use thin_session::Cost;

/// A page of one visitor's.
pub(crate) fn page(title: &str, content: Markup, cost: &Cost) -> Markup {
    document(title, content, html! { (in_words(cost)) })
}

/// A page that asked for no session.
pub(crate) fn impersonal_page(title: &str, content: Markup) -> Markup {
    document(title, content, html! { "This page asks for no session, and costs none." })
}

fn document(title: &str, content: Markup, footer: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · Leaf & Lead" }
                link rel="stylesheet" href="/style.css";
                link rel="icon" href="/icon.svg" type="image/svg+xml";
            }
            body {
                header {
                    a.brand href="/" { "Leaf " span { "&" } " Lead" }
                    nav aria-label="Shop" {
                        a href="/" { "Catalogue" }
                        a href="/my" { "My shop" }
                        a href="/orders" { "Orders" }
                        a href="/account" { "Account" }
                        a href="/cart" { "Cart " span #badge hidden {} }
                    }
                }
                main { (content) }
                footer { p { (footer) } }
            }
        }
    }
}

/// Such as "1 store call, 180 µs in the session layer". Written last, when all has been asked that will be.
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

/// What never changes while the shop is open, and may be kept by any cache for a minute.
pub(crate) struct Public {
    content_type: &'static str,
    content: String,
    tag: String,
}

impl Public {
    pub(crate) fn new(content_type: &'static str, content: impl Into<String>) -> Self {
        let content = content.into();
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        Self { content_type, content, tag: format!("\"{:016x}\"", hasher.finish()) }
    }

    /// The content, or that it is still what `known` says.
    pub(crate) fn answer(&self, request: &HeaderMap) -> Response {
        let known = request.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == self.tag.as_bytes());
        let head = [(header::CACHE_CONTROL, "public, max-age=60"), (header::ETAG, &self.tag)];
        if known {
            return (StatusCode::NOT_MODIFIED, head).into_response();
        }
        (head, [(header::CONTENT_TYPE, self.content_type)], self.content.clone()).into_response()
    }
}
