//! The operations on the sessions of a user, by their names in Redis.

use super::archived::copy_millis;
use super::connection::{Carrier, Connection};
use super::failure::Failure;
use super::names::Names;
use super::operations::{entry, found, millis, outcome, values, written};
use super::user_scripts::{ADMIT, CHANGED, Call, DEPART, NOT_THERE, SWEEP};
use crate::clock::{Clock, LEEWAY, Timestamp};
use crate::id::Epoch;
use crate::record::Malformed;
use crate::store::{Admission, Admitted, Departure, Entry, Marker, Member, Outcome, Revocation, Sweep, Swept};
use redis::Value;
use std::time::Duration;

/// How often all sessions are tried to be ended while others come and go. Each time somebody got on.
const TRIES: u32 = 10;
/// How many records are read in one go.
const BATCH: usize = 100;
/// How many sessions of a user are listed. Nobody has nearly as many.
const LISTED: isize = 10_000;

/// What an admission comes back with.
enum Verdict {
    Admitted,
    Found(Vec<u8>),
    Outdated { epoch: Epoch, now: Timestamp },
    Predecessor(Option<Vec<u8>>),
    Full,
}

/// What the end of all comes back with.
enum Sweeping {
    Ended(u64),
    Changed,
    NotThere,
}

pub(super) async fn admit(redis: &Connection, names: &Names, admission: &Admission<'_>) -> Result<Admitted, Failure> {
    let now = Clock::system().now();
    let (Admission { member, entry: new, .. }, deadline) = (admission, admission.entry.deadline());
    let departures: Vec<_> = admission.predecessor.into_iter().chain(admission.evicted).collect();
    let record = names.record(&member.key);
    let mut call = Call::on([&record.name(), &names.index, &names.epoch, &names.news]);
    call.key(record.copy()).key(names.expiries()).key(names.outbox());
    call.bytes(new.as_bytes()).number(millis(admission.keep_for));
    call.bytes(member.to_bytes()).number(deadline.as_millis());
    call.number(millis(deadline.since(now) + LEEWAY)).number(before(now, LEEWAY));
    call.number(admission.epoch.as_u64()).number(kept(admission.epoch_until, now));
    call.number(admission.limit as u64).number(admission.predecessor.is_some().into());
    call.number(millis(Marker::KEPT)).number(before(now, Epoch::SPARE));
    let copied = new.goes_to_archive().then(|| copy_millis(admission.keep_for).to_string());
    call.bytes(copied.unwrap_or_default());
    for departure in departures {
        let record = names.record(&departure.member.key);
        call.key(record.name()).key(record.copy());
        add_departure(&mut call, departure, now);
    }
    Ok(match call.run(&ADMIT, redis, verdict).await? {
        Verdict::Admitted => Admitted::Admitted,
        Verdict::Found(bytes) => Admitted::Found(entry(bytes)?),
        Verdict::Outdated { epoch, now } => Admitted::Outdated { epoch, now },
        Verdict::Predecessor(found) => Admitted::Predecessor(found.map(entry).transpose()?),
        Verdict::Full => Admitted::Full,
    })
}

pub(super) async fn depart(redis: &Connection, names: &Names, departure: &Departure) -> Result<Outcome, Failure> {
    let now = Clock::system().now();
    let record = names.record(&departure.member.key);
    let mut call = Call::on([&record.name(), &names.index, &names.news, &record.copy()]);
    call.key(names.expiries()).key(names.outbox());
    add_departure(&mut call, departure, now);
    call.number(millis(Marker::KEPT)).number(before(now, Epoch::SPARE));
    outcome(call.run(&DEPART, redis, written).await?)
}

pub(super) async fn members(redis: &Connection, names: &Names) -> Result<Vec<(Member, Entry)>, Failure> {
    for _ in 0..TRIES {
        // One that moved after the list was read was already gone, and not yet there: now the list names where it is.
        if let Looked { living, has_moved: false } = look(redis, names).await? {
            return Ok(living);
        }
    }
    Err(Failure::Overtaken)
}

/// Whom a list names that lives, and whether one has moved to where the list did not name it yet.
struct Looked {
    living: Vec<(Member, Entry)>,
    has_moved: bool,
}

