//! The tables, and how a database comes by them.

use super::database::Database;
use super::dialect::Statement;
use super::failure::Failure;
use super::link::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// For how long a store tries to lay out its tables while others do the same, or are just starting.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// What makes each version of the one before it. What stands here was in a release and is never changed: append.
const VERSIONS: [&[&str]; 1] = [&[
    // What changes with each request: one row is one session or marker, found by its name alone.
    "CREATE TABLE thin_session (
            realm {text} NOT NULL, name {bytes} NOT NULL, entry {bytes} NOT NULL, expires BIGINT NOT NULL,
            PRIMARY KEY (realm, name)
        ) {hot}",
    // Whose each session is. A name is the name of one session only.
    "CREATE TABLE thin_member (
            realm {text} NOT NULL, name {bytes} NOT NULL, owner {bytes} NOT NULL, handle {bytes} NOT NULL,
            deadline BIGINT NOT NULL, PRIMARY KEY (realm, name)
        )",
    "CREATE INDEX thin_member_owner ON thin_member (realm, owner)",
    // Users with an epoch. Whoever changes the sessions of one holds the user's row.
    "CREATE TABLE thin_user (
            realm {text} NOT NULL, owner {bytes} NOT NULL, epoch BIGINT NOT NULL, until BIGINT NOT NULL,
            PRIMARY KEY (realm, owner)
        )",
    // News, by numbers that become visible in order.
    "CREATE TABLE thin_news (
            id {count}, realm {text} NOT NULL, news {bytes} NOT NULL, until BIGINT NOT NULL, told BIGINT NOT NULL
        )",
    "CREATE INDEX thin_news_realm ON thin_news (realm, id)",
    "CREATE INDEX thin_news_until ON thin_news (until)",
    // What shows that a store is still the one that it was.
    "CREATE TABLE thin_mark (realm {text} PRIMARY KEY, mark {bytes} NOT NULL)",
    // What has ended, until the archive has it.
    "CREATE TABLE thin_outbox (
            realm {text} NOT NULL, shard BIGINT NOT NULL, id {bytes} NOT NULL, sealed {bytes} NOT NULL,
            PRIMARY KEY (realm, shard, id)
        )",
    // At which user sessions to look, and when. What changes with each request does not change it.
    "CREATE TABLE thin_due (
            realm {text} NOT NULL, name {bytes} NOT NULL, due BIGINT NOT NULL, PRIMARY KEY (realm, name)
        )",
    "CREATE INDEX thin_due_first ON thin_due (realm, due)",
    // The archive, for years. Times are milliseconds, and ids sort by when the sessions began. Some were nobody's.
    "CREATE TABLE thin_archive (
            layer {text} NOT NULL, id {id} NOT NULL, user_id {text}, kind {text} NOT NULL, reason {text} NOT NULL,
            began BIGINT NOT NULL, ended BIGINT NOT NULL, updates BIGINT NOT NULL, payload {json} NOT NULL,
            PRIMARY KEY (id, layer)
        )",
    "CREATE INDEX thin_archive_user ON thin_archive (layer, user_id, id)",
    "CREATE INDEX thin_archive_quota ON thin_archive (layer, user_id, kind, ended)",
    // By the last two it is counted without a look at the table.
    "CREATE INDEX thin_archive_ended ON thin_archive (layer, ended, kind, reason)",
    // The same for people.
    "CREATE VIEW thin_history AS SELECT {shown} FROM thin_archive",
    // What could not be converted, as it was in the outbox, until a process comes that can.
    "CREATE TABLE thin_dead_letter (
            layer {text} NOT NULL, id {id} NOT NULL, why {text} NOT NULL, since BIGINT NOT NULL, sealed {bytes} NOT NULL,
            PRIMARY KEY (layer, id)
        )",
    "CREATE INDEX thin_dead_letter_since ON thin_dead_letter (layer, since)",
    // Users and kinds that were completed. Whoever completes one holds the row.
    "CREATE TABLE thin_quota (
            layer {text} NOT NULL, user_id {text} NOT NULL, kind {text} NOT NULL, PRIMARY KEY (layer, user_id, kind)
        )",
    // Attempts to complete that come to nothing.
    "CREATE TABLE thin_settled (
            layer {text} NOT NULL, id {bytes} NOT NULL, attempt {bytes} NOT NULL, until BIGINT NOT NULL,
            PRIMARY KEY (layer, id, attempt)
        )",
    "CREATE INDEX thin_settled_until ON thin_settled (until)",
    // When the next process may sweep.
    "CREATE TABLE thin_sweep (id BIGINT PRIMARY KEY, due BIGINT NOT NULL)",
    "INSERT INTO thin_sweep (id, due) VALUES (1, 0)",
]];

static VERSION: Statement = Statement::new("SELECT version FROM thin_schema ORDER BY version DESC LIMIT 1");
static PLACE: Statement = Statement::new("CREATE TABLE IF NOT EXISTS thin_schema (version BIGINT PRIMARY KEY)");
static NOTE: Statement = Statement::new("INSERT INTO thin_schema (version) VALUES ($1)");

/// Brings the tables up to date. Of several processes that start at once one does it, and the others find it done.
pub(super) async fn lay_out(database: &Database) -> Result<(), Failure> {
    let give_up = Instant::now() + PATIENCE;
    loop {
        match lay_out_once(database, give_up).await {
            Err(failure) if failure.is_passing(database.dialect) && Instant::now() < give_up => sleep(PAUSE).await,
            answer => return answer,
        }
    }
}

async fn is_laid_out(database: &Database) -> Result<bool, Failure> {
    match database.read(&VERSION, &[]).await {
        // A newer release may have been here: it only adds.
        Ok(rows) => Ok(version(&rows)? >= VERSIONS.len()),
        Err(failure) if failure.is_refusal() => Ok(false),
        Err(failure) => Err(failure),
    }
}

async fn lay_out_once(database: &Database, give_up: Instant) -> Result<(), Failure> {
    // Nothing is created where nothing is missing: later starts need no right to.
    if is_laid_out(database).await? {
        return Ok(());
    }
    let mut transaction = database.begin().await?;
    transaction.until(give_up);
    for words in database.dialect.begin_layout() {
        transaction.say(words).await?;
    }
    transaction.execute(&PLACE, &[]).await?;
    let rows = transaction.fetch(&VERSION, &[]).await?;
    for (number, statements) in (1..).zip(&VERSIONS).skip(version(&rows)?) {
        for statement in *statements {
            transaction.say(&database.dialect.translate(statement)).await?;
        }
        for words in database.dialect.end_layout() {
            transaction.say(words).await?;
        }
        transaction.execute(&NOTE, &[Value::Number(number)]).await?;
    }
    // Once more is as good as once: what it comes to is read again by whoever starts next.
    transaction.commit().await.map_err(Failure::harmless)
}

fn version(rows: &[super::link::Row]) -> Result<usize, Failure> {
    let number = rows.first().map_or(Ok(0), |row| row.number(0))?;
    Ok(usize::try_from(number).unwrap_or_default())
}
