//! Following news, through cuts, restarts and a store that was emptied.

use super::Wired;
use super::people::{admit, departure, epoch_of, later, member, owner, stream, sweep, told};
use super::start::Log;
use crate::bench::connect;
use std::time::{Duration, SystemTime};
use testbed::{Fault, Proxy, RedisServer, wait_until};
use thin_session::store::{Epoch, Revocation, Revocations, Revoked, Store};
use thin_session::testing::{is_fresh, revocation, revocations};
use thin_session::{Clock, RedisStore};

/// Somebody who follows, until dropped.
struct Follower {
    known: Revocations,
    task: tokio::task::JoinHandle<()>,
}

impl Follower {
    fn of(store: &RedisStore, realm: &'static str) -> Self {
        Self::who_knows(store, realm, revocations(&Clock::system()))
    }

    fn who_knows(store: &RedisStore, realm: &'static str, known: Revocations) -> Self {
        let (store, follower) = (store.clone(), known.clone());
        Self { known, task: tokio::spawn(async move { store.follow(realm, &follower).await }) }
    }

    fn knows(&self, news: &Revocation) -> bool {
        self.known.all().contains(news)
    }

    /// Waits until it does.
    async fn hears(&self, news: &Revocation) {
        until("it is heard", || self.knows(news)).await;
    }

