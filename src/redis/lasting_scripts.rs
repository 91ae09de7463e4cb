//! What Redis carries out whole: scripts on user sessions. The time is that of Redis.

use super::scripts::{Script, and_then, clock, half_done, lua};
use crate::clock::Timestamp;
use crate::id::WriteId;
use crate::record::{State, offset};
use std::sync::LazyLock;

/// Replacement. `KEYS`: the record, the outbox, what is due, and the browser's session if one asks. `ARGV`: the write id to find
/// or nothing, `lives` or `lapsed` if it must have, the idle limit for that in milliseconds, the new entry, milliseconds to keep
/// it, the name and content of what goes out or nothing, the digest of the key, and milliseconds until it is due or nothing.
///
/// Answers a number for what became of it, see `lasting.rs`, and what goes with it. A marker comes after `PEXPIRE`, so that it is
/// never refused for want of memory; a live entry is what is refused then, before anything is written.
pub(super) static REPLACE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(format!(
        "{times}
{then}
local head = head_of(KEYS[1])
if head ~= '' and head:sub({id}, {id_last}) ~= ARGV[1] then return {{1, redis.call('GET', KEYS[1])}} end
if head == '' and ARGV[1] ~= '' then return {{2}} end
if KEYS[4] and redis.call('GETRANGE', KEYS[4], {state}, {state}):byte(1) ~= {live} then return {{3}} end
local time = now()
local touched = time
if head ~= '' then
  if ARGV[2] ~= '' and (lives_until(head, ARGV[3]) > touched) ~= (ARGV[2] == 'lives') then return {{4, touched}} end
  touched = math.max(touched, time_at(head, {touched}))
end
local entry = ARGV[4]:sub(1, {before}) .. bytes_of(touched) .. ARGV[4]:sub({after})
local function put() redis.call('SET', KEYS[1], entry, 'PX', ARGV[5]) end
local is_live = entry:byte({lua_state}) == {live}
if is_live then put() else redis.call('PEXPIRE', KEYS[1], ARGV[5]) end
return and_then({{0}}, function()
  if not is_live then
    put()
    redis.call('ZREM', KEYS[3], ARGV[8])
  elseif ARGV[9] ~= '' then
    redis.call('ZADD', KEYS[3], 'NX', time + ARGV[9], ARGV[8])
  end
  if ARGV[6] ~= '' then redis.call('HSET', KEYS[2], ARGV[6], ARGV[7]) end
end)",
        times = times(),
        then = and_then(),
        id = lua(offset::WRITE_ID),
        id_last = offset::WRITE_ID + WriteId::SIZE,
        state = offset::STATE,
        lua_state = lua(offset::STATE),
        live = State::Live as u8,
        touched = lua(offset::TOUCHED),
        before = offset::TOUCHED,
        after = lua(offset::TOUCHED + Timestamp::SIZE),
    ))
});

/// Renewal: `ARGV` are the time to find, the idle limit and the time to keep the value, both in milliseconds.
///
/// Begins as a touch does, for the same reasons.
pub(super) static RENEW: LazyLock<Script> = LazyLock::new(|| {
    Script::new(format!(
        "{times}
local head, now = head_of(KEYS[1]), now()
if head:byte({state}) ~= {live} or head:sub({touched}) ~= ARGV[1] or lives_until(head, ARGV[2]) <= now then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local set = redis.pcall('SETRANGE', KEYS[1], {at}, bytes_of(math.max(now, time_at(head, {touched}))))
{half_done}
return 1",
        times = times(),
        state = lua(offset::STATE),
        live = State::Live as u8,
        touched = lua(offset::TOUCHED),
        at = offset::TOUCHED,
        half_done = half_done("set"),
    ))
});

/// Putting off. `KEYS`: what is due. `ARGV`: the digest of a key, and milliseconds until then.
///
/// Begins with a write that needs no memory, or what can be ended would not be reached when there is none.
pub(super) static PUT_OFF: LazyLock<Script> = LazyLock::new(|| {
    Script::new(format!(
        "{times}
{then}
redis.call('ZREM', KEYS[1], '')
return and_then(1, function() redis.call('ZADD', KEYS[1], 'XX', now() + ARGV[2], ARGV[1]) end)",
        times = times(),
        then = and_then(),
    ))
});

/// Forgets what has gone. `KEYS`: what is due, and records. `ARGV`: the digests of the records' keys.
///
/// Looks again: one may have begun in its place, which is named by now, and was so before.
pub(super) static FORGET: LazyLock<Script> = LazyLock::new(|| {
    Script::new(format!(
        "for i, digest in ipairs(ARGV) do
  if redis.call('GETRANGE', KEYS[i + 1], {state}, {state}):byte(1) ~= {live} then redis.call('ZREM', KEYS[1], digest) end
end
return 1",
        state = offset::STATE,
        live = State::Live as u8,
    ))
});

/// The header up to its times, the times in it, and that of Redis.
fn times() -> String {
    format!(
        "{clock}
local function head_of(key) return redis.call('GETRANGE', key, 0, {last}) end
local function time_at(head, first)
  local time = 0
  for i = first, first + {size} - 1 do time = 256 * time + head:byte(i) end
  return time
end
local function lives_until(head, idle)
  return math.min(time_at(head, {touched}) + idle, time_at(head, {deadline}))
end",
        clock = clock(),
        last = offset::TOUCHED + Timestamp::SIZE - 1,
        size = Timestamp::SIZE,
        touched = lua(offset::TOUCHED),
        deadline = lua(offset::DEADLINE),
    )
}
