//! An archive with a deadline. Everything can be sent again, so that it is until there is an answer or no time.

use super::boxed::BoxedArchive;
use super::{Archive, Completion, Count, DeadLetter, EndedSession, HistoryPage, Quota, Steps, Timestamp, WriteId};
use crate::error::{SessionError, SessionErrorKind};
use crate::id::UserId;
use crate::store::{Meter, Patience, Tries};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// What the layer speaks to.
#[derive(Clone)]
pub(crate) struct PatientArchive {
    archive: Arc<dyn BoxedArchive>,
    patience: Patience,
}

impl PatientArchive {
    pub(crate) fn new(archive: impl Archive, patience: Duration) -> Self {
        Self { archive: Arc::new(archive), patience: Patience::new(patience, None) }
    }

    pub(crate) fn with_patience(self, patience: Duration) -> Self {
        Self { patience: self.patience.with_time(patience), ..self }
    }

    /// The same archive, counting its calls elsewhere.
    pub(crate) fn counting(self, meter: Arc<Meter>) -> Self {
        Self { patience: self.patience.counting(meter), ..self }
    }

    pub(crate) async fn add(&self, layer: &'static str, ended: &[EndedSession]) -> Result<(), SessionError> {
        self.patience.answered("archive", || self.archive.add(layer, ended)).await
    }

    pub(crate) async fn complete(
        &self,
        layer: &'static str,
        ended: &EndedSession,
        attempt: &WriteId,
        quota: Quota,
    ) -> Result<Completion, SessionError> {
        let mut tries = Tries::until(self.patience.deadline());
        loop {
            let call = self.archive.complete(layer, ended, attempt, quota);
            match self.patience.within("complete", tries.deadline(), call).await {
                // One that is still on its way would complete it when there is room again.
                Ok(exceeded @ Completion::Exceeded { .. }) if tries.were_silent() => {
                    let unknown = |error| SessionError::with_source(SessionErrorKind::Unknown, error);
                    let is_there = self.settle(layer, ended, Some(attempt)).await.map_err(unknown)?;
                    return Ok(if is_there { Completion::Completed } else { exceeded });
                }
                Ok(answer) => return Ok(answer),
                Err(error) => tries.again(error).await?,
            }
        }
    }

    pub(crate) async fn settle(
        &self,
        layer: &'static str,
        ended: &EndedSession,
        attempt: Option<&WriteId>,
    ) -> Result<bool, SessionError> {
        self.patience.answered("settle", || self.archive.settle(layer, ended, attempt)).await
    }

    pub(crate) async fn history(
        &self,
        layer: &'static str,
        user: &UserId,
        page: &HistoryPage<'_>,
    ) -> Result<Vec<EndedSession>, SessionError> {
        self.patience.answered("history", || self.archive.history(layer, user, page)).await
    }

    pub(crate) async fn counts(
        &self,
        layer: &'static str,
        kind: Option<&str>,
        steps: Steps,
    ) -> Result<Vec<Count>, SessionError> {
        self.patience.answered("counts", || self.archive.counts(layer, kind, steps)).await
    }

    pub(crate) async fn add_dead(&self, layer: &'static str, letters: &[DeadLetter]) -> Result<(), SessionError> {
        self.patience.answered("add_dead", || self.archive.add_dead(layer, letters)).await
    }

    pub(crate) async fn dead(
        &self,
        layer: &'static str,
        from: Uuid,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, SessionError> {
        self.patience.answered("dead", || self.archive.dead(layer, from, limit)).await
    }

    pub(crate) async fn remove_dead(&self, layer: &'static str, ids: &[Uuid]) -> Result<(), SessionError> {
        self.patience.answered("remove_dead", || self.archive.remove_dead(layer, ids)).await
    }

    /// What was deleted by a try whose answer was lost is not counted.
    pub(crate) async fn forget(
        &self,
        layer: &'static str,
        before: Timestamp,
        limit: usize,
    ) -> Result<u64, SessionError> {
        self.patience.answered("forget", || self.archive.forget(layer, before, limit)).await
    }

    /// As [`forget`](Self::forget).
    pub(crate) async fn erase(&self, layer: &'static str, user: &UserId, limit: usize) -> Result<u64, SessionError> {
        self.patience.answered("erase", || self.archive.erase(layer, user, limit)).await
    }
}

impl fmt::Debug for PatientArchive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PatientArchive").field("patience", &self.patience).finish_non_exhaustive()
    }
}
