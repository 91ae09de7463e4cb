//! Forgetting what has expired: it counts as absent anyway, and goes as the store is used.
//!
//! Nothing that changes with each request has an index, so a table is walked by its names, some at a time.

use super::database::Database;
use super::dialect::Statement;
use super::failure::Failure;
use super::link::Value;
use super::parting::send_expired;
use crate::clock::Timestamp;
use crate::id::Epoch;
use crate::telemetry;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

/// How often what has expired is looked for, by all processes together.
const EVERY: Duration = Duration::from_secs(60);

/// How often in a row a step may fail before the rest is left to the next time.
const FAILURES: u32 = 5;

/// Claims the next sweep.
static CLAIM: Statement = Statement::new("UPDATE thin_sweep SET due = {now} + $2 WHERE id = 1 AND due <= {now}");

static NOW: Statement = Statement::new("SELECT {now}");

/// How a table is walked, a thousand rows at a time: where the next rows end that are looked at, and which of them go.
struct Walk {
    end: Statement,
    delete: Statement,
    /// For how much longer something is kept than it matters.
    spare: Duration,
    /// Whether some of the rows go out before they go.
    sends: bool,
}

macro_rules! walk {
    ($table:literal by $name:literal until $until:literal and $spare:expr, sends: $sends:literal) => {
        Walk {
            end: Statement::new(concat!(
                "SELECT realm, ",
                $name,
                " FROM ",
                $table,
                " WHERE (realm, ",
                $name,
                ") > ($1, $2) ORDER BY realm, ",
                $name,
                " LIMIT 1 OFFSET 999"
            )),
            // That the rows are few is said, not left to be estimated: or all would be looked at.
            delete: Statement::new(concat!(
                "DELETE FROM ",
                $table,
                " WHERE (realm, ",
                $name,
                ") IN (SELECT realm, ",
                $name,
                " FROM ",
                $table,
                " WHERE (realm, ",
                $name,
                ") > ($2, $3) ORDER BY realm, ",
                $name,
                " LIMIT 1000) AND ",
                $until,
                " <= {now} - $4"
            )),
            spare: $spare,
            sends: $sends,
        }
    };
}

static WALKS: [Walk; 3] = [
    walk!("thin_session" by "name" until "expires" and Duration::ZERO, sends: true),
    // The servers' clocks may be behind the database's: what could still live is still named.
    walk!("thin_member" by "name" until "deadline" and Epoch::SPARE, sends: false),
    walk!("thin_user" by "owner" until "until" and Duration::ZERO, sends: false),
];

/// News and settled attempts say themselves when they are past.
static FORGET: [Statement; 2] = [
    Statement::new(
        "DELETE FROM thin_news WHERE id IN (SELECT id FROM thin_news WHERE until <= {now} ORDER BY until LIMIT 1000)",
    ),
    Statement::new(
        "DELETE FROM thin_settled WHERE (layer, id, attempt) IN (
            SELECT layer, id, attempt FROM thin_settled WHERE until <= {now} ORDER BY until LIMIT 1000)",
    ),
];

/// A place in a table: after the row of this name.
struct Place {
    realm: String,
    name: Vec<u8>,
}

impl Place {
    const FIRST: Self = Self { realm: String::new(), name: Vec::new() };
}

/// The task that sweeps. It ends with the store.
#[derive(Default)]
pub(super) struct Sweeper(Mutex<State>);

#[derive(Default)]
struct State {
    due: Timestamp,
    task: Option<AbortHandle>,
}

impl Sweeper {
    /// Sweeps beside whoever uses the store, if it is time.
    pub(super) fn sweep_if_due(&self, database: &Database) {
        let now = database.time.about_now();
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_running = state.task.as_ref().is_some_and(|task| !task.is_finished());
        if state.due <= now && !is_running {
            state.due = now.plus(EVERY);
            let database = database.clone();
            let sweep = async move {
                if let Err(failure) = sweep(&database).await {
                    telemetry::not_swept(&failure);
                }
            };
            state.task = Some(tokio::spawn(sweep).abort_handle());
        }
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        if let Some(task) = &self.0.get_mut().unwrap_or_else(PoisonError::into_inner).task {
            task.abort();
        }
    }
}

async fn sweep(database: &Database) -> Result<(), Failure> {
    if database.write(&CLAIM, &[database.time.now(), Value::span(EVERY)]).await? == 0 {
        return Ok(());
    }
    for walk in &WALKS {
        let mut place = Some(Place::FIRST);
        let mut failures = 0;
        while let Some(from) = &place {
            let began = Instant::now();
            match walk.step(database, from).await {
                Ok(next) => (place, failures) = (next, 0),
                Err(failure) if failures >= FAILURES => return Err(failure),
                Err(_) => failures += 1,
            }
            // At most half of the time, so that others get on.
            sleep(began.elapsed()).await;
        }
    }
    for forget in &FORGET {
        while database.write(forget, &[database.time.now()]).await? > 0 {}
    }
    Ok(())
}

