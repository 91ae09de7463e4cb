//! The five operations on an entry, by its name in Redis.

use super::archived::{self, copy_millis};
use super::connection::{Carrier, Connection};
use super::failure::Failure;
use super::names::Record;
use super::scripts::{COMMIT, END, TOUCH};
use super::user_scripts::Call;
use crate::clock::Timestamp;
use crate::id::WriteId;
use crate::record::State;
use crate::store::{Entry, Marker, Outcome};
use redis::{Cmd, Value};
use std::time::Duration;

/// What a write came back with.
pub(super) enum Written {
    Applied,
    Found(Option<Vec<u8>>),
}

pub(super) async fn load(redis: &Connection, name: &str) -> Result<Option<Entry>, Failure> {
    let mut get = Cmd::with_capacity(2, name.len() + 8);
    get.arg("GET").arg(name);
    redis.run(&get, found).await?.map(entry).transpose()
}

/// What is under each of these names, in one go. Not by MGET, which a slot that is moving refuses.
pub(super) async fn values(
    redis: &Connection,
    names: impl IntoIterator<Item = impl AsRef<str>>,
) -> Result<Vec<Option<Vec<u8>>>, Failure> {
    let mut gets = redis::pipe();
    for name in names {
        gets.cmd("GET").arg(name.as_ref());
    }
    if gets.is_empty() {
        return Ok(Vec::new());
    }
    redis.run_all(&gets).await?.into_iter().map(|reply| found(reply).ok_or(Failure::Reply)).collect()
}

/// One request if nothing is there, which for a random key is always so. What is there else is read with a second one:
/// `SET` with both `NX` and `GET` needs Redis 7.
pub(super) async fn create(
    redis: &Connection,
    record: &Record<'_>,
    entry: &Entry,
    keep_for: Duration,
) -> Result<Outcome, Failure> {
    if entry.goes_to_archive() {
        return archived::create(redis, record, entry, keep_for).await;
    }
    let name = record.name();
    let mut set = Cmd::with_capacity(6, name.len() + entry.as_bytes().len() + 32);
    set.arg("SET").arg(&name).arg(entry.as_bytes()).arg("NX").arg("PX").arg(millis(keep_for));
    let created = redis.run(&set, |reply| match reply {
        Value::Okay => Some(true),
        Value::Nil => Some(false),
        _ => None,
    });
    if created.await? {
        return Ok(Outcome::Applied);
    }
    // Whatever happens to this one: the write was refused.
    let found = load(redis, &name).await.map_err(|failure| Failure::Reading(Box::new(failure)))?;
    Ok(found.map_or(Outcome::Absent, Outcome::Found))
}

pub(super) async fn commit(
    redis: &Connection,
    record: &Record<'_>,
    expected: WriteId,
    entry: &Entry,
    keep_for: Duration,
) -> Result<Outcome, Failure> {
    if entry.goes_to_archive() {
        return archived::commit(redis, record, expected, entry, keep_for).await;
    }
    let expected = [&[State::Live as u8][..], expected.as_bytes()].concat();
    let px = millis(keep_for).to_string();
    outcome(COMMIT.run(redis, &[&record.name()], &[&expected, entry.as_bytes(), px.as_bytes()], written).await?)
}

pub(super) async fn touch(
    redis: &Connection,
    record: &Record<'_>,
    seen: Timestamp,
    now: Timestamp,
    keep_for: Duration,
) -> Result<bool, Failure> {
    let [px, copy_px] = [millis(keep_for), copy_millis(keep_for)].map(|millis| millis.to_string());
    let arguments = [&seen.to_bytes()[..], &now.to_bytes(), px.as_bytes(), copy_px.as_bytes()];
    TOUCH.run(redis, &[&record.name(), &record.copy()], &arguments, yes_or_no).await
}

pub(super) async fn end(
    redis: &Connection,
    record: &Record<'_>,
    expected: Option<WriteId>,
    marker: &Marker,
) -> Result<Outcome, Failure> {
    let mut call = Call::on([&record.name(), &record.copy(), &record.expiries(), &record.outbox()]);
    call.bytes(expected.as_ref().map_or(&[][..], |id| id.as_bytes()));
    call.bytes([marker.state()]).bytes(marker.tail()).number(millis(Marker::KEPT)).bytes(record.key.digest());
    outcome(call.run(&END, redis, written).await?)
}

/// Removes an entry. Only for what is no session: a session leaves a marker. Needs no right that sessions do not.
pub(super) async fn remove(redis: &Connection, name: &str) -> Result<(), Failure> {
    redis.run(redis::cmd("PEXPIRE").arg(name).arg(0), |_| Some(())).await
}

pub(super) fn written(reply: Value) -> Option<Written> {
    match reply {
        Value::Okay | Value::Int(1) => Some(Written::Applied),
        reply => found(reply).map(Written::Found),
    }
}

pub(super) fn found(reply: Value) -> Option<Option<Vec<u8>>> {
    match reply {
        Value::BulkString(bytes) => Some(Some(bytes)),
        Value::Nil => Some(None),
        _ => None,
    }
}

pub(super) fn yes_or_no(reply: Value) -> Option<bool> {
    match reply {
        Value::Int(1) => Some(true),
        Value::Int(0) => Some(false),
        _ => None,
    }
}

pub(super) fn outcome(written: Written) -> Result<Outcome, Failure> {
    Ok(match written {
        Written::Applied => Outcome::Applied,
        Written::Found(None) => Outcome::Absent,
        Written::Found(Some(bytes)) => Outcome::Found(entry(bytes)?),
    })
}

pub(super) fn entry(bytes: Vec<u8>) -> Result<Entry, Failure> {
    Entry::from_bytes(bytes).map_err(Failure::Entry)
}

/// A time to keep something, as Redis takes it: none at all is an error there, and so is one past the end of its clock.
pub(super) fn millis(keep_for: Duration) -> u64 {
    const LONGEST: u64 = 1 << 48;
    u64::try_from(keep_for.as_millis()).unwrap_or(LONGEST).clamp(1, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_never_nothing_and_never_overflow() {
        assert_eq!(millis(Duration::ZERO), 1);
        assert_eq!(millis(Duration::from_nanos(1)), 1);
        assert_eq!(millis(Duration::from_millis(1234)), 1234);
        assert_eq!(millis(Duration::MAX), 1 << 48);
    }
}
