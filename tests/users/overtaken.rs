//! Sign-ins that verified a password which was changed meanwhile. Protocol 9.

use crate::feed::Feed;
use crate::gate::Hold;
use crate::shop::{ok, refused, see};
use crate::site::{Place, Server, in_each_place, recognised, rounds, until_recognised_as};
use axum::Router;
use axum::extract::Path;
use axum::http::Method;
use axum::routing::post;
use std::time::{Duration, Instant};
use testbed::{Answer, Client, Proxy};
use thin_session::{Clock, SessionError, Sessions, UserId, Visitor};
use tokio::task::JoinHandle;

/// A page that verifies the password for as long as the test wants.
fn slow_page(hold: &Hold) -> Router {
    let hold = hold.clone();
    let sign_in = async move |mut visitor: Visitor, Path(user): Path<String>| -> Result<(), SessionError> {
        hold.point().await;
        visitor.sign_in(UserId::new(user)?).await.map(drop)
    };
    Router::new().route("/slow-sign-in/{user}", post(sign_in))
}

/// Sends a sign-in, and waits until its handler is at work.
async fn begin(server: &Server, browser: &Client) -> (Hold, JoinHandle<Answer>) {
    let hold = Hold::default();
    let browser = browser.at(server.with_pages(slow_page(&hold)));
    let answer = tokio::spawn(async move { browser.ask(Method::POST, "/slow-sign-in/ada").await });
    hold.reached().await;
    (hold, answer)
}

/// Has the sign-in go on, and answers what it was told.
async fn finish((hold, answer): (Hold, JoinHandle<Answer>)) -> Answer {
    hold.release();
    answer.await.expect("the page does not panic")
}

/// Signs in at a server that may not have heard. It knows only to within a round trip what came first, and if in doubt
/// refuses: then the user tries again.
async fn signed_in_soon(server: &Server) -> Client {
    let mut browser = server.browser();
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let answer = browser.post("/sign-in/ada").await;
        if answer.status == 200 {
            return browser;
        }
        refused(answer, "Ended");
        assert!(Instant::now() < deadline, "it never finds out");
    }
}

async fn one_that_began_before_is_refused_and_one_that_began_after_is_taken(place: Place) {
    let site = place.site().await;
    let server = site.server();
    for old in [server.browser(), server.browser_with_tea().await, server.signed_in("ada").await] {
        let before = begin(&server, &old).await;
        server.end_all("ada").await;
        let after = begin(&server, &server.browser()).await;
        let late = refused(finish(before).await, "Ended");
        assert_eq!(late.status, 409);
        assert_eq!(see(&old, "/who").await, "");
        assert!(server.listed("ada").await.is_empty());
        let mut browser = server.browser();
        browser.take(&ok(finish(after).await));
        assert_eq!(see(&browser, "/who").await, "ada");
        assert_eq!(recognised(&browser).await, "ada");
        assert_eq!(server.listed("ada").await.len(), 1);
    }
}

/// Also by a clock that stands still, or goes on between the two: how old a request is no clock decides alone.
async fn one_that_began_before_is_refused_whatever_the_clock_says(place: Place) {
    for (earlier, later) in [(0, 0), (5, 0), (0, 5), (5, 5)] {
        let site = place.site_by(Clock::manual()).await;
        let server = site.server();
        let browser = server.browser_with_tea().await;
        let before = begin(&server, &browser).await;
        site.clock.advance(Duration::from_secs(earlier));
        server.end_all("ada").await;
        site.clock.advance(Duration::from_secs(later));
        refused(finish(before).await, "Ended");
        assert!(server.listed("ada").await.is_empty(), "{earlier} s, {later} s");
    }
}

