//! Finding user sessions whose time has run out, while what they held is still there.

use super::super::realm::Realm;
use super::desk::Desk;
use super::stand::{Kind, Stand};
use crate::error::SessionError;
use crate::record::Entry;
use crate::sealing;
use crate::store::{Key, Standing, Swap};
use crate::telemetry;
use std::sync::Arc;
use std::time::Duration;

/// How many are looked at in one go.
const BATCH: usize = 100;
/// When to look again at one that has run out by this clock and not by the store's.
const SOON: Duration = Duration::from_secs(1);
/// When to look again at one that somebody is completing, or that cannot be read here.
const LATER: Duration = Duration::from_secs(60);

/// Looks at those at which it is time to look. Answers whether there may be more.
pub(crate) async fn sweep(realm: &Arc<Realm>) -> Result<bool, SessionError> {
    let due = realm.store.due(realm.name, BATCH).await?;
    for (key, entry) in &due {
        let looked = match desk_of(realm, key, entry) {
            Ok(desk) => desk.look_at(entry).await,
            Err(error) => Err(error),
        };
        // The archive may answer by then, or a process come that has its keys: it must not stand in the way of the others.
        if let Err(error) = looked {
            telemetry::not_archived(&error);
            realm.store.put_off(key, LATER).await?;
        }
    }
    Ok(due.len() == BATCH)
}

/// The place of the one whose entry this is.
pub(super) fn desk_of(realm: &Arc<Realm>, key: &Key, entry: &Entry) -> Result<Desk, SessionError> {
    let (header, rest) = entry.parse()?;
    let body = sealing::open_user_session(&realm.keys, realm.place(key), &header, rest)?;
    let name = realm.registry.kind(&body.slot.name).unwrap_or("of a type that is not known here");
    let kind = Kind { name, idle: body.idle, lifetime: Duration::ZERO };
    Ok(Desk::found(realm, body.user, kind, *key))
}

impl Desk {
    async fn look_at(&self, entry: &Entry) -> Result<(), SessionError> {
        let mut view = self.view().await;
        self.see(&mut view, Some(entry))?;
        self.settle_if_known(&mut view).await?;
        match view.clone() {
            Some(Stand::Lapsed(held)) => match self.expire(&mut view, &held, Standing::Lapsed(self.kind.idle)).await? {
                // By the store's clock it still lives.
                Swap::Untimely => self.store.put_off(&self.key, SOON).await,
                // It was changed meanwhile, or has ended: that is found at the next look.
                Swap::Applied(_) | Swap::Conflict(_) | Swap::Absent | Swap::Unasked => Ok(()),
            },
            Some(Stand::Live(held)) => {
                let left = held.lives_until().since(self.realm.clock.now());
                self.store.put_off(&self.key, left).await
            }
            Some(Stand::Completing(_)) => self.store.put_off(&self.key, LATER).await,
            // It has ended meanwhile, and is not due any more.
            Some(Stand::Vacant(_)) | None => Ok(()),
        }
    }
}
