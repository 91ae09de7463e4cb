//! A site with a note for each visitor, and a store that writes down each call.

use super::common::{Call, Recording};
use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, Method, header};
use axum::routing::{any, get, post};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use testbed::{Answer, Client};
use thin_session::{Clock, Keyring, Session, SessionData, SessionError, SessionLayer, SignedIn, UserId, Visitor};

/// The cookie of anonymous sessions.
pub(crate) const SESSION: &str = "__Host-Http-session";
/// The cookie of signed-in sessions.
pub(crate) const LOGIN: &str = "__Host-Http-login";
/// The cookie of recognised visitors.
pub(crate) const VISITOR: &str = "__Host-Http-visitor";

#[derive(Default, Serialize, Deserialize)]
struct Note(String);

impl SessionData for Note {
    const NAME: &'static str = "note";
}

pub(crate) struct Site {
    pub(crate) store: Arc<Recording>,
    pub(crate) clock: Clock,
    pub(crate) keys: Keyring,
    app: Router,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with_keys(Keyring::generate())
    }

    /// With an empty store, behind these keys.
    pub(crate) fn with_keys(keys: Keyring) -> Self {
        Self::build(keys, |layer| layer)
    }

    pub(crate) fn build(keys: Keyring, configure: impl FnOnce(SessionLayer) -> SessionLayer) -> Self {
        let clock = Clock::manual();
        let store = Recording::new(&clock);
        let layer = configure(SessionLayer::new(Arc::clone(&store), keys.clone()).clock(clock.clone()));
        Self { store, clock, keys, app: pages().layer(layer) }
    }

    /// A browser that has never been here.
    pub(crate) fn newcomer(&self) -> Client {
        Client::new(self.app.clone())
    }

    /// A browser whose session holds this note; the store's log of calls begins after it.
    pub(crate) async fn visitor_with(&self, note: &str) -> Client {
        let mut browser = self.newcomer();
        assert_eq!(browser.post(&format!("/note/{note}")).await.status, 200);
        self.store.calls();
        browser
    }

    /// A browser in which this user has signed in; the store's log of calls begins after it.
    pub(crate) async fn signed_in(&self, user: &str) -> Client {
        let mut browser = self.newcomer();
        assert_eq!(browser.post(&format!("/sign-in/{user}")).await.status, 200);
        self.store.calls();
        browser
    }

    /// Sends `Cookie` headers of any bytes, and answers what the store was asked for.
    pub(crate) async fn send(&self, method: Method, path: &str, cookies: &[Vec<u8>]) -> (Answer, Vec<Call>) {
        let mut browser = self.newcomer();
        for cookie in cookies {
            browser.headers.append(header::COOKIE, HeaderValue::from_bytes(cookie).expect("hyper would let it pass"));
        }
        self.store.calls();
        let answer = browser.ask(method, path).await;
        (answer, self.store.calls())
    }

    /// The note that a request with these `Cookie` headers sees, and what the store was asked for.
    pub(crate) async fn note(&self, cookies: &[Vec<u8>]) -> (String, Vec<Call>) {
        let (answer, calls) = self.send(Method::GET, "/note", cookies).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.set_cookies(), Vec::<&str>::new(), "reading sets no cookie");
        (answer.text().to_owned(), calls)
    }
}

/// The value of a browser's cookie of this name.
pub(crate) fn value<'a>(browser: &'a Client, name: &str) -> &'a str {
    browser.cookies.get(name).unwrap_or_else(|| panic!("the browser has no {name}"))
}

/// A browser's cookie of this name as it sends it.
pub(crate) fn pair(browser: &Client, name: &str) -> String {
    format!("{name}={}", value(browser, name))
}

/// Base64url as long as a session's cookie, so that it is worth opening.
pub(crate) fn junk(letter: char) -> String {
    String::from(letter).repeat(92)
}

fn pages() -> Router {
    Router::new()
        .route("/note", get(async |note: Session<Note>| note.0.clone()))
        .route("/note/{text}", any(write))
        .route(
            "/who",
            get(async |who: Option<SignedIn>| who.map_or(String::new(), |who| who.user_id().as_str().into())),
        )
        .route("/hello", get(async |who: Visitor| who.user_id().map_or(String::new(), |who| who.as_str().into())))
        .route("/sign-in/{user}", post(sign_in))
        .route("/sign-out", post(async |mut visitor: Visitor| visitor.sign_out().await))
}

async fn write(mut note: Session<Note>, Path(text): Path<String>) -> Result<String, SessionError> {
    note.update(|note| note.0 += &text).await?;
    Ok(note.0.clone())
}

async fn sign_in(mut visitor: Visitor, Path(user): Path<String>) -> Result<(), SessionError> {
    visitor.sign_in(UserId::new(user)?).await.map(drop)
}
