//! User sessions: what is on the wire and in Redis, and what is refused.

use super::{Wired, told};
use crate::bench::{connect, ttl};
use crate::entries::{ENDED, KEPT, LIVE, Parts, at, live, parts};
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use testbed::{Fault, RedisServer};
use thin_session::RedisStore;
use thin_session::store::{
    Answer, Entry, Key, LastingStore, Outcome, Outgoing, Owner, Replaced, Replacement, Standing, Store, StoreError,
};
use thin_session::testing;
use uuid::Uuid;

const HOUR: Duration = Duration::from_secs(3600);

/// A minute before it was first asked for, in milliseconds.
static USED: LazyLock<u64> = LazyLock::new(|| {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap() - 60_000
});

/// An entry of a user session that was used a minute ago.
fn entry(number: u16, state: u8) -> Entry {
    let parts = Parts { touched: *USED, ..parts(number) }.with_state(state);
    parts.with_deadline(at(*USED + 10 * 3_600_000)).entry()
}

fn owner(shard: u8) -> Owner {
    testing::owner("", [shard; 16])
}

/// Where the user of this shard has one.
fn place(shard: u8) -> Key {
    testing::user_session_key(&owner(shard), "transfer")
}

/// The browser's session of the user of this shard.
fn session(shard: u8) -> Key {
    testing::member(&owner(shard), [9; 16], [9; 16]).key
}

/// What has ended in this shard.
fn outbox_name(shard: u8) -> String {
    place(shard).to_string().split_once(":l:").unwrap().0.to_owned() + ":o"
}

/// Whether this is the name of an outbox, or of what is due.
fn lasts(key: &[u8]) -> bool {
    key.ends_with(b":o") || key.ends_with(b":d")
}

fn outgoing(number: u8) -> Outgoing {
    Outgoing { id: Uuid::from_bytes([number; 16]), sealed: vec![0, b'\r', b'\n', number] }
}

/// An operation, on the place of a shard.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Operation {
    LoadBoth,
    LoadSeveral,
    Begin,
    Change,
    End,
    Renew,
    Outbox,
    Sent,
}

impl Operation {
    const ALL: [Self; 8] = [
        Self::LoadBoth,
        Self::LoadSeveral,
        Self::Begin,
        Self::Change,
        Self::End,
        Self::Renew,
        Self::Outbox,
        Self::Sent,
    ];

    fn writes(self) -> bool {
        !matches!(self, Self::LoadBoth | Self::LoadSeveral | Self::Outbox)
    }

    /// Puts everything there that it needs.
    async fn prepare(self, store: &RedisStore, shard: u8) {
        let mut creates = vec![(session(shard), live(900))];
        creates.extend((self != Self::Begin).then(|| (place(shard), entry(1, LIVE))));
        for (key, entry) in creates {
            assert_eq!(store.create(&key, &entry, KEPT).await.unwrap(), Outcome::Applied);
        }
        if matches!(self, Self::Outbox | Self::Sent) {
            Self::End.on(store, shard).await.unwrap();
        }
    }

    async fn on(self, store: &RedisStore, shard: u8) -> Answer<()> {
        let (key, sent) = (place(shard), outgoing(1));
        let replaced = match self {
            Self::LoadBoth => return store.load_both(&session(shard), &key).await.map(drop),
            Self::LoadSeveral => return store.load_several(&[key, place(0), key]).await.map(drop),
            Self::Renew => return store.renew(&key, at(*USED), HOUR, 2 * KEPT).await.map(|done| assert!(done)),
            Self::Outbox => return store.outbox("", shard, 10).await.map(|some| assert_eq!(some, [outgoing(1)])),
            Self::Sent => return store.sent("", shard, &[sent.id]).await,
            Self::Begin => replace(store, shard, None, &entry(1, LIVE), None).await,
            Self::Change => replace(store, shard, Some(1), &entry(2, LIVE), None).await,
            Self::End => replace(store, shard, Some(1), &entry(2, ENDED), Some(&sent)).await,
        };
        replaced.map(|replaced| assert_eq!(replaced, Replaced::Applied))
    }
}

