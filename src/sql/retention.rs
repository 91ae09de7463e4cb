//! Ended sessions that are kept no longer: some at a time, each time in one statement, so that nobody waits for long.

use super::archive::kept;
use super::database::Database;
use super::dead;
use super::dialect::Statement;
use super::failure::Failure;
use super::link::Value;
use crate::clock::Timestamp;
use crate::id::UserId;

/// Several processes may do so at once: each passes over what another has begun with, and waits for nobody.
static FORGET: Statement = Statement::new(
    "DELETE FROM thin_archive WHERE layer = $1 AND id {any(}
        SELECT s.id FROM thin_archive s WHERE s.layer = $1 AND s.ended < $2 ORDER BY s.ended LIMIT $3 {lock} {skip}
    {any)}",
);

/// Passes over nothing: what somebody else is deleting may stay after all. In order: of two who erase the same neither waits for
/// the other in a circle.
static ERASE: Statement = Statement::new(
    "DELETE FROM thin_archive WHERE layer = $1 AND id {any(}
        SELECT s.id FROM thin_archive s WHERE s.layer = $1 AND s.user_id = $2 ORDER BY s.id LIMIT $3 {lock}
    {any)}",
);

/// The rows by which completions of the user are one at a time. Whoever waits for one that goes makes another.
static ERASE_NAME: Statement = Statement::new("DELETE FROM thin_quota WHERE layer = $1 AND user_id = $2");

pub(super) async fn forget(
    database: &Database,
    layer: &'static str,
    before: Timestamp,
    limit: usize,
) -> Result<u64, Failure> {
    let forgotten = database.write(&FORGET, &[Value::Text(layer), Value::time(before), Value::limit(limit)]).await?;
    match limit.saturating_sub(usize::try_from(forgotten).unwrap_or(usize::MAX)) {
        0 => Ok(forgotten),
        // A step of its own: a failure here leaves what was forgotten uncounted, and nothing undone.
        left => Ok(forgotten + dead::forget(database, layer, before, left).await?),
    }
}

pub(super) async fn erase(
    database: &Database,
    layer: &'static str,
    user: &UserId,
    limit: usize,
) -> Result<u64, Failure> {
    let user = kept(user.as_str());
    let (layer, user) = (Value::Text(layer), Value::Text(&user));
    let erased = database.write(&ERASE, &[layer, user, Value::limit(limit)]).await?;
    // A step of its own: whoever completes one meanwhile holds up no more than this.
    if usize::try_from(erased).is_ok_and(|erased| erased < limit) {
        database.write(&ERASE_NAME, &[layer, user]).await?;
    }
    Ok(erased)
}
