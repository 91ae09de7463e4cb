//! Telling news: into a table, under numbers that become visible in order.

use super::account::Account;
use super::database::{Database, Transaction};
use super::dialect::Statement;
use super::failure::Failure;
use super::link::Value;
use crate::clock::{LEEWAY, Timestamp};
use crate::store::{Revocation, Revoked};
use std::collections::BTreeMap;

static TELL: Statement = Statement::new("INSERT INTO thin_news (realm, news, until, told) VALUES ($2, $3, $4, {now})");

/// Tells news in a transaction, of which it is the last thing: whoever tells others waits until it has ended.
pub(super) async fn tell(
    transaction: &mut Transaction<'_>,
    realm: &'static str,
    now: Value<'_>,
    news: &[Revocation],
) -> Result<(), Failure> {
    if news.is_empty() {
        return Ok(());
    }
    transaction.before_news().await?;
    for news in news {
        let (bytes, until) = (news.to_bytes(), news.until.plus(LEEWAY));
        let values = [now, Value::Text(realm), Value::Bytes(&bytes), Value::time(until)];
        transaction.execute(&TELL, &values).await?;
    }
    Ok(())
}

/// Tells news that stand alone.
pub(super) async fn publish(database: &Database, realm: &'static str, news: &Revocation) -> Result<(), Failure> {
    let mut transaction = database.begin().await?;
    tell(&mut transaction, realm, database.time.now(), &[*news]).await?;
    transaction.commit().await?;
    database.told(&[*news]);
    Ok(())
}

/// Tells again what a store has lost, and puts the epochs of users back where they were.
pub(super) async fn give_back(database: &Database, realm: &'static str, lost: &[Revocation]) -> Result<(), Failure> {
    // In order: of two who do this at once neither waits for the other in a circle.
    let mut epochs = BTreeMap::new();
    for news in lost {
        if let Revoked::User(user, epoch, _) = news.revoked {
            let latest = epochs.entry(user).or_insert((epoch, Timestamp::default()));
            *latest = (*latest).max((epoch, news.until));
        }
    }
    let mut transaction = database.begin().await?;
    for (user, (epoch, until)) in &epochs {
        let account = Account::hold(&mut transaction, database.time.now(), realm, user).await?;
        account.raise(&mut transaction, *epoch, *until).await?;
    }
    tell(&mut transaction, realm, database.time.now(), lost).await?;
    transaction.commit().await?;
    database.told(lost);
    Ok(())
}
