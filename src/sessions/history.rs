//! User sessions that are active, and those that have ended.

use super::Sessions;
use crate::archive::{Count, HistoryEntry, HistoryPage, Steps};
use crate::error::SessionError;
use crate::id::UserId;
use std::time::{Duration, SystemTime};

/// User sessions one after the other. Of those that have ended an [archive](crate::SessionLayer::archive) is needed; more is in
/// [a guide](crate::guide::archive).
impl Sessions {
    /// A page of the user's sessions, the one that began last in front: those that are active, what waits to be moved to the
    /// archive, and what is there. Each is on it once, wherever it goes meanwhile. Two calls of the store, and one of the archive.
    ///
    /// ```
    /// # use thin_session::{HistoryEntry, SessionError, Sessions, UserId};
    /// use thin_session::{EndReason, HistoryPage};
    ///
    /// async fn last_sent(sessions: &Sessions, user: &UserId) -> Result<Vec<HistoryEntry>, SessionError> {
    ///     sessions.history(user, &HistoryPage::of(20).of_kind("transfer").because(EndReason::Completed)).await
    /// }
    /// ```
    ///
    /// Active ones are found of the kinds that this process knows: by [`SessionLayer::kind`](crate::SessionLayer::kind), by their
    /// first use, or because the page is [of that kind](HistoryPage::of_kind). One whose time has run out is on the page as expired,
    /// whether or not it was found by the sweep; by this process's clock. What this process cannot read is not on it, and told in
    /// an [event](crate::guide::metrics).
    ///
    /// # Errors
    ///
    /// Misconfigured without an [archive](crate::SessionLayer::archive); `Unavailable`.
    pub async fn history(&self, user: &UserId, page: &HistoryPage<'_>) -> Result<Vec<HistoryEntry>, SessionError> {
        self.roster.history(user, page).await
    }

    /// What the user has under way, the one that began last in front; of the kinds that [`history`](Self::history) finds. A call of
    /// the store. No archive is needed.
    ///
    /// # Errors
    ///
    /// Misconfigured without a layer that keeps user sessions; `Unavailable`.
    pub async fn active(&self, user: &UserId) -> Result<Vec<HistoryEntry>, SessionError> {
        self.roster.active(user).await
    }

    /// How many sessions of all users ended in each stretch of time, of one kind or of all, and why: by stretch, kind and reason.
    /// Where there were none there is no count. What waits to be moved to the archive is not among them. One call of the archive.
    ///
    /// # Errors
    ///
    /// Misconfigured without an [archive](crate::SessionLayer::archive); `Unavailable`, also if there are so many that they
    /// cannot be counted within the archive's deadline.
    pub async fn counts(&self, kind: Option<&str>, steps: Steps) -> Result<Vec<Count>, SessionError> {
        self.roster.counts(kind, steps).await
    }

    /// Moves to the archive what waits for that, of all processes: for one that ends in an orderly way. Nobody has to call it. What waits is in the store, and the next process that runs moves it; only what is in a
    /// [`MemoryStore`](crate::MemoryStore) goes with its process.
    ///
    /// Call it when no request is under way any more. What was sealed under another keyring stays.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use axum::Router;
    /// # use thin_session::SessionLayer;
    /// # async fn run(pages: Router, layer: SessionLayer, listener: tokio::net::TcpListener) -> std::io::Result<()> {
    /// let sessions = layer.sessions();
    /// let stop = async { tokio::signal::ctrl_c().await.expect("signals can be heard") };
    /// axum::serve(listener, pages.layer(layer)).with_graceful_shutdown(stop).await?;
    /// if let Err(error) = sessions.drain(Duration::from_secs(5)).await {
    ///     eprintln!("left to the next process: {error}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Misconfigured without an [archive](crate::SessionLayer::archive); `Unavailable` or `Unknown` if not all were moved within this
    /// time: the rest waits.
    pub async fn drain(&self, within: Duration) -> Result<(), SessionError> {
        self.roster.drain(within).await
    }

    /// Deletes what is kept of the user's sessions that have ended, some at a time, and answers how many there were. They count for
    /// no [quota](crate::Quota) any more.
    ///
    /// What lives goes on, and is kept when it ends. So first call [`end_all`](Self::end_all), and
    /// [`abandon`](crate::UserSession::abandon) what [`user_session`](Self::user_session) has of each kind; then this, and once more
    /// a minute later, as a process may have been moving one to the archive: until the answer is 0. What could not be
    /// [converted](crate::guide::archive) is not reached: nobody can tell whose it is.
    ///
    /// # Errors
    ///
    /// Misconfigured without an [archive](crate::SessionLayer::archive); `Unavailable` or `Unknown`, if only some have been
    /// deleted: try again.
    pub async fn erase(&self, user: &UserId) -> Result<u64, SessionError> {
        self.roster.erase(user).await
    }

    /// Deletes all users' sessions that ended before a moment, some at a time, and answers how many there were. What could not be
    /// [converted](crate::guide::archive) goes if it has been there since before. Nobody has to wait for
    /// more than some of them; it rests for half of the time. They count for no [quota](crate::Quota) any more: keep what ended
    /// within the longest window, and within the longest lifetime of a kind.
    ///
    /// For a job that runs once in a while, in one process or in all.
    ///
    /// # Errors
    ///
    /// As [`erase`](Self::erase).
    pub async fn forget_before(&self, moment: SystemTime) -> Result<u64, SessionError> {
        self.roster.forget_before(moment.into()).await
    }
}
