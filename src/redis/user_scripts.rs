//! What Redis carries out whole: scripts on the sessions of a user, and on news.
//!
//! All keys of a script are declared and in one shard. The first write is one that may be refused, or one that needs no
//! memory; an error after it is reported as such, since Redis takes nothing back.

use super::connection::Carrier;
use super::failure::Failure;
use super::scripts::{Script, and_then, endings, lua};
use crate::clock::Timestamp;
use crate::id::Digest;
use crate::record::State;
use redis::Value;
use std::sync::LazyLock;

/// Admission. `KEYS`: the new record, index, epoch, news, the new record's copy, expiries, outbox; and of each who departs the record
/// and its copy, the predecessor first.
/// `ARGV`: the new entry, milliseconds to keep it, its member, its deadline, milliseconds to keep the index, the deadlines
/// that are past, the epoch, milliseconds to keep it, the limit, 1 if there is a predecessor, milliseconds to keep markers,
/// the news that are past, milliseconds to keep the copy or nothing if there is to be none; and of each who departs as in [`DEPART`].
///
/// Answers a number for what became of it, see `users.rs`, and what goes with it.
pub(super) static ADMIT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(format!(
        "{endings}
{tell}
{then}
local there = redis.call('GET', KEYS[1])
if there then return {{1, there}} end
local epoch, named = tonumber(redis.call('GET', KEYS[3]) or '0'), tonumber(ARGV[7])
if epoch > named then
  local time = redis.call('TIME')
  return {{2, epoch, time[1], time[2]}}
end
local past, leaving, counted = tonumber(ARGV[6]), {{}}, {{}}
local others = redis.call('ZCOUNT', KEYS[2], '(' .. ARGV[6], '+inf')
for i = 8, #KEYS, 2 do
  local at = 14 + 3 * (i - 8)
  local expected, state, tail, member = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local head = head_of(KEYS[i])
  local meant = is_meant(head, expected)
  if i == 8 and ARGV[10] == '1' and not meant then return {{3, redis.call('GET', KEYS[i])}} end
  local score = redis.call('ZSCORE', KEYS[2], member)
  if score and tonumber(score) > past and not counted[member] then others = others - 1 end
  counted[member] = true
  local leaves = {{record = KEYS[i], copy = KEYS[i + 1], member = member, news = '', keep = '0'}}
  if meant then
    leaves.marker, leaves.news, leaves.keep = marker_of(head, state, tail), ARGV[at + 4], ARGV[at + 5]
    leaves.parting = parting_of(KEYS[i], head, state, tail, member:sub(1, {digest}))
  end
  if meant or head:byte({state}) ~= {live} then leaving[#leaving + 1] = leaves end
end
if others >= tonumber(ARGV[9]) then return {{4}} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return and_then({{0}}, function()
  if ARGV[13] ~= '' then
    redis.call('SET', KEYS[5], ARGV[1], 'PX', ARGV[13])
    redis.call('ZADD', KEYS[6], now() + ARGV[2], ARGV[3]:sub(1, {digest}))
  end
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[6])
  redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3])
  keep_for(KEYS[2], ARGV[5])
  for _, leaves in ipairs(leaving) do
    if leaves.marker then redis.call('SET', leaves.record, leaves.marker, 'PX', ARGV[11]) end
    send(leaves.parting, leaves.copy, KEYS[6], KEYS[7])
    redis.call('ZREM', KEYS[2], leaves.member)
    if leaves.news ~= '' then tell(KEYS[4], leaves.news, leaves.keep, ARGV[12]) end
  end
  if epoch < named then redis.call('SET', KEYS[3], ARGV[7], 'PX', ARGV[8]) end
end)",
        endings = endings(),
        tell = tell(),
        then = and_then(),
        digest = Digest::SIZE,
        state = lua(crate::record::offset::STATE),
        live = State::Live as u8,
    ))
});

/// Departure. `KEYS`: the record, index, news, the record's copy, expiries, outbox. `ARGV`: the write id to find or nothing, the marker's state, its tail, the
/// member, the news or nothing, milliseconds to keep them; milliseconds to keep the marker, and the news that are past.
pub(super) static DEPART: LazyLock<Script> = LazyLock::new(|| {
    Script::new(format!(
        "{endings}
{tell}
{then}
local function tell_it()
  if ARGV[5] ~= '' then tell(KEYS[3], ARGV[5], ARGV[6], ARGV[8]) end
end
local head = head_of(KEYS[1])
if is_meant(head, ARGV[1]) then
  local marker = marker_of(head, ARGV[2], ARGV[3])
  local parting = parting_of(KEYS[1], head, ARGV[2], ARGV[3], ARGV[4]:sub(1, {digest}))
  redis.call('PEXPIRE', KEYS[1], ARGV[7])
  return and_then(1, function()
    redis.call('SET', KEYS[1], marker, 'PX', ARGV[7])
    send(parting, KEYS[4], KEYS[5], KEYS[6])
    redis.call('ZREM', KEYS[2], ARGV[4])
    tell_it()
  end)
end
local there = redis.call('GET', KEYS[1])
if there then return there end
redis.call('ZREM', KEYS[2], ARGV[4])
return and_then(false, tell_it)",
        endings = endings(),
        tell = tell(),
        then = and_then(),
        digest = Digest::SIZE,
    ))
});

/// [`SWEEP`] answers that the index or the epoch is not what was read.
pub(super) const CHANGED: i64 = -1;
/// [`SWEEP`] answers that the session to be kept is not there.
pub(super) const NOT_THERE: i64 = -2;

