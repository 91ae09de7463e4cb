//! The same for all that browsers' sessions need that go to the archive.

use super::archived::send;
use super::connection::Connection;
use super::failure::Failure;
use super::lasting::{outbox, sent};
use super::names::Record;
use super::operations::{commit, create, end, remove};
use super::probe::{KEPT, Unfit, entry_of, is};
use crate::clock::Timestamp;
use crate::id::{SessionId, Shard, nonce};
use crate::record::{ARCHIVED, Archival, EndReason};
use crate::store::{Entry, Key, Marker, Outcome};
use uuid::Uuid;

const CREATE: &str = "create what goes to the archive (EVALSHA, GET, SET, TIME, ZADD)";
const COMMIT: &str = "commit what goes to the archive (EVALSHA, GETRANGE, SET)";
const LOOK: &str = "look for what has expired (EVALSHA, GETRANGE, HSET, PEXPIRE, PTTL, TIME, ZADD, ZREM)";
const END: &str = "end what goes to the archive (EVALSHA, GET, GETRANGE, HSET, PEXPIRE, SET, TIME, ZREM)";

/// Carries out everything once, on keys of its own.
pub(super) async fn probe(redis: &Connection) -> Result<(), Unfit> {
    let key = Key::new("", Shard::random(), &SessionId::random());
    let record = Record::on_trial(&key);
    let carried_out = carry_out(redis, &record).await;
    let removed = clear(redis, &record).await.map_err(|failure| Unfit::Failed("remove (PEXPIRE)", failure));
    carried_out.and(removed)
}

async fn carry_out(redis: &Connection, record: &Record<'_>) -> Result<(), Unfit> {
    let id = Uuid::from_bytes(nonce());
    let [first, second] = [(); 2].map(|()| archived(id));
    let marker = Marker::ended(EndReason::Unclaimed);
    is(create(redis, record, &first, KEPT).await, &Outcome::Applied, CREATE)?;
    is(commit(redis, record, first.write_id(), &second, KEPT).await, &Outcome::Applied, COMMIT)?;
    is(send(redis, &[Record::on_trial(record.key)]).await, &(), LOOK)?;
    let waiting = async || outbox(redis, &record.outbox(), 1).await.map(|waiting| waiting.first().map(|of| of.id));
    is(waiting().await, &None, LOOK)?;
    is(end(redis, record, Some(second.write_id()), &marker).await, &Outcome::Applied, END)?;
    is(waiting().await, &Some(id), END)?;
    is(sent(redis, &record.outbox(), &[id]).await, &(), END)
}

fn archived(id: Uuid) -> Entry {
    entry_of(ARCHIVED, Timestamp::from_millis(u64::MAX), &Archival::new(id).to_bytes())
}

async fn clear(redis: &Connection, record: &Record<'_>) -> Result<(), Failure> {
    for name in [record.name(), record.copy(), record.expiries(), record.outbox()] {
        remove(redis, &name).await?;
    }
    Ok(())
}
