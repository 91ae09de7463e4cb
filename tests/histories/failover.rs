//! The master fails, and a replica that lags behind takes over: what the master had acknowledged and not yet passed on is gone. As
//! after a loss of power that is the one exception to the promises; how far it goes is shown here.

use super::browser::{Ask, Browser, Held, Server, Told, content, server};
use super::campaign::{count, report};
use super::threads;
use std::sync::Arc;
use std::time::{Duration, Instant};
use testbed::{LIMIT, Line, Proxy, RedisServer, wait_until};
use thin_session::Keyring;

/// A master, a replica of it, and the name that leads to whichever is the master.
struct Pair {
    // First, since fields go in this order.
    name: Proxy,
    line: Line,
    master: RedisServer,
    replica: RedisServer,
}

impl Pair {
    fn start(args: &[&str]) -> Self {
        let master = RedisServer::start_with(&[&["--repl-diskless-sync-delay", "0"], args].concat());
        let line = Line::start(master.addr());
        let link = format!("127.0.0.1 {}", line.addr().port());
        let replica = RedisServer::start_with(&["--replicaof", &link]);
        let pair = Self { name: Proxy::start(master.addr()), line, master, replica };
        pair.is_level();
        pair
    }

    /// Waits until the replica has all that the master has.
    fn is_level(&self) {
        wait_until("the replica to have all", || {
            let (master, replica) = (replication(&self.master), replication(&self.replica));
            let field = |of: &str, name: &str| {
                of.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::to_owned))
            };
            field(&replica, "master_link_status").as_deref() == Some("up")
                && field(&replica, "slave_repl_offset") == field(&master, "master_repl_offset")
        });
    }

    /// The replica becomes the master as it is.
    fn fails_over(&mut self) {
        self.master.kill();
        self.line.cut();
        assert_eq!(self.replica.command(&[b"REPLICAOF", b"NO", b"ONE"]).text(), "OK");
        self.name.lead_to(self.replica.addr());
    }
}

fn replication(server: &RedisServer) -> String {
    server.command(&[b"INFO", b"replication"]).text()
}

/// A pair, an application of it, and a browser that has put 1 into its session; so many times.
async fn rounds(what: &str, rounds: u64, mut round: impl AsyncFnMut(&mut Pair, &Site, Browser)) {
    for _ in 0..rounds {
        let mut pair = Pair::start(&[]);
        let site = Site::new(&pair).await;
        let mut browser = Browser::new(&site.app);
        asks(&mut browser, Ask::Update(1)).await;
        round(&mut pair, &site, browser).await;
    }
    report(&format!("| {what} | {rounds} |"));
}

struct Site {
    keys: Keyring,
    app: Server,
}

impl Site {
    async fn new(pair: &Pair) -> Self {
        let keys = Keyring::generate();
        Self { app: server(&pair.name.url(), &keys).await, keys }
    }

    /// A process that starts only now, and so has heard of nothing.
    async fn newly_started(&self, pair: &Pair) -> Server {
        server(&pair.name.url(), &self.keys).await
    }
}

async fn asks(browser: &mut Browser, ask: Ask) -> (Vec<u8>, bool) {
    browser.ask(ask).await.expect("Redis is up")
}

fn ended(told: Told) {
    assert_eq!(told.expect_err("it has ended"), "Ended");
}

/// Whoever has loaded what is lost then overwrites nothing that was written since: it is no later version of what is there.
#[test]
fn after_a_failover_nobody_overwrites_what_has_survived() {
    let round = async |pair: &mut Pair, site: &Site, mut browser: Browser| {
        asks(&mut browser, Ask::Update(2)).await;
        pair.is_level();
        pair.line.hold();
        asks(&mut browser, Ask::Update(3)).await;
        asks(&mut browser, Ask::Update(4)).await;
        let (held, mut slow) = (Arc::<Held>::default(), browser.at(site.app.clone()));
        let slow = tokio::spawn({
            let held = Arc::clone(&held);
            async move { slow.ask(Ask::Hold(6, held)).await }
        });
        held.loaded.notified().await;
        pair.fails_over();
        assert_eq!(browser.sees().await, content(&[1, 2], false), "two updates are lost");
        assert_eq!(browser.ask(Ask::Update(5)).await, content(&[1, 2, 5], false));
        held.goes_on.notify_one();
        assert_eq!(slow.await.expect("it does not panic"), content(&[1, 2, 5, 6], false));
        assert_eq!(browser.ask(Ask::Read).await, content(&[1, 2, 5, 6], false));
    };
    threads().block_on(rounds("updates", count(1, 20), round));
}

/// A sign-out that is lost is still known to the process that heard of it. One that starts later cannot know.
#[test]
fn after_a_failover_who_has_heard_of_an_ending_refuses_the_session() {
    let round = async |pair: &mut Pair, site: &Site, mut browser: Browser| {
        asks(&mut browser, Ask::SignIn).await;
        let mut copy = browser.at(site.app.clone());
        pair.is_level();
        pair.line.hold();
        asks(&mut browser, Ask::SignOut).await;
        pair.fails_over();
        assert_eq!(copy.sees().await, content(&[], false), "it is back in Redis, and refused");
        ended(copy.ask(Ask::Update(2)).await);
        let mut elsewhere = copy.at(site.newly_started(pair).await);
        assert_eq!(elsewhere.sees().await, content(&[1], true), "it is back");
    };
    threads().block_on(rounds("sign-outs", count(1, 20), round));
}

