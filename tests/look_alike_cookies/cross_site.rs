//! Requests from other sites. Browsers withhold the cookie there, so that "no cookie" does not mean "no session".

use super::common::Call;
use super::site::{LOGIN, SESSION, Site, value};
use axum::http::{HeaderName, HeaderValue, Method};
use testbed::Client;

/// `Sec-Fetch-Site`, `-Mode` and `-Dest`; empty where a browser sends none.
type Fetch = [&'static str; 3];

fn from(mut browser: Client, fetch: Fetch) -> Client {
    for (name, value) in ["sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest"].into_iter().zip(fetch) {
        if !value.is_empty() {
            browser.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
    }
    browser
}

const FORM: Fetch = ["cross-site", "navigate", "document"];

#[tokio::test]
async fn another_site_begins_no_session() {
    let site = Site::new();
    for (method, fetch) in [
        (Method::POST, FORM),
        (Method::POST, ["cross-site", "cors", "empty"]),
        (Method::POST, ["cross-site", "no-cors", "empty"]),
        (Method::POST, ["cross-site", "", ""]),
        (Method::PUT, ["cross-site", "cors", "empty"]),
        (Method::GET, ["cross-site", "no-cors", "image"]),
        (Method::GET, ["cross-site", "no-cors", "script"]),
        (Method::GET, ["cross-site", "cors", "empty"]),
        (Method::GET, ["cross-site", "navigate", "iframe"]),
        (Method::GET, ["cross-site", "navigate", ""]),
        (Method::GET, ["cross-site", "", ""]),
    ] {
        let answer = from(site.newcomer(), fetch).ask(method.clone(), "/note/planted").await;
        assert_eq!((answer.status.as_u16(), answer.text()), (403, "Forbidden"), "{method} {fetch:?}");
        assert_eq!(answer.set_cookies(), Vec::<&str>::new(), "{method} {fetch:?}");
        assert_eq!(site.store.calls(), [], "{method} {fetch:?}");
    }
}

#[tokio::test]
async fn a_session_begins_for_everybody_else() {
    let site = Site::new();
    for (method, fetch) in [
        (Method::POST, ["", "", ""]),
        (Method::POST, ["same-origin", "cors", "empty"]),
        (Method::POST, ["same-site", "navigate", "document"]),
        (Method::POST, ["none", "navigate", "document"]),
        // A followed link does bring `SameSite=Lax` cookies along, if there are any.
        (Method::GET, ["cross-site", "navigate", "document"]),
    ] {
        let mut browser = from(site.newcomer(), fetch);
        assert_eq!(browser.send(method.clone(), "/note/first").await.status, 200, "{method} {fetch:?}");
        assert_eq!(site.store.calls(), [Call::Create], "{method} {fetch:?}");
        value(&browser, SESSION);
    }
}

#[tokio::test]
async fn reading_from_another_site_is_as_reading_without_a_session() {
    let site = Site::new();
    let answer = from(site.newcomer(), ["cross-site", "cors", "empty"]).ask(Method::GET, "/note").await;
    assert_eq!((answer.status.as_u16(), answer.text(), site.store.calls()), (200, "", vec![]));
}

#[tokio::test]
async fn with_a_session_another_site_changes_it() {
    let site = Site::new();
    let mut browser = from(site.visitor_with("mine").await, FORM);
    let cookie = value(&browser, SESSION).to_owned();
    assert_eq!(browser.post("/note/-more").await.text(), "mine-more");
    assert_eq!(site.store.calls(), [Call::Load, Call::Commit]);
    assert_eq!(value(&browser, SESSION), cookie);
}

/// A cookie that opens nothing is none: it must not open the door that its absence closes.
#[tokio::test]
async fn with_a_made_up_cookie_another_site_begins_none() {
    let site = Site::new();
    let mut browser = from(site.newcomer(), FORM);
    browser.cookies.insert(SESSION.into(), super::site::junk('A'));
    assert_eq!(browser.post("/note/planted").await.status, 403);
    assert_eq!(site.store.calls(), []);
}

/// As it comes from an identity provider that answers with a form.
#[tokio::test]
async fn signing_in_from_another_site_works() {
    let site = Site::new();
    let mut browser = from(site.newcomer(), FORM);
    assert_eq!(browser.post("/sign-in/ada").await.status, 200);
    value(&browser, LOGIN);
    assert_eq!(browser.get("/who").await.text(), "ada");
}