impl Walk {
    /// Looks at some rows. Answers where to go on, if there are more.
    async fn step(&'static self, database: &Database, from: &Place) -> Result<Option<Place>, Failure> {
        let after = [Value::Text(&from.realm), Value::Bytes(&from.name)];
        let rows = database.read(&self.end, &after).await?;
        let next =
            rows.first().map(|row| Ok::<_, Failure>(Place { realm: row.text(0)?, name: row.bytes(1)? })).transpose()?;
        let ([realm, name], spare) = (after, Value::span(self.spare));
        if !self.sends {
            database.write(&self.delete, &[database.time.now(), realm, name, spare]).await?;
            return Ok(next);
        }
        let mut transaction = database.begin().await?;
        let now = transaction.fetch_one(&NOW, &[database.time.now()]).await?.time(0)?;
        send_expired(&mut transaction, now, [realm, name, spare]).await?;
        transaction.execute(&self.delete, &[Value::time(now), realm, name, spare]).await?;
        transaction.commit().await?;
        Ok(next)
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::super::link::Target;
    use super::super::schema;
    use super::super::time::Time;
    use super::*;
    use crate::clock::Clock;

    static COUNT: Statement = Statement::new("SELECT count(*) FROM thin_session");
    static SENT: Statement =
        Statement::new("SELECT count(*), max(shard), max(hex(id)), max(hex(sealed)) FROM thin_outbox");

    #[tokio::test]
    async fn a_step_looks_at_a_thousand_rows_and_a_walk_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::with_one_writer(Target::sqlite(&folder.path().join("db")), 1);
        schema::lay_out(&database).await.unwrap();
        // Every third is to stay; they are of two layers.
        let mut transaction = database.begin().await.unwrap();
        let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
            INSERT INTO thin_session SELECT CASE i % 2 WHEN 0 THEN '' ELSE 'admin' END, CAST(printf('%017d', i) AS BLOB),
            x'00', CASE i % 3 WHEN 0 THEN 4000000000000 ELSE 5 END FROM n";
        transaction.say(rows).await.unwrap();
        transaction.commit().await.unwrap();
        let database = database.with_time(Time::of(Clock::manual()));
        let mut left = vec![2500];
        let mut place = Some(Place::FIRST);
        while let Some(from) = place {
            place = WALKS[0].step(&database, &from).await.unwrap();
            left.push(database.read(&COUNT, &[]).await.unwrap()[0].number(0).unwrap());
        }
        assert_eq!(left.len(), 4, "in three steps");
        assert!(left.windows(2).all(|pair| (1..=1000).contains(&(pair[0] - pair[1]))), "{left:?}");
        assert_eq!(left[3], 833);
    }

    /// Which is found among all that has expired, and only that.
    #[tokio::test]
    async fn what_goes_to_the_archive_goes_out_before_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::with_one_writer(Target::sqlite(&folder.path().join("db")), 1);
        schema::lay_out(&database).await.unwrap();
        // Each third is one, each second has expired, some are markers; the shards are 0 to 255.
        let mut transaction = database.begin().await.unwrap();
        let rows = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2303)
            INSERT INTO thin_session SELECT '', unhex(printf('%02x%032x', i % 256, i)),
                unhex(printf('%02x%02x', iif(i % 3 = 0, 2, 1), iif(i % 5 = 0, 1, 0)) || printf('%058x', 0) || printf('%032x', i)),
                iif(i % 2 = 0, 7, 4000000000000) FROM n";
        transaction.say(rows).await.unwrap();
        transaction.commit().await.unwrap();
        let database = database.with_time(Time::of(Clock::manual()));
        let mut place = Some(Place::FIRST);
        while let Some(from) = place {
            place = WALKS[0].step(&database, &from).await.unwrap();
        }
        let sent = &database.read(&SENT, &[]).await.unwrap()[0];
        let wanted: Vec<_> = (0..2304).filter(|i| i % 6 == 0 && i % 5 != 0).collect();
        assert_eq!(sent.number(0).unwrap(), i64::try_from(wanted.len()).unwrap());
        assert_eq!(sent.number(1).unwrap(), wanted.iter().map(|i| i % 256).max().unwrap());
        let last = wanted.last().unwrap();
        assert_eq!(sent.text(2).unwrap(), format!("{last:032X}"));
        let front = format!("0109{:012X}{last:032X}0200", 7);
        assert!(sent.text(3).unwrap().starts_with(&front), "{}", sent.text(3).unwrap());
        assert_eq!(database.read(&COUNT, &[]).await.unwrap()[0].number(0).unwrap(), 2304 / 2);
    }
}