async fn look(redis: &Connection, names: &Names) -> Result<Looked, Failure> {
    let range = redis::cmd("ZRANGE").arg(&names.index).arg(0).arg(LISTED - 1).to_owned();
    let index = redis.run(&range, all_bytes).await?;
    let (mut living, mut gone, mut has_moved) = (Vec::new(), Vec::new(), false);
    for batch in index.chunks(BATCH) {
        let members = batch.iter().map(|bytes| names.owner.member(bytes).map_err(Failure::Entry));
        let members = members.collect::<Result<Vec<_>, _>>()?;
        let records = members.iter().map(|member| names.record(&member.key).name());
        for (member, found) in members.iter().copied().zip(values(redis, records).await?) {
            match found.map(entry).transpose()? {
                Some(entry) if entry.is_live() => living.push((member, entry)),
                there => {
                    has_moved |= there.is_some_and(|marker| marker.is_moved());
                    gone.push(member);
                }
            }
        }
    }
    if !gone.is_empty() {
        let mut heal = redis::cmd("ZREM");
        heal.arg(&names.index);
        for member in gone {
            heal.arg(&member.to_bytes()[..]);
        }
        // It is tidying up, and no key comes back: whoever reads next tries again.
        let _ = redis.run(&heal, Some).await;
    }
    Ok(Looked { living, has_moved })
}

pub(super) async fn end_all(redis: &Connection, names: &Names, sweep: &Sweep) -> Result<Option<Swept>, Failure> {
    for _ in 0..TRIES {
        let seen = Seen::read(redis, names).await?;
        let now = Clock::system().now();
        let epoch = seen.epoch()?.next(seen.now);
        let news = sweep.news(&names.owner, epoch);
        let mut call = Call::on([&names.index, &names.epoch, &names.news]);
        call.key(names.expiries()).key(names.outbox());
        call.bytes(seen.epoch.unwrap_or_default()).number(epoch.as_u64()).number(kept(sweep.until, now));
        call.bytes(sweep.except.as_ref().map_or(&[][..], |handle| handle.as_bytes()));
        call.bytes([sweep.marker.state()]).bytes(sweep.marker.tail()).number(millis(Marker::KEPT));
        call.bytes(news.to_bytes()).number(kept(news.until(), now)).number(before(now, Epoch::SPARE));
        for bytes in seen.index {
            let member = names.owner.member(&bytes).map_err(Failure::Entry)?;
            let record = names.record(&member.key);
            call.key(record.name()).key(record.copy()).bytes(bytes);
        }
        match call.run(&SWEEP, redis, sweeping).await? {
            Sweeping::Ended(ended) => return Ok(Some(Swept { ended, news })),
            Sweeping::NotThere => return Ok(None),
            Sweeping::Changed => {}
        }
    }
    Err(Failure::Overtaken)
}

/// What is there before all sessions are ended.
struct Seen {
    index: Vec<Vec<u8>>,
    epoch: Option<Vec<u8>>,
    /// By the clock of Redis.
    now: Timestamp,
}

impl Seen {
    async fn read(redis: &Connection, names: &Names) -> Result<Self, Failure> {
        let mut reads = redis::pipe();
        reads.cmd("ZRANGE").arg(&names.index).arg(0).arg(-1);
        reads.cmd("GET").arg(&names.epoch);
        reads.cmd("TIME");
        let replies = redis.run_all(&reads).await?;
        let [index, epoch, now] = <[_; 3]>::try_from(replies).map_err(|_| Failure::Reply)?;
        let read = || Some(Self { index: all_bytes(index)?, epoch: found(epoch)?, now: time(now)? });
        read().ok_or(Failure::Reply)
    }

    fn epoch(&self) -> Result<Epoch, Failure> {
        let Some(bytes) = &self.epoch else { return Ok(Epoch::default()) };
        number(bytes).map(Epoch::from_u64).ok_or(Failure::Entry(Malformed("epoch of a user")))
    }
}

