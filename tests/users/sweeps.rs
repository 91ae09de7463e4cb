//! Ending all sessions, while sixty-four updates and eight sign-ins are under way.

use crate::shop::{ok, refused, see};
use crate::site::{Place, Server, Site, handle, handles, id, in_each_place, recognised, rounds};
use axum::Router;
use axum::extract::Path;
use axum::http::{Method, StatusCode};
use axum::routing::post;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use testbed::{Answer, Client};
use thin_session::{SessionError, UserId, Visitor};
use tokio::task::{JoinSet, yield_now};

const DEVICES: usize = 4;
const UPDATES: usize = 64;
const SIGN_INS: usize = 8;

/// How far the end of all sessions has come, and how many sign-ins are under way or were.
#[derive(Clone, Default)]
struct Sweep(Arc<(AtomicU8, AtomicUsize)>);

const NOT_BEGUN: u8 = 0;
const ANSWERED: u8 = 2;

impl Sweep {
    fn now(&self) -> u8 {
        self.0.0.load(Ordering::SeqCst)
    }

    fn goes_on(&self) {
        self.0.0.fetch_add(1, Ordering::SeqCst);
    }

    fn sign_ins(&self) -> usize {
        self.0.1.load(Ordering::SeqCst)
    }

    /// A page that notes whether the sweep had begun after its request did. The password of some is so long that the sweep
    /// is over before it is verified.
    fn page(&self) -> Router {
        let sweep = self.clone();
        let sign_in = async move |mut visitor: Visitor, Path((user, is_slow)): Path<(String, bool)>| {
            let then = sweep.now();
            sweep.0.1.fetch_add(1, Ordering::SeqCst);
            while is_slow && sweep.now() != ANSWERED {
                yield_now().await;
            }
            visitor.sign_in(UserId::new(user)?).await?;
            Ok::<_, SessionError>(then.to_string())
        };
        Router::new().route("/noted-sign-in/{user}/{is_slow}", post(sign_in))
    }
}

/// A sign-in among the crowd.
struct Newcomer {
    browser: Client,
    has_tea: bool,
    /// How far the sweep was before the request was sent.
    sent: u8,
    answer: Answer,
}

impl Newcomer {
    fn is_refused(&self) -> bool {
        self.answer.status != StatusCode::OK
    }

    /// Whether the request began before the sweep did. Of one that was refused nobody knows.
    fn began_before(&self) -> bool {
        self.answer.text() == NOT_BEGUN.to_string()
    }
}

/// What a round leaves.
struct Aftermath {
    devices: Vec<Client>,
    /// What the updates of each device were told.
    updates: Vec<(usize, Answer)>,
    newcomers: Vec<Newcomer>,
}

/// Has all of it happen at once; `sweep` comes when some part of the rest is done.
async fn crowd(servers: &[Server; 2], round: usize, sweep: impl Future<Output = ()>, state: &Sweep) -> Aftermath {
    let mut devices = Vec::new();
    for number in 0..DEVICES {
        let mut device = servers[number % 2].signed_in("ada").await;
        ok(device.post("/count").await);
        devices.push(device);
    }
    let done = Arc::new(AtomicUsize::new(0));
    let (mut updates, mut newcomers) = (JoinSet::new(), JoinSet::new());
    for number in 0..UPDATES {
        let (device, server, done) = (number % DEVICES, &servers[number / DEVICES % 2], Arc::clone(&done));
        let browser = server.seen_by(&devices[device]);
        updates.spawn(async move {
            let answer = browser.ask(Method::POST, "/count").await;
            done.fetch_add(1, Ordering::SeqCst);
            (device, answer)
        });
    }
    for number in 0..SIGN_INS {
        let (server, has_tea) = (&servers[number % 2], number % 3 == 0);
        let start = if has_tea { server.browser_with_tea().await } else { server.browser() };
        let (mut browser, home) = (start.at(server.with_pages(state.page())), server.clone());
        let (done, state) = (Arc::clone(&done), state.clone());
        newcomers.spawn(async move {
            // The first before it and the last after it; the others before, after, or while it is under way.
            let is_last = number == SIGN_INS - 1;
            while done.load(Ordering::SeqCst) < number * UPDATES / SIGN_INS || (is_last && state.now() != ANSWERED) {
                yield_now().await;
            }
            let sent = state.now();
            let answer = browser.post(&format!("/noted-sign-in/ada/{}", number % 4 < 2)).await;
            Newcomer { browser: home.seen_by(&browser), has_tea, sent, answer }
        });
    }
    while done.load(Ordering::SeqCst) < round * 7 % UPDATES || state.sign_ins() == 0 {
        yield_now().await;
    }
    state.goes_on();
    sweep.await;
    state.goes_on();
    Aftermath { devices, updates: updates.join_all().await, newcomers: newcomers.join_all().await }
}

