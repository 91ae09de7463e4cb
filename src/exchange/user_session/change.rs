//! Beginning a user session and changing it: decide on what is there, commit if it is still there, else decide again.

use super::desk::Desk;
use super::stand::{Base, Held, Prepared, Sight, Stand};
use crate::error::{SessionError, SessionErrorKind};
use crate::record::{EndReason, Slot, UserBody};
use crate::sealing::seal_outgoing;
use crate::store::{Key, Replacement, Standing, Swap};
use crate::telemetry;
use tokio::time::Instant;
use uuid::Uuid;

impl Desk {
    /// Runs `decide` on what the user session holds, and again on what others wrote meanwhile, until what it decides is committed
    /// on exactly what it saw. Where there is none, one begins. `seen` is the one whose content the caller has seen: it is never
    /// decided on another.
    ///
    /// # Errors
    ///
    /// What `decide` answers; `Ended` if the one that was seen has ended, or the browser's session; `Contended`, `Unknown`,
    /// `Unavailable` as the store has it.
    pub(crate) async fn change<R: Send>(
        &self,
        mut seen: Option<Uuid>,
        decide: impl Fn(Option<&Slot>) -> Result<(Option<Slot>, R), SessionError> + Send,
    ) -> Result<(R, Option<Sight>), SessionError> {
        let anew = if self.is_after_the_response() { Some(self.look_up().await?) } else { None };
        let asked_by = self.asked_by().await?;
        let mut view = self.view().await;
        match anew {
            Some(entry) => self.see(&mut view, entry.as_ref())?,
            None if view.is_none() => self.read(&mut view).await?,
            None => {}
        }
        let until = self.store.deadline();
        for runs in 1.. {
            let stand = view.as_ref().ok_or(SessionErrorKind::Ended)?;
            let ((swap, next), answer) = match stand {
                Stand::Completing(_) => {
                    self.wait_until_settled(&mut view, until).await?;
                    continue;
                }
                Stand::Live(held) => {
                    if seen.is_some_and(|id| id != held.id()) {
                        return Err(SessionErrorKind::Ended.into());
                    }
                    seen = Some(held.id());
                    let (slot, answer) = decide(Some(&held.body.slot))?;
                    let Some(slot) = slot else { return Ok((answer, stand.sight())) };
                    (self.commit(held, slot, asked_by, until).await?, answer)
                }
                Stand::Vacant(_) | Stand::Lapsed(_) if seen.is_some() => return Err(SessionErrorKind::Ended.into()),
                Stand::Vacant(base) => {
                    let (slot, answer) = decide(None)?;
                    let Some(slot) = slot else { return Ok((answer, None)) };
                    (self.begin(base.as_ref(), None, slot, asked_by, until).await?, answer)
                }
                Stand::Lapsed(held) => {
                    let (slot, answer) = decide(None)?;
                    let Some(slot) = slot else { return Ok((answer, None)) };
                    (self.begin(Some(&held.base), Some(held), slot, asked_by, until).await?, answer)
                }
            };
            match swap {
                Swap::Applied(since) => {
                    let is_new = !matches!(view.as_ref(), Some(Stand::Live(_)));
                    // Applied is applied, whether or not this process can read what others have written since.
                    let newer = since.map(|entry| self.see(&mut view, Some(&entry)));
                    let sight = next.sight();
                    if !matches!(newer, Some(Ok(()))) {
                        *view = Some(next);
                    }
                    telemetry::user_session_changed(self.kind.name, is_new, runs);
                    return Ok((answer, sight));
                }
                swap => self.overtaken(&mut view, swap)?,
            }
            self.check_time(until)?;
        }
        Err(SessionErrorKind::Contended.into())
    }

    /// Takes in why nothing was applied.
    ///
    /// # Errors
    ///
    /// `Ended` if the browser's session has.
    pub(super) fn overtaken(&self, view: &mut Option<Stand>, swap: Swap) -> Result<(), SessionError> {
        match swap {
            Swap::Conflict(entry) => {
                telemetry::conflict();
                self.see(view, Some(&entry))?;
            }
            Swap::Absent | Swap::Applied(_) => *view = Some(Stand::Vacant(None)),
            Swap::Unasked => return Err(SessionErrorKind::Ended.into()),
            // The store's clock decides whether it still lives.
            Swap::Untimely => {
                *view = view.take().map(|stand| match stand {
                    Stand::Live(held) => Stand::Lapsed(held),
                    Stand::Lapsed(held) => Stand::Live(held),
                    stand => stand,
                });
            }
        }
        Ok(())
    }

    async fn commit(
        &self,
        held: &Held,
        slot: Slot,
        asked_by: Option<Key>,
        until: Instant,
    ) -> Result<(Swap, Stand), SessionError> {
        let Prepared { entry, keep_for, stand } = held.changed(&self.realm, &self.key, &self.kind, slot)?;
        let (expected, standing) = (Some(held.base.write_id), Standing::Lives(self.kind.idle));
        let (outgoing, look_in) = (None, self.kind.look_in(&self.realm));
        let replacement = Replacement { asked_by, expected, standing, entry: &entry, keep_for, outgoing, look_in };
        Ok((self.store.replace(&self.key, &replacement, until).await?, stand))
    }

    /// Begins one after what stands there. If that is one whose time has run out, it goes to the archive in the same step.
    async fn begin(
        &self,
        after: Option<&Base>,
        lapsed: Option<&Held>,
        slot: Slot,
        asked_by: Option<Key>,
        until: Instant,
    ) -> Result<(Swap, Stand), SessionError> {
        let realm = &self.realm;
        let (created, user) = (realm.clock.now(), self.user.clone());
        let body = UserBody { created, user, updates: 1, idle: self.kind.idle, is_completing: false, slot };
        let Prepared { entry, keep_for, stand } = Prepared::begin(realm, &self.key, &self.kind, after, body)?;
        let outgoing = lapsed
            .filter(|_| self.archive.is_some())
            .map(|lapsed| seal_outgoing(&realm.keys, realm.name, &lapsed.expired()));
        let standing = lapsed.map_or(Standing::Any, |_| Standing::Lapsed(self.kind.idle));
        let expected = after.map(|base| base.write_id);
        let (outgoing, look_in) = (outgoing.as_ref(), self.kind.look_in(realm));
        let replacement = Replacement { asked_by, expected, standing, entry: &entry, keep_for, outgoing, look_in };
        let swap = self.store.replace(&self.key, &replacement, until).await?;
        if lapsed.is_some() && matches!(swap, Swap::Applied(_)) {
            telemetry::user_session_ended(self.kind.name, EndReason::Expired.as_str());
            realm.mover.wake(self.key.shard());
        }
        Ok((swap, stand))
    }
}
