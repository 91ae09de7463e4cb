//! The operations on user sessions and outboxes.
//!
//! User sessions are rows of the table of all sessions. A replacement takes its locks in this order: the browser's session,
//! the user session, what goes out, what is due. Nobody who holds one of the last three waits for one that comes before it, so that
//! none waits for another in a circle.

use super::database::{Database, Transaction};
use super::dialect::Statement;
use super::due;
use super::entries::{listed, name};
use super::failure::{Cause, Failure};
use super::link::Value;
use crate::clock::Timestamp;
use crate::store::{Entry, Key, Outgoing, Replaced, Replacement, Standing};
use std::time::Duration;
use uuid::Uuid;

static LOAD_BOTH: Statement = Statement::new(
    "SELECT (SELECT entry FROM thin_session WHERE realm = $2 AND name = $3 AND expires > {now}),
        (SELECT entry FROM thin_session WHERE realm = $4 AND name = $5 AND expires > {now})",
);

/// A replacement that is in order, in one step. `asked` keeps the browser's session as it is until `put` is committed: had it
/// ended while one waited for it, then it is looked at again. So is the user session in `put`, which may have been another when
/// the statement began; and all that is asked of it stands in its own row.
///
/// One that is not live takes steps: what begins in its place may be named as it is forgotten, see `due`.
///
/// The browser's session is not shared between those who ask: they would hold up its end for as long as they keep coming.
static REPLACE: Statement = Statement::new(
    "WITH asked AS MATERIALIZED (
        SELECT 1 FROM thin_session s
        WHERE s.realm = $2 AND s.name = $7 AND s.expires > {now} AND substr(s.entry, 2, 1) = {live} {lock}
    ), put AS (
        UPDATE thin_session
        SET entry = CAST(substr($5, 1, 20) || {later}({time(}{now}{)}, substr(entry, 21, 6)) || substr($5, 27) AS {bytes}),
            expires = {now} + $6
        WHERE realm = $2 AND name = $3 AND expires > {now} AND substr(entry, 3, 12) = $4 AND substr(entry, 2, 1) = {live}
            AND ($8 < 0 OR (substr(entry, 21, 6) >= {time(}{later}({now} - $8 + 1, 0){)}
                AND substr(entry, 15, 6) > {time(}{now}{)}))
            AND EXISTS (SELECT 1 FROM asked)
        RETURNING 1
    ), out AS (
        INSERT INTO thin_outbox (realm, shard, id, sealed) SELECT $2, $9, $10, $11 FROM put WHERE length($10) > 0
        ON CONFLICT (realm, shard, id) DO UPDATE SET sealed = excluded.sealed
    ), named AS (
        INSERT INTO thin_due (realm, name, due) SELECT $2, $3, {now} + $12 FROM put
        WHERE $12 >= 0 AND substr($5, 2, 1) = {live} ON CONFLICT (realm, name) DO NOTHING
    ), forgotten AS (
        DELETE FROM thin_due
        WHERE realm = $2 AND name = $3 AND substr($5, 2, 1) <> {live} AND EXISTS (SELECT 1 FROM put)
    )
    SELECT 1 FROM put",
);

/// Whether the browser's session is live, and what is there, both to stay so until the transaction ends; and the time.
static LOOK: Statement = Statement::new(
    "SELECT coalesce((
            SELECT CAST(1 AS BIGINT) FROM thin_session s
            WHERE s.realm = $2 AND s.name = $3 AND s.expires > {now} AND substr(s.entry, 2, 1) = {live} {lock}), 0),
        (SELECT s.entry FROM thin_session s WHERE s.realm = $2 AND s.name = $4 AND s.expires > {now} {lock}),
        {now}",
);

/// In the place of what was expected, of what has expired, or of nothing.
static PUT: Statement = Statement::new(
    "INSERT INTO thin_session (realm, name, entry, expires) VALUES ($2, $3, $4, {now} + $5)
    ON CONFLICT (realm, name) DO UPDATE SET entry = excluded.entry, expires = excluded.expires
    WHERE thin_session.expires <= {now} OR substr(thin_session.entry, 3, 12) = $6",
);

static PUT_OUT: Statement = Statement::new(
    "INSERT INTO thin_outbox (realm, shard, id, sealed) VALUES ($1, $2, $3, $4)
    ON CONFLICT (realm, shard, id) DO UPDATE SET sealed = excluded.sealed",
);

