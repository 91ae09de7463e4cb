//! Compare-and-set by one command of the server's own, where it has one: `SET` with `IFEQ`, of Valkey 8.1 and Redis 8.4. It takes
//! the server little more than any other `SET`, and a script several times that.

use super::connection::{Carrier, Connection};
use super::failure::Failure;
use super::names::Record;
use super::operations::{self, entry, found, millis};
use crate::id::{SessionId, Shard};
use crate::store::{Entry, Key, Outcome};
use redis::Cmd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Whether the server has the command, as far as is known.
pub(super) struct Comparing(AtomicBool);

impl Comparing {
    /// Tries it on a key that nobody has. Who does not know the option refuses it; whoever cannot be asked is taken not to have it.
    pub(super) async fn of_server(redis: &Connection) -> Self {
        let key = Key::new("", Shard::random(), &SessionId::random());
        let command = set_if_equal(&Record::on_trial(&key).name(), b"new", b"old", Duration::from_secs(1));
        let answer = redis.run(&command, found).await;
        Self(AtomicBool::new(matches!(answer, Ok(None))))
    }

    /// Commits by that command, else by the script.
    pub(super) async fn commit_over(
        &self,
        redis: &Connection,
        record: &Record<'_>,
        base: &Entry,
        new: &Entry,
        keep_for: Duration,
    ) -> Result<Outcome, Failure> {
        // Of what goes to the archive there is a copy, which changes with it.
        if self.0.load(Ordering::Relaxed) && !new.goes_to_archive() {
            let command = set_if_equal(&record.name(), new.as_bytes(), base.as_bytes(), keep_for);
            match redis.run(&command, found).await {
                Ok(Some(before)) if *before == *base.as_bytes() => return Ok(Outcome::Applied),
                Ok(Some(before)) => return Ok(Outcome::Found(entry(before)?)),
                Ok(None) => return Ok(Outcome::Absent),
                // Another server may have taken over that is older.
                Err(failure) if failure.is_syntax() => self.0.store(false, Ordering::Relaxed),
                Err(failure) => return Err(failure),
            }
        }
        operations::commit(redis, record, base.write_id(), new, keep_for).await
    }
}

/// Answers what was there before, whether or not that was `base` and `new` is there now.
fn set_if_equal(name: &str, new: &[u8], base: &[u8], keep_for: Duration) -> Cmd {
    let mut set = Cmd::with_capacity(8, name.len() + new.len() + base.len() + 48);
    set.arg("SET").arg(name).arg(new).arg("IFEQ").arg(base).arg("GET").arg("PX").arg(millis(keep_for));
    set
}
