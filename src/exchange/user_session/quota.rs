//! Completing a user session if the archive allows.
//!
//! Three steps: the record is frozen as it was seen; the archive adds the session, or says that there are too many; the record
//! ends, or is given back. Whoever finds it frozen later asks the archive, see `settle`.

use super::super::realm::Realm;
use super::super::runtime::to_the_end;
use super::desk::Desk;
use super::stand::{Held, Prepared, Sight, Stand};
use crate::archive::{Completion, EndedSession, PatientArchive, Quota};
use crate::clock::Timestamp;
use crate::error::{SessionError, SessionErrorKind};
use crate::record::{EndReason, Marker, UserBody};
use crate::store::{Replacement, Standing, Swap};
use crate::telemetry;
use tokio::sync::MutexGuard;
use tokio::time::Instant;

/// Whether a completion was within its quota.
#[derive(Debug)]
pub(crate) enum Allowed {
    Completed,
    /// It is given back as it was, unless others have changed it since; and when the next is possible.
    Exceeded(Timestamp),
}

impl Desk {
    /// Completes the user session that was seen, if nobody has changed it since and the quota allows. Goes on to its end if the
    /// request is dropped meanwhile.
    ///
    /// # Errors
    ///
    /// As [`end`](Self::end); misconfigured without an archive. When the archive cannot be asked, nothing is completed.
    pub(crate) async fn complete_within(&self, seen: Sight, quota: Quota) -> Result<Allowed, SessionError> {
        let archive = self.archive()?.clone();
        let desk = self.clone();
        to_the_end(async move {
            let until = desk.store.deadline();
            loop {
                let (mut view, frozen) = desk.freeze(&seen, until).await?;
                let ended = EndedSession::of_user_session(&frozen.past(EndReason::Completed, desk.realm.clock.now()))?;
                let attempt = frozen.base.write_id;
                match archive.complete(desk.realm.name, &ended, &attempt, quota).await {
                    Ok(Completion::Completed) => {
                        // If this fails, the next who looks finishes it.
                        if let Err(error) = desk.close(&mut view, &frozen).await {
                            telemetry::left_to_settle(&error);
                        }
                        return Ok(Allowed::Completed);
                    }
                    Ok(Completion::Exceeded { next }) => {
                        desk.give_back(&mut view, &frozen).await;
                        telemetry::quota_exceeded(desk.kind.name);
                        return Ok(Allowed::Exceeded(next));
                    }
                    // Somebody took this for given up, and has given it back; perhaps it has ended since.
                    Ok(Completion::Settled) => desk.read(&mut view).await?,
                    // It may be in the archive: that is seen to by whoever looks next.
                    Err(error) if *error.kind() == SessionErrorKind::Unknown => return Err(error),
                    Err(error) => {
                        desk.give_back(&mut view, &frozen).await;
                        return Err(error);
                    }
                }
                desk.check_time(until)?;
            }
        })
        .await
    }

    /// The realm's, counting for a request.
    pub(super) fn archive(&self) -> Result<&PatientArchive, SessionError> {
        self.archive.as_ref().ok_or_else(Realm::no_archive)
    }

    /// Writes down that the archive will be asked. From here on nothing changes what it is asked about.
    async fn freeze(
        &self,
        seen: &Sight,
        until: Instant,
    ) -> Result<(MutexGuard<'_, Option<Stand>>, Held), SessionError> {
        let asked_by = self.asked_by().await?;
        let mut view = self.view().await;
        loop {
            let held = self.held(&mut view, seen, until).await?;
            let body = UserBody { is_completing: true, ..UserBody::clone(&held.body) };
            let Prepared { entry, keep_for, stand } = held.followed_by(&self.realm, &self.key, &self.kind, body);
            let (expected, standing) = (Some(held.base.write_id), Standing::Lives(self.kind.idle));
            let (outgoing, look_in) = (None, self.kind.look_in(&self.realm));
            let replacement = Replacement { asked_by, expected, standing, entry: &entry, keep_for, outgoing, look_in };
            match self.store.replace(&self.key, &replacement, until).await? {
                // Nobody else changes it while it is frozen, but for one who finds this attempt too old.
                Swap::Applied(None) => *view = Some(stand),
                Swap::Applied(Some(since)) => self.see(&mut view, Some(&since))?,
                swap => self.overtaken(&mut view, swap)?,
            }
            match view.clone() {
                Some(Stand::Completing(frozen)) if frozen.base.write_id == entry.write_id() => {
                    return Ok((view, frozen));
                }
                _ => self.check_time(until)?,
            }
        }
    }

    /// Ends one that the archive has.
    pub(super) async fn close(&self, view: &mut Option<Stand>, frozen: &Held) -> Result<(), SessionError> {
        let (entry, stand) = frozen.marker(&self.realm, EndReason::Completed);
        match self.release(frozen, Standing::Any, &entry, Marker::KEPT, None).await? {
            Swap::Applied(_) => {
                *view = Some(stand);
                telemetry::user_session_ended(self.kind.name, EndReason::Completed.as_str());
            }
            // Somebody else has.
            swap => self.overtaken(view, swap)?,
        }
        Ok(())
    }

    /// Gives one back that the archive has not, if it still lives. If this fails, the next who looks finds it and does.
    pub(super) async fn give_back(&self, view: &mut Option<Stand>, frozen: &Held) {
        let body = UserBody { is_completing: false, ..UserBody::clone(&frozen.body) };
        let Prepared { entry, keep_for, stand } = frozen.followed_by(&self.realm, &self.key, &self.kind, body);
        let still_lives = Standing::Lives(self.kind.idle);
        let given_back = match self.release(frozen, still_lives, &entry, keep_for, None).await {
            Ok(Swap::Applied(None)) => {
                *view = Some(stand);
                Ok(())
            }
            Ok(Swap::Applied(Some(since))) => self.see(view, Some(&since)),
            Ok(Swap::Untimely) => match self.expire(view, frozen, Standing::Any).await {
                Ok(Swap::Applied(_)) => Ok(()),
                Ok(swap) => self.overtaken(view, swap),
                Err(error) => Err(error),
            },
            Ok(swap) => self.overtaken(view, swap),
            Err(error) => Err(error),
        };
        if let Err(error) = given_back {
            telemetry::left_to_settle(&error);
        }
    }
}
