//! Signing out with what is left of a session: its visitor cookie alone, a cookie from before, or for the second time.

use crate::gate::{Op, Step};
use crate::shop::{ok, see};
use crate::site::{LOGIN, Place, VISITOR, id, in_each_place, recognised, until_recognised_as, with_only};
use axum::http::Method;
use std::sync::Arc;
use std::time::Duration;
use testbed::Client;
use thin_session::{Clock, Keyring, MemoryStore, SessionLayer, Visitor};
use tokio::sync::Mutex;

/// Browsers forget session cookies when they close, and keep the visitor's: who signs out then means the session as well.
async fn with_the_visitor_cookie_alone_the_session_ends_too(place: Place) {
    let site = place.site().await;
    let here = site.server();
    let ada = here.signed_in("ada").await;
    ok(with_only(&ada, &[VISITOR]).ask(Method::POST, "/sign-out").await);
    assert_eq!(site.live().await, 0);
    assert_eq!(see(&with_only(&ada, &[LOGIN]), "/who").await, "");
    assert_eq!(here.listed("ada").await.len(), 0);
}

/// By the cookie of an id that has been replaced, when no marker tells any more where it went.
async fn with_a_cookie_from_before_a_proof_the_session_ends_as_a_whole(place: Place) {
    if matches!(place, Place::Redis(_)) {
        return; // its markers go by its own clock
    }
    for cookie in [LOGIN, VISITOR] {
        let site = place.site_by(Clock::manual()).await;
        let here = site.server();
        let mut ada = here.signed_in("ada").await;
        let old = with_only(&ada, &[cookie]);
        ok(ada.post("/reauthenticate").await);
        site.clock.advance(Duration::from_secs(180));
        assert_eq!(see(&ada, "/who").await, "ada");
        ok(old.ask(Method::POST, "/sign-out").await);
        assert_eq!(see(&ada, "/who").await, "", "{cookie}");
        assert_eq!(site.live().await, 0, "nothing lives that is in no list");
    }
}

async fn for_good_after_remembering_everybody_hears_of_it(place: Place) {
    let site = place.site().await;
    let (here, there) = (site.server(), site.elsewhere().await);
    let ada = here.signed_in("ada").await;
    ok(ada.ask(Method::POST, "/sign-out-remembering").await);
    assert_eq!(recognised(&here.seen_by(&ada)).await, "ada");
    ok(ada.ask(Method::POST, "/sign-out").await);
    assert_eq!(recognised(&here.seen_by(&ada)).await, "");
    until_recognised_as(&there.seen_by(&ada), "").await;
}

#[tokio::test]
async fn again_and_again_nothing_is_told_twice() {
    let site = Place::redis().site().await;
    let here = site.server();
    let redis = site.redis.clone().expect("it is on Redis");
    let told = || {
        let streams = redis.keys().into_iter().filter(|key| key.ends_with(b":n"));
        streams.map(|stream| redis.command(&[b"XLEN", &stream]).int()).sum::<i64>()
    };
    let ada = here.signed_in("ada").await;
    for cookies in [&[VISITOR][..], &[LOGIN], &[LOGIN, VISITOR]] {
        for _ in 0..3 {
            ok(with_only(&ada, cookies).ask(Method::POST, "/sign-out").await);
        }
    }
    assert_eq!(told(), 1);
}

/// One that was to make room, and went on under another id before its turn came, while another made room by itself.
async fn a_session_that_was_not_evicted_in_the_end_goes_on_everywhere(place: Place) {
    let site = place.site_by(Clock::manual()).await;
    let two = |layer: SessionLayer| layer.max_sessions_per_user(2).expect("it is in bounds");
    let (here, there) = (site.server_with(two), site.server_with(two));
    let first = here.signed_in("ada").await;
    site.clock.advance(Duration::from_secs(5));
    let second = here.signed_in("ada").await;
    site.clock.advance(Duration::from_secs(5));
    let moved = Arc::<Mutex<Option<Client>>>::default();
    let (keep, mut first, second) = (Arc::clone(&moved), there.seen_by(&first), there.seen_by(&second));
    site.gate().plan(
        Op::Admit,
        [
            Step::Pass,
            Step::before(async move {
                ok(first.post("/reauthenticate").await);
                ok(second.ask(Method::POST, "/sign-out").await);
                *keep.lock().await = Some(first);
            }),
        ],
    );
    let third = here.signed_in("ada").await;
    assert!(site.gate().plans_are_done());
    let first = moved.lock().await.take().expect("it has moved");
    for server in [&here, &there] {
        for browser in [&first, &third] {
            assert_eq!(see(&server.seen_by(browser), "/who").await, "ada");
            assert_eq!(recognised(&server.seen_by(browser)).await, "ada");
        }
    }
}

/// The epoch of everybody is past that of each, also if the clock of the process that says so is behind the store's.
#[tokio::test]
async fn everybody_is_also_who_signed_in_by_a_clock_that_is_ahead() {
    let site = Place::Memory.site_by(Clock::manual()).await;
    site.clock.advance(Duration::from_secs(120));
    let behind = Clock::manual();
    let here = site.server_with(|layer| layer.clock(behind.clone()));
    let ada = here.signed_in("ada").await;
    ok(ada.ask(Method::POST, "/end-others").await);
    let later = here.signed_in("ada").await;
    here.sessions().end_everything().await.expect("it can be said");
    for browser in [&ada, &later] {
        assert_eq!(see(browser, "/who").await, "");
        assert_eq!(recognised(browser).await, "");
    }
}

/// Nobody hears of it by its own handle: it is in no list. The user's epoch reaches it.
#[tokio::test]
async fn what_has_idled_out_is_forgotten_by_the_end_of_all() {
    let site = Place::Memory.site_by(Clock::manual()).await;
    let here = site.server();
    let ada = here.signed_in("ada").await;
    site.clock.advance(Duration::from_secs(31 * 60));
    assert_eq!(recognised(&ada).await, "ada");
    assert_eq!(here.sessions().end_all(&id("ada")).await.expect("all can be ended"), 0);
    assert_eq!(recognised(&ada).await, "");
}

/// A store in memory needs no timer, nor does following it.
#[test]
fn without_a_timer_visitors_are_recognised_and_nothing_panics() {
    let layer = SessionLayer::new(MemoryStore::new(), Keyring::generate()).strict_visitors();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let page = async |mut visitor: Visitor| {
            if visitor.user_id().is_none() {
                visitor.sign_in(id("ada")).await.expect("she can sign in");
                return "signed in";
            }
            "recognised"
        };
        let routes = axum::Router::new().route("/", axum::routing::get(page)).layer(layer);
        let mut browser = Client::new(routes);
        assert_eq!(browser.get("/").await.text(), "signed in");
        tokio::task::yield_now().await;
        assert_eq!(browser.get("/").await.text(), "recognised");
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        assert_eq!(tasks, 1, "it follows still");
    });
}

in_each_place! {
    with_the_visitor_cookie_alone_the_session_ends_too,
    with_a_cookie_from_before_a_proof_the_session_ends_as_a_whole,
    for_good_after_remembering_everybody_hears_of_it,
    a_session_that_was_not_evicted_in_the_end_goes_on_everywhere,
}