/// Those whose sign-in began before are dead or were refused; and what is listed is what works, and what lives.
async fn agrees(site: &Site, servers: &[Server; 2], after: &Aftermath, kept: Option<&Client>) {
    let mut carts_left = 0;
    for newcomer in &after.newcomers {
        let works = handle(&newcomer.browser).await.is_some();
        if newcomer.is_refused() {
            assert_eq!(newcomer.answer.header("kind"), Some("Ended"));
            assert_eq!(newcomer.answer.set_cookies(), [""; 0]);
            assert!(!works);
            carts_left += usize::from(newcomer.has_tea);
            let cart = see(&newcomer.browser, "/cart").await;
            assert_eq!(cart, if newcomer.has_tea { "tea" } else { "" }, "who was refused keeps the cart");
        } else {
            assert!(!(works && newcomer.began_before()), "a sign-in that began before has survived");
            assert!(works || newcomer.sent != ANSWERED, "a sign-in that began after has ended");
        }
    }
    let works = handles(after.newcomers.iter().map(|newcomer| &newcomer.browser).chain(kept)).await;
    for server in servers {
        assert_eq!(server.listed("ada").await, works, "the index names what works");
    }
    assert_eq!(site.live().await, works.len() + carts_left, "no record lives that nobody can reach");
}

async fn whoever_was_there_before_is_signed_out(place: Place) {
    for round in 0..rounds(20, 200) {
        let site = place.site().await;
        let (servers, state) = ([site.server(), site.elsewhere().await], Sweep::default());
        let sessions = servers[0].sessions();
        let sweep = async {
            let ended = sessions.end_all(&id("ada")).await.expect("all can be ended");
            assert!(ended >= DEVICES as u64, "{ended} ended");
        };
        let after = crowd(&servers, round, sweep, &state).await;
        for device in &after.devices {
            for server in &servers {
                let device = server.seen_by(device);
                assert_eq!(see(&device, "/who").await, "");
                refused(device.ask(Method::POST, "/count").await, "Ended");
            }
            assert_eq!(recognised(&servers[0].seen_by(device)).await, "");
        }
        for (_, answer) in &after.updates {
            assert!(answer.status == StatusCode::OK || answer.header("kind") == Some("Ended"), "{answer:?}");
        }
        agrees(&site, &servers, &after, None).await;
        let refused = after.newcomers.iter().filter(|newcomer| newcomer.is_refused()).count();
        assert!(refused > 0, "the first was overtaken");
    }
}

async fn all_but_one_are_signed_out(place: Place) {
    for round in 0..rounds(20, 200) {
        let site = place.site().await;
        let (servers, state) = ([site.server(), site.elsewhere().await], Sweep::default());
        let mut kept = servers[1].signed_in("ada").await;
        ok(kept.post("/count").await);
        let sweep = async {
            let ended: usize = see_post(&kept, "/end-others").await.parse().expect("a number");
            assert!(ended >= DEVICES, "{ended} ended");
        };
        let after = crowd(&servers, round, sweep, &state).await;
        for device in &after.devices {
            assert_eq!(see(device, "/who").await, "");
            assert_eq!(recognised(&servers[1].seen_by(device)).await, "");
        }
        agrees(&site, &servers, &after, Some(&kept)).await;
        for server in &servers {
            let kept = server.seen_by(&kept);
            assert_eq!(see(&kept, "/count").await, "1");
            assert_eq!(recognised(&kept).await, "ada");
        }
    }
}

async fn see_post(browser: &Client, path: &str) -> String {
    ok(browser.ask(Method::POST, path).await).text().to_owned()
}

/// The kept one is under way itself: none of its updates is lost.
async fn the_one_that_is_kept_loses_no_update(place: Place) {
    let site = place.site().await;
    let server = site.server();
    for _ in 0..rounds(20, 200) {
        let (mut kept, other) = (server.signed_in("ada").await, server.signed_in("ada").await);
        ok(kept.post("/count").await);
        let mut all = JoinSet::new();
        for number in 0..9 {
            let (kept, path) = (kept.clone(), if number == 4 { "/end-others" } else { "/count" });
            all.spawn(async move { drop(ok(kept.ask(Method::POST, path).await)) });
        }
        all.join_all().await;
        assert_eq!(see(&kept, "/count").await, "9");
        assert_eq!(see(&other, "/who").await, "");
        assert_eq!(server.listed("ada").await, handles([&kept]).await);
        ok(kept.post("/sign-out").await);
    }
}

in_each_place! {
    whoever_was_there_before_is_signed_out,
    all_but_one_are_signed_out,
    the_one_that_is_kept_loses_no_update,
}