    async fn is_level(&self) {
        until("all is heard", || is_fresh(&self.known)).await;
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The same as [`wait_until`] while others run.
async fn until(what: &'static str, ready: impl FnMut() -> bool) {
    tokio::task::block_in_place(|| wait_until(what, ready));
}

fn session(number: u8) -> Revocation {
    revocation(Revoked::Session(member(0, number).handle), later())
}

fn of_user(shard: u8, epoch: u64) -> Revocation {
    revocation(Revoked::User(*owner(shard).user(), Epoch::from_u64(epoch), None), later())
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_told_is_heard_by_all_soon_and_also_what_was_told_before() {
    for protocol in ["", "?protocol=resp3"] {
        let server = RedisServer::start();
        let store = connect(&format!("{}{protocol}", server.url())).await;
        admit(&store, 200, 1).await;
        let before = departure(200, 1);
        let _ = store.depart(&owner(200), &before).await.unwrap();
        let follower = Follower::of(&store, "");
        follower.hears(&before.news.unwrap()).await;
        follower.is_level().await;

        admit(&store, 3, 2).await;
        let swept = store.end_all(&owner(3), &sweep()).await.unwrap().unwrap();
        let everybody = revocation(Revoked::Everybody(Epoch::from_u64(5)), later());
        for news in [session(7), of_user(9, 1), everybody] {
            store.publish("", &news).await.unwrap();
            follower.hears(&news).await;
        }
        follower.hears(&swept.news).await;
        assert_eq!(follower.known.all().len(), 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn layers_of_other_names_are_told_nothing() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    let (admin, shop) = (Follower::of(&store, "admin"), Follower::of(&store, ""));
    store.publish("admin", &session(1)).await.unwrap();
    store.publish("", &session(2)).await.unwrap();
    admin.hears(&session(1)).await;
    shop.hears(&session(2)).await;
    assert_eq!((admin.known.all().len(), shop.known.all().len()), (1, 1));
}

/// It waits on a connection of its own, and others go on.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_news_holds_up_nobody() {
    let wired = Wired::start().await;
    let follower = Follower::of(&wired.store, "");
    follower.is_level().await;
    until("it waits", || wired.proxy.commands().contains(&"XREAD".to_owned())).await;
    for _ in 0..20 {
        assert_eq!(wired.store.load(&member(0, 1).key).await.unwrap(), None);
    }
    assert_eq!(wired.connections(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_one_reply_holds_is_heard_and_what_is_of_a_newer_release_is_passed_over() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    let stream = stream(&member(0, 1).key);
    let add = |bytes: &[u8]| {
        let added = server.command(&[b"XADD", stream.as_bytes(), b"*", b"r", bytes]);
        assert!(matches!(added, testbed::Reply::Bytes(_)));
    };
    for number in 0..=250 {
        add(&session(number).to_bytes());
    }
    add(b"\x7fof a kind that is not known");
    let _ = server.command(&[b"XADD", stream.as_bytes(), b"*", b"other", b"field", b"more", b"of it"]);
    add(&session(251).to_bytes());
    let follower = Follower::of(&store, "");
    follower.is_level().await;
    assert_eq!(follower.known.all().len(), 252, "it says so only when nothing is outstanding");
}

/// From a cut on nothing passes, until the connection is made anew.
fn cut(proxy: &Proxy) {
    proxy.on_request(|_| Fault::LoseRequest);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_during_a_cut_is_heard_after_it() {
    let wired = Wired::start().await;
    let direct = connect(&wired.server.url()).await;
    let follower = Follower::of(&wired.store, "");
    direct.publish("", &session(1)).await.unwrap();
    follower.hears(&session(1)).await;
    let before = wired.proxy.connections();
    cut(&wired.proxy);
    until("it tries to connect", || wired.proxy.connections() > before + 2).await;
    direct.publish("", &session(2)).await.unwrap();
    assert!(!follower.knows(&session(2)));
    wired.proxy.no_faults();
    follower.hears(&session(2)).await;
}

/// A server that takes over may lack what was told last, and have a clock that is behind.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_cut_it_looks_back() {
    let wired = Wired::start().await;
    let direct = connect(&wired.server.url()).await;
    let follower = Follower::of(&wired.store, "");
    direct.publish("", &session(1)).await.unwrap();
    follower.hears(&session(1)).await;
    let before = wired.proxy.connections();
    cut(&wired.proxy);
    until("it tries to connect", || wired.proxy.connections() > before).await;

    let a_minute_ago = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() - Duration::from_secs(60);
    let id = format!("{}-0", a_minute_ago.as_millis());
    let _ = wired.server.command(&[b"DEL", home(&session(1)).as_bytes()]);
    let added =
        wired.server.command(&[b"XADD", home(&session(1)).as_bytes(), id.as_bytes(), b"r", &session(2).to_bytes()]);
    assert_eq!(added.text(), id);
    wired.proxy.no_faults();
    follower.hears(&session(2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_emptied_is_told_again_what_is_known() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    let one = Follower::of(&store, "");
    let two = Follower::of(&store, "");
    admit(&store, 3, 1).await;
    let swept = store.end_all(&owner(3), &sweep()).await.unwrap().unwrap();
    let everybody = revocation(Revoked::Everybody(Epoch::from_u64(5)), later());
    let sessions: Vec<_> = (0..=250).map(session).collect();
    for news in sessions.iter().chain([&everybody]) {
        store.publish("", news).await.unwrap();
    }
    let epoch = epoch_of(&server, &owner(3)).unwrap();
    for follower in [&one, &two] {
        follower.hears(&swept.news).await;
        until("all is heard", || follower.known.all().len() == 253).await;
    }

    let _ = server.command(&[b"FLUSHALL"]);
    let newcomer = Follower::of(&store, "");
    until("it is all there again", || newcomer.known.all().len() == 253).await;
    assert!(newcomer.knows(&swept.news) && newcomer.knows(&everybody));
    until("the epoch is back", || epoch_of(&server, &owner(3)) == Some(epoch)).await;
    let stream = told(&server, &home(&everybody));
    assert!(stream.contains(&everybody));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_epoch_that_has_moved_on_is_not_put_back() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    let known = revocations(&Clock::system());
    known.learn(&of_user(3, 1000));
    let swept = store.end_all(&owner(3), &sweep()).await.unwrap().unwrap();
    let epoch = epoch_of(&server, &owner(3));
    let follower = Follower::who_knows(&store, "", known);
    follower.hears(&swept.news).await;
    until("the old one is told again", || told(&server, &home(&swept.news)).len() == 2).await;
    assert_eq!(epoch_of(&server, &owner(3)), epoch);
}

/// What a process has read needs no telling again, whenever it comes up.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_comes_up_tells_nothing() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    store.publish("", &session(1)).await.unwrap();
    let known = {
        let first = Follower::of(&store, "");
        first.hears(&session(1)).await;
        first.is_level().await;
        first.known.clone()
    };
    let again = Follower::who_knows(&store, "", known);
    store.publish("", &session(2)).await.unwrap();
    again.hears(&session(2)).await;
    assert_eq!(told(&server, &home(&session(1))).len() + told(&server, &home(&session(2))).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_memory_news_are_heard_and_a_store_that_was_emptied_is_told_again() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    let follower = Follower::of(&store, "");
    store.publish("", &session(1)).await.unwrap();
    follower.hears(&session(1)).await;
    let _ = server.command(&[b"CONFIG", b"SET", b"maxmemory", b"1"]);
    store.publish("", &session(2)).await.unwrap();
    follower.hears(&session(2)).await;
    let _ = server.command(&[b"FLUSHALL"]);
    until("it is told again", || told(&server, &home(&session(1))) == [session(1)]).await;
}

/// The one who listens to a server that is a replica by now connects anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_not_listened_to() {
    let wired = Wired::start().await;
    let follower = Follower::of(&wired.store, "");
    follower.is_level().await;
    let before = wired.proxy.connections();
    let _ = wired.server.command(&[b"REPLICAOF", b"127.0.0.1", b"1"]);
    until("it connects anew", || wired.proxy.connections() > before).await;
    let _ = wired.server.command(&[b"REPLICAOF", b"NO", b"ONE"]);
    wired.store.publish("", &session(1)).await.unwrap_or_default();
    let direct = connect(&wired.server.url()).await;
    direct.publish("", &session(2)).await.unwrap();
    follower.hears(&session(2)).await;
}

/// Not each of the tries that it takes.
#[tokio::test]
async fn an_outage_is_logged_once_and_the_next_one_again() {
    let wired = Wired::start().await;
    let log = Log::default();
    let _guard = log.keep();
    let follower = Follower::of(&wired.store, "");
    let direct = connect(&wired.server.url()).await;
    let warned = || log.text().matches("cannot be followed").count();
    let give_up = tokio::time::Instant::now() + testbed::LIMIT;
    let waits = || {
        assert!(tokio::time::Instant::now() < give_up, "{} warnings: {}", warned(), log.text());
        tokio::time::sleep(Duration::from_millis(5))
    };
    for outage in 1..=2 {
        let news = session(outage);
        direct.publish("", &news).await.unwrap();
        while !follower.knows(&news) {
            waits().await;
        }
        let before = wired.proxy.connections();
        cut(&wired.proxy);
        while wired.proxy.connections() < before + 4 {
            waits().await;
        }
        assert_eq!(warned(), usize::from(outage));
        wired.proxy.no_faults();
    }
}

/// The stream that stand-alone news go to.
fn home(news: &Revocation) -> String {
    let shard = match news.revoked() {
        Revoked::Session(handle) => u8::from_str_radix(&handle.to_string()[..2], 16).unwrap(),
        Revoked::User(user, ..) => user.as_bytes()[0],
        _ => 0,
    };
    stream(&member(shard, 0).key)
}
