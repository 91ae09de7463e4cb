//! What a user has at present, of several kinds at once: for whoever does not know their types.

use super::super::realm::Realm;
use super::stand::Stand;
use super::sweep::desk_of;
use crate::archive::{EndedSession, HistoryEntry};
use crate::error::SessionError;
use crate::id::UserId;
use crate::store::{Entry, Key, PatientStore};
use crate::telemetry;
use std::sync::Arc;

/// What stands in a user's places for these kinds, in one round trip. One whose time has run out is told as that, and left to whoever
/// sweeps: looking at a history writes nothing. What cannot be read here is passed over.
///
/// # Errors
///
/// As the store has it; and as the archive has it, if somebody is completing one.
pub(crate) async fn survey(
    realm: &Arc<Realm>,
    store: &PatientStore,
    user: &UserId,
    kinds: &[&str],
) -> Result<Vec<HistoryEntry>, SessionError> {
    let digest = realm.keys.digest_of(user);
    let keys: Vec<_> = kinds.iter().map(|kind| Key::of_user_session(realm.name, &digest, kind)).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut there = Vec::new();
    for (key, entry) in keys.iter().zip(store.load_several(&keys).await?) {
        let Some(entry) = entry.filter(Entry::is_live) else { continue };
        let Some(stand) = stand(realm, key, &entry).await? else { continue };
        match told(&stand) {
            Ok(told) => there.extend(told),
            Err(error) => telemetry::not_in_history(&error),
        }
    }
    Ok(there)
}

/// What an entry is, if it can be read. If somebody was completing it for long, that is settled as everywhere else.
async fn stand(realm: &Arc<Realm>, key: &Key, entry: &Entry) -> Result<Option<Stand>, SessionError> {
    let mut view = None;
    let desk = desk_of(realm, key, entry).and_then(|desk| desk.see(&mut view, Some(entry)).map(|()| desk));
    match desk {
        Ok(desk) => {
            desk.settle_if_known(&mut view).await?;
            Ok(view)
        }
        Err(error) => {
            telemetry::not_in_history(&error);
            Ok(None)
        }
    }
}

fn told(stand: &Stand) -> Result<Option<HistoryEntry>, SessionError> {
    match stand {
        Stand::Live(held) | Stand::Completing(held) => HistoryEntry::active(held.id(), &held.body).map(Some),
        Stand::Lapsed(held) => EndedSession::of_user_session(&held.expired()).map(|ended| Some(ended.into())),
        Stand::Vacant(_) => Ok(None),
    }
}