/// The same for all sessions of a user, who can sign in again, wherever that is, and then is.
#[test]
fn after_a_failover_who_has_heard_that_all_were_ended_refuses_them_and_nobody_else() {
    let round = async |pair: &mut Pair, site: &Site, mut browser: Browser| {
        asks(&mut browser, Ask::SignIn).await;
        let mut other = Browser::new(&site.app);
        asks(&mut other, Ask::SignIn).await;
        pair.is_level();
        pair.line.hold();
        asks(&mut other, Ask::EndAll).await;
        pair.fails_over();
        assert_eq!(browser.sees().await, content(&[], false), "it is back in Redis, and refused");
        ended(browser.ask(Ask::Update(2)).await);
        let elsewhere = site.newly_started(pair).await;
        assert_eq!(browser.at(elsewhere.clone()).sees().await, content(&[1], true), "it is back");
        // At the process that has heard of it, which the other can then hear.
        let mut again = Browser::new(&site.app);
        asks(&mut again, Ask::SignIn).await;
        asks(&mut again, Ask::Update(3)).await;
        assert_eq!(again.ask(Ask::Read).await, content(&[3], true));
        let mut again = again.at(elsewhere.clone());
        assert_eq!(again.ask(Ask::Read).await, content(&[3], true));
        let mut again = Browser::new(&elsewhere);
        asks(&mut again, Ask::SignIn).await;
        assert_eq!(again.ask(Ask::Read).await, content(&[], true));
    };
    threads().block_on(rounds("endings of all", count(1, 20), round));
}

/// The cookie of a sign-in that is lost opens nothing. What was there before it is there.
#[test]
fn after_a_failover_a_lost_sign_in_can_be_done_again() {
    let round = async |pair: &mut Pair, site: &Site, mut browser: Browser| {
        let mut before = browser.at(site.app.clone());
        pair.is_level();
        pair.line.hold();
        asks(&mut browser, Ask::SignIn).await;
        asks(&mut browser, Ask::Update(2)).await;
        pair.fails_over();
        assert_eq!(browser.sees().await, content(&[], false), "it is lost");
        assert_eq!(before.ask(Ask::Read).await, content(&[1], false), "it is back");
        asks(&mut browser, Ask::SignIn).await;
        assert_eq!(browser.ask(Ask::Update(3)).await, content(&[3], true));
        asks(&mut before, Ask::SignIn).await;
        assert_eq!(before.ask(Ask::Read).await, content(&[1], true));
    };
    threads().block_on(rounds("sign-ins", count(1, 20), round));
}

/// A user session whose completion is lost is active again, and can be completed again. The archive, which had it already, has it once,
/// as it was first.
#[test]
fn after_a_failover_a_completion_that_is_lost_can_be_done_again_and_is_told_once() {
    let round = async |pair: &mut Pair, _: &Site, mut browser: Browser| {
        asks(&mut browser, Ask::SignIn).await;
        asks(&mut browser, Ask::Job(2)).await;
        pair.is_level();
        pair.line.hold();
        asks(&mut browser, Ask::Complete).await;
        let waits = || pair.master.keys().iter().any(|key| key.ends_with(b":o"));
        wait_until("the archive to have it", || !waits());
        pair.fails_over();
        browser.sees().await.expect("the session is there");
        assert_eq!(asks(&mut browser, Ask::Job(3)).await, (vec![2, 3], true), "it is active again");
        asks(&mut browser, Ask::Complete).await;
        assert_eq!(asks(&mut browser, Ask::History).await, (vec![2], true));
    };
    threads().block_on(rounds("completions", count(1, 20), round));
}

/// With `min-replicas-to-write` what can be lost is bounded: a master that its replica has not heard of for too long takes nothing
/// more in, and says so.
#[test]
fn after_a_failover_no_more_is_lost_than_was_acknowledged_before_the_master_missed_its_replica() {
    let rounds = count(1, 10);
    threads().block_on(async {
        for _ in 0..rounds {
            let mut pair = Pair::start(&["--min-replicas-to-write", "1", "--min-replicas-max-lag", "1"]);
            let site = Site::new(&pair).await;
            let mut browser = Browser::new(&site.app);
            asks(&mut browser, Ask::Update(1)).await;
            pair.is_level();
            pair.line.hold();
            let (began, mut acknowledged) = (Instant::now(), 0);
            let refusal = loop {
                match browser.ask(Ask::Update(2)).await {
                    Ok(_) => acknowledged += 1,
                    Err(error) => break error,
                }
                assert!(began.elapsed() < LIMIT, "it goes on without its replica");
                tokio::time::sleep(Duration::from_millis(20)).await;
            };
            assert!(refusal.starts_with("Unavailable"), "{refusal}");
            assert!(acknowledged > 0, "the master has not missed it at once");
            assert_eq!(asks(&mut browser, Ask::Read).await.0.len(), 1 + acknowledged, "what was refused was not done");
            assert!(browser.ask(Ask::Update(2)).await.is_err(), "nor is more");
            pair.fails_over();
            assert_eq!(browser.sees().await, content(&[1], false));
            assert_eq!(browser.ask(Ask::Update(3)).await, content(&[1, 3], false));
        }
    });
    report(&format!("| what was acknowledged until the master missed its replica | {rounds} |"));
}
