//! Whether Redis does all that sessions need, found out before there is one.
//!
//! A right that is missing would else show in the middle of a script, of which Redis takes nothing back.

use super::archived_probe;
use super::connection::{Carrier, Connection};
use super::failure::Failure;
use super::lasting_probe;
use super::names::Record;
use super::operations::{commit, create, end, load, remove, touch};
use super::user_probe;
use crate::clock::Timestamp;
use crate::id::{KeyId, SessionId, Shard, WriteId};
use crate::record::{EndReason, FORMAT, Header, History, State};
use crate::store::{Entry, Key, Marker, Outcome};
use crate::telemetry;
use redis::Value;
use std::collections::HashMap;
use std::time::Duration;
use thiserror::Error;

/// What sessions need, and did not get.
#[derive(Debug, Error)]
pub(super) enum Unfit {
    #[error("Redis must be reachable, and allow EVAL")]
    Eval(#[source] Failure),
    #[error("Redis must allow to {0}; on a key made for trying, it failed")]
    Failed(&'static str, #[source] Failure),
    #[error("Redis must do what it is asked; on a key made for trying, it did not {0}")]
    Wrong(&'static str),
}

/// For how long what is tried on stays if it cannot be removed.
pub(super) const KEPT: Duration = Duration::from_secs(10);

/// Carries out everything once, on keys of its own.
///
/// Errors name all commands of what failed: Redis does not say which of them a script may not run.
pub(super) async fn probe(redis: &Connection) -> Result<(), Unfit> {
    // Where Redis knows the scripts already, they are not sent, and the right to send them would not be missed.
    redis.run(redis::cmd("EVAL").arg("return 1").arg(0), |_| Some(())).await.map_err(Unfit::Eval)?;
    match on_keys_of_its_own(redis).await {
        // An application that is deployed just then must come up: sessions that are there can be read.
        Err(Unfit::Failed(_, failure)) if failure.takes_nothing_in() => {
            telemetry::not_probed(&failure);
            Ok(())
        }
        carried_out => carried_out,
    }
}

async fn on_keys_of_its_own(redis: &Connection) -> Result<(), Unfit> {
    let key = Key::new("", Shard::random(), &SessionId::random());
    let record = Record::on_trial(&key);
    let carried_out = carry_out(redis, &record).await;
    let removed = remove(redis, &record.name()).await.map_err(|failure| Unfit::Failed("remove (PEXPIRE)", failure));
    carried_out.and(removed)?;
    user_probe::probe(redis).await?;
    lasting_probe::probe(redis).await?;
    archived_probe::probe(redis).await
}

async fn carry_out(redis: &Connection, record: &Record<'_>) -> Result<(), Unfit> {
    let [first, second] = [entry(Timestamp::default()), entry(Timestamp::default())];
    let [past, now] = [Timestamp::default(), Timestamp::from_millis(1)];
    let marker = Marker::ended(EndReason::Unclaimed);
    let mut last = second.clone();
    last.touch(now);

    let created = create(redis, record, &first, KEPT).await;
    is(created, &Outcome::Applied, "create (SET)")?;
    let loaded = load(redis, &record.name()).await;
    is(loaded, &Some(first.clone()), "load (GET)")?;
    let committed = commit(redis, record, first.write_id(), &second, KEPT).await;
    is(committed, &Outcome::Applied, "commit (EVALSHA, GETRANGE, SET)")?;
    let touched = touch(redis, record, past, now, KEPT).await;
    is(touched, &true, "touch (EVALSHA, GETRANGE, PEXPIRE, SETRANGE)")?;
    let ended = end(redis, record, Some(last.write_id()), &marker).await;
    is(ended, &Outcome::Applied, "end (EVALSHA, GETRANGE, PEXPIRE, SET)")?;
    is(load(redis, &record.name()).await, &Some(last.ended(&marker)), "load (GET)")
}

pub(super) fn is<T: PartialEq>(answer: Result<T, Failure>, expected: &T, what: &'static str) -> Result<(), Unfit> {
    match answer {
        Ok(answer) if answer == *expected => Ok(()),
        Ok(_) => Err(Unfit::Wrong(what)),
        Err(failure) => Err(Unfit::Failed(what, failure)),
    }
}

pub(super) fn entry(deadline: Timestamp) -> Entry {
    entry_of(FORMAT, deadline, &[])
}

pub(super) fn entry_of(format: u8, deadline: Timestamp, rest: &[u8]) -> Entry {
    let header = Header {
        format,
        state: State::Live,
        write_id: WriteId::random(),
        deadline,
        touched: Timestamp::default(),
        key_id: KeyId::from_bytes([0; 4]),
        history: History::default().following(WriteId::random(), Duration::MAX),
    };
    Entry::new(&header, rest)
}

/// Warns if Redis may drop sessions that live. Servers that are managed by others often do not tell.
pub(super) async fn check_policy(redis: &Connection) {
    let read = |reply: Value| redis::from_redis_value::<HashMap<String, String>>(reply).ok();
    match redis.run(redis::cmd("CONFIG").arg("GET").arg("maxmemory-policy"), read).await {
        Ok(settings) => match settings.get("maxmemory-policy").map(String::as_str) {
            Some("noeviction") | None => {}
            Some(policy) => telemetry::may_evict(policy),
        },
        Err(failure) => telemetry::policy_unknown(&failure),
    }
}
