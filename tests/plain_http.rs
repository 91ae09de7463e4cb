//! Development over plain HTTP: where browsers would drop the cookies, the log says so, once.

mod common;

use axum::http::HeaderValue;
use common::{log, log_of_this_thread, newcomer, visit};
use serde::{Deserialize, Serialize};
use thin_session::{Keyring, MemoryStore, Session, SessionData, SessionError, SessionLayer, UserId, Visitor};

#[derive(Default, Serialize, Deserialize)]
struct Visits(u32);

impl SessionData for Visits {
    const NAME: &'static str = "visits";
}

async fn count(mut visits: Session<Visits>) -> Result<(), SessionError> {
    visits.update(|visits| visits.0 += 1).await
}

async fn look(_: Session<Visits>) {}

async fn sign_in(mut visitor: Visitor) -> Result<(), SessionError> {
    visitor.sign_in(UserId::new(1)?).await.map(drop)
}

fn layer() -> SessionLayer {
    SessionLayer::new(MemoryStore::new(), Keyring::generate())
}

/// How often a first write from a page at this origin is warned of.
async fn warnings(layer: &SessionLayer, header: &'static str, origin: &'static str) -> usize {
    let mut browser = newcomer();
    browser.headers.insert(header, HeaderValue::from_static(origin));
    let _ = log();
    assert!(visit(&mut browser, layer, count).await.status.is_success());
    log().matches("insecure_plain_http").count()
}

#[tokio::test]
async fn a_host_where_browsers_drop_secure_cookies_is_warned_of() {
    log_of_this_thread();
    for origin in ["http://192.168.1.7:3000", "http://shop.test", "http://[fe80::1]:3000", "http://localhost.evil.com"]
    {
        assert_eq!(warnings(&layer(), "origin", origin).await, 1, "{origin}");
    }
    assert_eq!(warnings(&layer(), "referer", "http://shop.test/cart").await, 1);
}

#[tokio::test]
async fn where_they_are_kept_nothing_is_said() {
    log_of_this_thread();
    for origin in [
        "https://shop.example",
        "http://localhost:3000",
        "http://shop.localhost",
        "http://127.0.0.1:3000",
        "http://[::1]:3000",
        "null",
    ] {
        assert_eq!(warnings(&layer(), "origin", origin).await, 0, "{origin}");
    }
}

#[tokio::test]
async fn it_is_said_once_and_only_where_a_cookie_is_set() {
    log_of_this_thread();
    let layer = layer();
    let mut browser = newcomer();
    browser.headers.insert("origin", HeaderValue::from_static("http://shop.test"));
    visit(&mut browser, &layer, look).await;
    assert!(!log().contains("insecure_plain_http"));
    for _ in 0..3 {
        visit(&mut browser, &layer, sign_in).await;
    }
    assert_eq!(log().matches("insecure_plain_http").count(), 1);
}

#[tokio::test]
async fn whoever_chose_plain_http_is_not_warned() {
    log_of_this_thread();
    assert_eq!(warnings(&layer().insecure_plain_http(), "origin", "http://shop.test").await, 0);
}
