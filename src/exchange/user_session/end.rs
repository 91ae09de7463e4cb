//! Ending a user session, exactly as it was seen.

use super::super::runtime::to_the_end;
use super::desk::Desk;
use super::stand::{Held, Sight, Stand};
use crate::error::{SessionError, SessionErrorKind};
use crate::record::{EndReason, Marker};
use crate::sealing::seal_outgoing;
use crate::store::{Entry, Replacement, Standing, Swap};
use crate::telemetry;
use std::time::Duration;

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
            let mut view = desk.view().await;
            let held = desk.held(&mut view, &seen).await?;
            let realm = &desk.realm;
            let (entry, stand) = held.marker(realm, reason);
            let past = held.past(reason, realm.clock.now());
            let outgoing = desk.archive.as_ref().map(|_| seal_outgoing(&realm.keys, realm.name, &past));
            let replacement = Replacement {
                asked_by,
                expected: Some(seen.write_id),
                standing: Standing::Lives(desk.kind.idle),
                entry: &entry,
                keep_for: Marker::KEPT,
                outgoing: outgoing.as_ref(),
            };
            let swap = desk.store.replace(&desk.key, &replacement, desk.store.deadline()).await?;
            let Swap::Applied(_) = swap else { return desk.refused(&mut view, swap, &seen) };
            *view = Some(stand);
            realm.mover.wake();
            telemetry::user_session_ended(desk.kind.name, reason.as_str());
            Ok(())
        })
        .await
    }

    /// What was seen, with all that a write needs. This request may have seen more since.
    pub(super) async fn held(&self, view: &mut Option<Stand>, seen: &Sight) -> Result<Held, SessionError> {
        if view.is_none() || self.is_after_the_response() {
            self.read(view).await?;
        }
        match view.as_ref() {
            Some(Stand::Live(held)) if held.base.write_id == seen.write_id => Ok(held.clone()),
            Some(stand) => Err(why_not(stand, seen).into()),
            None => Err(SessionErrorKind::Ended.into()),
        }
    }

    /// Why a user session was not ended, or frozen, as it was seen.
    pub(super) fn refused<T>(&self, view: &mut Option<Stand>, swap: Swap, seen: &Sight) -> Result<T, SessionError> {
        self.overtaken(view, swap)?;
        Err(view.as_ref().map_or(SessionErrorKind::Ended, |stand| why_not(stand, seen)).into())
    }

    /// Replaces one that was being completed. Nobody's browser has to be signed in for that.
    pub(super) async fn release(&self, held: &Held, entry: &Entry, keep_for: Duration) -> Result<Swap, SessionError> {
        let expected = Some(held.base.write_id);
        let (asked_by, standing, outgoing) = (None, Standing::Any, None);
        let replacement = Replacement { asked_by, expected, standing, entry, keep_for, outgoing };
        self.store.replace(&self.key, &replacement, self.store.deadline()).await
    }
}

fn why_not(stand: &Stand, seen: &Sight) -> SessionErrorKind {
    match stand {
        Stand::Live(held) | Stand::Completing(held) if held.id() == seen.id => SessionErrorKind::Changed,
        Stand::Live(_) | Stand::Completing(_) | Stand::Vacant(_) | Stand::Lapsed(_) => SessionErrorKind::Ended,
    }
}
