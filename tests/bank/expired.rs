//! What has run out is in the archive, whoever was there when it did.

use crate::gate::{Op, Step};
use crate::shop::{HASTE, Shop, elsewhere, ok, on_each_store, refused, see};
use crate::transfer::{bank, device, device_with, pages};
use axum::Router;
use axum::http::Method;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use testbed::{Answer, Client};
use thin_session::archive::{Archive, EndReason, EndedSession};
use thin_session::store::{LastingStore, Store as _};
use thin_session::{HistoryPage, UserId};
use tokio::task::JoinSet;

/// The idle limit of a transfer.
const IDLE: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

/// Waits for what goes on beside the requests.
pub(crate) async fn until(what: &str, happened: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !happened().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn post(browser: &Client, path: &str) -> Answer {
    browser.ask(Method::POST, path).await
}

/// What the archive itself has of a user, the first in front.
async fn archived(shop: &Shop, user: &str) -> Vec<EndedSession> {
    let user = UserId::new(user).expect("it is an id");
    let mut ended = shop.gate.inner().history("", &user, &HistoryPage::of(1000)).await.expect("the archive answers");
    ended.reverse();
    ended
}

async fn told(shop: &Shop, user: &str) -> Vec<(EndReason, String)> {
    archived(shop, user).await.into_iter().map(|ended| (ended.reason, ended.payload)).collect()
}

fn one(reason: EndReason, steps: &[&str]) -> (EndReason, String) {
    let steps: Vec<_> = steps.iter().map(|step| format!("{step:?}")).collect();
    (reason, format!("[{}]", steps.join(",")))
}

async fn nothing_is_due(shop: &Shop) -> bool {
    shop.gate.inner().due("", 1000).await.expect("the store answers").is_empty()
}

/// The outboxes hold nothing, nor does the index, whenever it is asked.
async fn nothing_is_left(shop: &Shop) {
    until("it is moved", async || shop.gate.inner().full_outboxes("").await.expect("the store answers").is_empty())
        .await;
    let left = shop.keys_in_redis().into_iter().filter(|key| key.ends_with(b":d") || key.ends_with(b":o"));
    assert_eq!(left.map(|key| String::from_utf8(key).expect("a name")).collect::<Vec<_>>(), [""; 0]);
    shop.idles(1000 * IDLE);
    assert!(nothing_is_due(shop).await);
}

/// No server was up when they ran out. The first that starts finds them.
async fn what_ran_out_while_nobody_was_there_is_found_by_the_next_who_starts(shop: Shop) {
    let before = shop.store_clock().now();
    let (phone, bob) = (device_with(&shop, "1").await, signed_in(&shop, "bob").await);
    ok(post(&phone, "/transfer/2").await);
    ok(post(&bob, "/transfer/3").await);
    let after = shop.store_clock().now();
    drop((phone, bob));
    let moved = shop.idles(2 * IDLE);
    assert!(!nothing_is_due(&shop).await);

    let _server = bank(&shop);
    until("they are swept", async || told(&shop, "ada").await.len() + told(&shop, "bob").await.len() == 2).await;
    assert_eq!(told(&shop, "ada").await, [one(EndReason::Expired, &["1", "2"])]);
    assert_eq!(told(&shop, "bob").await, [one(EndReason::Expired, &["3"])]);
    for user in ["ada", "bob"] {
        let [ended] = &archived(&shop, user).await[..] else { panic!("one has ended") };
        let touched = ended.ended.as_millis() + millis(moved) - millis(IDLE);
        assert!((before.as_millis()..=after.as_millis()).contains(&touched), "it ended when its idle limit was over");
    }
    nothing_is_left(&shop).await;
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).expect("not that long")
}

/// A browser where this user is signed in.
async fn signed_in(shop: &Shop, user: &str) -> Client {
    let mut browser = Client::new(bank(shop));
    ok(browser.post(&format!("/sign-in/{user}")).await);
    browser
}

/// A browser where this user signs in once more, since that runs out sooner.
async fn again(browser: &Client, user: &str) -> Client {
    let mut browser = browser.clone();
    ok(browser.post(&format!("/sign-in/{user}")).await);
    browser
}

async fn what_was_used_meanwhile_is_looked_at_later(shop: Shop) {
    let phone = device_with(&shop, "1").await;
    shop.idles(50 * MINUTE);
    assert_eq!(see(&again(&phone, "ada").await, "/transfer").await, "1");
    shop.idles(50 * MINUTE);
    assert!(!nothing_is_due(&shop).await);
    let server = bank(&shop);
    until("it is looked at", async || nothing_is_due(&shop).await).await;
    assert_eq!(told(&shop, "ada").await, []);
    drop(server);
    // Nobody has looked at it since.
    shop.idles(20 * MINUTE);
    let _server = bank(&shop);
    until("it is swept", async || !told(&shop, "ada").await.is_empty()).await;
    assert_eq!(told(&shop, "ada").await, [one(EndReason::Expired, &["1"])]);
    assert_eq!(see(&again(&phone, "ada").await, "/transfer").await, "");
    nothing_is_left(&shop).await;
}

