//! Ending a user session, exactly as it was seen.

use super::super::runtime::to_the_end;
use super::desk::Desk;
use super::stand::{Held, Sight, Stand};
use crate::error::{SessionError, SessionErrorKind};
use crate::record::{EndReason, Marker};
use crate::sealing::seal_outgoing;
use crate::store::{Entry, Outgoing, Replacement, Standing, Swap};
use crate::telemetry;
use std::time::Duration;
use tokio::time::Instant;

impl Desk {
    /// Ends the user session that was seen, if nobody has changed it since. Goes on to its end if the request is dropped
    /// meanwhile.
    ///
    /// # Errors
    ///
    /// `Changed` if somebody has; `Ended` if it has ended, or the browser's session has; else as the store has it.
    pub(crate) async fn end(&self, seen: Sight, reason: EndReason) -> Result<(), SessionError> {
        let desk = self.clone();
        to_the_end(async move {
            let asked_by = desk.asked_by().await?;
            let (realm, until) = (&desk.realm, desk.store.deadline());
            let mut view = desk.view().await;
            loop {
                let held = desk.held(&mut view, &seen, until).await?;
                let (entry, stand) = held.marker(realm, reason);
                let past = held.past(reason, realm.clock.now());
                let outgoing = desk.archive.as_ref().map(|_| seal_outgoing(&realm.keys, realm.name, &past));
                let replacement = Replacement {
                    asked_by,
                    expected: Some(held.base.write_id),
                    standing: Standing::Lives(desk.kind.idle),
                    entry: &entry,
                    keep_for: Marker::KEPT,
                    outgoing: outgoing.as_ref(),
                    look_in: None,
                };
                match desk.store.replace(&desk.key, &replacement, until).await? {
                    Swap::Applied(since) => {
                        // Applied is applied, whether or not this process can read what others have written since.
                        let newer = since.map(|entry| desk.see(&mut view, Some(&entry)));
                        if !matches!(newer, Some(Ok(()))) {
                            *view = Some(stand);
                        }
                        realm.mover.wake(desk.key.shard());
                        telemetry::user_session_ended(desk.kind.name, reason.as_str());
                        return Ok(());
                    }
                    swap => desk.overtaken(&mut view, swap)?,
                }
                desk.check_time(until)?;
            }
        })
        .await
    }

    /// What was seen, as it stands there now, with all that a write needs. Somebody may have tried to complete it meanwhile, in vain:
    /// what counts is what it holds.
    ///
    /// # Errors
    ///
    /// `Changed` and `Ended`, as for [`end`](Self::end); `Contended` if somebody is completing it for too long.
    pub(super) async fn held(
        &self,
        view: &mut Option<Stand>,
        seen: &Sight,
        until: Instant,
    ) -> Result<Held, SessionError> {
        if view.is_none() || self.is_after_the_response() {
            self.read(view).await?;
        }
        while matches!(view, Some(Stand::Completing(held)) if held.id() == seen.id) {
            self.wait_until_settled(view, until).await?;
        }
        match view {
            Some(Stand::Live(held)) if held.id() == seen.id && held.body.slot == seen.body.slot => Ok(held.clone()),
            Some(Stand::Live(held)) if held.id() == seen.id => Err(SessionErrorKind::Changed.into()),
            _ => Err(SessionErrorKind::Ended.into()),
        }
    }

    /// # Errors
    ///
    /// `Contended` if there is no time for a further try.
    pub(super) fn check_time(&self, until: Instant) -> Result<(), SessionError> {
        if self.store.has_time(until) { Ok(()) } else { Err(SessionErrorKind::Contended.into()) }
    }

    /// Ends one whose time has run out.
    pub(super) async fn expire(
        &self,
        view: &mut Option<Stand>,
        held: &Held,
        standing: Standing,
    ) -> Result<Swap, SessionError> {
        let (entry, stand) = held.marker(&self.realm, EndReason::Expired);
        let outgoing = seal_outgoing(&self.realm.keys, self.realm.name, &held.expired());
        let swap = self.release(held, standing, &entry, Marker::KEPT, Some(&outgoing)).await?;
        if let Swap::Applied(_) = swap {
            *view = Some(stand);
            self.realm.mover.wake(self.key.shard());
            telemetry::user_session_ended(self.kind.name, EndReason::Expired.as_str());
        }
        Ok(swap)
    }

    /// Replaces one that nobody's browser asks for.
    pub(super) async fn release(
        &self,
        held: &Held,
        standing: Standing,
        entry: &Entry,
        keep_for: Duration,
        outgoing: Option<&Outgoing>,
    ) -> Result<Swap, SessionError> {
        let (asked_by, expected, look_in) = (None, Some(held.base.write_id), self.kind.look_in(&self.realm));
        let replacement = Replacement { asked_by, expected, standing, entry, keep_for, outgoing, look_in };
        self.store.replace(&self.key, &replacement, self.store.deadline()).await
    }
}
