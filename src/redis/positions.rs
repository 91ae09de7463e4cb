//! How far the streams of all shards have been read.

use crate::clock::Timestamp;
use crate::store::news_name;
use redis::{Cmd, Value};
use std::collections::HashMap;
use std::time::Duration;

/// What an entry of a stream is called: milliseconds by the clock of Redis, and a number among those.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct EntryId(u64, u64);

/// For each stream the last entry that was read.
pub(super) struct Positions {
    names: Vec<String>,
    shards: HashMap<Vec<u8>, usize>,
    read: Vec<EntryId>,
}

/// What one look brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Batch {
    /// The values of all new entries, and when they were told, by the clock of Redis.
    pub(super) news: Vec<(Timestamp, Vec<u8>)>,
    /// Whether there may be more right now.
    pub(super) more: bool,
}

impl Positions {
    /// Entries of a stream that are read in one go. All streams together: some MiB.
    const COUNT: usize = 100;
    /// How far back to look after an interruption: another server may have taken over, which had not seen everything and
    /// whose clock is behind.
    const BACK: Duration = Duration::from_secs(120);

    /// Before the first of everything.
    pub(super) fn new(realm: &str) -> Self {
        Self::of((0..=u8::MAX).map(|shard| news_name(realm, shard)).collect())
    }

    pub(super) fn of(names: Vec<String>) -> Self {
        let shards = names.iter().enumerate().map(|(shard, name)| (name.clone().into_bytes(), shard)).collect();
        Self { shards, read: vec![EntryId::default(); names.len()], names }
    }

    pub(super) fn begin_again(&mut self) {
        self.read.fill(EntryId::default());
    }

    pub(super) fn look_back(&mut self) {
        let back = u64::try_from(Self::BACK.as_millis()).unwrap_or(u64::MAX);
        for EntryId(millis, number) in &mut self.read {
            (*millis, *number) = (millis.saturating_sub(back), 0);
        }
    }

    /// Reads on, and waits for so long if there is nothing.
    pub(super) fn command(&self, wait: Duration) -> Cmd {
        let mut read = redis::cmd("XREAD");
        let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
        read.arg("COUNT").arg(Self::COUNT).arg("BLOCK").arg(wait).arg("STREAMS").arg(&self.names);
        for EntryId(millis, number) in &self.read {
            read.arg(format!("{millis}-{number}"));
        }
        read
    }

    /// Goes on to the end of what was read. None if it is no reply to the command.
    pub(super) fn advance(&mut self, reply: Value) -> Option<Batch> {
        let mut batch = Batch::default();
        let streams = match reply {
            Value::Nil => return Some(batch),
            Value::Map(streams) => streams,
            Value::Array(streams) => streams.into_iter().map(pair).collect::<Option<_>>()?,
            _ => return None,
        };
        for (name, entries) in streams {
            let (Value::BulkString(name), Value::Array(entries)) = (name, entries) else { return None };
            let read = self.read.get_mut(*self.shards.get(&name)?)?;
            batch.more |= entries.len() >= Self::COUNT;
            for entry in entries {
                let (Value::BulkString(id), fields) = pair(entry)? else { return None };
                *read = EntryId::parse(&id)?;
                // What has other fields is of another release.
                if let Some(news) = field(fields) {
                    batch.news.push((Timestamp::from_millis(read.0), news));
                }
            }
        }
        Some(batch)
    }
}

impl EntryId {
    fn parse(text: &[u8]) -> Option<Self> {
        let (millis, number) = std::str::from_utf8(text).ok()?.split_once('-')?;
        Some(Self(millis.parse().ok()?, number.parse().ok()?))
    }
}

fn pair(value: Value) -> Option<(Value, Value)> {
    let Value::Array(items) = value else { return None };
    <[_; 2]>::try_from(items).ok().map(|[first, second]| (first, second))
}

/// The value of the field `r`, if that is the only one.
fn field(fields: Value) -> Option<Vec<u8>> {
    match pair(fields)? {
        (Value::BulkString(name), Value::BulkString(value)) if name == b"r" => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    fn list(items: impl IntoIterator<Item = Value>) -> Value {
        Value::Array(items.into_iter().collect())
    }

    fn item(id: &str, field: &str, value: &str) -> Value {
        list([bytes(id), list([bytes(field), bytes(value)])])
    }

    fn two() -> Positions {
        Positions::of(vec!["a".into(), "b".into()])
    }

    fn asked(positions: &Positions) -> String {
        let packed = positions.command(Duration::from_millis(900)).get_packed_command();
        let packed = String::from_utf8(packed).unwrap();
        packed.split("\r\n").skip(1).filter(|line| !line.starts_with('$')).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn it_reads_on_where_it_was_and_looks_back_after_an_interruption() {
        let mut positions = two();
        assert_eq!(asked(&positions).trim(), "XREAD COUNT 100 BLOCK 900 STREAMS a b 0-0 0-0");
        let entries = list([item("300000-0", "r", "x"), item("300000-7", "other", "y")]);
        for reply in [list([list([bytes("b"), entries.clone()])]), Value::Map(vec![(bytes("b"), entries)])] {
            positions.begin_again();
            let batch = positions.advance(reply).unwrap();
            assert_eq!(batch, Batch { news: vec![(Timestamp::from_millis(300_000), b"x".to_vec())], more: false });
            assert!(asked(&positions).contains("STREAMS a b 0-0 300000-7"));
        }
        positions.look_back();
        assert!(asked(&positions).contains("0-0 180000-0"));
        positions.look_back();
        positions.look_back();
        assert!(asked(&positions).contains("0-0 0-0"));
    }

    #[test]
    fn a_stream_that_gave_as_much_as_it_may_has_more() {
        let mut positions = two();
        assert_eq!(positions.advance(Value::Nil), Some(Batch::default()));
        let entries = list((1..=100).map(|i| item(&format!("{i}-0"), "r", "x")));
        let batch = positions.advance(list([list([bytes("a"), entries])])).unwrap();
        assert!(batch.more && batch.news.len() == 100);
    }

    #[test]
    fn what_is_no_reply_is_none() {
        let of = |reply| two().advance(reply);
        let id = |id: &str| list([list([bytes("a"), list([item(id, "r", "x")])])]);
        assert!(of(id("1-0")).is_some());
        for reply in [Value::Int(1), list([bytes("a")]), list([list([bytes("c"), list([])])]), id("1"), id("x-0")] {
            assert_eq!(of(reply.clone()), None, "{reply:?}");
        }
    }
}
