//! The operations on the sessions of a user. Each is one transaction, which first gets hold of the user's row.
//!
//! All take their locks in this order, so that none waits for another in a circle: the user, the user's sessions, the news.
//! An operation on one session holds no other lock; if it waits for that session it looks at it again when it gets it.

use super::account::Account;
use super::database::{Database, Transaction};
use super::dialect::Statement;
use super::entries::{CREATE, name};
use super::failure::{Cause, Failure};
use super::link::{Row, Value};
use super::{news, parting};
use crate::store::{Admission, Admitted, Departure, Entry, Key, Marker, Member, Outcome, Owner, Sweep, Swept};
use std::collections::BTreeSet;

/// What is under a key, to stay so until the transaction ends.
static SEE: Statement = Statement::new(
    "SELECT s.entry FROM thin_session s WHERE s.realm = $2 AND s.name = $3 AND s.expires > {now} {lock}",
);

/// The sessions that count against the limit.
static SEATS: Statement =
    Statement::new("SELECT name FROM thin_member WHERE realm = $2 AND owner = $3 AND deadline > {now}");

static JOIN: Statement = Statement::new(
    "INSERT INTO thin_member (realm, owner, name, handle, deadline) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (realm, name) DO UPDATE SET owner = excluded.owner, handle = excluded.handle, deadline = excluded.deadline",
);

/// Takes out of the index what does not live.
static LEAVE: Statement = Statement::new(
    "DELETE FROM thin_member WHERE realm = $2 AND owner = $3 AND name = $4 AND NOT EXISTS (
        SELECT 1 FROM thin_session s WHERE s.realm = thin_member.realm AND s.name = thin_member.name
            AND s.expires > {now} AND substr(s.entry, 2, 1) = {live})",
);

static HEAL: Statement = Statement::new(
    "DELETE FROM thin_member WHERE realm = $2 AND owner = $3 AND NOT EXISTS (
        SELECT 1 FROM thin_session s WHERE s.realm = thin_member.realm AND s.name = thin_member.name
            AND s.expires > {now} AND substr(s.entry, 2, 1) = {live})",
);

static MEMBERS: Statement = Statement::new(
    "SELECT m.name, m.handle, s.entry FROM thin_member m
    LEFT JOIN thin_session s ON s.realm = m.realm AND s.name = m.name AND s.expires > {now}
    WHERE m.realm = $2 AND m.owner = $3 ORDER BY m.deadline, m.name",
);

/// The session to be kept, if it lives, to stay so until the transaction ends.
static KEPT: Statement = Statement::new(
    "SELECT s.entry FROM thin_session s JOIN thin_member m ON s.realm = m.realm AND s.name = m.name
    WHERE m.realm = $2 AND m.owner = $3 AND m.handle = $4 AND s.expires > {now} AND substr(s.entry, 2, 1) = {live} {lock}",
);

/// Ends all but one.
static END_ALL: Statement = Statement::new(
    "UPDATE thin_session
    SET entry = CAST(substr(entry, 1, 1) || $5 || substr(entry, 3, 29 + 6 * {history}) || $6 AS {bytes}),
        expires = {now} + $7
    WHERE realm = $2 AND expires > {now} AND substr(entry, 2, 1) = {live} AND name IN (
        SELECT m.name FROM thin_member m WHERE m.realm = $2 AND m.owner = $3 AND m.handle <> $4)",
);

pub(super) async fn admit(database: &Database, owner: &Owner, admission: &Admission<'_>) -> Result<Admitted, Failure> {
    let mut transaction = database.begin().await?;
    let account = Account::hold(&mut transaction, database.time.now(), owner.realm(), owner.user()).await?;
    match may_admit(&mut transaction, &account, admission).await? {
        Err(refusal) => {
            transaction.take_back().await;
            Ok(refusal)
        }
        Ok(()) => {
            let mut told = Vec::new();
            for departure in leaving(admission) {
                if depart_if_meant(&mut transaction, &account, departure).await? {
                    told.extend(departure.news);
                }
            }
            join(&mut transaction, &account, admission).await?;
            account.raise(&mut transaction, admission.epoch, admission.epoch_until).await?;
            news::tell(&mut transaction, account.realm, account.now_value(), &told).await?;
            transaction.commit().await?;
            database.told(&told);
            Ok(Admitted::Admitted)
        }
    }
}

/// Whether an admission can go ahead, in which case its entry is there now; or why it is refused.
async fn may_admit(
    transaction: &mut Transaction<'_>,
    account: &Account<'_>,
    admission: &Admission<'_>,
) -> Result<Result<(), Admitted>, Failure> {
    let key = &admission.member.key;
    let new = name(key);
    let values = [
        account.now_value(),
        account.realm_value(),
        Value::Bytes(&new),
        Value::Bytes(admission.entry.as_bytes()),
        Value::span(admission.keep_for),
    ];
    if transaction.execute(&CREATE, &values).await? == 0 {
        let found = see(transaction, account, key).await?;
        return found.map(|found| Err(Admitted::Found(found))).ok_or(Cause::Overtaken.into());
    }
    if account.epoch > admission.epoch {
        return Ok(Err(Admitted::Outdated { epoch: account.epoch, now: account.now }));
    }
    if let Some(departure) = admission.predecessor {
        let found = see(transaction, account, &departure.member.key).await?;
        let as_expected = |entry: &Entry| departure.expected.is_none_or(|id| entry.write_id() == id);
        if !found.as_ref().is_some_and(|entry| entry.is_live() && as_expected(entry)) {
            return Ok(Err(Admitted::Predecessor(found)));
        }
    }
    let leaving: BTreeSet<_> = leaving(admission).map(|departure| name(&departure.member.key)).collect();
    let values = [account.now_value(), account.realm_value(), account.user_value()];
    let mut others = 0;
    for seat in transaction.fetch(&SEATS, &values).await? {
        let name = seat.bytes(0)?;
        others += usize::from(name != new && !leaving.iter().any(|leaving| leaving[..] == name));
    }
    Ok(if others < admission.limit { Ok(()) } else { Err(Admitted::Full) })
}

