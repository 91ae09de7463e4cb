//! Visitor cookies that were copied: nobody's once their session has ended, here at once and elsewhere soon.

use crate::shop::{ok, see};
use crate::site::{
    Place, Server, Site, VISITOR, handle, id, in_each_place, recognised, until_recognised_as, with_only,
};
use axum::http::Method;
use std::time::Duration;
use testbed::Client;
use thin_session::Clock;

/// Two servers, Ada's browser, and Bob's, whom none of it concerns.
struct Visit {
    site: Site,
    here: Server,
    there: Server,
    ada: Client,
    bob: Client,
}

impl Visit {
    async fn begin(place: &Place) -> Self {
        let site = place.site().await;
        let (here, there) = (site.server(), site.elsewhere().await);
        let (ada, bob) = (here.signed_in("ada").await, here.signed_in("bob").await);
        let visit = Self { site, here, there, ada, bob };
        for server in [&visit.here, &visit.there] {
            assert_eq!(recognised(&server.seen_by(&visit.ada)).await, "ada");
        }
        visit
    }

    /// The copy of before is nobody's.
    async fn is_over(&self) {
        assert_eq!(recognised(&self.here.seen_by(&self.ada)).await, "", "here at once");
        until_recognised_as(&self.there.seen_by(&self.ada), "").await;
        for server in [&self.here, &self.there] {
            assert_eq!(see(&server.seen_by(&self.ada), "/who").await, "");
            assert_eq!(recognised(&server.seen_by(&self.ada)).await, "");
            assert_eq!(recognised(&server.seen_by(&self.bob)).await, "bob");
            assert_eq!(see(&server.seen_by(&self.bob), "/who").await, "bob");
        }
        // And the next sign-in has a cookie that counts.
        let again = self.here.signed_in("ada").await;
        assert_eq!(recognised(&again).await, "ada");
        assert_eq!(recognised(&self.there.seen_by(&again)).await, "ada");
    }
}

async fn a_copied_visitor_cookie_is_nobodys_after_sign_out(place: Place) {
    let visit = Visit::begin(&place).await;
    ok(visit.ada.ask(Method::POST, "/sign-out").await);
    visit.is_over().await;
}

/// Its session has gone before, and a copy of the cookie would be recognised for weeks.
async fn nor_after_a_sign_out_without_a_session(place: Place) {
    let visit = Visit::begin(&place).await;
    ok(visit.ada.ask(Method::POST, "/sign-out-remembering").await);
    assert_eq!(recognised(&visit.there.seen_by(&visit.ada)).await, "ada");
    ok(with_only(&visit.ada, &[VISITOR]).ask(Method::POST, "/sign-out").await);
    visit.is_over().await;
}

async fn nor_when_its_session_was_ended_from_a_list(place: Place) {
    let visit = Visit::begin(&place).await;
    let listed = visit.here.sessions().list(&id("ada")).await.expect("they can be listed");
    let [only] = &listed[..] else { panic!("{} sessions", listed.len()) };
    assert!(visit.here.sessions().end(&id("ada"), only.handle()).await.expect("it can be ended"));
    visit.is_over().await;
    assert!(!visit.here.sessions().end(&id("ada"), only.handle()).await.expect("it can be asked"), "not twice");
    assert!(!visit.here.sessions().end(&id("bob"), only.handle()).await.expect("it can be asked"), "not by others");
}

async fn nor_when_all_were_ended(place: Place) {
    let visit = Visit::begin(&place).await;
    assert_eq!(visit.here.end_all("ada").await, 1);
    visit.is_over().await;
}

async fn nor_when_all_others_were_ended(place: Place) {
    let visit = Visit::begin(&place).await;
    let kept = visit.there.signed_in("ada").await;
    let kept = visit.here.seen_by(&kept);
    ok(kept.ask(Method::POST, "/end-others").await);
    visit.is_over().await;
    for server in [&visit.here, &visit.there] {
        assert_eq!(recognised(&server.seen_by(&kept)).await, "ada");
    }
}

async fn nor_when_another_user_signed_in_over_it(place: Place) {
    let visit = Visit::begin(&place).await;
    ok(visit.ada.ask(Method::POST, "/sign-in/carol").await);
    visit.is_over().await;
}

async fn nor_when_it_made_room_for_another(place: Place) {
    let mut visit = Visit::begin(&place).await;
    let one_each = |layer: thin_session::SessionLayer| layer.max_sessions_per_user(1).expect("it is in bounds");
    visit.here = visit.site.server_with(one_each);
    let _other = visit.here.signed_in("ada").await;
    // Who has made room in the end, the store tells this server too.
    until_recognised_as(&visit.here.seen_by(&visit.ada), "").await;
    visit.is_over().await;
}

async fn who_signs_out_and_wants_to_be_remembered_is(place: Place) {
    let visit = Visit::begin(&place).await;
    let mut ada = visit.ada.clone();
    ok(ada.post("/sign-out-remembering").await);
    assert_eq!(ada.cookies.keys().collect::<Vec<_>>(), [VISITOR]);
    for server in [&visit.here, &visit.there] {
        assert_eq!(handle(&server.seen_by(&visit.ada)).await, None);
        assert_eq!(recognised(&server.seen_by(&ada)).await, "ada");
    }
    // What comes after it on the same stream has been heard, and this was not told.
    ok(visit.bob.ask(Method::POST, "/sign-out").await);
    until_recognised_as(&visit.there.seen_by(&visit.bob), "").await;
    assert_eq!(recognised(&visit.there.seen_by(&ada)).await, "ada");
}

/// Limits of time are no news.
#[tokio::test]
async fn whose_session_idled_out_is_recognised_until_the_cookie_expires() {
    let site = Place::Memory.site_by(Clock::manual()).await;
    let server = site.server();
    let ada = server.signed_in("ada").await;
    site.clock.advance(Duration::from_secs(31 * 60));
    assert_eq!(see(&ada, "/who").await, "");
    assert_eq!(recognised(&ada).await, "ada");
    site.clock.advance(Duration::from_secs(30 * 86_400));
    assert_eq!(recognised(&ada).await, "");
}

in_each_place! {
    a_copied_visitor_cookie_is_nobodys_after_sign_out,
    nor_after_a_sign_out_without_a_session,
    nor_when_its_session_was_ended_from_a_list,
    nor_when_all_were_ended,
    nor_when_all_others_were_ended,
    nor_when_another_user_signed_in_over_it,
    nor_when_it_made_room_for_another,
    who_signs_out_and_wants_to_be_remembered_is,
}
