//! Completions, which a quota limits: of one user and kind one at a time.

use super::archive::{ADD, digits, kept, listed};
use super::database::{Database, Transaction};
use super::dialect::Statement;
use super::failure::Failure;
use super::link::Value;
use crate::archive::{Completion, EndReason, EndedSession, Quota, Timestamp, WriteId};
use crate::id::UserId;
use std::borrow::Cow;
use std::time::Duration;

/// For how long attempts that were settled are remembered.
const SETTLED: Duration = Duration::from_secs(86_400 + 3600);

/// Writes what is there: so the row is held from here on, and what follows sees all that was done by those who held it before.
static HOLD: Statement = Statement::new(
    "INSERT INTO thin_quota (layer, user_id, kind) VALUES ($2, $3, $4)
    ON CONFLICT (layer, user_id, kind) DO UPDATE SET kind = thin_quota.kind RETURNING {now}",
);

static IS_THERE: Statement = Statement::new("SELECT count(*) FROM thin_archive WHERE id = {id_of}($1) AND layer = $2");

static IS_COMPLETED: Statement =
    Statement::new("SELECT count(*) FROM thin_archive WHERE id = {id_of}($1) AND layer = $2 AND reason = $3");

static IS_SETTLED: Statement =
    Statement::new("SELECT count(*) FROM thin_settled WHERE layer = $1 AND id = $2 AND attempt = $3");

/// When the last but so many of those ended that count.
static COUNTED: Statement = Statement::new(
    "SELECT ended FROM thin_archive
    WHERE layer = $1 AND user_id = $2 AND kind = $3 AND ended > $4 AND reason = $5
    ORDER BY ended DESC LIMIT 1 OFFSET $6",
);

static SETTLE: Statement = Statement::new(
    "INSERT INTO thin_settled (layer, id, attempt, until) VALUES ($1, $2, $3, $4)
    ON CONFLICT (layer, id, attempt) DO UPDATE SET until = excluded.until",
);

/// A user's sessions of a kind, in a transaction, of which it comes first.
struct Account<'a> {
    layer: &'static str,
    ended: &'a EndedSession,
    user: Cow<'a, str>,
    kind: Cow<'a, str>,
    /// When they were got hold of.
    now: Timestamp,
}

impl<'a> Account<'a> {
    /// Waits for all others who complete or settle one.
    async fn hold(
        transaction: &mut Transaction<'_>,
        now: Value<'_>,
        layer: &'static str,
        ended: &'a EndedSession,
    ) -> Result<Self, Failure> {
        // Nobody's have no quota, nor are they completed.
        let (user, kind) = (kept(ended.user.as_ref().map_or("", UserId::as_str)), kept(&ended.kind));
        let values = [now, Value::Text(layer), Value::Text(&user), Value::Text(&kind)];
        let now = transaction.fetch_one(&HOLD, &values).await?.time(0)?;
        Ok(Self { layer, ended, user, kind, now })
    }

    async fn is_there(&self, transaction: &mut Transaction<'_>) -> Result<bool, Failure> {
        let values = [Value::Text(&digits(&self.ended.id)), Value::Text(self.layer)];
        Ok(transaction.fetch_one(&IS_THERE, &values).await?.number(0)? > 0)
    }

    /// Of one that is there.
    async fn is_completed(&self, transaction: &mut Transaction<'_>) -> Result<bool, Failure> {
        let reason = Value::Text(EndReason::Completed.as_str());
        let values = [Value::Text(&digits(&self.ended.id)), Value::Text(self.layer), reason];
        Ok(transaction.fetch_one(&IS_COMPLETED, &values).await?.number(0)? > 0)
    }

    async fn is_settled(&self, transaction: &mut Transaction<'_>, attempt: &WriteId) -> Result<bool, Failure> {
        let values =
            [Value::Text(self.layer), Value::Bytes(self.ended.id.as_bytes()), Value::Bytes(attempt.as_bytes())];
        Ok(transaction.fetch_one(&IS_SETTLED, &values).await?.number(0)? > 0)
    }

    /// When the next is possible, if none is now.
    async fn exceeded(&self, transaction: &mut Transaction<'_>, quota: Quota) -> Result<Option<Timestamp>, Failure> {
        let Some(others) = quota.limit().checked_sub(1) else { return Ok(Some(quota.next(&[], self.now))) };
        let values = [
            Value::Text(self.layer),
            Value::Text(&self.user),
            Value::Text(&self.kind),
            Value::time(quota.since(self.now)),
            Value::Text(EndReason::Completed.as_str()),
            Value::Number(others.into()),
        ];
        let last = transaction.fetch(&COUNTED, &values).await?;
        last.first().map(|row| Ok(quota.next(&[row.time(0)?], self.now))).transpose()
    }

    /// Why it is not to be completed, if anything stands against it.
    async fn refusal(
        &self,
        transaction: &mut Transaction<'_>,
        attempt: &WriteId,
        quota: Quota,
    ) -> Result<Option<Completion>, Failure> {
        if self.is_there(transaction).await? {
            let is_completed = self.is_completed(transaction).await?;
            return Ok(Some(if is_completed { Completion::Completed } else { Completion::Settled }));
        }
        if self.is_settled(transaction, attempt).await? {
            return Ok(Some(Completion::Settled));
        }
        Ok(self.exceeded(transaction, quota).await?.map(|next| Completion::Exceeded { next }))
    }
}

pub(super) async fn complete(
    database: &Database,
    layer: &'static str,
    ended: &EndedSession,
    attempt: &WriteId,
    quota: Quota,
) -> Result<Completion, Failure> {
    let mut transaction = database.begin().await?;
    let account = Account::hold(&mut transaction, database.time.now(), layer, ended).await?;
    if let Some(refusal) = account.refusal(&mut transaction, attempt, quota).await? {
        transaction.take_back().await;
        return Ok(refusal);
    }
    let completed = EndedSession { ended: account.now, ..ended.clone() };
    // Where it has come from an outbox meanwhile, it is there all the same.
    transaction.execute(&ADD, &[Value::Text(layer), Value::Text(&listed([&completed]))]).await?;
    transaction.commit().await?;
    Ok(Completion::Completed)
}

pub(super) async fn settle(
    database: &Database,
    layer: &'static str,
    ended: &EndedSession,
    attempt: Option<&WriteId>,
) -> Result<bool, Failure> {
    let Some(attempt) = attempt else {
        let values = [Value::Text(&digits(&ended.id)), Value::Text(layer)];
        let rows = database.read(&IS_THERE, &values).await?;
        return rows.first().map_or(Ok(false), |row| Ok(row.number(0)? > 0));
    };
    let mut transaction = database.begin().await?;
    let account = Account::hold(&mut transaction, database.time.now(), layer, ended).await?;
    if account.is_there(&mut transaction).await? {
        transaction.take_back().await;
        return Ok(true);
    }
    let (id, until) = (Value::Bytes(ended.id.as_bytes()), Value::time(account.now.plus(SETTLED)));
    let values = [Value::Text(layer), id, Value::Bytes(attempt.as_bytes()), until];
    transaction.execute(&SETTLE, &values).await?;
    transaction.commit().await?;
    Ok(false)
}
