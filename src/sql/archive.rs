//! Ended sessions: what is added, what a user has, and how many there are.

use super::database::Database;
use super::dialect::Statement;
use super::failure::Failure;
use super::link::{Row, Value};
use crate::archive::{Count, EndReason, EndedSession, HistoryPage, Place, Steps};
use crate::id::UserId;
use serde_json::{Value as Json, json};
use std::borrow::Cow;
use uuid::Uuid;

/// Those that are there stay as they are.
pub(super) static ADD: Statement = Statement::new(
    "INSERT INTO thin_archive (layer, id, user_id, kind, reason, began, ended, updates, payload) {ended}
    ON CONFLICT (id, layer) DO NOTHING",
);

/// Those whose ids are highest, or lowest. Where any kind or reason will do, that is said by a parameter.
macro_rules! history {
    ($order:literal) => {
        Statement::new(concat!(
            "SELECT {bytes_of_id}(id), kind, reason, began, ended, updates, CAST(payload AS TEXT) FROM thin_archive
            WHERE layer = $1 AND user_id = $2 AND id >= {id_of}($3) AND id <= {id_of}($4)
                AND ($5 = 0 OR kind = $6) AND ($7 = '' OR reason = $7) AND ended >= $8 AND ended < $9
            ORDER BY id ",
            $order,
            " LIMIT $10"
        ))
    };
}

static LATEST: Statement = history!("DESC");
static NEXT: Statement = history!("ASC");

/// All that is asked for stands in an index.
static COUNTS: Statement = Statement::new(
    "SELECT (ended - $2) / $3, kind, reason, count(*) FROM thin_archive
    WHERE layer = $1 AND ended >= $2 AND ended < $4 AND ($5 = 0 OR kind = $6)
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
);

/// What [`ADD`] is given: one text for any number of sessions, so that they are one statement.
pub(super) fn listed<'a>(ended: impl IntoIterator<Item = &'a EndedSession>) -> String {
    let listed = ended.into_iter().map(|ended| {
        json!({
            "id": digits(&ended.id),
            "user_id": ended.user.as_ref().map(|user| kept(user.as_str())),
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
    page: &HistoryPage<'_>,
) -> Result<Vec<EndedSession>, Failure> {
    let Some((lowest, highest)) = page.ids() else { return Ok(Vec::new()) };
    let (user_id, lowest, highest) = (kept(user.as_str()), digits(&lowest), digits(&highest));
    let kind = page.kind.map(kept);
    let values = [
        Value::Text(layer),
        Value::Text(&user_id),
        Value::Text(&lowest),
        Value::Text(&highest),
        Value::Number(kind.is_some().into()),
        Value::Text(kind.as_deref().unwrap_or_default()),
        Value::Text(page.reason.map_or("", EndReason::as_str)),
        Value::time(page.since.unwrap_or_default()),
        page.until.map_or(Value::Number(i64::MAX), Value::time),
        Value::limit(page.limit),
    ];
    let statement = match page.place {
        Place::Latest | Place::Before(_) => &LATEST,
        Place::After(_) => &NEXT,
    };
    let rows = database.read(statement, &values).await?;
    let some = rows.iter().map(|row| past(user, row)).collect::<Result<_, _>>()?;
    Ok(page.cut(some, |ended: &EndedSession| ended.id))
}

pub(super) async fn counts(
    database: &Database,
    layer: &'static str,
    kind: Option<&str>,
    steps: Steps,
) -> Result<Vec<Count>, Failure> {
    let kind = kind.map(kept);
    let values = [
        Value::Text(layer),
        Value::time(steps.from()),
        Value::Number(steps.each().try_into().unwrap_or(i64::MAX)),
        Value::time(steps.to()),
        Value::Number(kind.is_some().into()),
        Value::Text(kind.as_deref().unwrap_or_default()),
    ];
    let count = |row: &Row| {
        let [number, sessions] = [row.number(0)?, row.number(3)?].map(|number| number.try_into().unwrap_or_default());
        let (kind, reason) = (unkept(&row.text(1)?), EndReason::from_words(&row.text(2)?)?);
        Ok(Count { from: steps.begin(number), kind, reason, sessions })
    };
    database.read(&COUNTS, &values).await?.iter().map(count).collect()
}

fn past(user: &UserId, row: &Row) -> Result<EndedSession, Failure> {
    Ok(EndedSession {
        id: row.id(0)?,
        user: Some(user.clone()),
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

pub(super) fn unkept(text: &str) -> String {
    ESCAPES.iter().rev().fold(text.to_owned(), |text, (from, to)| text.replace(to, from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_comes_back_as_it_was(text in "[\0\u{1a}01a]{0,8}", other in "[\0\u{1a}01a]{0,8}") {
            prop_assert!(!kept(&text).contains('\0'));
            prop_assert_eq!(unkept(&kept(&text)), text.clone());
            prop_assert_eq!(kept(&text) == kept(&other), text == other);
        }
    }

    #[cfg(feature = "sqlite")]
    #[tokio::test]
    async fn analysts_see_ids_and_times() {
        use crate::archive::Timestamp;
        use crate::sql::{link::Target, schema};

        static SHOWN: Statement = Statement::new("SELECT id || ' ' || began || ' ' || ended FROM thin_history");

        let folder = tempfile::tempdir().unwrap();
        let database = Database::with_one_writer(Target::sqlite(&folder.path().join("db")), 1);
        schema::lay_out(&database).await.unwrap();
        let id = Uuid::from_u128(0x018b_cfe5_6800_7000_8000_0000_0000_00ff);
        let [began, ended] = [1_700_000_000_000, 1_700_000_000_042].map(Timestamp::from_millis);
        let (user, reason) = (Some(UserId::new("ada").unwrap()), EndReason::Completed);
        let kind = "transfer".to_owned();
        let transfer = EndedSession { id, user, kind, reason, began, ended, updates: 1, payload: "1".into() };
        add(&database, "", &[transfer]).await.unwrap();
        let told = database.read(&SHOWN, &[]).await.unwrap()[0].text(0).unwrap();
        assert_eq!(told, format!("{id} 2023-11-14T22:13:20.000Z 2023-11-14T22:13:20.042Z"));
    }
}
