//! A user's sessions one after the other, and those that have ended: to read, to count, and to keep no longer.

use super::moves::{drain, readable};
use super::roster::Roster;
use super::user_session::survey;
use crate::archive::{Count, EndedSession, HistoryEntry, HistoryPage, PatientArchive, Steps};
use crate::clock::Timestamp;
use crate::error::SessionError;
use crate::id::UserId;
use std::cmp::Reverse;
use std::future::Future;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

/// How much of what waits in a shard's outbox is looked at. As a rule nothing waits for more than a moment.
const WAITING: usize = 10_000;

/// How many are deleted in one go, so that nobody waits for that for long.
const BATCH: usize = 200;

impl Roster {
    /// The archive; in a request, counting for that.
    fn archive(&self) -> Result<PatientArchive, SessionError> {
        let archive = self.realm.archive()?.clone();
        Ok(match &self.exchange {
            Some(exchange) => archive.counting(exchange.shared_meter()),
            None => archive,
        })
    }

    /// What is on its way to the archive.
    async fn waiting(&self, user: &UserId) -> Result<Vec<EndedSession>, SessionError> {
        let waiting = self.store.outbox(self.realm.name, self.shard_of(user), WAITING).await?;
        let mut waiting = readable(&self.realm.keys, self.realm.name, &waiting);
        waiting.retain(|ended| ended.user.as_ref() == Some(user));
        Ok(waiting)
    }

    fn shard_of(&self, user: &UserId) -> u8 {
        self.realm.owner(&self.realm.keys.digest_of(user)).shard()
    }

    /// What the user has at present, the one that began last in front.
    pub(crate) async fn active(&self, user: &UserId) -> Result<Vec<HistoryEntry>, SessionError> {
        let mut active = survey(&self.realm, &self.store, user, &self.realm.registry.kinds()).await?;
        active.retain(HistoryEntry::is_active);
        active.sort_by_key(|entry| Reverse(entry.id));
        Ok(active)
    }

    /// A page of the user's sessions: of those that are active, of what is on its way to the archive, and of what is there.
    pub(crate) async fn history(
        &self,
        user: &UserId,
        page: &HistoryPage<'_>,
    ) -> Result<Vec<HistoryEntry>, SessionError> {
        let archive = self.archive()?;
        // In the order in which they go: what goes on meanwhile is then in two of them, not in none.
        let active = if page.may_have_active() {
            let kinds = page.kind.map_or_else(|| self.realm.registry.kinds(), |kind| vec![kind]);
            survey(&self.realm, &self.store, user, &kinds).await?
        } else {
            Vec::new()
        };
        let waiting = self.waiting(user).await?;
        let ended = archive.history(self.realm.name, user, page).await?;
        // And of two, where it went last is what counts.
        let all = ended.into_iter().chain(waiting).map(HistoryEntry::from).chain(active);
        Ok(page.cut(all.filter(|entry| page.shows(entry)).collect(), |entry| entry.id))
    }

    /// How many ended, as far as they are in the archive.
    pub(crate) async fn counts(&self, kind: Option<&str>, steps: Steps) -> Result<Vec<Count>, SessionError> {
        self.archive()?.counts(self.realm.name, kind, steps).await
    }

    /// Moves to the archive what waits for that.
    pub(crate) async fn drain(&self, within: Duration) -> Result<(), SessionError> {
        drain(&self.realm, within).await
    }

    /// Deletes what has ended of a user, and answers how many there were.
    pub(crate) async fn erase(&self, user: &UserId) -> Result<u64, SessionError> {
        let (archive, name) = (self.archive()?, self.realm.name);
        // First what waits: what is moved meanwhile is then found in the archive.
        let waiting: Vec<_> = self.waiting(user).await?.iter().map(|ended| ended.id).collect();
        self.store.sent(name, self.shard_of(user), &waiting).await?;
        let erased = in_batches(|| archive.erase(name, user, BATCH)).await?;
        Ok(erased + waiting.len() as u64)
    }

    /// Deletes what ended before a moment, and answers how many there were.
    pub(crate) async fn forget_before(&self, before: Timestamp) -> Result<u64, SessionError> {
        let (archive, name) = (self.archive()?, self.realm.name);
        in_batches(|| archive.forget(name, before, BATCH)).await
    }
}

/// Goes on until there is less than a batch. At most half of the time, so that others get on.
async fn in_batches<F>(batch: impl Fn() -> F) -> Result<u64, SessionError>
where
    F: Future<Output = Result<u64, SessionError>>,
{
    let mut all = 0;
    loop {
        let began = Instant::now();
        let deleted = batch().await?;
        all += deleted;
        if deleted < BATCH as u64 {
            return Ok(all);
        }
        // Where no runtime runs there is nothing to wait with, nor anybody else.
        if Handle::try_current().is_ok() {
            sleep(began.elapsed()).await;
        }
    }
}
