//! Endings of browsers' sessions. Those that go to the archive go out in the same transaction: what stood there, why and when.
//!
//! Of a session that nobody has read it is not known whether it does. Most do not, and take one statement.

use super::database::Transaction;
use super::dialect::Statement;
use super::entries::{ending, name};
use super::failure::Failure;
use super::link::Value;
use crate::clock::Timestamp;
use crate::id::WriteId;
use crate::record::EndReason;
use crate::store::{Key, Marker, Outgoing};

/// What ends a live entry: its header with another state, and a tail. $2 is the layer, $4 the expected write id or nothing.
macro_rules! end {
    ($which:literal) => {
        Statement::new(concat!(
            "UPDATE thin_session
            SET entry = CAST(substr(entry, 1, 1) || $5 || substr(entry, 3, 29 + 6 * {history}) || $6 AS {bytes}),
                expires = {now} + $7
            WHERE realm = $2 AND name = $3 AND expires > {now} AND substr(entry, 2, 1) = {live}
                AND (length($4) = 0 OR substr(entry, 3, 12) = $4)",
            $which
        ))
    };
}

/// Whether it goes to the archive or not.
static END: Statement = end!("");
/// One that does not go to the archive.
pub(super) static END_PLAIN: Statement = end!(" AND substr(entry, 1, 1) <> {archived}");

/// What goes out of `thin_session s`. What stands in front is parameter 5; when it ended comes between.
macro_rules! part {
    ($ended:literal, $which:literal) => {
        Statement::new(concat!(
            "INSERT INTO thin_outbox (realm, shard, id, sealed)
            SELECT s.realm, {shard}, substr(s.entry, 32 + 6 * {history}, 16),
                CAST($5 || ",
            $ended,
            " || substr(s.name, 2) || s.entry AS {bytes})
            FROM thin_session s WHERE substr(s.entry, 1, 1) = {archived} AND substr(s.entry, 2, 1) = {live} AND ",
            $which,
            " {lock} ON CONFLICT (realm, shard, id) DO UPDATE SET sealed = excluded.sealed"
        ))
    };
}

/// One that ends.
static PART: Statement = part!(
    "{time(}{now}{)}",
    "s.realm = $2 AND s.name = $3 AND s.expires > {now} AND (length($4) = 0 OR substr(s.entry, 3, 12) = $4)"
);

/// All of a user's but one.
static PART_ALL: Statement = part!(
    "{time(}{now}{)}",
    "s.realm = $2 AND s.expires > {now} AND s.name IN (
        SELECT m.name FROM thin_member m WHERE m.realm = $2 AND m.owner = $3 AND m.handle <> $4)"
);

/// Those of a thousand rows, from one on, whose time has run out.
static PART_EXPIRED: Statement = part!(
    "{time(}s.expires{)}",
    "s.expires <= {now} - $4 AND (s.realm, s.name) IN (
        SELECT realm, name FROM thin_session WHERE (realm, name) > ($2, $3) ORDER BY realm, name LIMIT 1000)"
);

/// Ends a session if it is as expected. Answers whether it did.
pub(super) async fn end(
    transaction: &mut Transaction<'_>,
    now: Value<'_>,
    key: &Key,
    expected: Option<&WriteId>,
    marker: &Marker,
) -> Result<bool, Failure> {
    let (name, state) = (name(key), [marker.state()]);
    let values = ending(now, key, &name, expected, &state, marker);
    if !marker.is_end() {
        return Ok(transaction.execute(&END, &values).await? > 0);
    }
    if transaction.execute(&END_PLAIN, &values).await? > 0 {
        return Ok(true);
    }
    let (front, [_, realm, name, expected, ..]) = (front(marker.tail()), values);
    if transaction.execute(&PART, &[now, realm, name, expected, Value::Bytes(&front)]).await? == 0 {
        return Ok(false);
    }
    Ok(transaction.execute(&END, &values).await? > 0)
}

/// Sends out all sessions of a user but one, before they end.
pub(super) async fn send_all(
    transaction: &mut Transaction<'_>,
    [now, realm, user, kept]: [Value<'_>; 4],
    marker: &Marker,
) -> Result<(), Failure> {
    let values = [now, realm, user, kept, Value::Bytes(&front(marker.tail()))];
    transaction.execute(&PART_ALL, &values).await.map(drop)
}

/// Sends out what has expired of a thousand rows, before they go. The time is a moment: what expires later must not go unsent.
pub(super) async fn send_expired(
    transaction: &mut Transaction<'_>,
    now: Timestamp,
    [realm, name, spare]: [Value<'_>; 3],
) -> Result<(), Failure> {
    let front = front(&[EndReason::Expired as u8]);
    let values = [Value::time(now), realm, name, spare, Value::Bytes(&front)];
    transaction.execute(&PART_EXPIRED, &values).await.map(drop)
}

fn front(reason: &[u8]) -> Vec<u8> {
    [&[Outgoing::PARTED][..], reason].concat()
}
