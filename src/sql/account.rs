//! A user's row: held by whoever changes the user's sessions, and the keeper of the epoch.

use super::database::Transaction;
use super::dialect::Statement;
use super::failure::Failure;
use super::link::Value;
use crate::clock::Timestamp;
use crate::id::{Epoch, UserDigest};

/// Writes what is there, or an epoch that has run out: so the row is held from here on, and what follows sees all that
/// was done by those who held it before.
static HOLD: Statement = Statement::new(
    "INSERT INTO thin_user (realm, owner, epoch, until) VALUES ($2, $3, 0, 0)
    ON CONFLICT (realm, owner) DO UPDATE SET epoch = thin_user.epoch RETURNING epoch, until, {now}",
);

static RAISE: Statement = Statement::new("UPDATE thin_user SET epoch = $3, until = $4 WHERE realm = $1 AND owner = $2");

/// A user in a transaction.
pub(super) struct Account<'a> {
    pub(super) realm: &'static str,
    pub(super) user: &'a UserDigest,
    /// Counts as lost when its time was up.
    pub(super) epoch: Epoch,
    /// When the row was got hold of: the time of all that is done with it.
    pub(super) now: Timestamp,
    until: Timestamp,
}

impl<'a> Account<'a> {
    /// Waits for all others who change this user's sessions. Comes first in a transaction.
    pub(super) async fn hold(
        transaction: &mut Transaction<'_>,
        now: Value<'_>,
        realm: &'static str,
        user: &'a UserDigest,
    ) -> Result<Self, Failure> {
        let values = [now, Value::Text(realm), Value::Bytes(user.as_bytes())];
        let row = transaction.fetch_one(&HOLD, &values).await?;
        let (epoch, until, now) = (row.time(0)?.as_millis(), row.time(1)?, row.time(2)?);
        let epoch = if until > now { Epoch::from_u64(epoch) } else { Epoch::default() };
        Ok(Self { realm, user, epoch, now, until })
    }

    /// Moves the epoch on, never back.
    pub(super) async fn raise(
        &self,
        transaction: &mut Transaction<'_>,
        epoch: Epoch,
        until: Timestamp,
    ) -> Result<(), Failure> {
        if epoch <= self.epoch {
            return Ok(());
        }
        let (epoch, until) = (Timestamp::from_millis(epoch.as_u64()), until.plus(Epoch::SPARE).max(self.until));
        let values = [self.realm_value(), self.user_value(), Value::time(epoch), Value::time(until)];
        transaction.execute(&RAISE, &values).await.map(drop)
    }

    pub(super) fn now_value(&self) -> Value<'static> {
        Value::time(self.now)
    }

    pub(super) fn realm_value(&self) -> Value<'static> {
        Value::Text(self.realm)
    }

    pub(super) fn user_value(&self) -> Value<'a> {
        Value::Bytes(self.user.as_bytes())
    }
}
