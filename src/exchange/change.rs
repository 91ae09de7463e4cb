//! Changing a session: decide on what is there, commit if it is still there, else decide again.

use super::live::{Live, Seen};
use super::state::{Current, Exchange};
use crate::error::{SessionError, SessionErrorKind};
use crate::record::{Body, Entry, Slot};
use crate::store::Commit;
use crate::telemetry;
use std::sync::Arc;
use tokio::time::Instant;

/// What a change comes to when it is decided on what is there.
#[derive(Default)]
pub(crate) struct Edit {
    /// Slots to set. None, and none removed: nothing is written.
    pub(crate) set: Vec<Slot>,
    /// Names of slots to remove.
    pub(crate) remove: Vec<&'static str>,
}

impl Edit {
    fn writes(&self) -> bool {
        !self.set.is_empty() || !self.remove.is_empty()
    }

    fn apply_to(&self, body: &Body) -> Body {
        let mut body = body.clone();
        self.set.iter().for_each(|slot| body.set(slot.clone()));
        self.remove.iter().for_each(|name| body.remove(name));
        body
    }
}

impl Exchange {
    /// Runs `decide` on the session's slots, and again on what others wrote meanwhile, until what it decides is
    /// committed on exactly what it saw.
    ///
    /// # Errors
    ///
    /// What `decide` answers; `Ended`, `Contended`, `Unknown` or `Unavailable` as the store has it; why nothing may begin
    /// where there is no session.
    pub(crate) async fn change<R: Send>(
        self: &Arc<Self>,
        decide: impl Fn(&[Slot]) -> Result<(Edit, R), SessionError> + Send,
    ) -> Result<R, SessionError> {
        let _timer = self.meter().time();
        let mut current = self.lock().await;
        if self.reply.is_closed() {
            // A stream or socket may have looked hours ago.
            Box::pin(self.refresh(&mut current)).await?;
        }
        self.ensure_read(&mut current).await?;
        let until = self.store().deadline();
        for runs in 1.. {
            let slots = match &*current {
                Current::Live(live) => &live.body.slots,
                Current::Vacant(_) => &Vec::new(),
                Current::Ended(_) | Current::Unread => break,
            };
            let (edit, answer) = decide(slots)?;
            if !edit.writes() {
                return Ok(answer);
            }
            match &*current {
                Current::Live(live) => {
                    let live = Arc::clone(live);
                    if !self.commit(&mut current, &live, &edit, until).await? {
                        continue;
                    }
                    telemetry::committed(self.realm.log_name(live.claim()), runs);
                }
                Current::Vacant(vacancy) => match vacancy.refusal() {
                    Some(refusal) => return Err(refusal.into()),
                    None => Box::pin(self.begin(current, edit.set)).await?,
                },
                Current::Ended(_) | Current::Unread => break,
            }
            return Ok(answer);
        }
        Err(SessionErrorKind::Ended.into())
    }

    /// Commits an edit of `live`. If others wrote first, `current` is what they wrote and the answer is no.
    async fn commit(
        &self,
        current: &mut Current,
        live: &Live,
        edit: &Edit,
        until: Instant,
    ) -> Result<bool, SessionError> {
        let next = live.followed_by(&self.realm, edit.apply_to(&live.body))?.within_budget(
            &self.realm,
            Some(live),
            &edit.set,
        )?;
        let committed = self.store().commit(&live.key, &live.entry, &next.live.entry, next.keep_for, until).await?;
        match committed {
            Commit::Applied(None) => *current = Current::Live(next.live),
            Commit::Applied(Some(since)) => {
                // Applied is applied, whether or not this process can read what others have written since.
                *current = self.recognise(live, since).unwrap_or(Current::Live(next.live));
            }
            Commit::Conflict(found) => {
                telemetry::conflict();
                *current = self.recognise(live, found)?;
                return if self.store().has_time(until) { Ok(false) } else { Err(SessionErrorKind::Contended.into()) };
            }
            Commit::Absent => {
                *current = Current::Ended(None);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What became of a session that this request has seen alive: if it is not any more, it has ended.
    pub(super) fn recognise(&self, live: &Live, entry: Entry) -> Result<Current, SessionError> {
        Ok(match Live::see(&self.realm, &live.claim(), live.key, entry)? {
            Seen::Live(live) => Current::Live(live),
            Seen::Ended(destination) => Current::Ended(destination),
            Seen::Nothing => Current::Ended(None),
        })
    }
}