/// Who changed the password in this browser signs in again, at once or after a while, and others do not.
async fn end_all_and_then_signing_in_in_the_same_request_is_taken(place: Place) {
    let site = place.site().await;
    let server = site.server();
    let change = async |sessions: Sessions, mut visitor: Visitor| {
        let ended = sessions.end_all(&UserId::new("ada")?).await?;
        visitor.sign_in(UserId::new("ada")?).await?;
        Ok::<_, SessionError>(ended.to_string())
    };
    let app = server.with_pages(Router::new().route("/change", post(change)));
    let mut browser = server.signed_in("ada").await;
    // In the same millisecond too.
    for _ in 0..rounds(50, 500) {
        let other = server.signed_in("ada").await;
        let before = begin(&server, &server.browser()).await;
        let mut here = browser.at(app.clone());
        assert_eq!(ok(here.post("/change").await).text(), "2");
        browser = server.seen_by(&here);
        assert_eq!(see(&browser, "/who").await, "ada");
        assert_eq!(see(&other, "/who").await, "");
        refused(finish(before).await, "Ended");
        assert_eq!(server.listed("ada").await.len(), 1);
    }
}

async fn the_same_on_two_servers(place: Place) {
    let site = place.site().await;
    let (here, there) = (site.server(), site.elsewhere().await);
    for _ in 0..rounds(20, 200) {
        let known = signed_in_soon(&there).await;
        let before = begin(&there, &there.browser()).await;
        here.end_all("ada").await;
        refused(finish(before).await, "Ended");
        until_recognised_as(&known, "").await;
        // What it has heard it need not ask about.
        let browser = there.signed_in("ada").await;
        assert_eq!(see(&browser, "/who").await, "ada");
        assert_eq!(see(&here.seen_by(&browser), "/who").await, "ada");
        assert_eq!(here.listed("ada").await.len(), 1);
        here.end_all("ada").await;
    }
}

/// It cannot have heard, and so asks the store when that was.
async fn a_server_that_has_just_started_finds_out_from_the_stores_clock(place: Place) {
    let site = place.site().await;
    let here = site.server();
    for _ in 0..rounds(20, 200) {
        here.end_all("ada").await;
        let there = site.elsewhere().await;
        let browser = signed_in_soon(&there).await;
        assert_eq!(see(&here.seen_by(&browser), "/who").await, "ada");
        assert_eq!(recognised(&here.seen_by(&browser)).await, "ada");

        let there = site.elsewhere().await;
        let before = begin(&there, &there.browser()).await;
        assert_eq!(here.end_all("ada").await, 1);
        refused(finish(before).await, "Ended");
        assert_eq!(see(&browser, "/who").await, "");
    }
}

/// Its connections to the store work, but it hears nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_whose_feed_is_cut_finds_out_from_the_stores_clock() {
    let place = Place::redis();
    let site = place.site().await;
    let here = site.server();
    let proxy = Proxy::start(site.redis.as_ref().expect("it is on Redis").addr());
    let feed = Feed::cut(&proxy);
    let there = site.elsewhere_at(&proxy.url(), |layer| layer).await;
    feed.is_cut().await;
    for _ in 0..rounds(20, 200) {
        let known = signed_in_soon(&there).await;
        let before = begin(&there, &there.browser()).await;
        assert_eq!(here.end_all("ada").await, 1);
        refused(finish(before).await, "Ended");
        assert_eq!(recognised(&known).await, "ada", "it has not heard");
        let browser = signed_in_soon(&there).await;
        assert_eq!(see(&here.seen_by(&browser), "/who").await, "ada");
        assert_eq!(recognised(&here.seen_by(&browser)).await, "ada");
        assert_eq!(here.end_all("ada").await, 1);
    }
}

in_each_place! {
    one_that_began_before_is_refused_and_one_that_began_after_is_taken,
    one_that_began_before_is_refused_whatever_the_clock_says,
    end_all_and_then_signing_in_in_the_same_request_is_taken,
    the_same_on_two_servers,
    a_server_that_has_just_started_finds_out_from_the_stores_clock,
}
