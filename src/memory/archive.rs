//! Sessions that have ended, in the memory of this process.

use super::MemoryStore;
use crate::archive::{
    Answer, Archive, Completion, Count, DeadLetter, EndReason, EndedSession, HistoryPage, Place, Quota, Steps,
    StoreError, Timestamp, WriteId,
};
use crate::id::UserId;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use thiserror::Error;
use uuid::Uuid;

/// The archive holds as many sessions as it may.
#[derive(Debug, Error)]
#[error("the archive is full: it holds its limit of {0} sessions")]
struct Full(usize);

/// What has ended, under a lock of its own. Apart from the store, which most use for sessions only.
#[derive(Default)]
pub(super) struct Ended(Box<Mutex<Shelves>>);

#[derive(Default)]
struct Shelves {
    layers: HashMap<&'static str, Layer>,
    /// Of all layers, dead letters too.
    kept: usize,
    settled: HashMap<Attempt, Timestamp>,
}

#[derive(Default)]
struct Layer {
    ids: HashSet<Uuid>,
    /// By whose they are; nobody's too.
    users: HashMap<Option<UserId>, BTreeMap<Uuid, EndedSession>>,
    dead: BTreeMap<Uuid, DeadLetter>,
}

/// A try to complete a session, which comes to nothing.
type Attempt = (&'static str, Uuid, [u8; 12]);

/// For how long attempts that were settled are remembered.
const SETTLED: Duration = Duration::from_secs(86_400);

impl Ended {
    /// Nothing is ever half changed, so that a panic of another thread does no harm.
    fn lock(&self) -> MutexGuard<'_, Shelves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelves {
    fn has(&self, layer: &str, id: &Uuid) -> bool {
        self.layers.get(layer).is_some_and(|layer| layer.ids.contains(id))
    }

    fn sessions(&self, layer: &str, user: &Option<UserId>) -> Option<&BTreeMap<Uuid, EndedSession>> {
        self.layers.get(layer)?.users.get(user)
    }

    fn put(&mut self, layer: &'static str, ended: EndedSession) {
        let layer = self.layers.entry(layer).or_default();
        if layer.ids.insert(ended.id) {
            layer.users.entry(ended.user.clone()).or_default().insert(ended.id, ended);
            self.kept += 1;
        }
    }

    fn of_layer(&self, layer: &str) -> impl Iterator<Item = &EndedSession> {
        self.layers.get(layer).into_iter().flat_map(|layer| layer.users.values()).flat_map(BTreeMap::values)
    }

    /// Deletes these, which are there, and answers how many.
    fn delete(&mut self, layer: &str, sessions: &[(Option<UserId>, Uuid)]) -> u64 {
        let Some(layer) = self.layers.get_mut(layer) else { return 0 };
        for (user, id) in sessions {
            layer.ids.remove(id);
            if let Some(of_user) = layer.users.get_mut(user) {
                of_user.remove(id);
                if of_user.is_empty() {
                    layer.users.remove(user);
                }
            }
        }
        self.kept -= sessions.len();
        sessions.len() as u64
    }

    /// Deletes those dead letters of these that are there, and answers how many.
    fn remove_dead(&mut self, layer: &str, ids: &[Uuid]) -> u64 {
        let Some(layer) = self.layers.get_mut(layer) else { return 0 };
        let removed = ids.iter().filter(|id| layer.dead.remove(id).is_some()).count();
        self.kept -= removed;
        removed as u64
    }

    /// At most so many dead letters that have been there since before this moment, the oldest in front.
    fn dead_before(&self, layer: &str, before: Timestamp, limit: usize) -> Vec<Uuid> {
        let dead = self.layers.get(layer).into_iter().flat_map(|layer| layer.dead.values());
        let mut old: Vec<_> =
            dead.filter(|letter| letter.since < before).map(|letter| (letter.since, letter.id)).collect();
        old.sort_unstable();
        old.into_iter().take(limit).map(|(_, id)| id).collect()
    }

    /// When those were completed that count, the latest in front, as many as the quota allows.
    fn counted(&self, layer: &str, ended: &EndedSession, quota: Quota, now: Timestamp) -> Vec<Timestamp> {
        let of_user = self.sessions(layer, &ended.user).into_iter().flat_map(BTreeMap::values);
        let completed = of_user.filter(|past| past.kind == ended.kind && past.reason == EndReason::Completed);
        let mut times: Vec<_> = completed.map(|past| past.ended).filter(|at| *at > quota.since(now)).collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        times.truncate(usize::try_from(quota.limit()).unwrap_or(usize::MAX));
        times
    }
}

fn full(limit: usize) -> StoreError {
    StoreError::refused(Full(limit))
}

impl Archive for MemoryStore {
    async fn add(&self, layer: &'static str, ended: &[EndedSession]) -> Answer<()> {
        let mut shelves = self.ended.lock();
        let new: HashSet<_> = ended.iter().map(|ended| ended.id).filter(|id| !shelves.has(layer, id)).collect();
        if !new.is_empty() && shelves.kept + new.len() > self.archive_limit {
            return Err(full(self.archive_limit));
        }
        ended.iter().for_each(|ended| shelves.put(layer, ended.clone()));
        Ok(())
    }

    async fn complete(
        &self,
        layer: &'static str,
        ended: &EndedSession,
        attempt: &WriteId,
        quota: Quota,
    ) -> Answer<Completion> {
        let mut shelves = self.ended.lock();
        // Under the lock, so that the times of those that count are in their order.
        let now = self.clock.now();
        if shelves.has(layer, &ended.id) {
            let there = shelves.sessions(layer, &ended.user).and_then(|sessions| sessions.get(&ended.id));
            let is_completed = there.is_some_and(|there| there.reason == EndReason::Completed);
            return Ok(if is_completed { Completion::Completed } else { Completion::Settled });
        }
        if shelves.settled.contains_key(&(layer, ended.id, *attempt.as_bytes())) {
            return Ok(Completion::Settled);
        }
        let last = shelves.counted(layer, ended, quota, now);
        if last.len() as u64 >= u64::from(quota.limit()) {
            return Ok(Completion::Exceeded { next: quota.next(&last, now) });
        }
        if shelves.kept >= self.archive_limit {
            return Err(full(self.archive_limit));
        }
        shelves.put(layer, EndedSession { ended: now, ..ended.clone() });
        Ok(Completion::Completed)
    }

    async fn settle(&self, layer: &'static str, ended: &EndedSession, attempt: Option<&WriteId>) -> Answer<bool> {
        let (mut shelves, now) = (self.ended.lock(), self.clock.now());
        if shelves.has(layer, &ended.id) {
            return Ok(true);
        }
        let Some(attempt) = attempt else { return Ok(false) };
        if shelves.settled.len() >= self.archive_limit {
            shelves.settled.retain(|_, until| *until > now);
        }
        let attempt = (layer, ended.id, *attempt.as_bytes());
        if shelves.settled.len() >= self.archive_limit && !shelves.settled.contains_key(&attempt) {
            return Err(full(self.archive_limit));
        }
        shelves.settled.insert(attempt, now.plus(SETTLED));
        Ok(false)
    }

    async fn history(&self, layer: &'static str, user: &UserId, page: &HistoryPage<'_>) -> Answer<Vec<EndedSession>> {
        let shelves = self.ended.lock();
        let (Some(sessions), Some((lowest, highest))) = (shelves.sessions(layer, &Some(user.clone())), page.ids())
        else {
            return Ok(Vec::new());
        };
        let wanted = sessions.range(lowest..=highest).map(|(_, ended)| ended).filter(|ended| page.has(ended));
        let some = match page.place {
            Place::Latest | Place::Before(_) => wanted.rev().take(page.limit).cloned().collect(),
            Place::After(_) => wanted.take(page.limit).cloned().collect(),
        };
        Ok(page.cut(some, |ended: &EndedSession| ended.id))
    }

    async fn counts(&self, layer: &'static str, kind: Option<&str>, steps: Steps) -> Answer<Vec<Count>> {
        let shelves = self.ended.lock();
        let mut counts = BTreeMap::new();
        for ended in shelves.of_layer(layer).filter(|ended| kind.is_none_or(|kind| kind == ended.kind)) {
            if let Some(number) = steps.number_of(ended.ended) {
                let count =
                    Count { from: steps.begin(number), kind: ended.kind.clone(), reason: ended.reason, sessions: 0 };
                counts.entry((number, &ended.kind, ended.reason.as_str())).or_insert(count).sessions += 1;
            }
        }
        Ok(counts.into_values().collect())
    }

    async fn add_dead(&self, layer: &'static str, letters: &[DeadLetter]) -> Answer<()> {
        let shelves = &mut *self.ended.lock();
        let dead = &mut shelves.layers.entry(layer).or_default().dead;
        let new: HashSet<_> = letters.iter().map(|letter| letter.id).filter(|id| !dead.contains_key(id)).collect();
        if !new.is_empty() && shelves.kept + new.len() > self.archive_limit {
            return Err(full(self.archive_limit));
        }
        for letter in letters {
            dead.entry(letter.id).or_insert_with(|| letter.clone());
        }
        shelves.kept += new.len();
        Ok(())
    }

    async fn dead(&self, layer: &'static str, from: Uuid, limit: usize) -> Answer<Vec<DeadLetter>> {
        let shelves = self.ended.lock();
        let dead = shelves.layers.get(layer).into_iter().flat_map(|layer| layer.dead.range(from..));
        Ok(dead.take(limit).map(|(_, letter)| letter.clone()).collect())
    }

    async fn remove_dead(&self, layer: &'static str, ids: &[Uuid]) -> Answer<()> {
        self.ended.lock().remove_dead(layer, ids);
        Ok(())
    }

    async fn forget(&self, layer: &'static str, before: Timestamp, limit: usize) -> Answer<u64> {
        let mut shelves = self.ended.lock();
        let mut old: Vec<_> = shelves.of_layer(layer).filter(|ended| ended.ended < before).collect();
        old.sort_unstable_by_key(|ended| ended.ended);
        let old: Vec<_> = old.into_iter().take(limit).map(|ended| (ended.user.clone(), ended.id)).collect();
        let dead = shelves.dead_before(layer, before, limit - old.len());
        Ok(shelves.delete(layer, &old) + shelves.remove_dead(layer, &dead))
    }

    async fn erase(&self, layer: &'static str, user: &UserId, limit: usize) -> Answer<u64> {
        let mut shelves = self.ended.lock();
        let user = Some(user.clone());
        let of_user = shelves.sessions(layer, &user).into_iter().flat_map(BTreeMap::keys);
        let of_user: Vec<_> = of_user.take(limit).map(|id| (user.clone(), *id)).collect();
        Ok(shelves.delete(layer, &of_user))
    }
}
