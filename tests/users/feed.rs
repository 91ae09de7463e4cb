//! Processes that cannot hear what is revoked, and then can.

use crate::shop::{ok, see, until};
use crate::site::{Place, Server, Site, recognised, until_recognised_as};
use axum::http::Method;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use testbed::{Client, Fault, Proxy};
use thin_session::{Clock, SessionLayer};

/// The news that come to whoever reaches Redis by a proxy.
pub(crate) struct Feed<'a> {
    proxy: &'a Proxy,
    cuts: Arc<AtomicUsize>,
}

impl<'a> Feed<'a> {
    /// Cuts it whenever somebody listens from now on; all else passes.
    pub(crate) fn cut(proxy: &'a Proxy) -> Self {
        // The streams of all shards: to begin with one is tried.
        const SHARDS: usize = 256;
        let cuts = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&cuts);
        proxy.on_request(move |request| {
            if request.name() != "XREAD" || request.words.len() < SHARDS {
                return Fault::Pass;
            }
            count.fetch_add(1, Ordering::SeqCst);
            Fault::LoseRequest
        });
        Self { proxy, cuts }
    }

    /// Waits until nobody listens any more. Only one may have done so.
    pub(crate) async fn is_cut(&self) {
        until("somebody tried to listen", || self.cuts.load(Ordering::SeqCst) > 0).await;
    }

    pub(crate) fn restore(self) {
        self.proxy.no_faults();
    }
}

fn proxy(site: &Site) -> Proxy {
    Proxy::start(site.redis.as_ref().expect("it is on Redis").addr())
}

fn strict(layer: SessionLayer) -> SessionLayer {
    layer.strict_visitors()
}

/// More of one user than is read in one go, and some of others.
async fn crowd(server: &Server) -> Vec<Client> {
    let mut crowd = Vec::new();
    for number in 0..150 {
        let user = if number % 15 == 0 { format!("user-{number}") } else { "ada".to_owned() };
        crowd.push(server.signed_in(&user).await);
    }
    crowd
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_revoked_while_it_was_cut_is_refused_when_it_is_back() {
    let site = Place::redis().site_by(Clock::manual()).await;
    let many = |layer: SessionLayer| layer.max_sessions_per_user(1000).expect("it is in bounds");
    let (here, proxies) = (site.server_with(many), [proxy(&site), proxy(&site)]);
    let there = site.elsewhere_at(&proxies[0].url(), |layer| layer).await;
    // Recognises somebody only when it has heard everything.
    let exact = site.elsewhere_at(&proxies[1].url(), strict).await;
    let (crowd, bob) = (crowd(&here).await, here.signed_in("bob").await);
    until_recognised_as(&exact.seen_by(&bob), "bob").await;

    let feeds = proxies.each_ref().map(Feed::cut);
    for feed in &feeds {
        feed.is_cut().await;
    }
    for browser in &crowd {
        ok(browser.ask(Method::POST, "/sign-out").await);
    }
    site.clock.advance(Duration::from_secs(11));
    for browser in &crowd {
        let browser = there.seen_by(browser);
        assert_ne!(recognised(&browser).await, "", "it has not heard");
        assert_eq!(see(&browser, "/who").await, "", "a session is looked up");
    }
    assert_eq!(recognised(&exact.seen_by(&bob)).await, "");

    feeds.into_iter().for_each(Feed::restore);
    until_recognised_as(&exact.seen_by(&bob), "bob").await;
    for browser in &crowd {
        assert_eq!(recognised(&exact.seen_by(browser)).await, "", "the first that it recognised came after all that");
        until_recognised_as(&there.seen_by(browser), "").await;
    }
    assert_eq!(recognised(&there.seen_by(&bob)).await, "bob");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_strict_server_that_cannot_hear_recognises_nobody_and_serves_sessions() {
    let site = Place::redis().site_by(Clock::manual()).await;
    let (here, proxy) = (site.server(), proxy(&site));
    let ada = here.signed_in("ada").await;
    let feed = Feed::cut(&proxy);
    let there = site.elsewhere_at(&proxy.url(), strict).await;
    feed.is_cut().await;
    let ada = there.seen_by(&ada);
    is_served_but_not_recognised(&ada).await;
    let mut newcomer = there.signed_in("carol").await;
    assert_eq!(see(&newcomer, "/who").await, "carol", "signing in needs no news");
    ok(newcomer.post("/cart/tea").await);

    feed.restore();
    until_recognised_as(&ada, "ada").await;

    let feed = Feed::cut(&proxy);
    feed.is_cut().await;
    site.clock.advance(Duration::from_secs(10));
    assert_eq!(recognised(&ada).await, "ada", "ten seconds are not too long");
    site.clock.advance(Duration::from_secs(1));
    is_served_but_not_recognised(&ada).await;
    let late = there.signed_in("dave").await;
    assert_eq!(recognised(&late).await, "");

    feed.restore();
    until_recognised_as(&ada, "ada").await;
    assert_eq!(recognised(&late).await, "dave");
}

async fn is_served_but_not_recognised(browser: &Client) {
    assert_eq!(recognised(browser).await, "");
    assert_eq!(see(browser, "/who").await, "ada");
    assert_eq!(see(browser, "/hello").await, "", "also beside a session");
    ok(browser.ask(Method::POST, "/count").await);
}

/// One that is not strict goes on with what it has heard, and with what it has done itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_cannot_hear_still_refuses_what_it_has_ended_itself() {
    let site = Place::redis().site().await;
    let (here, proxy) = (site.server(), proxy(&site));
    let [heard, own, unheard] =
        [here.signed_in("ada").await, here.signed_in("bob").await, here.signed_in("carol").await];
    let there = site.elsewhere_at(&proxy.url(), |layer| layer).await;
    ok(heard.ask(Method::POST, "/sign-out").await);
    until_recognised_as(&there.seen_by(&heard), "").await;

    let feed = Feed::cut(&proxy);
    feed.is_cut().await;
    ok(there.seen_by(&own).ask(Method::POST, "/sign-out").await);
    ok(unheard.ask(Method::POST, "/sign-out").await);
    assert_eq!(recognised(&there.seen_by(&heard)).await, "");
    assert_eq!(recognised(&there.seen_by(&own)).await, "");
    assert_eq!(recognised(&there.seen_by(&unheard)).await, "carol");
    until_recognised_as(&here.seen_by(&own), "").await;
    feed.restore();
    until_recognised_as(&there.seen_by(&unheard), "").await;
}
