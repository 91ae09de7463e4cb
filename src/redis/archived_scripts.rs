//! What Redis carries out whole: scripts on browsers' sessions that go to the archive.
//!
//! Redis forgets a record when its time has run out. So there is a copy, which is there for longer, and a list of when to look.

use super::scripts::{Script, and_then, clock, endings};
use crate::id::WriteId;
use crate::record::{EndReason, State, offset};
use std::sync::LazyLock;

/// Commit. `KEYS`: the record and its copy. `ARGV`: as of any commit, and milliseconds to keep the copy.
pub(super) static COMMIT_ARCHIVED: LazyLock<Script> = LazyLock::new(|| {
    Script::new(format!(
        "{then}
local head = redis.call('GETRANGE', KEYS[1], {first}, {last})
if head ~= ARGV[1] then return redis.call('GET', KEYS[1]) end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return and_then(1, function() redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[4]) end)",
        then = and_then(),
        first = offset::STATE,
        last = offset::WRITE_ID + WriteId::SIZE - 1,
    ))
});

/// Creation of a session that goes to the archive. `KEYS`: the record, its copy, and the expiries. `ARGV`: the value, milliseconds to
/// keep it, milliseconds to keep the copy, and the digest of the key.
pub(super) static CREATE_ARCHIVED: LazyLock<Script> = LazyLock::new(|| {
    Script::new(format!(
        "{clock}
{then}
local there = redis.call('GET', KEYS[1])
if there then return there end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return and_then(1, function()
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3])
  redis.call('ZADD', KEYS[3], now() + ARGV[2], ARGV[4])
end)",
        clock = clock(),
        then = and_then(),
    ))
});

/// Sending out what has expired. `KEYS`: the expiries, the outbox; and of each digest the record and its copy. `ARGV`: for how many
/// milliseconds longer the copies are kept, and the digests.
///
/// One that lives is looked at again when it may not any more. Begins with a write that needs no memory.
pub(super) static RETIRE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(format!(
        "{endings}
{then}
redis.call('ZREM', KEYS[1], '')
return and_then(1, function()
  for i = 2, #ARGV do
    local record, copy, digest = KEYS[2 * i - 1], KEYS[2 * i], ARGV[i]
    if redis.call('GETRANGE', record, {state}, {state}):byte(1) == {live} then
      redis.call('ZADD', KEYS[1], 'XX', now() + math.max(redis.call('PTTL', record), 1), digest)
    else
      local ended, head = now() + redis.call('PTTL', copy) - ARGV[1], head_of(copy)
      local parting = head ~= '' and parting_of(copy, head, string.char({ended}), string.char({expired}), digest, ended)
      send(parting or {{digest = digest}}, copy, KEYS[1], KEYS[2])
    end
  end
end)",
        endings = endings(),
        then = and_then(),
        state = offset::STATE,
        live = State::Live as u8,
        ended = State::Ended as u8,
        expired = EndReason::Expired as u8,
    ))
});