fn add_departure(call: &mut Call, departure: &Departure, now: Timestamp) {
    let Departure { member, expected, marker, news } = departure;
    call.bytes(expected.as_ref().map_or(&[][..], |id| id.as_bytes()));
    call.bytes([marker.state()]).bytes(marker.tail()).bytes(member.to_bytes());
    call.bytes(news.as_ref().map_or_else(Vec::new, Revocation::to_bytes));
    call.number(news.as_ref().map_or(0, |news| kept(news.until, now)));
}

/// For how many milliseconds to keep what matters until then.
pub(super) fn kept(until: Timestamp, now: Timestamp) -> u64 {
    millis(until.since(now) + Epoch::SPARE)
}

/// What ran out then is past for all.
pub(super) fn past(now: Timestamp) -> u64 {
    before(now, Epoch::SPARE)
}

fn before(now: Timestamp, time: Duration) -> u64 {
    now.as_millis().saturating_sub(millis(time))
}

fn verdict(reply: Value) -> Option<Verdict> {
    let Value::Array(parts) = reply else { return None };
    let mut parts = parts.into_iter();
    let Value::Int(what) = parts.next()? else { return None };
    Some(match what {
        0 => Verdict::Admitted,
        1 => Verdict::Found(found(parts.next()?)??),
        2 => {
            let Value::Int(epoch) = parts.next()? else { return None };
            let epoch = Epoch::from_u64(epoch.try_into().ok()?);
            Verdict::Outdated { epoch, now: time(Value::Array(parts.collect()))? }
        }
        3 => Verdict::Predecessor(found(parts.next()?)?),
        4 => Verdict::Full,
        _ => return None,
    })
}

fn sweeping(reply: Value) -> Option<Sweeping> {
    match reply {
        Value::Int(CHANGED) => Some(Sweeping::Changed),
        Value::Int(NOT_THERE) => Some(Sweeping::NotThere),
        Value::Int(ended) => ended.try_into().ok().map(Sweeping::Ended),
        _ => None,
    }
}

fn all_bytes(reply: Value) -> Option<Vec<Vec<u8>>> {
    let Value::Array(items) = reply else { return None };
    items.into_iter().map(|item| found(item)?).collect()
}

/// What `TIME` answers: seconds, and millionths of one.
pub(super) fn time(reply: Value) -> Option<Timestamp> {
    let [seconds, micros] = <[_; 2]>::try_from(all_bytes(reply)?).ok()?;
    Some(Timestamp::from_millis(number(&seconds)?.checked_mul(1000)? + number(&micros)? / 1000))
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    #[test]
    fn the_time_of_redis() {
        let at = |parts: &[&str]| time(Value::Array(parts.iter().map(|part| bytes(part)).collect()));
        assert_eq!(at(&["1700000000", "123999"]), Some(Timestamp::from_millis(1_700_000_000_123)));
        for parts in [&["1"][..], &["1", "x"], &["1", "2", "3"], &["99999999999999999999", "0"]] {
            assert_eq!(at(parts), None, "{parts:?}");
        }
    }

    #[test]
    fn a_verdict_that_no_script_gives_is_none() {
        let of = |parts: &[Value]| verdict(Value::Array(parts.to_vec()));
        let outdated = of(&[Value::Int(2), Value::Int(7), bytes("1"), bytes("0")]);
        assert!(matches!(outdated, Some(Verdict::Outdated { epoch, .. }) if epoch == Epoch::from_u64(7)));
        assert!(matches!(of(&[Value::Int(3), Value::Nil]), Some(Verdict::Predecessor(None))));
        for parts in [&[][..], &[Value::Int(1)], &[Value::Int(1), Value::Nil], &[Value::Int(2)], &[Value::Int(9)]] {
            assert!(of(parts).is_none(), "{parts:?}");
        }
        assert!(verdict(Value::Nil).is_none());
    }

    #[test]
    fn times_before_the_first_are_the_first() {
        assert_eq!(before(Timestamp::from_millis(5), LEEWAY), 0);
        assert_eq!(before(Timestamp::from_millis(70_000), LEEWAY), 10_000);
        assert_eq!(kept(Timestamp::default(), Timestamp::from_millis(5)), millis(Epoch::SPARE));
    }
}