pub(super) async fn depart(database: &Database, owner: &Owner, departure: &Departure) -> Result<Outcome, Failure> {
    let mut transaction = database.begin().await?;
    let account = Account::hold(&mut transaction, database.time.now(), owner.realm(), owner.user()).await?;
    let is_applied = depart_if_meant(&mut transaction, &account, departure).await?;
    if !is_applied && let Some(found) = see(&mut transaction, &account, &departure.member.key).await? {
        transaction.take_back().await;
        return Ok(Outcome::Found(found));
    }
    news::tell(&mut transaction, account.realm, account.now_value(), departure.news.as_slice()).await?;
    transaction.commit().await?;
    database.told(departure.news.as_slice());
    Ok(if is_applied { Outcome::Applied } else { Outcome::Absent })
}

pub(super) async fn members(database: &Database, owner: &Owner) -> Result<Vec<(Member, Entry)>, Failure> {
    let values = [database.time.now(), Value::Text(owner.realm()), Value::Bytes(owner.user().as_bytes())];
    let rows = database.read(&MEMBERS, &values).await?;
    let mut living = Vec::new();
    for row in &rows {
        if let Some(entry) = row.entry(2)?.filter(Entry::is_live) {
            living.push((member(owner, row)?, entry));
        }
    }
    if living.len() < rows.len() {
        // It is tidying up, and no session comes back under its name: whoever reads next tries again.
        let _ = heal(database, owner).await;
    }
    Ok(living)
}

pub(super) async fn end_all(database: &Database, owner: &Owner, sweep: &Sweep) -> Result<Option<Swept>, Failure> {
    let mut transaction = database.begin().await?;
    let account = Account::hold(&mut transaction, database.time.now(), owner.realm(), owner.user()).await?;
    let (now, realm, user) = (account.now_value(), account.realm_value(), account.user_value());
    // No handle is as short as that of nobody.
    let kept = Value::Bytes(sweep.except.as_ref().map_or(&[], |handle| handle.as_bytes()));
    if sweep.except.is_some() && transaction.fetch(&KEPT, &[now, realm, user, kept]).await?.is_empty() {
        transaction.take_back().await;
        return Ok(None);
    }
    parting::send_all(&mut transaction, [now, realm, user, kept], &sweep.marker).await?;
    let (state, tail) = ([sweep.marker.state()], Value::Bytes(sweep.marker.tail()));
    let values = [now, realm, user, kept, Value::Bytes(&state), tail, Value::span(Marker::KEPT)];
    let ended = transaction.execute(&END_ALL, &values).await?;
    transaction.execute(&HEAL, &[now, realm, user]).await?;
    let epoch = account.epoch.next(account.now);
    account.raise(&mut transaction, epoch, sweep.until).await?;
    let news = sweep.news(owner, epoch);
    news::tell(&mut transaction, account.realm, account.now_value(), &[news]).await?;
    transaction.commit().await?;
    database.told(&[news]);
    Ok(Some(Swept { ended, news }))
}

/// The predecessor first.
fn leaving<'a>(admission: &'a Admission<'_>) -> impl Iterator<Item = &'a Departure> {
    admission.predecessor.into_iter().chain(admission.evicted)
}

/// Ends a session if it is as expected, and takes it out of the index if it does not live then. Answers whether it did end it.
async fn depart_if_meant(
    transaction: &mut Transaction<'_>,
    account: &Account<'_>,
    departure: &Departure,
) -> Result<bool, Failure> {
    let Departure { member: Member { key, .. }, expected, marker, .. } = departure;
    let ended = parting::end(transaction, account.now_value(), key, expected.as_ref(), marker).await?;
    let values = [account.now_value(), account.realm_value(), account.user_value(), Value::Bytes(&name(key))];
    transaction.execute(&LEAVE, &values).await?;
    Ok(ended)
}

async fn join(
    transaction: &mut Transaction<'_>,
    account: &Account<'_>,
    admission: &Admission<'_>,
) -> Result<(), Failure> {
    let Admission { member: Member { key, handle }, entry, .. } = admission;
    let name = name(key);
    let values = [
        account.realm_value(),
        account.user_value(),
        Value::Bytes(&name),
        Value::Bytes(handle.as_bytes()),
        Value::time(entry.deadline()),
    ];
    transaction.execute(&JOIN, &values).await.map(drop)
}

async fn heal(database: &Database, owner: &Owner) -> Result<(), Failure> {
    let mut transaction = database.begin().await?;
    let account = Account::hold(&mut transaction, database.time.now(), owner.realm(), owner.user()).await?;
    let values = [account.now_value(), account.realm_value(), account.user_value()];
    transaction.execute(&HEAL, &values).await?;
    transaction.commit().await
}

async fn see(transaction: &mut Transaction<'_>, account: &Account<'_>, key: &Key) -> Result<Option<Entry>, Failure> {
    let values = [account.now_value(), account.realm_value(), Value::Bytes(&name(key))];
    transaction.fetch(&SEE, &values).await?.first().map_or(Ok(None), |row| row.entry(0))
}

fn member(owner: &Owner, row: &Row) -> Result<Member, Failure> {
    // Without the shard, which is the owner's.
    let name = row.bytes(0)?;
    Ok(owner.member(&[name.get(1..).unwrap_or_default(), &row.bytes(1)?].concat())?)
}
