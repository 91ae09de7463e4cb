//! The same for all that user sessions need.

use super::connection::Connection;
use super::due::{forget, named, now, put_off};
use super::failure::Failure;
use super::lasting::{lengths, load_both, outbox, renew, replace, sent};
use super::names::{Places, Record};
use super::operations::{create, remove};
use super::probe::{KEPT, Unfit, entry, is};
use crate::clock::Timestamp;
use crate::id::{UserDigest, nonce};
use crate::record::EndReason;
use crate::store::{Entry, Key, Marker, Outcome, Outgoing, Replaced, Replacement, Standing};
use std::time::Duration;
use uuid::Uuid;

const LOAD: &str = "load two at once (GET)";
const REPLACE: &str = "replace user sessions (EVALSHA, GET, GETRANGE, HSET, PEXPIRE, SET, TIME, ZADD, ZREM)";
const RENEW: &str = "renew user sessions (EVALSHA, GETRANGE, PEXPIRE, SETRANGE, TIME)";
const LOOK: &str = "look for what has ended (HLEN)";
const CLOCK: &str = "ask for the time (TIME)";
const DUE: &str = "find what is due (ZRANGEBYSCORE)";
const PUT_OFF: &str = "put off what is due (EVALSHA, TIME, ZADD, ZREM)";
const FORGET: &str = "forget what was due (EVALSHA, GETRANGE, ZREM)";
const READ: &str = "read what has ended (HRANDFIELD)";
const TAKE: &str = "take out what has ended (HDEL)";

/// A user session that there is not, and the browser's session that asks for it.
struct Trial {
    session: Key,
    key: Key,
    places: Places,
}

/// Carries out everything once, on keys of its own.
pub(super) async fn probe(redis: &Connection) -> Result<(), Unfit> {
    let user = UserDigest::from_bytes(nonce());
    let [session, key] = ["session", "user session"].map(|kind| Key::of_user_session("", &user, kind));
    let trial = Trial { session, places: Places::on_trial(&key), key };
    let carried_out = trial.carry_out(redis).await;
    let removed = trial.remove(redis).await.map_err(|failure| Unfit::Failed("remove (PEXPIRE)", failure));
    carried_out.and(removed)
}

impl Trial {
    async fn carry_out(&self, redis: &Connection) -> Result<(), Unfit> {
        let (key, places, session) = (&self.key, &self.places, self.places.session(&self.session));
        // Whatever the clocks say, it has not come to its end.
        let [asks, first] = [(); 2].map(|()| entry(Timestamp::from_millis(u64::MAX)));
        let marker = first.ended(&Marker::ended(EndReason::Unclaimed));
        let outgoing = Outgoing { id: Uuid::from_bytes(nonce()), sealed: b"sealed".to_vec() };
        let begins = Replacement { expected: None, ..self.replacement(&first, None) };

        is(create(redis, &Record::on_trial(&self.session), &asks, KEPT).await, &Outcome::Applied, REPLACE)?;
        is(replace(redis, key, places, &begins).await, &Replaced::Applied, REPLACE)?;
        let found = load_both(redis, [&session, &places.record]).await.map_err(|why| Unfit::Failed(LOAD, why))?;
        let touched = match found {
            [Some(asking), Some(there)] if (&asking, there.write_id()) == (&asks, first.write_id()) => there.touched(),
            _ => return Err(Unfit::Wrong(LOAD)),
        };
        is(renew(redis, &places.record, touched, 1000 * KEPT, KEPT).await, &true, RENEW)?;
        let now = now(redis).await.map_err(|why| Unfit::Failed(CLOCK, why))?;
        let due = async || named(redis, [places.due.clone()], now, 1).await;
        is(due().await, &vec![vec![*key.digest()]], DUE)?;
        is(forget(redis, &places.due, [(key, places.record.clone())]).await, &(), FORGET)?;
        is(put_off(redis, &places.due, key, 1000 * KEPT).await, &(), PUT_OFF)?;
        is(due().await, &vec![vec![]], PUT_OFF)?;
        let ends = self.replacement(&marker, Some(&outgoing));
        is(replace(redis, key, places, &ends).await, &Replaced::Applied, REPLACE)?;
        is(lengths(redis, [places.outbox.clone()]).await, &vec![1], LOOK)?;
        is(outbox(redis, &places.outbox, 1).await, &vec![outgoing.clone()], READ)?;
        is(sent(redis, &places.outbox, &[outgoing.id]).await, &(), TAKE)?;
        is(lengths(redis, [places.outbox.clone()]).await, &vec![0], TAKE)
    }

    fn replacement<'a>(&self, entry: &'a Entry, outgoing: Option<&'a Outgoing>) -> Replacement<'a> {
        let (expected, standing) = (Some(entry.write_id()), Standing::Lives(1000 * KEPT));
        let (asked_by, look_in) = (Some(self.session), Some(Duration::ZERO));
        Replacement { asked_by, expected, standing, entry, keep_for: KEPT, outgoing, look_in }
    }

    async fn remove(&self, redis: &Connection) -> Result<(), Failure> {
        let Places { record, outbox, due, .. } = &self.places;
        for name in [&self.places.session(&self.session), record, outbox, due] {
            remove(redis, name).await?;
        }
        Ok(())
    }
}
