//! The five operations on an entry. Each is one statement; what is there instead of what was expected takes a second one, and so does the
//! end of what goes to the archive.

use super::database::Database;
use super::dialect::Statement;
use super::failure::Failure;
use super::link::Value;
use super::parting::{self, END_PLAIN};
use crate::clock::Timestamp;
use crate::id::WriteId;
use crate::record::State;
use crate::store::{Entry, Key, Marker, Outcome};
use std::collections::HashMap;
use std::time::Duration;

static LOAD: Statement =
    Statement::new("SELECT entry FROM thin_session WHERE realm = $2 AND name = $3 AND expires > {now}");

static LOAD_SEVERAL: Statement = Statement::new(
    "SELECT name, entry FROM thin_session WHERE realm = $2 AND name {any(} {listed} {any)} AND expires > {now}",
);

/// Also in the place of what has expired and was not swept.
pub(super) static CREATE: Statement = Statement::new(
    "INSERT INTO thin_session (realm, name, entry, expires) VALUES ($2, $3, $4, {now} + $5)
    ON CONFLICT (realm, name) DO UPDATE SET entry = excluded.entry, expires = excluded.expires
    WHERE thin_session.expires <= {now}",
);

/// Compares state and write id as one.
static COMMIT: Statement = Statement::new(
    "UPDATE thin_session SET entry = $5, expires = {now} + $6
    WHERE realm = $2 AND name = $3 AND expires > {now} AND substr(entry, 2, 13) = $4",
);

static TOUCH: Statement = Statement::new(
    "UPDATE thin_session
    SET entry = CAST(substr(entry, 1, 20) || $5 || substr(entry, 27) AS {bytes}), expires = {now} + $6
    WHERE realm = $2 AND name = $3 AND expires > {now} AND substr(entry, 2, 1) = {live} AND substr(entry, 21, 6) = $4",
);

/// What an entry goes by: the shard, and the digest.
pub(super) fn name(key: &Key) -> [u8; 17] {
    let mut name = [key.shard(); 17];
    name[1..].copy_from_slice(key.digest());
    name
}

/// Names as a statement is given a list of them.
pub(super) fn listed(names: impl IntoIterator<Item = impl AsRef<[u8]>>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("\"{}\"", hex(name.as_ref()))).collect();
    format!("[{}]", names.join(","))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) async fn load(database: &Database, key: &Key) -> Result<Option<Entry>, Failure> {
    let values = [database.time.now(), Value::Text(key.realm()), Value::Bytes(&name(key))];
    let rows = database.read(&LOAD, &values).await?;
    rows.first().map_or(Ok(None), |row| row.entry(0))
}

/// What is under each of these keys, which are of one layer.
pub(super) async fn load_several(database: &Database, keys: &[Key]) -> Result<Vec<Option<Entry>>, Failure> {
    let Some(first) = keys.first() else { return Ok(Vec::new()) };
    let names = listed(keys.iter().map(name));
    let values = [database.time.now(), Value::Text(first.realm()), Value::Text(&names)];
    let rows = database.read(&LOAD_SEVERAL, &values).await?;
    let found =
        rows.iter().map(|row| Ok((row.bytes(0)?, row.entry(1)?))).collect::<Result<HashMap<_, _>, Failure>>()?;
    Ok(keys.iter().map(|key| found.get(&name(key)[..]).cloned().flatten()).collect())
}

pub(super) async fn create(
    database: &Database,
    key: &Key,
    entry: &Entry,
    keep_for: Duration,
) -> Result<Outcome, Failure> {
    let name = name(key);
    let values = [
        database.time.now(),
        Value::Text(key.realm()),
        Value::Bytes(&name),
        Value::Bytes(entry.as_bytes()),
        Value::span(keep_for),
    ];
    outcome(database, key, database.write(&CREATE, &values).await?).await
}

pub(super) async fn commit(
    database: &Database,
    key: &Key,
    expected: WriteId,
    entry: &Entry,
    keep_for: Duration,
) -> Result<Outcome, Failure> {
    let name = name(key);
    let expected = [&[State::Live as u8][..], expected.as_bytes()].concat();
    let values = [
        database.time.now(),
        Value::Text(key.realm()),
        Value::Bytes(&name),
        Value::Bytes(&expected),
        Value::Bytes(entry.as_bytes()),
        Value::span(keep_for),
    ];
    outcome(database, key, database.write(&COMMIT, &values).await?).await
}

pub(super) async fn touch(
    database: &Database,
    key: &Key,
    seen: Timestamp,
    now: Timestamp,
    keep_for: Duration,
) -> Result<bool, Failure> {
    let values = [
        database.time.now(),
        Value::Text(key.realm()),
        Value::Bytes(&name(key)),
        Value::Bytes(&seen.to_bytes()),
        Value::Bytes(&now.to_bytes()),
        Value::span(keep_for),
    ];
    Ok(database.write(&TOUCH, &values).await? > 0)
}

pub(super) async fn end(
    database: &Database,
    key: &Key,
    expected: Option<WriteId>,
    marker: &Marker,
) -> Result<Outcome, Failure> {
    let (own, state) = (name(key), [marker.state()]);
    let values = ending(database.time.now(), key, &own, expected.as_ref(), &state, marker);
    if database.write(&END_PLAIN, &values).await? > 0 {
        return Ok(Outcome::Applied);
    }
    let is_meant = |entry: &Entry| entry.is_live() && expected.is_none_or(|id| entry.write_id() == id);
    match load(database, key).await? {
        Some(found) if found.goes_to_archive() && is_meant(&found) => {
            let mut transaction = database.begin().await?;
            if parting::end(&mut transaction, database.time.now(), key, expected.as_ref(), marker).await? {
                transaction.commit().await?;
                return Ok(Outcome::Applied);
            }
            transaction.take_back().await;
            outcome(database, key, 0).await
        }
        found => Ok(found.map_or(Outcome::Absent, Outcome::Found)),
    }
}

/// What ends an entry is given.
pub(super) fn ending<'a>(
    now: Value<'a>,
    key: &'a Key,
    name: &'a [u8],
    expected: Option<&'a WriteId>,
    state: &'a [u8; 1],
    marker: &'a Marker,
) -> [Value<'a>; 7] {
    [
        now,
        Value::Text(key.realm()),
        Value::Bytes(name),
        Value::Bytes(expected.map_or(&[], |id| id.as_bytes())),
        Value::Bytes(state),
        Value::Bytes(marker.tail()),
        Value::span(Marker::KEPT),
    ]
}

/// Of a write that wrote nothing: what is there. Whatever happens to the look, the write was not applied.
async fn outcome(database: &Database, key: &Key, written: u64) -> Result<Outcome, Failure> {
    if written > 0 {
        return Ok(Outcome::Applied);
    }
    Ok(load(database, key).await?.map_or(Outcome::Absent, Outcome::Found))
}
