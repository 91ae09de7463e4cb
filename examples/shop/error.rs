//! What went wrong, as a page in plain words. Handlers need not know of it: they use `?`.

use crate::pages::{impersonal_page, notice, page};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use thin_session::{Cost, SessionErrorKind};

pub(crate) async fn not_found() -> StatusCode {
    StatusCode::NOT_FOUND
}

/// Puts a page in the place of every error's bare text. Status and headers stay, `Retry-After` among them.
///
/// A [`SessionError`](thin_session::SessionError) leaves its kind in the extensions of its response, wherever it came from, an
/// extractor or a `?`; and the session layer, which this is around, leaves what the request has cost.
pub(crate) async fn in_plain_words(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let page = match (response.extensions().get::<SessionErrorKind>(), response.extensions().get::<Cost>()) {
        (Some(SessionErrorKind::SignedOut), _) => return led(response, "/sign-in", &path),
        (Some(SessionErrorKind::NotRecent { .. }), _) => return led(response, "/confirm-it-is-you", &path),
        (Some(kind), Some(cost)) => page("Sorry", words_for_session(kind), cost),
        (Some(kind), None) => impersonal_page("Sorry", words_for_session(kind)),
        (None, _) if is_bare_error(&response) => impersonal_page("Sorry", words_for_status(response.status())),
        (None, _) => return response,
    };
    let (mut head, _) = response.into_parts();
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    Response::from_parts(head, page.into_string().into())
}

/// The redirect of somebody who has to prove first who they are. What the session layer tells caches stays.
fn led(refused: Response, to: &str, back: &str) -> Response {
    let mut redirect = Redirect::to(&format!("{to}?back={back}")).into_response();
    for name in [header::CACHE_CONTROL, header::VARY] {
        if let Some(value) = refused.headers().get(&name) {
            redirect.headers_mut().insert(name, value.clone());
        }
    }
    redirect
}

fn is_bare_error(response: &Response) -> bool {
    let is_error = response.status().is_client_error() || response.status().is_server_error();
    let is_page = |kind: &HeaderValue| kind.as_bytes().starts_with(b"text/html");
    is_error && !response.headers().get(header::CONTENT_TYPE).is_some_and(is_page)
}

fn words_for_session(kind: &SessionErrorKind) -> Markup {
    use SessionErrorKind as Kind;
    match kind {
        Kind::Unavailable { .. } => words(
            "One moment, please",
            "Your cart is unavailable right now; what is in it is safe. Try again in a moment.",
        ),
        Kind::Unknown => words(
            "Please have a look",
            "We could not find out whether your last change was saved. Look at your cart before you try again.",
        ),
        Kind::Contended => words("One moment, please", "Too much at once; nothing was changed. Try again in a moment."),
        Kind::Ended => words(
            "Signed out meanwhile",
            "You were signed out while this was under way, and nothing was changed. Please sign in again.",
        ),
        Kind::TooLarge { .. } => words("That is too much", "It does not fit into your cart. What was in it stays."),
        Kind::Newer { .. } => words("One moment, please", "The shop is being renovated. Your cart is safe."),
        Kind::CrossSite => words_for_status(StatusCode::FORBIDDEN),
        Kind::TwoCookies => words(
            "Two carts",
            "Your browser showed us two carts, and we cannot tell which is yours. Please delete this site's cookies.",
        ),
        _ => words_for_status(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn words_for_status(status: StatusCode) -> Markup {
    match status {
        StatusCode::NOT_FOUND => words("Not here", "There is no such page. The shelves are this way."),
        StatusCode::FORBIDDEN => words("Not from there", "That came from another site, and nothing was changed."),
        status if status.is_client_error() => words("Pardon?", "We did not understand that, and nothing was changed."),
        _ => words("Our mistake", "Something broke on our side. We have been told."),
    }
}

fn words(heading: &str, explanation: &str) -> Markup {
    html! {
        h1 { (heading) }
        (notice(explanation))
        div.actions { a.quiet href="/cart" { "Your cart" } a.button href="/" { "To the catalogue" } }
    }
}
