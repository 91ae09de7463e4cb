//! What is on its way to the archive and cannot be converted here: kept there as it is, and tried again now and then.

use super::realm::Realm;
use crate::archive::{DeadLetter, EndedSession};
use crate::clock::Timestamp;
use crate::error::{SessionError, SessionErrorKind};
use crate::keyring::Keyring;
use crate::sealing::open_outgoing;
use crate::store::Outgoing;
use crate::telemetry::{self, Chain};
use std::error::Error as _;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// How many are tried in one go.
const BATCH: usize = 100;
/// How long to wait when all have been tried.
const AGAIN: Duration = Duration::from_secs(60);
/// And after a batch of which none can be converted: there may be very many.
const NEXT: Duration = Duration::from_secs(1);

/// How far they have been tried.
#[derive(Default)]
pub(super) struct Trial {
    /// Where to go on.
    from: Uuid,
    /// Not before this; none at the start.
    at: Option<Instant>,
}

/// What of an outbox the archive is to have, and what it is to keep as it is.
pub(super) fn sorted(
    keys: &Keyring,
    realm: &'static str,
    batch: Vec<Outgoing>,
    now: Timestamp,
) -> (Vec<EndedSession>, Vec<DeadLetter>) {
    let (mut ended, mut dead) = (Vec::with_capacity(batch.len()), Vec::new());
    for outgoing in batch {
        match convert(keys, realm, &outgoing) {
            Ok(session) => ended.push(session),
            Err(error) => {
                telemetry::buried(&error);
                let Outgoing { id, sealed } = outgoing;
                dead.push(DeadLetter { id, why: why(&error), since: now, sealed });
            }
        }
    }
    (ended, dead)
}

/// Tries some again, if it is time to, and moves those that can be converted by now. Answers whether there may be more.
pub(super) async fn try_again(realm: &Realm, trial: &mut Trial) -> Result<bool, SessionError> {
    let now = Instant::now();
    if trial.at.is_some_and(|at| now < at) {
        return Ok(false);
    }
    let (archive, name) = (realm.archive()?, realm.name);
    let letters = archive.dead(name, trial.from, BATCH).await?;
    let (is_last, last) = (letters.len() < BATCH, letters.last().map(|letter| letter.id));
    let outgoing = letters.into_iter().map(|letter| Outgoing { id: letter.id, sealed: letter.sealed });
    let ended: Vec<_> = outgoing.filter_map(|outgoing| convert(&realm.keys, name, &outgoing).ok()).collect();
    if !ended.is_empty() {
        archive.add(name, &ended).await?;
        let ids: Vec<_> = ended.iter().map(|ended| ended.id).collect();
        archive.remove_dead(name, &ids).await?;
        telemetry::revived(ids.len());
    }
    trial.from = last.filter(|_| !is_last).map_or(Uuid::nil(), |id| Uuid::from_u128(id.as_u128().saturating_add(1)));
    let more = !is_last && !ended.is_empty();
    trial.at = Some(match (more, is_last) {
        (true, _) => now,
        (false, true) => now + AGAIN,
        (false, false) => now + NEXT,
    });
    Ok(more)
}

fn convert(keys: &Keyring, realm: &'static str, outgoing: &Outgoing) -> Result<EndedSession, SessionError> {
    EndedSession::of(&open_outgoing(keys, realm, outgoing)?)
}

/// For people, to count by.
fn why(error: &SessionError) -> String {
    match (error.kind(), error.source()) {
        (SessionErrorKind::Newer { .. }, _) => "sealed under another key, or by a newer release".to_owned(),
        (_, Some(source)) => Chain(source).to_string(),
        (kind, None) => kind.to_string(),
    }
}