static RENEW: Statement = Statement::new(
    "UPDATE thin_session
    SET entry = CAST(substr(entry, 1, 20) || {later}({time(}{now}{)}, substr(entry, 21, 6)) || substr(entry, 27) AS {bytes}),
        expires = {now} + $6
    WHERE realm = $2 AND name = $3 AND expires > {now} AND substr(entry, 2, 1) = {live} AND substr(entry, 21, 6) = $4
        AND substr(entry, 21, 6) >= {time(}{later}({now} - $5 + 1, 0){)} AND substr(entry, 15, 6) > {time(}{now}{)}",
);

/// Some by chance, so that what cannot be sent does not stand in the way of the rest. Their ids are shuffled, not what they hold.
static OUTBOX: Statement = Statement::new(
    "SELECT id, sealed FROM thin_outbox WHERE realm = $1 AND shard = $2 AND id IN (
        SELECT id FROM thin_outbox WHERE realm = $1 AND shard = $2 ORDER BY random() LIMIT $3)",
);

/// From each shard to the next that has something. What waits in one is not counted to the end.
static FULL: Statement = Statement::new(
    "WITH RECURSIVE full_one(shard) AS (
        SELECT min(shard) FROM thin_outbox WHERE realm = $1
        UNION ALL
        SELECT (SELECT min(o.shard) FROM thin_outbox o WHERE o.realm = $1 AND o.shard > full_one.shard)
        FROM full_one WHERE full_one.shard IS NOT NULL
    )
    SELECT shard, (SELECT count(*) FROM (
            SELECT 1 FROM thin_outbox o WHERE o.realm = $1 AND o.shard = full_one.shard LIMIT 1000
        ) some_of_it)
    FROM full_one WHERE shard IS NOT NULL ORDER BY shard",
);

/// In order: of two who have sent the same neither waits for the other in a circle.
static SENT: Statement = Statement::new(
    "DELETE FROM thin_outbox WHERE realm = $1 AND shard = $2 AND id IN (
        SELECT s.id FROM thin_outbox s WHERE s.realm = $1 AND s.shard = $2 AND s.id IN ({listed}) ORDER BY s.id {lock})",
);

/// Of a replacement that takes steps: when it looked, and the time of the last touch that it leaves.
struct Times {
    now: Timestamp,
    touched: Timestamp,
}

pub(super) async fn load_both(
    database: &Database,
    session: &Key,
    user_session: &Key,
) -> Result<[Option<Entry>; 2], Failure> {
    let names = [session, user_session].map(name);
    let [session, user_session] = [session, user_session].map(|key| Value::Text(key.realm()));
    let values = [database.time.now(), session, Value::Bytes(&names[0]), user_session, Value::Bytes(&names[1])];
    let rows = database.read(&LOAD_BOTH, &values).await?;
    rows.first().map_or(Ok([None, None]), |row| Ok([row.entry(0)?, row.entry(1)?]))
}

pub(super) async fn replace(
    database: &Database,
    key: &Key,
    replacement: &Replacement<'_>,
) -> Result<Replaced, Failure> {
    if database.dialect.nests_writes() && replace_at_once(database, key, replacement).await? {
        return Ok(Replaced::Applied);
    }
    replace_in_steps(database, key, replacement).await
}

/// Answers whether it was applied. If not, that does not say why: it may be one for which it takes steps.
async fn replace_at_once(database: &Database, key: &Key, replacement: &Replacement<'_>) -> Result<bool, Failure> {
    let Replacement { asked_by: Some(session), expected: Some(expected), standing, entry, keep_for, outgoing, look_in } =
        replacement
    else {
        return Ok(false);
    };
    let idle = match standing {
        Standing::Any => Value::Number(-1),
        Standing::Lives(idle) => Value::span(*idle),
        Standing::Lapsed(_) => return Ok(false),
    };
    let values = [
        database.time.now(),
        Value::Text(key.realm()),
        Value::Bytes(&name(key)),
        Value::Bytes(expected.as_bytes()),
        Value::Bytes(entry.as_bytes()),
        Value::span(*keep_for),
        Value::Bytes(&name(session)),
        idle,
        Value::Number(key.shard().into()),
        Value::Bytes(outgoing.map_or(&[], |outgoing| outgoing.id.as_bytes())),
        Value::Bytes(outgoing.map_or(&[], |outgoing| &outgoing.sealed)),
        look_in.map_or(Value::Number(-1), Value::span),
    ];
    Ok(database.write(&REPLACE, &values).await? > 0)
}

