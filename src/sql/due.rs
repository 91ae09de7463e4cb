//! At which user sessions to look, and when.
//!
//! What has gone is forgotten while a session may begin in its place. So both hold the row: whoever begins one while it is
//! named, and whoever forgets it, who looks again then.

use super::database::{Database, Transaction};
use super::dialect::Statement;
use super::entries::{listed, name};
use super::failure::Failure;
use super::link::Value;
use crate::record::Malformed;
use crate::store::{Entry, Key, Replacement};
use std::time::Duration;

/// The time is asked for once: where it is the database's, it could be another for each row, and then no index helps.
static DUE: Statement = Statement::new(
    "SELECT d.name, (SELECT s.entry FROM thin_session s
            WHERE s.realm = d.realm AND s.name = d.name AND s.expires > {now} AND substr(s.entry, 2, 1) = {live})
    FROM thin_due d WHERE d.realm = $2 AND d.due <= (SELECT {now}) ORDER BY d.due LIMIT $3",
);

/// In order: of two who forget the same neither waits for the other in a circle.
static HOLD: Statement = Statement::new(
    "SELECT s.name FROM thin_due s WHERE s.realm = $2 AND s.name IN ({listed}) AND s.due <= {now} ORDER BY s.name {lock}",
);

static FORGET_GONE: Statement = Statement::new(
    "DELETE FROM thin_due WHERE realm = $2 AND name IN ({listed}) AND NOT EXISTS (
        SELECT 1 FROM thin_session s WHERE s.realm = thin_due.realm AND s.name = thin_due.name AND s.expires > {now}
            AND substr(s.entry, 2, 1) = {live})",
);

/// Holds one that is named, and leaves it as it is.
static NAME: Statement = Statement::new(
    "INSERT INTO thin_due (realm, name, due) VALUES ($2, $3, {now} + $4)
    ON CONFLICT (realm, name) DO UPDATE SET due = excluded.due WHERE false",
);

static FORGET: Statement = Statement::new("DELETE FROM thin_due WHERE realm = $1 AND name = $2");

static PUT_OFF: Statement = Statement::new("UPDATE thin_due SET due = {now} + $4 WHERE realm = $2 AND name = $3");

pub(super) async fn due(database: &Database, realm: &'static str, limit: usize) -> Result<Vec<(Key, Entry)>, Failure> {
    loop {
        let values = [database.time.now(), Value::Text(realm), Value::limit(limit)];
        let (mut due, mut gone) = (Vec::new(), Vec::new());
        for row in database.read(&DUE, &values).await? {
            let name = row.bytes(0)?;
            match row.entry(1) {
                Ok(Some(entry)) => due.push((key(realm, &name)?, entry)),
                Ok(None) => gone.push(name),
                // What cannot be read is no reason to find nothing else.
                Err(_) => {}
            }
        }
        if gone.is_empty() {
            return Ok(due);
        }
        // It stood in the way of others.
        forget_gone(database, realm, &gone).await?;
    }
}

async fn forget_gone(database: &Database, realm: &'static str, names: &[Vec<u8>]) -> Result<(), Failure> {
    let listed = listed(names);
    let mut transaction = database.begin().await?;
    let values = [database.time.now(), Value::Text(realm), Value::Text(&listed)];
    transaction.fetch(&HOLD, &values).await?;
    transaction.execute(&FORGET_GONE, &values).await?;
    // Once more is as good as once.
    transaction.commit().await.map_err(Failure::harmless)
}

pub(super) async fn put_off(database: &Database, key: &Key, look_in: Duration) -> Result<(), Failure> {
    let values = [database.time.now(), Value::Text(key.realm()), Value::Bytes(&name(key)), Value::span(look_in)];
    database.write(&PUT_OFF, &values).await.map(drop)
}

/// In the transaction of a replacement that was put there.
pub(super) async fn note(
    transaction: &mut Transaction<'_>,
    now: Value<'_>,
    key: &Key,
    replacement: &Replacement<'_>,
) -> Result<(), Failure> {
    let (realm, name) = (Value::Text(key.realm()), name(key));
    if !replacement.entry.is_live() {
        transaction.execute(&FORGET, &[realm, Value::Bytes(&name)]).await?;
    } else if let Some(look_in) = replacement.look_in {
        transaction.execute(&NAME, &[now, realm, Value::Bytes(&name), Value::span(look_in)]).await?;
    }
    Ok(())
}

/// The key that goes by this name.
fn key(realm: &'static str, name: &[u8]) -> Result<Key, Failure> {
    let of = |(shard, digest): (&u8, &[u8])| Some(Key::of_user_session_digest(realm, *shard, digest.try_into().ok()?));
    Ok(name.split_first().and_then(of).ok_or(Malformed("name of what is due"))?)
}
