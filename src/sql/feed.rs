//! Following news: one who reads the table to its end again and again, and tells a store again what it has lost.

use super::database::{Database, OwnLink};
use super::dialect::Statement;
use super::failure::Failure;
use super::link::Value;
use super::news::give_back;
use crate::clock::Clock;
use crate::id::nonce;
use crate::store::{Revocation, Revocations};
use crate::telemetry;
use std::collections::HashSet;
use std::convert::Infallible;
use std::ops::Range;
use std::time::Duration;
use tokio::time::sleep;

/// How many news are read in one go.
const BATCH: usize = 500;
/// How many are told again in one transaction.
const CHUNK: usize = 25;
/// For how many milliseconds nobody connects after the first failure, and at most how often that is doubled.
const PAUSE: Range<u64> = 20..100;
const DOUBLED: u32 = 4;

static READ: Statement =
    Statement::new("SELECT id, news, told FROM thin_news WHERE realm = $1 AND id > $2 ORDER BY id LIMIT 500");

static MARK: Statement = Statement::new("SELECT mark FROM thin_mark WHERE realm = $1");
static SET_MARK: Statement =
    Statement::new("INSERT INTO thin_mark (realm, mark) VALUES ($1, $2) ON CONFLICT (realm) DO NOTHING");

struct Feed<'a> {
    database: &'a Database,
    realm: &'static str,
    known: &'a Revocations,
    /// The number of the last that was read.
    read: i64,
    mark: Option<Vec<u8>>,
    /// Whether what comes is new, and not read again.
    is_level: bool,
    /// What is known and was not read since the mark has changed.
    missing: HashSet<Revocation>,
}

/// Goes on over every failure.
pub(super) async fn follow(database: &Database, realm: &'static str, known: &Revocations) {
    let (mark, missing) = (None, HashSet::new());
    let mut feed = Feed { database, realm, known, read: 0, mark, is_level: false, missing };
    let mut failures = 0;
    loop {
        let Err(failure) = feed.listen(&mut failures).await;
        // Once for an outage, not for each try.
        if failures == 0 {
            telemetry::follow_failed(&failure);
        }
        sleep(Duration::from_millis(rand::random_range(PAUSE) << failures.min(DOUBLED))).await;
        failures = failures.saturating_add(1);
        // Another server may have taken over, which had not seen everything.
        feed.read = 0;
        feed.is_level = false;
    }
}

impl Feed<'_> {
    /// Listens for as long as the connection lasts. Sets `failures` back when all has been heard.
    async fn listen(&mut self, failures: &mut u32) -> Result<Infallible, Failure> {
        // Before the first look, so that whatever comes after it is heard.
        let mut ears = self.database.ears().await?;
        let mut link = self.database.own().await?;
        loop {
            self.check_mark(&mut link).await?;
            while self.read_on(&mut link).await? {}
            self.is_level = true;
            self.known.heard();
            self.tell_again().await?;
            *failures = 0;
            ears.wait().await?;
        }
    }

    /// Answers whether there may be more.
    async fn read_on(&mut self, link: &mut OwnLink<'_>) -> Result<bool, Failure> {
        let rows = link.read(&READ, &[Value::Text(self.realm), Value::Number(self.read)]).await?;
        for row in &rows {
            self.read = row.number(0)?;
            // What does not parse is of a kind that a newer release knows.
            let Ok(news) = Revocation::from_bytes(&row.bytes(1)?) else { continue };
            if self.known.learn(&news) && self.is_level {
                telemetry::revocation_heard(Clock::system().now().since(row.time(2)?));
            }
            self.missing.remove(&news);
        }
        Ok(rows.len() >= BATCH)
    }

    /// A store with another mark than before has lost everything, or is another one.
    async fn check_mark(&mut self, link: &mut OwnLink<'_>) -> Result<(), Failure> {
        let Some(mark) = self.find_mark(link).await? else { return Ok(()) };
        if self.mark.as_ref() != Some(&mark) {
            self.mark = Some(mark);
            self.read = 0;
            self.is_level = false;
            self.missing = self.known.all().into_iter().collect();
        }
        Ok(())
    }

    async fn find_mark(&self, link: &mut OwnLink<'_>) -> Result<Option<Vec<u8>>, Failure> {
        for _ in 0..2 {
            let rows = link.read(&MARK, &[Value::Text(self.realm)]).await?;
            if let Some(row) = rows.first() {
                return Ok(Some(row.bytes(0)?));
            }
            // If it takes nothing in, it can be listened to all the same.
            let set = self.database.write(&SET_MARK, &[Value::Text(self.realm), Value::Bytes(&nonce::<16>())]).await;
            if set.is_err() {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// Tells some of what is missing. Several processes may do so at once: what is heard twice is heard once.
    async fn tell_again(&mut self) -> Result<(), Failure> {
        // In no order: processes that notice at the same moment tell different things first, and hear the rest of each other.
        let lost: Vec<_> = self.missing.iter().take(CHUNK).copied().collect();
        if lost.is_empty() {
            return Ok(());
        }
        // What it does not take in now it is told with the next look.
        if give_back(self.database, self.realm, &lost).await.is_ok() {
            self.missing.retain(|news| !lost.contains(news));
        }
        Ok(())
    }
}
