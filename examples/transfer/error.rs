//! What went wrong, as a page in plain words. Handlers need not know of it: they use `?`.

use crate::pages::{Shown, notice, page};
use crate::text::moment;
use crate::transfer::QUOTA;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use thin_session::{Cost, QuotaExceeded, SessionError, SessionErrorKind};

/// Why a transfer was not sent: it could not be, or it may not be yet.
pub(crate) enum Failure {
    Session(SessionError),
    Quota(QuotaExceeded),
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

impl From<QuotaExceeded> for Failure {
    fn from(refusal: QuotaExceeded) -> Self {
        Self::Quota(refusal)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Session(error) => error.into_response(),
            Self::Quota(refusal) => refusal.into_response(),
        }
    }
}

pub(crate) async fn not_found() -> StatusCode {
    StatusCode::NOT_FOUND
}

/// Puts a page in the place of every error's bare text. Status and headers stay, `Retry-After` among them.
///
/// A [`SessionError`] leaves its kind in the extensions of its response, wherever it came from, an extractor or a `?`, and a
/// [`QuotaExceeded`] itself; and the session layer, which this is around, leaves what the request has cost.
pub(crate) async fn in_plain_words(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let extensions = response.extensions();
    let words = match (extensions.get::<SessionErrorKind>(), extensions.get::<QuotaExceeded>()) {
        (Some(SessionErrorKind::SignedOut), _) => return to_sign_in(&response, &path),
        (Some(kind), _) => words_for_session(kind),
        (_, Some(refusal)) => words_for_quota(refusal),
        _ if is_bare_error(&response) => words_for_status(response.status()),
        _ => return response,
    };
    let is_ours = extensions.get::<SessionErrorKind>().is_some() || extensions.get::<QuotaExceeded>().is_some();
    let shown = extensions.get::<Cost>().filter(|_| is_ours).map_or(Shown::Anybody, Shown::Answer);
    let page = page("Sorry", words, shown);
    let (mut head, _) = response.into_parts();
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    Response::from_parts(head, page.into_string().into())
}

/// The redirect of somebody who has to sign in first. What the session layer tells caches stays.
fn to_sign_in(refused: &Response, back: &str) -> Response {
    let mut redirect = Redirect::to(&format!("/sign-in?back={back}")).into_response();
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

fn words_for_quota(refusal: &QuotaExceeded) -> Markup {
    html! {
        h1 { "Not yet" }
        (notice(&format!(
            "You have sent {} transfers in {} days, which is as many as we take. The next one can go from {}.",
            QUOTA.limit(),
            QUOTA.window().as_secs() / 86_400,
            moment(refusal.next_at()),
        )))
        p { "Nothing was sent, and what you have entered stays." }
        div.actions { a.quiet href="/" { "Your account" } a.button href="/transfer/confirm" { "Back to the transfer" } }
    }
}

fn words_for_session(kind: &SessionErrorKind) -> Markup {
    use SessionErrorKind as Kind;
    match kind {
        Kind::Unavailable { .. } => words(
            "One moment, please",
            "Your transfer is unavailable right now; what you have entered is safe. Try again in a moment.",
        ),
        Kind::Unknown => words(
            "Please have a look",
            "We could not find out whether that was done. Look at your account before you try again.",
        ),
        Kind::Contended => words("One moment, please", "Too much at once; nothing was changed. Try again in a moment."),
        Kind::Ended => words(
            "Over meanwhile",
            "Your transfer was sent or given up on another device, or you were signed out. Nothing was changed here.",
        ),
        Kind::Changed => {
            words("Changed meanwhile", "Your transfer was changed on another device. Nothing was done here.")
        }
        Kind::Newer { .. } => words("One moment, please", "The bank is being renovated. Your transfer is safe."),
        Kind::CrossSite => words_for_status(StatusCode::FORBIDDEN),
        Kind::TwoCookies => words(
            "Two of you",
            "Your browser showed us two passes, and we cannot tell which is yours. Please delete this site's cookies.",
        ),
        _ => words_for_status(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn words_for_status(status: StatusCode) -> Markup {
    match status {
        StatusCode::NOT_FOUND => words("Not here", "There is no such page."),
        StatusCode::FORBIDDEN => words("Not from there", "That came from another site, and nothing was changed."),
        status if status.is_client_error() => words("Pardon?", "We did not understand that, and nothing was changed."),
        _ => words("Our mistake", "Something broke on our side. We have been told."),
    }
}

fn words(heading: &str, explanation: &str) -> Markup {
    html! {
        h1 { (heading) }
        (notice(explanation))
        div.actions { a.button href="/" { "Your account" } }
    }
}