async fn replace(
    store: &RedisStore,
    shard: u8,
    expected: Option<u16>,
    entry: &Entry,
    outgoing: Option<&Outgoing>,
) -> Answer<Replaced> {
    let (asked_by, expected) = (Some(session(shard)), expected.map(crate::entries::id));
    let standing = Standing::Lives(HOUR);
    let look_in = Some(Duration::ZERO);
    let replacement = Replacement { asked_by, expected, standing, entry, keep_for: KEPT, outgoing, look_in };
    store.replace(&place(shard), &replacement).await
}

fn set(server: &RedisServer, setting: &str, value: &str) {
    assert_eq!(server.command(&[b"CONFIG", b"SET", setting.as_bytes(), value.as_bytes()]).text(), "OK");
}

#[tokio::test]
async fn every_operation_is_one_round_trip() {
    let wired = Wired::start().await;
    let script = &["EVALSHA"][..];
    let commands =
        [&["GET", "GET"][..], &["GET", "GET", "GET"], script, script, script, script, &["HRANDFIELD"], &["HDEL"]];
    for (operation, commands) in Operation::ALL.into_iter().zip(commands) {
        let shard = operation as u8;
        operation.prepare(&wired.store, shard).await;
        wired.proxy.reset();
        operation.on(&wired.store, shard).await.unwrap();
        assert_eq!(wired.proxy.commands(), commands, "{operation:?}");
    }
    wired.proxy.reset();
    wired.store.sent("", 0, &[]).await.unwrap();
    assert_eq!(wired.proxy.requests(), 0, "there is nothing to say");
    assert_eq!(wired.connections(), 1);
}

/// All is on the wire before there is any reply.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_together_is_asked_for_in_one_go() {
    for (commands, reads_both) in [(2, true), (256, false)] {
        let wired = Wired::start().await;
        wired.server.freeze();
        let asking = {
            let store = wired.store.clone();
            tokio::spawn(async move {
                if reads_both {
                    store.load_both(&session(0), &place(0)).await.map(drop)
                } else {
                    store.full_outboxes("").await.map(drop)
                }
            })
        };
        tokio::task::block_in_place(|| testbed::wait_until("all to be asked", || wired.proxy.requests() == commands));
        wired.server.thaw();
        // The machine may be too busy for its 250 ms.
        let _ = asking.await.unwrap();
    }
}

#[tokio::test]
async fn what_has_ended_waits_without_an_expiry_under_the_bytes_of_its_id() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    Operation::End.prepare(&store, 1).await;
    Operation::End.on(&store, 1).await.unwrap();
    let name = outbox_name(1);
    assert_eq!(name, "ts:{14}:o");
    assert_eq!(ttl(&server, name.as_bytes()), -1);
    let there = server.command(&[b"HGETALL", name.as_bytes()]).items().into_iter().map(testbed::Reply::bytes);
    assert_eq!(there.collect::<Vec<_>>(), [vec![1; 16], outgoing(1).sealed]);
    for key in server.keys().into_iter().filter(|key| !lasts(key)) {
        assert!(ttl(&server, &key) > 0, "{} never goes", String::from_utf8_lossy(&key));
    }
    store.sent("", 1, &[outgoing(1).id]).await.unwrap();
    assert_eq!(server.keys().len(), 2, "an outbox that is empty is not there");
}

