//! What Redis carries out whole: scripts on one session, and how any is run.
//!
//! They look at the frozen part of the header only. What is there instead comes back with the refusal, so that a retry
//! costs one round trip.

use super::connection::Carrier;
use super::failure::{Failure, HALF_DONE};
use crate::clock::Timestamp;
use crate::id::WriteId;
use crate::record::{ARCHIVED, History, State, offset};
use crate::store::Outgoing;
use redis::{Cmd, Value};
use std::sync::LazyLock;

/// A script, and the name that Redis gives it.
pub(super) struct Script {
    code: String,
    hash: String,
}

const _: () = assert!(offset::WRITE_ID == offset::STATE + 1, "commit compares state and write id as one");

/// Commit: `ARGV` are state and write id to find, the new value, and milliseconds to keep it.
///
/// One write, which sets value and expiry: whatever refuses it leaves all as it was. It is reached only where a value
/// is, so that it cannot create.
pub(super) static COMMIT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(format!(
        "local key, call = KEYS[1], redis.call
if call('GETRANGE', key, {first}, {last}) ~= ARGV[1] then return call('GET', key) end
return call('SET', key, ARGV[2], 'PX', ARGV[3])",
        first = offset::STATE,
        last = offset::WRITE_ID + WriteId::SIZE - 1,
    ))
});

/// Touch. `KEYS`: the record, and its copy, which few have. `ARGV`: the time to find, the time to set, and milliseconds to keep each.
///
/// Looks first, since `SETRANGE` would create, without expiry. `PEXPIRE` comes before it because it needs no memory,
/// and a script that has written may go on writing when the memory is full.
pub(super) static TOUCH: LazyLock<Script> = LazyLock::new(|| {
    Script::new(format!(
        "local head = redis.call('GETRANGE', KEYS[1], {state}, {last})
if head:byte(1) ~= {live} or head:sub({touched}) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
local set = redis.pcall('SETRANGE', KEYS[1], {at}, ARGV[2])
{half_done}
return 1",
        state = offset::STATE,
        last = offset::TOUCHED + Timestamp::SIZE - 1,
        live = State::Live as u8,
        touched = lua(offset::TOUCHED - offset::STATE),
        at = offset::TOUCHED,
        half_done = half_done("set"),
    ))
});

