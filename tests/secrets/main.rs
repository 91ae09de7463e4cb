//! Promise 10: nothing usable leaks. Whole lives of sessions, with everything that anybody could read of them collected:
//! logs of every level and target, `Debug` of whatever an application can hold, errors with their causes, responses,
//! and what the store keeps. None of it contains a user id, content, a cookie, a session's id or a key, in any spelling.

mod canary;
mod evidence;
mod life;
mod shelf;
mod site;
mod witness;

mod redis;

use canary::Canaries;
use evidence::{begin_to_log, evidence, note, note_error, set_cookies};
use life::{CONTENT, USER, live};
use site::Site;
use std::collections::BTreeSet;
use thin_session::testing::Browser;
use thin_session::{Keyring, MemoryStore, Secret, Session, SessionLayer, UserId};

#[tokio::test]
async fn a_life_in_memory_leaves_no_trace() {
    begin_to_log();
    let site = Site::new(MemoryStore::new());
    note(&MemoryStore::new());
    live(&site).await;
    site.assert_nothing_leaked();
}

/// That the search could find something: the log is there, and so is what the values show of themselves.
#[tokio::test]
async fn what_is_searched_is_what_was_logged_and_shown() {
    begin_to_log();
    live(&Site::new(MemoryStore::new())).await;
    let evidence = String::from_utf8_lossy(&evidence()).into_owned();
    for shown in [
        "session created",
        "session changed",
        "session touched",
        "signed in",
        "re-authenticated",
        "session ended",
        "all sessions of a user ended",
        "all sessions of all users ended",
        "evicted",
        "Sessions",
        "SessionInfo {",
        "Admission {",
        "Departure {",
        "Owner {",
        "Member {",
        "Sweep {",
        "Swept {",
        "Revocation {",
        "somebody else changed the session",
        "two different cookies",
        "cookie refused",
        "the store failed; trying again",
        "a request was answered with an error",
        "a stored value does not decode",
        "a stored value is of a newer version",
        "the session layer is misconfigured",
        "UserId(…)",
        "SessionHandle(…)",
        "Secret(…)",
        "Keyring {",
        "SessionLayer {",
        "Session<",
        "UserSession<",
        "user session changed",
        "user session ended",
        "its quota is used up",
        "could not be moved to the archive",
        "EndedSession {",
        "HistoryEntry {",
        "QuotaExceeded {",
        "Replacement {",
        "Outgoing {",
        "Changed",
        "Peek<",
        "LazySession<",
        "SignedIn {",
        "RecentAuth(",
        "Visitor {",
        "Cost {",
        "Entry {",
        "Marker {",
        "Key {",
        "Unavailable {",
        "Unknown",
        "Ended",
        "SignedOut",
        "NotRecent",
        "TooLarge",
        "Encode {",
        "Undecodable",
        "Newer {",
        "ResponseStarted",
        "TwoCookies",
        "CrossSite",
        "BadUserId",
        "Misconfigured",
        "Service Unavailable",
    ] {
        assert!(evidence.contains(shown), "{shown:?} was never seen");
    }
    assert!(!set_cookies().is_empty());
}

/// Logs call a session by a digest that nobody can work out who does not have the key, and by nothing else.
#[tokio::test]
async fn logs_call_sessions_by_a_keyed_digest() {
    begin_to_log();
    let site = Site::new(MemoryStore::new());
    live(&site).await;
    let evidence = String::from_utf8_lossy(&evidence()).into_owned();
    let said: BTreeSet<_> =
        evidence.match_indices("session=").map(|(at, field)| &evidence[at + field.len()..]).collect();
    let said: BTreeSet<_> = said.iter().map(|rest| rest.split_whitespace().next().unwrap_or_default()).collect();
    for name in &said {
        assert!(name.len() == 16 && name.bytes().all(|digit| digit.is_ascii_hexdigit()), "{name}");
    }
    let own = site.log_names();
    assert!(own.len() > 20, "{} sessions", own.len());
    for name in own {
        assert!(said.contains(&*name), "a session is never called by its name");
    }
}

#[test]
fn the_browser_for_unit_tests_hides_as_much() {
    begin_to_log();
    let browser =
        Browser::new().signed_in(UserId::new(USER).expect("it is an id")).holding(life::Diary(CONTENT.into()));
    note(&browser);
    note(&browser.session::<life::Diary>());
    note(&browser.visitor());
    note(&browser.proof());
    browser.store_down(true);
    note_error(&browser.try_session::<life::Diary>().expect_err("the store is down"));
    browser.store_down(false);
    browser.end();
    let mut canaries = Canaries::default();
    canaries.add("the user id", USER.as_bytes());
    canaries.add("the content", CONTENT.as_bytes());
    canaries.assert_absent("what anybody can read", &evidence());
}

#[test]
fn a_secret_that_is_refused_is_not_repeated() {
    let typed = "canary typed on a keyboard, long enough to pass";
    let errors = [
        Secret::from_bytes(typed.as_bytes()).map(drop),
        Secret::from_bytes(&typed.as_bytes()[..20]).map(drop),
        Secret::from_base64(typed).map(drop),
        Secret::from_base64("Y2FuYXJ5IHR5cGVkIG9uIGEga2V5Ym9hcmQ=").map(drop),
    ];
    let mut canaries = Canaries::default();
    canaries.add("the secret", &typed.as_bytes()[..20]);
    for error in errors {
        let error = error.expect_err("it is not random");
        canaries.assert_absent("an error", format!("{error} {error:?}").as_bytes());
    }
    let secret = Secret::generate();
    let twice = Keyring::new(secret.clone(), secret).expect_err("it is used twice");
    assert_eq!(format!("{twice:?}"), "Duplicate");
}

/// For a type that has a `Debug` of its own, which would show the content.
#[tokio::test]
async fn a_session_hides_a_value_that_could_show_itself() {
    let request = {
        let mut request = axum::http::Request::new(());
        let layer = SessionLayer::new(MemoryStore::new(), Keyring::generate());
        site::leave_ticket(&layer, &mut request).await;
        request
    };
    let mut session = Session::<life::Talkative>::of(&request).await.expect("the layer is there");
    session.update(|value| value.0 = CONTENT.into()).await.expect("memory answers");
    assert!(format!("{:?}", *session).contains(CONTENT));
    assert!(!format!("{session:?} {session:#?}").contains(CONTENT));
}