/// With the scripts known to Redis, and without.
#[tokio::test]
async fn without_memory_nothing_begins_or_changes_and_everything_ends() {
    for flush in [false, true] {
        let wired = Wired::start().await;
        let (store, server) = (&wired.store, &wired.server);
        for operation in [Operation::Begin, Operation::Change, Operation::End, Operation::Renew] {
            operation.prepare(store, operation as u8).await;
        }
        let scripts = || {
            if flush {
                drop(server.command(&[b"SCRIPT", b"FLUSH"]));
            }
        };
        set(server, "maxmemory", "1");
        let before = server.dump();
        let (begin, change) = (Operation::Begin as u8, Operation::Change as u8);
        let [first, second] = [entry(1, LIVE), entry(2, LIVE)];
        let past = outgoing(1);
        // Also with what would go out.
        for (shard, expected, entry) in [(begin, None, &first), (change, Some(1), &second)] {
            for outgoing in [None, Some(&past)] {
                scripts();
                let error = replace(store, shard, expected, entry, outgoing).await.unwrap_err();
                assert!(!error.maybe_applied() && told(&error).contains("OOM"), "{}", told(&error));
            }
        }
        let same = |dump: &[u8]| dump.len() == before.len();
        assert!(same(&server.dump()), "nothing has changed");
        assert!(store.full_outboxes("").await.unwrap().is_empty());

        scripts();
        Operation::End.on(store, Operation::End as u8).await.unwrap();
        let left = store.load(&place(Operation::End as u8)).await.unwrap().unwrap();
        assert!(!left.is_live() && left.write_id() == entry(2, ENDED).write_id());
        scripts();
        Operation::Renew.on(store, Operation::Renew as u8).await.unwrap();
        let renewed = store.load(&place(Operation::Renew as u8)).await.unwrap().unwrap();
        assert!(renewed.touched() > at(*USED));
        Operation::Outbox.on(store, Operation::End as u8).await.unwrap();
        Operation::Sent.on(store, Operation::End as u8).await.unwrap();
        // A marker comes even where nothing is.
        scripts();
        assert_eq!(replace(store, begin, None, &entry(2, ENDED), Some(&past)).await.unwrap(), Replaced::Applied);
        assert_eq!(store.full_outboxes("").await.unwrap(), [(begin, 1)]);
        for key in server.keys().into_iter().filter(|key| !lasts(key)) {
            assert!(ttl(server, &key) > 0, "{} never goes", String::from_utf8_lossy(&key));
        }
        assert_eq!(wired.connections(), 1);
    }
}

