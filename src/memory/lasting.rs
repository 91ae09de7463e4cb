//! Sessions that belong to a user.

use super::MemoryStore;
use super::shard::Shard;
use crate::store::{Answer, Entry, Key, LastingStore, Outgoing, Replaced, Replacement, Standing, Timestamp};
use std::time::Duration;
use uuid::Uuid;

impl Shard {
    /// Whether a replacement can go ahead, or why it is refused; and what it replaces. Changes nothing.
    fn may_replace(
        &self,
        key: &Key,
        replacement: &Replacement<'_>,
        now: Timestamp,
    ) -> Result<Option<&Entry>, Replaced> {
        let there = self.get(key, now);
        replacement.refusal(there, |session| self.lives(session, now), now).map_or(Ok(there), Err)
    }
}

/// Whether it begins a session, for which a full store has no room. Changing one is never refused here, nor is ending.
fn begins(replacement: &Replacement<'_>, there: Option<&Entry>) -> bool {
    let goes_on = there.is_some_and(Entry::is_live) && replacement.outgoing.is_none();
    replacement.entry.is_live() && !goes_on
}

impl LastingStore for MemoryStore {
    async fn load_both(&self, session: &Key, user_session: &Key) -> Answer<[Option<Entry>; 2]> {
        let now = self.clock.now();
        Ok([session, user_session].map(|key| self.shard(key).get(key, now).cloned()))
    }

    async fn load_several(&self, keys: &[Key]) -> Answer<Vec<Option<Entry>>> {
        let now = self.clock.now();
        Ok(keys.iter().map(|key| self.shard(key).get(key, now).cloned()).collect())
    }

    async fn replace(&self, key: &Key, replacement: &Replacement<'_>) -> Answer<Replaced> {
        let now = self.clock.now();
        let is_one_more = match self.shard(key).may_replace(key, replacement, now) {
            Ok(there) => begins(replacement, there),
            Err(refusal) => return Ok(refusal),
        };
        if is_one_more {
            self.reserve(now)?;
        }
        let mut shard = self.shard(key);
        let swept = shard.sweep_if_due(now);
        // Again: the lock was given back.
        let refusal = match shard.may_replace(key, replacement, now) {
            Ok(there) => {
                let mut entry = replacement.entry.clone();
                entry.touch(there.map_or(now, |there| there.touched().max(now)));
                let (realm, digest) = (key.realm(), key.digest());
                match replacement.look_in {
                    _ if !entry.is_live() => shard.due.forget(realm, digest),
                    Some(look_in) => shard.due.name(realm, digest, now.plus(look_in)),
                    None => {}
                }
                let is_new = !shard.put(key, entry, self.expires(now.plus(replacement.keep_for)));
                if let Some(outgoing) = replacement.outgoing {
                    shard.outbox.put(realm, outgoing.clone());
                }
                self.count(usize::from(is_new));
                None
            }
            Err(refusal) => Some(refusal),
        };
        self.forget(swept + usize::from(is_one_more));
        Ok(refusal.unwrap_or(Replaced::Applied))
    }

    async fn renew(&self, key: &Key, seen: Timestamp, idle: Duration, keep_for: Duration) -> Answer<bool> {
        let now = self.clock.now();
        let mut shard = self.shard(key);
        if !shard.get(key, now).is_some_and(|entry| Standing::Lives(idle).holds(entry, now)) {
            return Ok(false);
        }
        let expires = self.expires(now.plus(keep_for));
        Ok(shard.touch(key, seen, now.max(seen), expires, now))
    }

    async fn outbox(&self, realm: &'static str, shard: u8, limit: usize) -> Answer<Vec<Outgoing>> {
        Ok(self.shard_of(shard).outbox.some(realm, limit))
    }

    async fn full_outboxes(&self, realm: &'static str) -> Answer<Vec<(u8, usize)>> {
        let waiting = (0..=u8::MAX).map(|shard| (shard, self.shard_of(shard).outbox.len(realm)));
        Ok(waiting.filter(|(_, waiting)| *waiting > 0).collect())
    }

    async fn due(&self, realm: &'static str, limit: usize) -> Answer<Vec<(Key, Entry)>> {
        let (now, mut due) = (self.clock.now(), Vec::new());
        for number in 0..=u8::MAX {
            let mut shard = self.shard_of(number);
            for digest in shard.due.by(realm, now) {
                if due.len() == limit {
                    return Ok(due);
                }
                let key = Key::of_user_session_digest(realm, number, digest);
                match shard.get(&key, now).filter(|entry| entry.is_live()).cloned() {
                    Some(entry) => due.push((key, entry)),
                    None => shard.due.forget(realm, &digest),
                }
            }
        }
        Ok(due)
    }

    async fn put_off(&self, key: &Key, look_in: Duration) -> Answer<()> {
        let at = self.clock.now().plus(look_in);
        self.shard(key).due.put_off(key.realm(), key.digest(), at);
        Ok(())
    }

    async fn retire(&self, _: &'static str, _: usize) -> Answer<bool> {
        self.sweep(self.clock.now());
        Ok(false)
    }

    async fn sent(&self, realm: &'static str, shard: u8, ids: &[Uuid]) -> Answer<()> {
        let taken = self.shard_of(shard).outbox.take(realm, ids);
        self.forget(taken);
        Ok(())
    }
}