/// Somebody is faster: what had run out goes out with the next one, and that lives on.
async fn where_the_next_one_begins_meanwhile_that_is_left_alone(shop: Shop) {
    let (phone, quiet) = (device_with(&shop, "1").await, device(&shop).await);
    // Both have swept when they started, and do so again in ten seconds only.
    until("they have looked", async || shop.gate.dues() >= 2).await;
    shop.idles(2 * IDLE);
    let quiet = again(&quiet, "ada").await;
    shop.gate.plan(Op::Replace, [Step::before(elsewhere(&quiet, "/transfer/2"))]);
    drop(phone);
    let server = bank(&shop);
    until("it is moved", async || !told(&shop, "ada").await.is_empty()).await;
    drop(server);
    let _server = bank(&shop);
    until("it is looked at again", async || nothing_is_due(&shop).await).await;
    assert_eq!(see(&quiet, "/transfer").await, "2");
    assert_eq!(told(&shop, "ada").await, [one(EndReason::Expired, &["1"])]);
}

/// A server whose clock is ahead goes by the store's.
#[tokio::test]
async fn what_has_run_out_by_a_servers_clock_alone_lives_on() {
    let shop = Shop::on_redis().await;
    let phone = device_with(&shop, "1").await;
    let key = shop.gate.calls().iter().rfind(|call| call.op == Op::Replace).and_then(|call| call.key).expect("a key");
    let store = shop.gate.inner();
    store.put_off(&key, Duration::ZERO).await.expect("the store answers");
    shop.clock.advance(2 * IDLE);
    let _server = bank(&shop);
    until("it is put off", async || nothing_is_due(&shop).await).await;
    assert!(store.load(&key).await.expect("the store answers").is_some_and(|entry| entry.is_live()));
    assert_eq!(told(&shop, "ada").await, []);
    drop(phone);
}

/// Its process died when it had asked the archive: whether that has it or not, it ends once.
async fn what_was_being_completed_is_settled(shop: Shop) {
    let lost: [fn() -> Step; 2] = [|| Step::LoseReply, || Step::LoseRequest];
    for (user, lost, is_there) in [("ada", lost[0], true), ("bob", lost[1], false)] {
        let phone = signed_in(&shop, user).await;
        ok(post(&phone, "/transfer/1").await);
        shop.gate.rule(move |op| if op == Op::Complete { lost() } else { Step::Pass });
        refused(post(&phone.at(shop.layered(pages(), HASTE)), "/send").await, "Unknown");
        shop.gate.no_rule();
        assert_eq!(told(&shop, user).await.len(), usize::from(is_there));
        drop(phone);
        shop.idles(2 * IDLE);
        let server = bank(&shop);
        until("it is looked at", async || nothing_is_due(&shop).await).await;
        drop(server);
        let _server = bank(&shop);
        // The archive has crossed the attempt out first, so that it cannot be completed any more.
        let reason = if is_there { EndReason::Completed } else { EndReason::Expired };
        until("it has ended", async || told(&shop, user).await == [one(reason, &["1"])]).await;
        nothing_is_left(&shop).await;
        assert_eq!(told(&shop, user).await, [one(reason, &["1"])]);
    }
}

/// Two servers, of which one is started anew now and then.
#[derive(Clone)]
struct Servers(Arc<Mutex<State>>);

struct State {
    servers: [Router; 2],
    luck: StdRng,
    /// Requests until one is started anew. Not sooner: whoever asks keeps the old one, which does its part until it has answered.
    left: usize,
}

