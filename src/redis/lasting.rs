//! The operations on user sessions and outboxes, by their names in Redis.

use super::connection::{Carrier, Connection};
use super::failure::Failure;
use super::lasting_scripts::{RENEW, REPLACE};
use super::names::Places;
use super::operations::{entry, found, millis, values, yes_or_no};
use super::user_scripts::Call;
use crate::clock::Timestamp;
use crate::record::Malformed;
use crate::store::{Entry, Key, Outgoing, Replaced, Replacement, Standing, outbox_name};
use redis::Value;
use std::time::Duration;
use uuid::Uuid;

/// What a replacement comes back with.
enum Verdict {
    Applied,
    Found(Vec<u8>),
    Absent,
    Unasked,
    Untimely(Timestamp),
}

pub(super) async fn load_both(redis: &Connection, names: [&str; 2]) -> Result<[Option<Entry>; 2], Failure> {
    load_several(redis, names).await?.try_into().map_err(|_| Failure::Reply)
}

pub(super) async fn load_several(
    redis: &Connection,
    names: impl IntoIterator<Item = impl AsRef<str>>,
) -> Result<Vec<Option<Entry>>, Failure> {
    values(redis, names).await?.into_iter().map(|found| found.map(entry).transpose()).collect()
}

pub(super) async fn replace(
    redis: &Connection,
    key: &Key,
    places: &Places,
    replacement: &Replacement<'_>,
) -> Result<Replaced, Failure> {
    let mut call = Call::on([&places.record, &places.outbox, &places.due]);
    if let Some(session) = &replacement.asked_by {
        call.key(places.session(session));
    }
    let (standing, limit) = match replacement.standing {
        Standing::Any => ("", Duration::ZERO),
        Standing::Lives(limit) => ("lives", limit),
        Standing::Lapsed(limit) => ("lapsed", limit),
    };
    call.bytes(replacement.expected.as_ref().map_or(&[][..], |id| id.as_bytes()))
        .bytes(standing)
        .number(time_left(limit));
    call.bytes(replacement.entry.as_bytes()).number(millis(replacement.keep_for));
    call.bytes(replacement.outgoing.map_or(&[][..], |outgoing| outgoing.id.as_bytes()));
    call.bytes(replacement.outgoing.map_or(&[][..], |outgoing| &outgoing.sealed));
    call.bytes(key.digest()).bytes(replacement.look_in.map(time_left).map_or(String::new(), |left| left.to_string()));
    Ok(match call.run(&REPLACE, redis, verdict).await? {
        Verdict::Applied => Replaced::Applied,
        Verdict::Found(bytes) => Replaced::Found(entry(bytes)?),
        Verdict::Absent => Replaced::Absent,
        Verdict::Unasked => Replaced::Unasked,
        Verdict::Untimely(now) => Replaced::Untimely(now),
    })
}

pub(super) async fn renew(
    redis: &Connection,
    name: &str,
    seen: Timestamp,
    limit: Duration,
    keep_for: Duration,
) -> Result<bool, Failure> {
    let mut call = Call::on([name]);
    call.bytes(seen.to_bytes()).number(time_left(limit)).number(millis(keep_for));
    call.run(&RENEW, redis, yes_or_no).await
}

/// Some by chance, so that one that cannot be sent does not stand in the way of the others.
pub(super) async fn outbox(redis: &Connection, name: &str, limit: usize) -> Result<Vec<Outgoing>, Failure> {
    let limit = limit.min(usize::from(u16::MAX));
    let some = redis::cmd("HRANDFIELD").arg(name).arg(limit).arg("WITHVALUES").to_owned();
    redis.run(&some, pairs).await?.into_iter().map(outgoing).collect()
}

pub(super) async fn full_outboxes(redis: &Connection, realm: &'static str) -> Result<Vec<(u8, usize)>, Failure> {
    let lengths = lengths(redis, (0..=u8::MAX).map(|shard| outbox_name(realm, shard))).await?;
    Ok((0..=u8::MAX).zip(lengths).filter(|(_, length)| *length > 0).collect())
}

