//! Browsers' sessions that go to the archive. Those that end send themselves out; those whose time runs out are sent out here.

use super::archived_scripts::{COMMIT_ARCHIVED, CREATE_ARCHIVED, RETIRE};
use super::connection::Connection;
use super::due::{done, named, now};
use super::failure::Failure;
use super::names::Record;
use super::operations::{Written, millis, outcome, written};
use super::scripts::Script;
use super::user_scripts::Call;
use crate::id::WriteId;
use crate::record::State;
use crate::store::{Entry, Key, Outcome, expiries_name};
use std::collections::BTreeMap;
use std::time::Duration;

/// For how much longer than it lives such a session is kept.
const KEPT: Duration = Duration::from_secs(90 * 86_400);

/// For how many milliseconds to keep a copy of what is kept for so long.
pub(super) fn copy_millis(keep_for: Duration) -> u64 {
    millis(keep_for.saturating_add(KEPT))
}

pub(super) async fn create(
    redis: &Connection,
    record: &Record<'_>,
    entry: &Entry,
    keep_for: Duration,
) -> Result<Outcome, Failure> {
    let mut call = Call::on([&record.name(), &record.copy(), &record.expiries()]);
    call.bytes(entry.as_bytes()).number(millis(keep_for)).number(copy_millis(keep_for)).bytes(record.key.digest());
    write(redis, &call, &CREATE_ARCHIVED).await
}

pub(super) async fn commit(
    redis: &Connection,
    record: &Record<'_>,
    expected: WriteId,
    entry: &Entry,
    keep_for: Duration,
) -> Result<Outcome, Failure> {
    let mut call = Call::on([&record.name(), &record.copy()]);
    call.bytes([&[State::Live as u8][..], expected.as_bytes()].concat()).bytes(entry.as_bytes());
    call.number(millis(keep_for)).number(copy_millis(keep_for));
    write(redis, &call, &COMMIT_ARCHIVED).await
}

async fn write(redis: &Connection, call: &Call, script: &Script) -> Result<Outcome, Failure> {
    outcome(call.run::<Written>(script, redis, written).await?)
}

/// Answers whether there may be more.
pub(super) async fn retire(redis: &Connection, realm: &'static str, limit: usize) -> Result<bool, Failure> {
    let now = now(redis).await?;
    let expired = named(redis, (0..=u8::MAX).map(|shard| expiries_name(realm, shard)), now, limit).await?;
    let mut keys = BTreeMap::<_, Vec<_>>::new();
    let all = (0..=u8::MAX).zip(expired).flat_map(|(shard, digests)| digests.into_iter().map(move |of| (shard, of)));
    let mut found = 0;
    for (shard, digest) in all.take(limit) {
        keys.entry(shard).or_default().push(Key::of_session_digest(realm, shard, digest));
        found += 1;
    }
    for keys in keys.values() {
        send(redis, &keys.iter().map(Record::of).collect::<Vec<_>>()).await?;
    }
    Ok(found == limit)
}

/// Sends out those of these that have expired, all of one shard.
pub(super) async fn send(redis: &Connection, records: &[Record<'_>]) -> Result<(), Failure> {
    let Some(first) = records.first() else { return Ok(()) };
    let mut call = Call::on([&first.expiries(), &first.outbox()]);
    call.number(millis(KEPT));
    for record in records {
        call.key(record.name()).key(record.copy()).bytes(record.key.digest());
    }
    call.run(&RETIRE, redis, done).await
}