/// The end of all. `KEYS`: index, epoch, news, expiries, outbox, and of each member the record and its copy. `ARGV`: the epoch that was read or nothing,
/// the one that begins, milliseconds to keep it, the handle of the session to be kept or nothing, the marker's state, its
/// tail, milliseconds to keep it, the news, milliseconds to keep them, the news that are past; and each member that was read.
///
/// Answers how many were ended, or one of the above.
pub(super) static SWEEP: LazyLock<Script> = LazyLock::new(|| {
    Script::new(format!(
        "{endings}
{tell}
{then}
local members = redis.call('ZRANGE', KEYS[1], 0, -1)
if 2 * #members ~= #KEYS - 5 or (redis.call('GET', KEYS[2]) or '') ~= ARGV[1] then return {CHANGED} end
local leaving, is_kept, ended = {{}}, ARGV[4] == '', 0
for i, member in ipairs(members) do
  if member ~= ARGV[10 + i] then return {CHANGED} end
  local record = KEYS[4 + 2 * i]
  local head = head_of(record)
  local leaves = {{record = record, copy = KEYS[5 + 2 * i], member = member}}
  if is_meant(head, '') then leaves.marker = marker_of(head, ARGV[5], ARGV[6]) end
  if leaves.marker and member:sub({handle}) == ARGV[4] then
    is_kept = true
  else
    if leaves.marker then leaves.parting = parting_of(record, head, ARGV[5], ARGV[6], member:sub(1, {handle} - 1)) end
    leaving[#leaving + 1] = leaves
  end
end
if not is_kept then return {NOT_THERE} end
for _, leaves in ipairs(leaving) do
  if leaves.marker then ended = ended + 1 end
end
redis.call('ZREM', KEYS[1], '')
return and_then(ended, function()
  for _, leaves in ipairs(leaving) do
    if leaves.marker then redis.call('SET', leaves.record, leaves.marker, 'PX', ARGV[7]) end
    send(leaves.parting, leaves.copy, KEYS[4], KEYS[5])
    redis.call('ZREM', KEYS[1], leaves.member)
  end
  redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
  tell(KEYS[3], ARGV[8], ARGV[9], ARGV[10])
end)",
        endings = endings(),
        tell = tell(),
        then = and_then(),
        handle = lua(Digest::SIZE),
    ))
});

/// Tells news of one shard. `KEYS`: the stream, and for each of the news an epoch, or anything. `ARGV`: the news that are
/// past; and for each of the news itself, milliseconds to keep it, and what the epoch must at least be or nothing.
pub(super) static TELL: LazyLock<Script> = LazyLock::new(|| {
    Script::new(format!(
        "{tell}
{then}
redis.call('XDEL', KEYS[1], '0-1')
return and_then(1, function()
  for i = 2, #KEYS do
    local at = 2 + 3 * (i - 2)
    local news, keep, epoch = ARGV[at], ARGV[at + 1], ARGV[at + 2]
    tell(KEYS[1], news, keep, ARGV[1])
    if epoch ~= '' and tonumber(redis.call('GET', KEYS[i]) or '0') < tonumber(epoch) then
      redis.call('SET', KEYS[i], epoch, 'PX', keep)
    end
  end
end)",
        tell = tell(),
        then = and_then(),
    ))
});

/// Answers the mark; sets it to `ARGV[1]` if there is none.
///
/// Begins with a write that changes nothing: one who listens to a replica is told so.
pub(super) static MARK: LazyLock<Script> = LazyLock::new(|| {
    Script::new(format!(
        "{then}
redis.call('PERSIST', KEYS[1])
local there = redis.call('GET', KEYS[1])
if there then return there end
return and_then(ARGV[1], function() redis.call('SET', KEYS[1], ARGV[1]) end)",
        then = and_then(),
    ))
});

/// Tells news, keeps the stream for at least as long, and forgets the oldest of what is past: more than comes in. News have
/// the time until which they matter after their first byte.
fn tell() -> String {
    format!(
        "local function keep_for(key, time)
  if redis.call('PTTL', key) < tonumber(time) then redis.call('PEXPIRE', key, time) end
end
local function tell(stream, news, keep, past)
  redis.call('XADD', stream, '*', 'r', news)
  keep_for(stream, keep)
  for _, old in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', 3)) do
    local till = 0
    for i = 2, 1 + {bytes} do till = 256 * till + (old[2][2]:byte(i) or 255) end
    if till <= tonumber(past) then redis.call('XDEL', stream, old[1]) end
  end
end",
        bytes = Timestamp::SIZE,
    )
}

/// What a script is run on, and with.
pub(super) struct Call {
    keys: Vec<String>,
    arguments: Vec<Vec<u8>>,
}

impl Call {
    pub(super) fn on<const N: usize>(keys: [&str; N]) -> Self {
        Self { keys: keys.map(str::to_owned).into(), arguments: Vec::new() }
    }

    pub(super) fn key(&mut self, key: impl Into<String>) -> &mut Self {
        self.keys.push(key.into());
        self
    }

    pub(super) fn bytes(&mut self, argument: impl AsRef<[u8]>) -> &mut Self {
        self.arguments.push(argument.as_ref().to_vec());
        self
    }

    pub(super) fn number(&mut self, argument: u64) -> &mut Self {
        self.bytes(argument.to_string())
    }

    pub(super) async fn run<T>(
        &self,
        script: &Script,
        redis: &impl Carrier,
        read: impl Fn(Value) -> Option<T> + Send + Sync,
    ) -> Result<T, Failure> {
        let keys: Vec<_> = self.keys.iter().map(String::as_str).collect();
        let arguments: Vec<_> = self.arguments.iter().map(Vec::as_slice).collect();
        script.run(redis, &keys, &arguments, read).await
    }
}
