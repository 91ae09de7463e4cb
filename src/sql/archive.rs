//! Ended sessions: what is added, and what a user has.

use super::database::Database;
use super::dialect::Statement;
use super::failure::Failure;
use super::link::{Row, Value};
use crate::archive::{EndReason, EndedSession};
use crate::id::UserId;
use serde_json::{Value as Json, json};
use std::borrow::Cow;
use uuid::Uuid;

/// Those that are there stay as they are.
pub(super) static ADD: Statement = Statement::new(
    "INSERT INTO thin_archive (layer, id, user_id, kind, reason, began, ended, updates, payload) {ended}
    ON CONFLICT (id, layer) DO NOTHING",
);

static HISTORY: Statement = Statement::new(
    "SELECT {bytes_of_id}(id), kind, reason, began, ended, updates, CAST(payload AS TEXT) FROM thin_archive
    WHERE layer = $1 AND user_id = $2 AND id <= {id_of}($3) ORDER BY id DESC LIMIT $4",
);

/// What [`ADD`] is given: one text for any number of sessions, so that they are one statement.
pub(super) fn listed<'a>(ended: impl IntoIterator<Item = &'a EndedSession>) -> String {
    let listed = ended.into_iter().map(|ended| {
        json!({
            "id": digits(&ended.id),
            "user_id": kept(ended.user.as_str()),
            "kind": kept(&ended.kind),
            "reason": ended.reason.as_str(),
            "began": ended.began.as_millis(),
            "ended": ended.ended.as_millis(),
            "updates": ended.updates,
            "payload": ended.payload,
        })
    });
    Json::Array(listed.collect()).to_string()
}

pub(super) async fn add(database: &Database, layer: &'static str, ended: &[EndedSession]) -> Result<(), Failure> {
    if ended.is_empty() {
        return Ok(());
    }
    database.write(&ADD, &[Value::Text(layer), Value::Text(&listed(ended))]).await.map(drop)
}

pub(super) async fn history(
    database: &Database,
    layer: &'static str,
    user: &UserId,
    before: Option<Uuid>,
    limit: usize,
) -> Result<Vec<EndedSession>, Failure> {
    let highest = before.map_or(Some(u128::MAX), |before| before.as_u128().checked_sub(1));
    let Some(highest) = highest else { return Ok(Vec::new()) };
    let (user_id, highest) = (kept(user.as_str()), digits(&Uuid::from_u128(highest)));
    let values = [Value::Text(layer), Value::Text(&user_id), Value::Text(&highest), Value::limit(limit)];
    database.read(&HISTORY, &values).await?.iter().map(|row| past(user, row)).collect()
}

fn past(user: &UserId, row: &Row) -> Result<EndedSession, Failure> {
    Ok(EndedSession {
        id: row.id(0)?,
        user: user.clone(),
        kind: unkept(&row.text(1)?),
        reason: EndReason::from_words(&row.text(2)?)?,
        began: row.time(3)?,
        ended: row.time(4)?,
        updates: u32::try_from(row.number(5)?).unwrap_or(u32::MAX),
        payload: row.text(6)?,
    })
}

/// An id as it is named in a statement.
pub(super) fn digits(id: &Uuid) -> String {
    id.simple().to_string()
}

/// What takes the place of a character that Postgres keeps in no text, and of itself.
const ESCAPES: [(&str, &str); 2] = [("\u{1a}", "\u{1a}1a"), ("\0", "\u{1a}00")];

/// A text as it is kept: as it is, but for one of its characters that nobody uses.
pub(super) fn kept(text: &str) -> Cow<'_, str> {
    let escape = |text: Cow<'_, str>, (from, to): (&str, &str)| Cow::Owned(text.replace(from, to));
    if text.contains(['\0', '\u{1a}']) { ESCAPES.into_iter().fold(text.into(), escape) } else { text.into() }
}

fn unkept(text: &str) -> String {
    ESCAPES.iter().rev().fold(text.to_owned(), |text, (from, to)| text.replace(to, from))
}