impl Servers {
    fn start(shop: &Shop) -> Self {
        let servers = [(); 2].map(|()| bank(shop));
        Self(Arc::new(Mutex::new(State { servers, luck: StdRng::seed_from_u64(11), left: 10 })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics with it")
    }

    fn either(&self) -> Router {
        let state = &mut *self.state();
        state.left = state.left.saturating_sub(1);
        state.servers[state.luck.random_range(0..2)].clone()
    }

    /// Drops the first, with whatever it is at, and starts another in its place.
    fn start_anew(&self, shop: &Shop) {
        let state = &mut *self.state();
        state.servers[0] = bank(shop);
        state.left = state.luck.random_range(1..20);
    }

    fn is_time(&self) -> bool {
        self.state().left == 0
    }

    async fn post(&self, browser: &Client, path: String) {
        let answer = browser.at(self.either()).ask(Method::POST, &path).await;
        assert_eq!(answer.header("kind"), None, "{path}");
        ok(answer);
    }
}

const USERS: usize = 40;
const WAYS: [(&str, EndReason); 3] =
    [("/complete", EndReason::Completed), ("/send", EndReason::Completed), ("/abandon", EndReason::Abandoned)];

/// Does this for all users at once, while one server is started anew again and again.
async fn all_at_once<F: Future<Output = ()> + Send + 'static>(
    shop: &Shop,
    servers: &Servers,
    does: impl Fn(usize) -> F,
) {
    let mut all: JoinSet<()> = (0..USERS).map(does).collect();
    loop {
        match tokio::time::timeout(Duration::from_millis(1), all.join_next()).await {
            Ok(None) => return,
            Ok(Some(done)) => done.expect("it went well"),
            Err(_) => {}
        }
        if servers.is_time() {
            servers.start_anew(shop);
        }
    }
}

/// Two hundred of many users, that end in every way.
async fn however_they_end_each_is_there_once(shop: Shop) {
    let servers = Servers::start(&shop);
    let mut browsers = Vec::new();
    for user in 0..USERS {
        browsers.push(signed_in(&shop, &format!("user{user}")).await);
    }
    all_at_once(&shop, &servers, |user| {
        let (servers, browser) = (servers.clone(), browsers[user].clone());
        async move {
            for number in 0..WAYS.len() {
                let (path, _) = WAYS[(user + number) % WAYS.len()];
                servers.post(&browser, format!("/transfer/{number}")).await;
                servers.post(&browser, path.to_owned()).await;
            }
            servers.post(&browser, "/transfer/left".to_owned()).await;
        }
    })
    .await;
    shop.idles(2 * IDLE);
    for (user, browser) in browsers.iter_mut().enumerate() {
        *browser = again(browser, &format!("user{user}")).await;
    }
    // Half of them begin the next in the place of what was left, the others leave that to the sweep.
    all_at_once(&shop, &servers, |user| {
        let (servers, browser) = (servers.clone(), browsers[user].clone());
        async move {
            if user % 2 == 0 {
                servers.post(&browser, "/transfer/last".to_owned()).await;
                servers.post(&browser, "/complete".to_owned()).await;
            }
        }
    })
    .await;
    servers.start_anew(&shop);
    until("what was left is swept", async || nothing_is_due(&shop).await).await;
    for user in (1..USERS).step_by(2) {
        servers.post(&browsers[user], "/transfer/last".to_owned()).await;
        servers.post(&browsers[user], "/abandon".to_owned()).await;
    }
    nothing_is_left(&shop).await;
    let mut ended = 0;
    for user in 0..USERS {
        let mut expected: Vec<_> =
            (0..WAYS.len()).map(|number| one(WAYS[(user + number) % WAYS.len()].1, &[&number.to_string()])).collect();
        expected.push(one(EndReason::Expired, &["left"]));
        let last = if user % 2 == 0 { EndReason::Completed } else { EndReason::Abandoned };
        expected.push(one(last, &["last"]));
        let found = told(&shop, &format!("user{user}")).await;
        assert_eq!(found, expected, "of user {user}");
        ended += found.len();
    }
    assert_eq!(ended, 200);
}

/// No request fails for it, and when it is up again nothing is missing.
async fn while_the_archive_is_down_what_ends_waits(shop: Shop) {
    let (phone, bob) = (device(&shop).await, signed_in(&shop, "bob").await);
    shop.gate.rule(|op| if op == Op::Add { Step::Refuse } else { Step::Pass });
    ok(post(&bob, "/transfer/left").await);
    for number in 0..20 {
        ok(post(&phone, &format!("/transfer/{number}")).await);
        ok(post(&phone, if number % 2 == 0 { "/complete" } else { "/abandon" }).await);
    }
    shop.idles(2 * IDLE);
    let _server = bank(&shop);
    until("it is swept", async || nothing_is_due(&shop).await).await;
    assert_eq!(see(&again(&bob, "bob").await, "/transfer").await, "");
    let phone = again(&phone, "ada").await;
    assert!(shop.gate.count(Op::Add) > 0, "it was tried");
    assert_eq!((told(&shop, "ada").await, told(&shop, "bob").await), (vec![], vec![]));
    assert_eq!(see(&phone, "/history").await.split(", ").count(), 20, "it can be seen on its way");

    shop.gate.no_rule();
    nothing_is_left(&shop).await;
    let expected = (0..20).map(|number| {
        let reason = if number % 2 == 0 { EndReason::Completed } else { EndReason::Abandoned };
        one(reason, &[&number.to_string()])
    });
    assert_eq!(told(&shop, "ada").await, expected.collect::<Vec<_>>());
    assert_eq!(told(&shop, "bob").await, [one(EndReason::Expired, &["left"])]);
}

on_each_store! {
    what_ran_out_while_nobody_was_there_is_found_by_the_next_who_starts,
    what_was_used_meanwhile_is_looked_at_later,
    where_the_next_one_begins_meanwhile_that_is_left_alone,
    what_was_being_completed_is_settled,
    however_they_end_each_is_there_once,
    while_the_archive_is_down_what_ends_waits,
}
