//! Finding a user session that somebody was completing.

use super::desk::Desk;
use super::stand::Stand;
use crate::archive::EndedSession;
use crate::error::SessionError;
use crate::record::EndReason;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Whoever has been completing one for so long has crashed, or will find that it was given back.
const ABANDONED: Duration = Duration::from_secs(5);
/// Between two looks at one that is being completed.
const PAUSE: std::ops::Range<u64> = 5..25;

impl Desk {
    /// If somebody was completing it: ends it if the archive has it, and gives it back if that somebody was at it for long.
    pub(super) async fn settle_if_known(&self, view: &mut Option<Stand>) -> Result<(), SessionError> {
        let Some(Stand::Completing(frozen)) = view.clone() else { return Ok(()) };
        let now = self.realm.clock.now();
        let past = EndedSession::of_user_session(&frozen.past(EndReason::Completed, now))?;
        let is_abandoned = now.since(frozen.touched()) >= ABANDONED;
        let attempt = is_abandoned.then_some(frozen.base.write_id);
        if self.archive()?.settle(self.realm.name, &past, attempt.as_ref()).await? {
            self.close(view, &frozen).await?;
        } else if is_abandoned {
            self.give_back(view, &frozen).await;
        }
        Ok(())
    }

    /// Waits for whoever is completing it.
    ///
    /// # Errors
    ///
    /// `Contended` if that takes too long.
    pub(super) async fn wait_until_settled(
        &self,
        view: &mut Option<Stand>,
        until: Instant,
    ) -> Result<(), SessionError> {
        self.settle_if_known(view).await?;
        if !matches!(view, Some(Stand::Completing(_))) {
            return Ok(());
        }
        self.check_time(until)?;
        sleep(Duration::from_millis(rand::random_range(PAUSE))).await;
        self.read(view).await
    }
}
