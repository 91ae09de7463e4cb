//! A user and their sessions, to try operations on.

use crate::bench::ttl;
use crate::entries::{KEPT, parts};
use crate::markers::ended;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};
use testbed::RedisServer;
use thin_session::RedisStore;
use thin_session::store::{
    Admission, Admitted, Departure, Entry, Epoch, Key, Member, Owner, Revocation, Revoked, Store, Sweep, Timestamp,
};
use thin_session::testing;

/// The user of this shard.
pub(super) fn owner(shard: u8) -> Owner {
    testing::owner("", [shard; 16])
}

pub(super) fn member(shard: u8, number: u8) -> Member {
    testing::member(&owner(shard), [number; 16], [number; 16])
}

/// An hour after it was first asked for.
pub(super) fn later() -> Timestamp {
    static LATER: LazyLock<SystemTime> = LazyLock::new(|| SystemTime::now() + Duration::from_secs(3600));
    (*LATER).into()
}

/// A live entry that is not past its deadline.
pub(super) fn entry(id: u8) -> Entry {
    parts(id.into()).with_deadline(later()).entry()
}

pub(super) fn admission(member: Member, entry: &Entry) -> Admission<'_> {
    Admission {
        member,
        entry,
        keep_for: KEPT,
        epoch: Epoch::default(),
        epoch_until: later(),
        limit: 100,
        predecessor: None,
        evicted: &[],
    }
}

/// Puts session `number` of the user of `shard` into the store.
pub(super) async fn admit(store: &RedisStore, shard: u8, number: u8) -> Entry {
    let entry = entry(number);
    let admitted = store.admit(&owner(shard), &admission(member(shard, number), &entry)).await;
    assert_eq!(admitted.unwrap(), Admitted::Admitted);
    entry
}

/// That session ends, and all are told.
pub(super) fn departure(shard: u8, number: u8) -> Departure {
    let member = member(shard, number);
    let news = Some(testing::revocation(Revoked::Session(member.handle), later()));
    Departure { member, expected: None, marker: ended().clone(), news }
}

pub(super) fn sweep() -> Sweep {
    Sweep { except: None, marker: ended().clone(), until: later() }
}

/// What has been told in this stream so far.
pub(super) fn told(server: &RedisServer, stream: &str) -> Vec<Revocation> {
    let entries = server.command(&[b"XRANGE", stream.as_bytes(), b"-", b"+"]).items();
    let news = entries.into_iter().map(|entry| entry.items().remove(1).items().remove(1).bytes());
    news.map(|bytes| Revocation::from_bytes(&bytes).unwrap()).collect()
}

/// The stream of the shard that this key is in.
pub(super) fn stream(key: &Key) -> String {
    format!("{}}}:n", key.to_string().split_once('}').unwrap().0)
}

pub(super) fn epoch_of(server: &RedisServer, owner: &Owner) -> Option<u64> {
    let name = owner.to_string().replace(":u:", ":e:");
    let kept = ttl(server, name.as_bytes());
    match server.command(&[b"GET", name.as_bytes()]) {
        testbed::Reply::Nil => None,
        epoch => {
            assert!(kept > 24 * 3_600_000, "it is kept for a day longer than it matters, not {kept} ms");
            Some(epoch.text().parse().unwrap())
        }
    }
}

pub(super) fn members_in_index(server: &RedisServer, owner: &Owner) -> Vec<Vec<u8>> {
    let members = server.command(&[b"ZRANGE", owner.to_string().as_bytes(), b"0", b"-1"]).items();
    members.into_iter().map(testbed::Reply::bytes).collect()
}