/// Of each how much there is. One in each shard: asked one by one, but in one go.
pub(super) async fn lengths(
    redis: &Connection,
    names: impl IntoIterator<Item = String>,
) -> Result<Vec<usize>, Failure> {
    let mut looks = redis::pipe();
    for name in names {
        looks.cmd("HLEN").arg(name);
    }
    let answers = redis.run_all(&looks).await?.into_iter();
    answers.map(length).collect::<Option<_>>().ok_or(Failure::Reply)
}

pub(super) async fn sent(redis: &Connection, name: &str, ids: &[Uuid]) -> Result<(), Failure> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut take = redis::cmd("HDEL");
    take.arg(name);
    for id in ids {
        take.arg(id.as_bytes());
    }
    redis.run(&take, |reply| matches!(reply, Value::Int(_)).then_some(())).await
}

/// An idle limit may be none at all, and so may the time until something is due.
pub(super) fn time_left(limit: Duration) -> u64 {
    if limit.is_zero() { 0 } else { millis(limit) }
}

fn verdict(reply: Value) -> Option<Verdict> {
    let Value::Array(parts) = reply else { return None };
    let mut parts = parts.into_iter();
    let Value::Int(what) = parts.next()? else { return None };
    Some(match what {
        0 => Verdict::Applied,
        1 => Verdict::Found(found(parts.next()?)??),
        2 => Verdict::Absent,
        3 => Verdict::Unasked,
        4 => {
            let Value::Int(now) = parts.next()? else { return None };
            Verdict::Untimely(Timestamp::from_millis(now.try_into().ok()?))
        }
        _ => return None,
    })
}

fn length(reply: Value) -> Option<usize> {
    let Value::Int(length) = reply else { return None };
    length.try_into().ok()
}

/// Names and values: in turn, or in RESP3 each two by themselves.
fn pairs(reply: Value) -> Option<Vec<[Vec<u8>; 2]>> {
    let Value::Array(items) = reply else { return None };
    let flat = items.into_iter().flat_map(|item| match item {
        Value::Array(pair) => pair,
        item => vec![item],
    });
    let (mut flat, mut pairs) = (flat.map(|item| found(item)?), Vec::new());
    while let Some(name) = flat.next() {
        pairs.push([name?, flat.next()??]);
    }
    Some(pairs)
}

fn outgoing([id, sealed]: [Vec<u8>; 2]) -> Result<Outgoing, Failure> {
    let id = Uuid::from_slice(&id).map_err(|_| Failure::Entry(Malformed("name in an outbox")))?;
    Ok(Outgoing { id, sealed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    #[test]
    fn pairs_of_both_protocols() {
        let flat = Value::Array(["a", "1", "b", "2"].map(bytes).into());
        let nested = Value::Array([["a", "1"], ["b", "2"]].map(|pair| Value::Array(pair.map(bytes).into())).into());
        let expected = [["a", "1"], ["b", "2"]].map(|pair| pair.map(|text| text.as_bytes().to_vec())).to_vec();
        assert_eq!((pairs(flat), pairs(nested)), (Some(expected.clone()), Some(expected)));
        assert_eq!(pairs(Value::Array(Vec::new())), Some(Vec::new()));
        for reply in [Value::Nil, Value::Array(vec![bytes("a")]), Value::Array(vec![bytes("a"), Value::Nil])] {
            assert_eq!(pairs(reply), None);
        }
    }

    #[test]
    fn a_verdict_that_no_script_gives_is_none() {
        let of = |parts: &[Value]| verdict(Value::Array(parts.to_vec()));
        let untimely = of(&[Value::Int(4), Value::Int(7)]);
        assert!(matches!(untimely, Some(Verdict::Untimely(now)) if now == Timestamp::from_millis(7)));
        for parts in [&[][..], &[Value::Int(1)], &[Value::Int(1), Value::Nil], &[Value::Int(4)], &[Value::Int(5)]] {
            assert!(of(parts).is_none(), "{parts:?}");
        }
        assert!(of(&[Value::Int(4), Value::Int(-1)]).is_none());
        assert!(verdict(Value::Nil).is_none());
    }

    #[test]
    fn an_idle_limit_may_be_none_and_a_part_of_a_millisecond_is_one() {
        assert_eq!([Duration::ZERO, Duration::from_nanos(1), Duration::MAX].map(time_left), [0, 1, 1 << 48]);
    }
}
