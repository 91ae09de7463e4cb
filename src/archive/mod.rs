//! The port behind which ended sessions are kept for years. Implement [`Archive`] to keep them somewhere else.
//!
//! What has ended waits in an outbox of the store that had it, until the archive has it too. Only a completion
//! [within a quota](crate::UserSession::complete_within) goes straight to the archive, which is then the one that decides.

mod boxed;
mod counts;
mod dead;
mod ended;
mod entry;
mod page;
mod patient;
mod payload;
mod quota;

pub use crate::record::EndReason;
pub use crate::store::{Answer, StoreError, Timestamp, WriteId};
pub use counts::{Count, Steps};
pub use dead::DeadLetter;
pub use ended::EndedSession;
pub use entry::{End, HistoryEntry};
pub use page::{HistoryPage, Place};
pub(crate) use patient::PatientArchive;
pub use quota::Quota;

use crate::id::UserId;
use std::future::Future;
use std::sync::Arc;
use uuid::Uuid;

/// Where ended sessions are kept. Implement it with `async fn`.
///
/// A `layer` is the name of a [named](crate::SessionLayer::named) layer, else empty: the sessions of one are not seen by another.
/// Each operation is atomic. All of them can be sent again. One that is full may refuse to add and to complete, and drops nothing.
pub trait Archive: Send + Sync + 'static {
    /// Adds sessions, all or none of them. Those whose ids are there already stay as they are.
    fn add(&self, layer: &'static str, ended: &[EndedSession]) -> impl Future<Output = Answer<()>> + Send;

    /// Adds a completed session, unless its user has completed too many of its kind. The first of these that applies is the
    /// answer, and only the last changes anything:
    ///
    /// 1. A session of this id is there that was completed: [`Completion::Completed`].
    /// 2. One is there that has ended otherwise, or the attempt was [settled](Self::settle) meanwhile: [`Completion::Settled`].
    /// 3. As many completed ones of this user and kind as the quota allows have ended less than its window ago:
    ///    [`Completion::Exceeded`].
    /// 4. Otherwise [`Completion::Completed`]: it is added, with the archive's time as its end.
    ///
    /// Of one user and kind this happens one at a time, and what was answered survives a crash.
    fn complete(
        &self,
        layer: &'static str,
        ended: &EndedSession,
        attempt: &WriteId,
        quota: Quota,
    ) -> impl Future<Output = Answer<Completion>> + Send;

    /// Whether a session is there. If not, and an attempt is named, then that comes to nothing from now on, should it still be
    /// under way; this is remembered for a day at least.
    fn settle(
        &self,
        layer: &'static str,
        ended: &EndedSession,
        attempt: Option<&WriteId>,
    ) -> impl Future<Output = Answer<bool>> + Send;

    /// A page of a user's sessions: of all that it [has](HistoryPage::has) the highest ids, or after an id the lowest; the one that
    /// began last in front.
    fn history(
        &self,
        layer: &'static str,
        user: &UserId,
        page: &HistoryPage<'_>,
    ) -> impl Future<Output = Answer<Vec<EndedSession>>> + Send;

    /// How many sessions ended in each stretch of time, of one kind or of all: by stretch, then kind, then reason, both by their
    /// bytes. Where there were none there is no count.
    fn counts(
        &self,
        layer: &'static str,
        kind: Option<&str>,
        steps: Steps,
    ) -> impl Future<Output = Answer<Vec<Count>>> + Send;

    /// Keeps what could not be converted, all or none of it. Those whose ids are there already stay as they are.
    fn add_dead(&self, layer: &'static str, letters: &[DeadLetter]) -> impl Future<Output = Answer<()>> + Send;

    /// What could not be converted: those of the lowest ids from this one on, in order, at most so many.
    fn dead(
        &self,
        layer: &'static str,
        from: Uuid,
        limit: usize,
    ) -> impl Future<Output = Answer<Vec<DeadLetter>>> + Send;

    /// Forgets what could not be converted before. Ids that are not there are passed over.
    fn remove_dead(&self, layer: &'static str, ids: &[Uuid]) -> impl Future<Output = Answer<()>> + Send;

    /// Deletes at most so many of those that ended before this moment, those in front that ended first, and answers how many. What
    /// somebody else is deleting may be passed over. They count for no quota any more. If they were fewer, also of what could not
    /// be converted: what has been there since before.
    fn forget(&self, layer: &'static str, before: Timestamp, limit: usize) -> impl Future<Output = Answer<u64>> + Send;

    /// Deletes at most so many of a user's, and answers how many. If they were fewer, nothing of the user is left, not even the
    /// name. They count for no quota any more.
    fn erase(&self, layer: &'static str, user: &UserId, limit: usize) -> impl Future<Output = Answer<u64>> + Send;
}

/// What became of a completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Completion {
    /// It is in the archive.
    Completed,
    /// The quota is used up.
    Exceeded {
        /// When the next will be possible.
        next: Timestamp,
    },
    /// Somebody else has found this attempt unfinished, and has given the session back. It may have ended otherwise since.
    Settled,
}

impl<A: Archive> Archive for Arc<A> {
    async fn add(&self, layer: &'static str, ended: &[EndedSession]) -> Answer<()> {
        (**self).add(layer, ended).await
    }

    async fn complete(
        &self,
        layer: &'static str,
        ended: &EndedSession,
        attempt: &WriteId,
        quota: Quota,
    ) -> Answer<Completion> {
        (**self).complete(layer, ended, attempt, quota).await
    }

    async fn settle(&self, layer: &'static str, ended: &EndedSession, attempt: Option<&WriteId>) -> Answer<bool> {
        (**self).settle(layer, ended, attempt).await
    }

    async fn history(&self, layer: &'static str, user: &UserId, page: &HistoryPage<'_>) -> Answer<Vec<EndedSession>> {
        (**self).history(layer, user, page).await
    }

    async fn counts(&self, layer: &'static str, kind: Option<&str>, steps: Steps) -> Answer<Vec<Count>> {
        (**self).counts(layer, kind, steps).await
    }

    async fn add_dead(&self, layer: &'static str, letters: &[DeadLetter]) -> Answer<()> {
        (**self).add_dead(layer, letters).await
    }

    async fn dead(&self, layer: &'static str, from: Uuid, limit: usize) -> Answer<Vec<DeadLetter>> {
        (**self).dead(layer, from, limit).await
    }

    async fn remove_dead(&self, layer: &'static str, ids: &[Uuid]) -> Answer<()> {
        (**self).remove_dead(layer, ids).await
    }

    async fn forget(&self, layer: &'static str, before: Timestamp, limit: usize) -> Answer<u64> {
        (**self).forget(layer, before, limit).await
    }

    async fn erase(&self, layer: &'static str, user: &UserId, limit: usize) -> Answer<u64> {
        (**self).erase(layer, user, limit).await
    }
}
