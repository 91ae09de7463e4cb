//! At which user sessions to look, and when.

use super::connection::{Carrier, Connection};
use super::failure::Failure;
use super::lasting::time_left;
use super::lasting_scripts::{FORGET, PUT_OFF};
use super::operations::{entry, found, values};
use super::user_scripts::Call;
use super::users::time;
use crate::clock::Timestamp;
use crate::record::Malformed;
use crate::store::{Entry, Key, due_name};
use redis::Value;
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) async fn due(redis: &Connection, realm: &'static str, limit: usize) -> Result<Vec<(Key, Entry)>, Failure> {
    let now = now(redis).await?;
    loop {
        let named = named(redis, (0..=u8::MAX).map(|shard| due_name(realm, shard)), now, limit).await?;
        let keys = (0..=u8::MAX).zip(named).flat_map(|(shard, digests)| {
            digests.into_iter().map(move |digest| Key::of_user_session_digest(realm, shard, digest))
        });
        let keys: Vec<_> = keys.take(limit).collect();
        let (mut due, mut gone) = (Vec::new(), BTreeMap::<_, Vec<_>>::new());
        for (key, there) in keys.iter().zip(values(redis, keys.iter().map(Key::to_string)).await?) {
            match there.map(entry) {
                Some(Ok(entry)) if entry.is_live() => due.push((*key, entry)),
                // What cannot be read is no reason to find nothing else.
                Some(Err(_)) => {}
                _ => gone.entry(key.shard()).or_default().push(*key),
            }
        }
        if gone.is_empty() {
            return Ok(due);
        }
        // It stood in the way of others.
        for (shard, keys) in gone {
            let records: Vec<_> = keys.iter().map(Key::to_string).collect();
            forget(redis, &due_name(realm, shard), keys.iter().zip(records)).await?;
        }
    }
}

/// The time by the clock of Redis.
pub(super) async fn now(redis: &Connection) -> Result<Timestamp, Failure> {
    redis.run(&redis::cmd("TIME"), time).await
}

/// Some of each of these whose time has come, the first in front.
pub(super) async fn named(
    redis: &Connection,
    names: impl IntoIterator<Item = String>,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Vec<[u8; 16]>>, Failure> {
    let limit = limit.min(usize::from(u16::MAX));
    let mut looks = redis::pipe();
    for name in names {
        looks.cmd("ZRANGEBYSCORE").arg(name).arg("-inf").arg(now.as_millis()).arg("LIMIT").arg(0).arg(limit);
    }
    redis.run_all(&looks).await?.into_iter().map(digests).collect()
}

fn digests(reply: Value) -> Result<Vec<[u8; 16]>, Failure> {
    let Value::Array(digests) = reply else { return Err(Failure::Reply) };
    let digest = |reply| {
        let bytes = found(reply).flatten().ok_or(Failure::Reply)?;
        bytes.try_into().map_err(|_| Failure::Entry(Malformed("name of what is due")))
    };
    digests.into_iter().map(digest).collect()
}

/// Forgets keys of one shard where nothing lives under the names of their records.
pub(super) async fn forget(
    redis: &Connection,
    name: &str,
    gone: impl IntoIterator<Item = (&Key, String)>,
) -> Result<(), Failure> {
    let mut call = Call::on([name]);
    for (key, record) in gone {
        call.key(record).bytes(key.digest());
    }
    call.run(&FORGET, redis, done).await
}

pub(super) async fn put_off(redis: &Connection, name: &str, key: &Key, look_in: Duration) -> Result<(), Failure> {
    let mut call = Call::on([name]);
    call.bytes(key.digest()).number(time_left(look_in));
    call.run(&PUT_OFF, redis, done).await
}

pub(super) fn done(reply: Value) -> Option<()> {
    matches!(reply, Value::Int(1)).then_some(())
}