async fn replace_in_steps(database: &Database, key: &Key, replacement: &Replacement<'_>) -> Result<Replaced, Failure> {
    let mut transaction = database.begin().await?;
    let refusal = match look(&mut transaction, database.time.now(), key, replacement).await? {
        Ok(times) if put(&mut transaction, key, replacement, &times).await? => None,
        // One began where there was none.
        Ok(_) => match look(&mut transaction, database.time.now(), key, replacement).await? {
            Ok(_) => return Err(Cause::Overtaken.into()),
            Err(refusal) => Some(refusal),
        },
        Err(refusal) => Some(refusal),
    };
    match refusal {
        Some(refusal) => {
            transaction.take_back().await;
            Ok(refusal)
        }
        None => {
            transaction.commit().await?;
            Ok(Replaced::Applied)
        }
    }
}

/// What time it is, and when the replacement will have been touched last; or why there is to be none.
async fn look(
    transaction: &mut Transaction<'_>,
    now: Value<'_>,
    key: &Key,
    replacement: &Replacement<'_>,
) -> Result<Result<Times, Replaced>, Failure> {
    let session = replacement.asked_by.as_ref().map(name);
    // No name is as short as that of nobody.
    let session = Value::Bytes(session.as_ref().map_or(&[], |name| name));
    let values = [now, Value::Text(key.realm()), session, Value::Bytes(&name(key))];
    let row = transaction.fetch_one(&LOOK, &values).await?;
    let (is_live, there, now) = (row.number(0)? == 1, row.entry(1)?, row.time(2)?);
    let refusal = replacement.refusal(there.as_ref(), |_| is_live, now);
    let touched = there.map_or(now, |there| there.touched().max(now));
    Ok(refusal.map_or(Ok(Times { now, touched }), Err))
}

/// Answers whether it did: not where one began meanwhile.
async fn put(
    transaction: &mut Transaction<'_>,
    key: &Key,
    replacement: &Replacement<'_>,
    times: &Times,
) -> Result<bool, Failure> {
    let mut entry = replacement.entry.clone();
    entry.touch(times.touched);
    let values = [
        Value::time(times.now),
        Value::Text(key.realm()),
        Value::Bytes(&name(key)),
        Value::Bytes(entry.as_bytes()),
        Value::span(replacement.keep_for),
        Value::Bytes(replacement.expected.as_ref().map_or(&[], |id| id.as_bytes())),
    ];
    if transaction.execute(&PUT, &values).await? == 0 {
        return Ok(false);
    }
    if let Some(Outgoing { id, sealed }) = replacement.outgoing {
        let shard = Value::Number(key.shard().into());
        let values = [Value::Text(key.realm()), shard, Value::Bytes(id.as_bytes()), Value::Bytes(sealed)];
        transaction.execute(&PUT_OUT, &values).await?;
    }
    due::note(transaction, Value::time(times.now), key, replacement).await?;
    Ok(true)
}

pub(super) async fn renew(
    database: &Database,
    key: &Key,
    seen: Timestamp,
    idle: Duration,
    keep_for: Duration,
) -> Result<bool, Failure> {
    let values = [
        database.time.now(),
        Value::Text(key.realm()),
        Value::Bytes(&name(key)),
        Value::Bytes(&seen.to_bytes()),
        Value::span(idle),
        Value::span(keep_for),
    ];
    Ok(database.write(&RENEW, &values).await? > 0)
}

pub(super) async fn outbox(
    database: &Database,
    realm: &'static str,
    shard: u8,
    limit: usize,
) -> Result<Vec<Outgoing>, Failure> {
    let values = [Value::Text(realm), Value::Number(shard.into()), Value::limit(limit)];
    let rows = database.read(&OUTBOX, &values).await?;
    rows.iter().map(|row| Ok(Outgoing { id: row.id(0)?, sealed: row.bytes(1)? })).collect()
}

pub(super) async fn full_outboxes(database: &Database, realm: &'static str) -> Result<Vec<(u8, usize)>, Failure> {
    let rows = database.read(&FULL, &[Value::Text(realm)]).await?;
    let full = rows.iter().map(|row| Ok((row.number(0)?, row.number(1)?))).collect::<Result<Vec<_>, Failure>>()?;
    let full = full.into_iter().filter_map(|(shard, some)| Some((shard.try_into().ok()?, some.try_into().ok()?)));
    // It may have been taken out between one look and the next.
    Ok(full.filter(|(_, some)| *some > 0).collect())
}

pub(super) async fn sent(database: &Database, realm: &'static str, shard: u8, ids: &[Uuid]) -> Result<(), Failure> {
    if ids.is_empty() {
        return Ok(());
    }
    let listed = listed(ids);
    let values = [Value::Text(realm), Value::Number(shard.into()), Value::Text(&listed)];
    database.write(&SENT, &values).await.map(drop)
}