/// End. `KEYS`: the record, its copy, the expiries and the outbox. `ARGV`: the write id to find or nothing, the marker's state, its
/// tail, milliseconds to keep it, and the digest of the key.
///
/// Begins with `PEXPIRE` for the same reason: an ending is never refused for want of memory. The longest header is
/// read, of which the value may have less. What only few need, those that go to the archive, is not even defined for the others.
pub(super) static END: LazyLock<Script> = LazyLock::new(|| {
    Script::new(format!(
        "{markers}
local head = head_of(KEYS[1])
if not is_meant(head, ARGV[1]) then return redis.call('GET', KEYS[1]) end
local marker = marker_of(head, ARGV[2], ARGV[3])
if head:byte(1) ~= {archived} then
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  local set = redis.pcall('SET', KEYS[1], marker, 'PX', ARGV[4])
  {half_done}
  return 1
end
{partings}
{then}
local parting = parting_of(KEYS[1], head, ARGV[2], ARGV[3], ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return and_then(1, function()
  redis.call('SET', KEYS[1], marker, 'PX', ARGV[4])
  send(parting, KEYS[2], KEYS[3], KEYS[4])
end)",
        markers = markers(),
        archived = ARCHIVED,
        half_done = half_done("set"),
        partings = partings(),
        then = and_then(),
    ))
});

/// What every script that ends sessions needs.
pub(super) fn endings() -> String {
    format!("{}\n{}", markers(), partings())
}

/// The longest header that a record can have, whether that is of a live session with the write id to find, if any, and the
/// marker that takes its place.
fn markers() -> String {
    format!(
        "local function head_of(key) return redis.call('GETRANGE', key, 0, {longest} - 1) end
local function is_meant(head, expected)
  return head:byte({state}) == {live} and (expected == '' or head:sub({id}, {id_last}) == expected)
end
local function length_of(head) return {fixed} + {prefix} * head:byte({history}) end
local function marker_of(head, state, tail)
  return head:sub(1, {state} - 1) .. state .. head:sub({state} + 1, length_of(head)) .. tail
end",
        longest = offset::HISTORY + History::MAX * History::PREFIX,
        id = lua(offset::WRITE_ID),
        id_last = offset::WRITE_ID + WriteId::SIZE,
        state = lua(offset::STATE),
        live = State::Live as u8,
        fixed = offset::HISTORY,
        prefix = History::PREFIX,
        history = lua(offset::HISTORY_LEN),
    )
}

/// What goes out of a session that goes to the archive, and sending it, after which nothing is left of it but the marker.
fn partings() -> String {
    format!(
        "{clock}
local function parting_of(record, head, state, tail, digest, time)
  if head:byte(1) ~= {archived} then return nil end
  if state:byte(1) ~= {ended} then return {{digest = digest}} end
  local whole, length = redis.call('GET', record), length_of(head)
  local front = string.char({parted}) .. tail .. bytes_of(time or now())
  return {{digest = digest, id = whole:sub(length + 1, length + 16), sealed = front .. digest .. whole}}
end
local function send(parting, copy, expiries, outbox)
  if not parting then return end
  if parting.id then redis.call('HSET', outbox, parting.id, parting.sealed) end
  redis.call('PEXPIRE', copy, 0)
  redis.call('ZREM', expiries, parting.digest)
end",
        clock = clock(),
        ended = State::Ended as u8,
        archived = ARCHIVED,
        parted = Outgoing::PARTED,
    )
}

/// The time of Redis in milliseconds, which Lua's numbers hold, and the bytes of one in a header.
pub(super) fn clock() -> String {
    format!(
        "local function now()
  local time = redis.call('TIME')
  return 1000 * time[1] + math.floor(time[2] / 1000)
end
local function bytes_of(time)
  local bytes = ''
  for i = 1, {size} do bytes, time = string.char(time % 256) .. bytes, math.floor(time / 256) end
  return bytes
end",
        size = Timestamp::SIZE,
    )
}

/// What comes after the first write: memory does not refuse it, rights that were taken away would.
pub(super) fn and_then() -> String {
    format!(
        "local function and_then(answer, rest)
  local is_done, why = pcall(rest)
  if is_done then return answer end
  return redis.error_reply('{HALF_DONE} ' .. (type(why) == 'table' and why.err or tostring(why)))
end"
    )
}

/// Lua counts from one.
pub(super) fn lua(offset: usize) -> usize {
    offset + 1
}

/// Says so if the second write was refused. Memory does not do that; rights that were taken away would.
pub(super) fn half_done(reply: &str) -> String {
    format!(
        "if type({reply}) == 'table' and {reply}.err then return redis.error_reply('{HALF_DONE} ' .. {reply}.err) end"
    )
}

impl Script {
    pub(super) fn new(code: String) -> Self {
        let hash = redis::Script::new(&code).get_hash().to_owned();
        Self { code, hash }
    }

    /// Runs it on `keys`. Redis is told the code if it does not know the name: after a restart, a failover, a flush.
    pub(super) async fn run<T>(
        &self,
        redis: &impl Carrier,
        keys: &[&str],
        arguments: &[&[u8]],
        read: impl Fn(Value) -> Option<T> + Send + Sync,
    ) -> Result<T, Failure> {
        match redis.run(&command("EVALSHA", &self.hash, keys, arguments), &read).await {
            Err(failure) if failure.is_no_script() => {
                Box::pin(redis.run(&command("EVAL", &self.code, keys, arguments), &read)).await
            }
            answer => answer,
        }
    }
}

fn command(name: &str, script: &str, keys: &[&str], arguments: &[&[u8]]) -> Cmd {
    let bytes = |parts: &[&[u8]]| parts.iter().map(|part| part.len()).sum::<usize>();
    let size = name.len() + script.len() + bytes(arguments) + keys.iter().map(|key| key.len()).sum::<usize>() + 8;
    let mut command = Cmd::with_capacity(3 + keys.len() + arguments.len(), size);
    command.arg(name).arg(script).arg(keys.len());
    for key in keys {
        command.arg(*key);
    }
    for argument in arguments {
        command.arg(*argument);
    }
    command
}
