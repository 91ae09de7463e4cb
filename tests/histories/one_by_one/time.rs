//! How time passes.

use super::step::MINUTES;
use std::time::Duration;
use testbed::RedisServer;
use thin_session::Clock;

pub(super) enum Time {
    /// That of the layer and the store.
    Clock(Clock),
    /// A store that has a clock of its own: whatever idles is made older. Limits that hold whatever happens are in cookies too, and do
    /// not come to pass.
    Redis(RedisServer),
}

/// What is kept goes sooner, and was used earlier: see the bytes of an entry in the port's documentation. By the clock of Redis
/// nothing but idleness is decided here.
const AGE: &str = "
local by = tonumber(ARGV[1])
for _, key in ipairs(redis.call('KEYS', 'ts:*')) do
  local left = key:find(':[sl]:') and redis.call('PTTL', key) or -1
  if left > by then
    local used = 0
    for _, byte in ipairs({redis.call('GETRANGE', key, 20, 25):byte(1, 6)}) do used = used * 256 + byte end
    used = used - by
    local bytes = ''
    for _ = 1, 6 do
      bytes = string.char(used % 256) .. bytes
      used = math.floor(used / 256)
    end
    redis.call('SETRANGE', key, 20, bytes)
    redis.call('PEXPIRE', key, left - by)
  elseif left >= 0 then
    redis.call('DEL', key)
  end
end
return 'OK'";

impl Time {
    pub(super) fn clock(&self) -> Option<Clock> {
        match self {
            Self::Clock(clock) => Some(clock.clone()),
            Self::Redis(_) => None,
        }
    }

    pub(super) fn pass(&self, times: u64) {
        let time = Duration::from_secs(times * MINUTES * 60);
        match self {
            Self::Clock(clock) => clock.advance(time),
            Self::Redis(server) => {
                let by = time.as_millis().to_string();
                let aged = server.command(&[b"EVAL", AGE.as_bytes(), b"0", by.as_bytes()]);
                assert_eq!(aged.text(), "OK");
            }
        }
    }
}
