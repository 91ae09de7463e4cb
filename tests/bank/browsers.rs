//! Browsers' sessions that go to the archive: each way in which one ends, once, with what it held.

use crate::shop::{self, Shop, ok, on_each_store};
use crate::until;
use axum::Router;
use axum::http::Method;
use axum::middleware::map_response;
use std::time::{Duration, SystemTime};
use testbed::Client;
use thin_session::archive::{Archive as _, EndReason, EndedSession, Steps};
use thin_session::store::LastingStore as _;
use thin_session::{HistoryPage, Keyring, MemoryStore, SessionLayer, UserId};

/// Longer than the idle limit of any.
const LONG: Duration = Duration::from_secs(25 * 3600);

/// A server whose users may have one session.
fn server(shop: &Shop) -> Router {
    let layer = shop.archiving().max_sessions_per_user(1).expect("it is in bounds");
    shop::routes().layer(layer).layer(map_response(shop::tell_kind))
}

fn user(name: &str) -> UserId {
    UserId::new(name).expect("it is an id")
}

/// What the archive itself has of a user, the first in front.
async fn archived(shop: &Shop, name: &str) -> Vec<EndedSession> {
    let page = HistoryPage::of(100).of_kind(EndedSession::BROWSER);
    let mut ended = shop.gate.inner().history("", &user(name), &page).await.expect("the archive answers");
    ended.reverse();
    ended
}

/// How many there are of all users and of nobody, by why they ended.
async fn counted(shop: &Shop) -> Vec<(EndReason, u64)> {
    let days = |count: u64| Duration::from_secs(count * 86_400);
    let steps = Steps::new(SystemTime::now() - days(2), days(4), 1);
    let counts = shop.gate.inner().counts("", Some(EndedSession::BROWSER), steps).await.expect("the archive answers");
    counts.into_iter().map(|count| (count.reason, count.sessions)).collect()
}

/// A browser with tea in its cart.
async fn with_tea(server: &Router) -> Client {
    let mut browser = Client::new(server.clone());
    ok(browser.post("/cart/tea").await);
    browser
}

async fn each_way_to_end_is_told_once_with_what_it_held(shop: Shop) {
    let (server, sessions) = (server(&shop), shop.archiving().sessions());
    let (tea, nothing) = (r#"{"cart":["tea"]}"#, "{}");

    // A visitor's, which is nobody's.
    let mut visitor = with_tea(&server).await;
    ok(visitor.post("/cart/milk").await);
    ok(visitor.post("/sign-out").await);
    until("it is moved", async || counted(&shop).await == [(EndReason::SignedOut, 1)]).await;

    // Signed in over that of a visitor, which goes on; then somebody else does.
    let mut phone = with_tea(&server).await;
    ok(phone.post("/sign-in/ada").await);
    ok(phone.post("/reauthenticate").await);
    ok(phone.post("/sign-in/bob").await);
    until("it is moved", async || archived(&shop, "ada").await.len() == 1).await;
    let [ada] = &archived(&shop, "ada").await[..] else { panic!("one has ended") };
    assert_eq!((ada.reason, &*ada.payload, ada.user.as_ref()), (EndReason::Replaced, tea, Some(&user("ada"))));
    // Begun when she signed in, and moved once since.
    assert_eq!(ada.updates, 2);
    assert!(ada.began <= ada.ended);

    // Bob has room for one.
    let mut tablet = Client::new(server.clone());
    ok(tablet.post("/sign-in/bob").await);
    ok(tablet.post("/count").await);
    until("it is moved", async || archived(&shop, "bob").await.len() == 1).await;
    assert!(sessions.end_all(&user("bob")).await.expect("the store answers") == 1);
    until("it is moved", async || archived(&shop, "bob").await.len() == 2).await;
    let mut told: Vec<_> = archived(&shop, "bob").await.into_iter().map(|of| (of.reason, of.payload)).collect();
    // Both may have begun in the same millisecond.
    told.sort_by_key(|(reason, _)| reason.as_str());
    let counter = r#"{"counter":1}"#.to_owned();
    assert_eq!(told, [(EndReason::Evicted, nothing.to_owned()), (EndReason::Revoked, counter)]);

    // Ended from elsewhere.
    let mut laptop = Client::new(server.clone());
    ok(laptop.post("/sign-in/eve").await);
    let [listed] = &sessions.list(&user("eve")).await.expect("the store answers")[..] else { panic!("she has one") };
    assert!(sessions.end(&user("eve"), listed.handle()).await.expect("the store answers"));
    until("it is moved", async || archived(&shop, "eve").await.len() == 1).await;
    assert_eq!(archived(&shop, "eve").await[0].reason, EndReason::Revoked);

    // The history has them before they are moved, and the outboxes are empty after.
    assert_eq!(sessions.history(&user("bob"), &HistoryPage::of(10)).await.expect("the archive answers").len(), 2);
    let all = [(EndReason::Evicted, 1), (EndReason::Replaced, 1), (EndReason::Revoked, 2), (EndReason::SignedOut, 1)];
    assert_eq!(counted(&shop).await, all);
    nothing_waits(&shop).await;
}

async fn nothing_waits(shop: &Shop) {
    until("it is moved", async || shop.gate.inner().full_outboxes("").await.expect("the store answers").is_empty())
        .await;
    let waits = |key: &[u8]| [&b":o"[..], b":x"].iter().any(|end| key.ends_with(end));
    let left = shop.keys_in_redis().into_iter().filter(|key| waits(key) || key.windows(3).any(|part| part == b":c:"));
    assert_eq!(left.map(|key| String::from_utf8(key).expect("a name")).collect::<Vec<_>>(), [""; 0]);
}

/// No server is up when it happens. The next that starts finds them.
async fn what_was_left_behind_is_found_by_the_next_who_starts(shop: Shop) {
    let at_first = server(&shop);
    let (mut left, mut used) = (with_tea(&at_first).await, with_tea(&at_first).await);
    ok(left.post("/sign-in/ada").await);
    ok(used.post("/cart/milk").await);
    drop((left, at_first));
    shop.idle_out(LONG);
    let again = server(&shop);
    // It begins another.
    ok(used.at(again.clone()).ask(Method::POST, "/cart/coffee").await);
    until("they are found", async || counted(&shop).await == [(EndReason::Expired, 2)]).await;
    let [ada] = &archived(&shop, "ada").await[..] else { panic!("one has ended") };
    assert_eq!((ada.reason, &*ada.payload), (EndReason::Expired, r#"{"cart":["tea"]}"#));
    // In Redis it was made to have ended so much earlier.
    assert!(ada.began <= ada.ended || shop.is_on_redis());
}

/// A session that could not go there must not begin as if it would.
#[tokio::test]
async fn without_an_archive_or_a_place_for_it_none_begins() {
    let layer = || SessionLayer::with_user_sessions(MemoryStore::new(), Keyring::generate()).archive_browser_sessions();
    let lacking = [layer(), SessionLayer::new(MemoryStore::new(), Keyring::generate()).archive_browser_sessions()];
    for layer in lacking {
        let mut browser = Client::new(shop::routes().layer(layer));
        assert_eq!(browser.post("/cart/tea").await.status, 500);
    }
    let mut browser = Client::new(shop::routes().layer(layer().archive(MemoryStore::new())));
    ok(browser.post("/cart/tea").await);
}

on_each_store! {
    each_way_to_end_is_told_once_with_what_it_held,
    what_was_left_behind_is_found_by_the_next_who_starts,
}