#[tokio::test]
async fn after_a_lost_reply_or_request_it_is_unknown() {
    let wired = Wired::start().await;
    let store = &wired.store;
    for (i, operation) in (0..).zip(Operation::ALL) {
        for (j, fault) in (0..).zip([Fault::LoseReply, Fault::LoseRequest]) {
            let shard = 2 * i + j;
            operation.prepare(store, shard).await;
            let before = wired.server.dump();
            wired.proxy.on_request(move |_| fault);
            assert!(operation.on(store, shard).await.unwrap_err().maybe_applied(), "{operation:?} {fault:?}");
            wired.proxy.no_faults();
            let applied = wired.server.dump() != before;
            assert_eq!(applied, fault == Fault::LoseReply && operation.writes(), "{operation:?} {fault:?}");
            for key in wired.server.keys().into_iter().filter(|key| !lasts(key)) {
                assert!(ttl(&wired.server, &key) > 0, "{operation:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_resent_replacement_finds_itself_and_went_out_once() {
    let wired = Wired::start().await;
    let store = &wired.store;
    Operation::End.prepare(store, 0).await;
    wired.proxy.reset();
    wired.proxy.on_request(|_| Fault::LoseReply);
    assert!(Operation::End.on(store, 0).await.is_err());
    assert_eq!(wired.proxy.requests(), 1, "it is never sent again by itself");
    wired.proxy.no_faults();
    let there = store.load(&place(0)).await.unwrap().unwrap();
    let again = replace(store, 0, Some(1), &entry(2, ENDED), Some(&outgoing(1))).await.unwrap();
    assert_eq!(again, Replaced::Found(there));
    Operation::Outbox.on(store, 0).await.unwrap();
}

/// A right is taken away while the server runs, or a name is taken by something else.
#[tokio::test]
async fn what_stops_half_way_is_unknown_and_what_never_began_is_not_applied() {
    let server = RedisServer::start();
    let user = |rule: &[u8]| {
        let reply = server.command(&[b"ACL", b"SETUSER", b"app", b"on", b">secret", b"~*", rule]);
        assert_eq!(reply.text(), "OK");
    };
    user(b"+@all");
    let store = connect(&server.url().replace("//", "//app:secret@")).await;
    let half_done = |error: StoreError| {
        assert!(error.maybe_applied() && told(&error).contains("HALFDONE"), "{}", told(&error));
    };
    for (shard, right) in (0..).zip(["hset", "set", "setrange", "zrem"]) {
        let operation = if right == "setrange" { Operation::Renew } else { Operation::End };
        operation.prepare(&store, shard).await;
        user(format!("-{right}").as_bytes());
        half_done(operation.on(&store, shard).await.unwrap_err());
        user(b"+@all");
    }
    assert!(!store.load(&place(0)).await.unwrap().unwrap().is_live(), "Redis takes nothing back");

    Operation::Begin.prepare(&store, 5).await;
    user(b"-zadd");
    half_done(Operation::Begin.on(&store, 5).await.unwrap_err());
    user(b"+@all");
    Operation::Begin.prepare(&store, 6).await;
    user(b"-set");
    assert!(!Operation::Begin.on(&store, 6).await.unwrap_err().maybe_applied());
    user(b"+@all");
    Operation::End.prepare(&store, 4).await;
    let _ = server.command(&[b"SET", outbox_name(4).as_bytes(), b"no hash"]);
    half_done(Operation::End.on(&store, 4).await.unwrap_err());
    for error in [store.outbox("", 4, 1).await.unwrap_err(), store.sent("", 4, &[outgoing(1).id]).await.unwrap_err()] {
        assert!(!error.maybe_applied() && told(&error).contains("WRONGTYPE"), "{}", told(&error));
    }
}

#[tokio::test]
async fn what_is_no_entry_is_an_error_and_never_absent() {
    let wired = Wired::start().await;
    let (store, name) = (&wired.store, place(0).to_string());
    Operation::Begin.prepare(store, 0).await;
    let cut = entry(1, LIVE).as_bytes()[..16].to_vec();
    for value in [vec![1; 20], vec![b'x'; 100], cut] {
        let _ = wired.server.command(&[b"SET", name.as_bytes(), &value, b"PX", b"100000"]);
        assert!(!store.load_both(&session(0), &place(0)).await.unwrap_err().maybe_applied());
        for operation in [Operation::Begin, Operation::Change, Operation::End] {
            assert!(!operation.on(store, 0).await.unwrap_err().maybe_applied(), "{operation:?}");
        }
        assert!(!store.renew(&place(0), at(*USED), HOUR, KEPT).await.unwrap());
    }
    let _ = wired.server.command(&[b"HSET", outbox_name(7).as_bytes(), b"no id", b"sealed"]);
    assert!(!store.outbox("", 7, 1).await.unwrap_err().maybe_applied());
    assert_eq!(wired.connections(), 1);
}

/// RESP3 has other replies for some of it; and Redis may have forgotten the scripts.
#[tokio::test]
async fn resp3_and_forgotten_scripts_will_do() {
    for protocol in ["", "?protocol=resp3"] {
        let server = RedisServer::start();
        let store = connect(&format!("{}{protocol}", server.url())).await;
        for operation in Operation::ALL {
            let shard = operation as u8;
            operation.prepare(&store, shard).await;
            let _ = server.command(&[b"SCRIPT", b"FLUSH"]);
            operation.on(&store, shard).await.unwrap();
        }
        assert_eq!(store.outbox("", Operation::Sent as u8, 3).await.unwrap(), []);
        assert_eq!(store.full_outboxes("").await.unwrap(), [(Operation::End as u8, 1), (Operation::Outbox as u8, 1)]);
        let there = replace(&store, Operation::Begin as u8, None, &entry(3, LIVE), None).await.unwrap();
        assert!(matches!(&there, Replaced::Found(found) if found.write_id() == entry(1, LIVE).write_id()), "{there:?}");
    }
}
