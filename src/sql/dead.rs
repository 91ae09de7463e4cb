//! Ended sessions that could not be converted: kept as they were, until somebody can.

use super::archive::{digits, kept, unkept};
use super::database::Database;
use super::dialect::Statement;
use super::entries::{hex, listed};
use super::failure::Failure;
use super::link::{Row, Value};
use crate::archive::DeadLetter;
use crate::clock::Timestamp;
use serde_json::{Value as Json, json};
use uuid::Uuid;

/// Those that are there stay as they are.
static ADD: Statement = Statement::new(
    "INSERT INTO thin_dead_letter (layer, id, why, since, sealed) {dead} ON CONFLICT (layer, id) DO NOTHING",
);

static SOME: Statement = Statement::new(
    "SELECT {bytes_of_id}(id), why, since, sealed FROM thin_dead_letter
    WHERE layer = $1 AND id >= {id_of}($2) ORDER BY id LIMIT $3",
);

/// In order: of two who remove the same neither waits for the other in a circle.
static REMOVE: Statement = Statement::new(
    "DELETE FROM thin_dead_letter WHERE layer = $1 AND id {any(}
        SELECT s.id FROM thin_dead_letter s WHERE s.layer = $1 AND s.id {any(} {listed_ids} {any)} ORDER BY s.id {lock}
    {any)}",
);

/// Passes over what somebody else deletes.
static FORGET: Statement = Statement::new(
    "DELETE FROM thin_dead_letter WHERE layer = $1 AND id {any(}
        SELECT s.id FROM thin_dead_letter s WHERE s.layer = $1 AND s.since < $2 ORDER BY s.since LIMIT $3 {lock} {skip}
    {any)}",
);

pub(super) async fn add(database: &Database, layer: &'static str, letters: &[DeadLetter]) -> Result<(), Failure> {
    if letters.is_empty() {
        return Ok(());
    }
    let json = |DeadLetter { id, why, since, sealed }: &DeadLetter| json!({ "id": digits(id), "why": kept(why), "since": since.as_millis(), "sealed": hex(sealed) });
    let letters = Json::Array(letters.iter().map(json).collect()).to_string();
    database.write(&ADD, &[Value::Text(layer), Value::Text(&letters)]).await.map(drop)
}

pub(super) async fn some(
    database: &Database,
    layer: &'static str,
    from: Uuid,
    limit: usize,
) -> Result<Vec<DeadLetter>, Failure> {
    let letter = |row: &Row| {
        let (id, why, since, sealed) = (row.id(0)?, unkept(&row.text(1)?), row.time(2)?, row.bytes(3)?);
        Ok(DeadLetter { id, why, since, sealed })
    };
    let values = [Value::Text(layer), Value::Text(&digits(&from)), Value::limit(limit)];
    database.read(&SOME, &values).await?.iter().map(letter).collect()
}

pub(super) async fn remove(database: &Database, layer: &'static str, ids: &[Uuid]) -> Result<(), Failure> {
    if ids.is_empty() {
        return Ok(());
    }
    database.write(&REMOVE, &[Value::Text(layer), Value::Text(&listed(ids))]).await.map(drop)
}

/// Answers how many.
pub(super) async fn forget(
    database: &Database,
    layer: &'static str,
    before: Timestamp,
    limit: usize,
) -> Result<u64, Failure> {
    database.write(&FORGET, &[Value::Text(layer), Value::time(before), Value::limit(limit)]).await
}
