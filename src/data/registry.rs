//! Which type has which slot name, for one layer.

use super::slots::{SlotType, Slots};
use super::user_session_data::UserSessionData;
use crate::error::SessionError;
use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// The names of slots, and the kinds of user sessions, that types of an application have claimed.
///
/// One for each layer, not one for the process: two layers may well know two versions of a type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registry(Claims, Claims);

#[derive(Debug, Default)]
struct Claims(RwLock<HashMap<&'static str, (TypeId, &'static str)>>);

impl Registry {
    /// Claims the names of `T`.
    ///
    /// # Errors
    ///
    /// Misconfigured, if another type has one of them.
    pub(crate) fn claim<T: Slots>(&self) -> Result<(), SessionError> {
        T::types().into_iter().try_for_each(|slot| self.0.claim(slot, "SessionData::NAME"))
    }

    /// Claims the kind of `T`.
    ///
    /// # Errors
    ///
    /// Misconfigured, if another type has it, or browsers' sessions are called so in the archive.
    pub(crate) fn claim_kind<T: UserSessionData>(&self) -> Result<(), SessionError> {
        let (type_id, type_name) = (TypeId::of::<T>(), std::any::type_name::<T>());
        if T::KIND == BROWSER {
            return Err(SessionError::misconfigured(format!(
                "{type_name} has UserSessionData::KIND = {BROWSER:?}, as the archive calls browsers' sessions; give it another name"
            )));
        }
        self.1.claim(SlotType { name: T::KIND, type_id, type_name }, "UserSessionData::KIND")
    }
}

/// What the archive calls browsers' sessions.
pub(crate) const BROWSER: &str = "browser";

impl Registry {
    /// The kind of this name, if a type has claimed it.
    pub(crate) fn kind(&self, name: &str) -> Option<&'static str> {
        let claims = self.1.0.read().unwrap_or_else(PoisonError::into_inner);
        claims.get_key_value(name).map(|(name, _)| *name)
    }
}

impl Registry {
    /// All kinds that a type has claimed.
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.1.0.read().unwrap_or_else(PoisonError::into_inner).keys().copied().collect()
    }
}

impl Claims {
    fn claim(&self, slot: SlotType, constant: &str) -> Result<(), SessionError> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(slot.name).copied();
        let owner = match known {
            Some(owner) => owner,
            None => {
                let mut claims = self.0.write().unwrap_or_else(PoisonError::into_inner);
                *claims.entry(slot.name).or_insert((slot.type_id, slot.type_name))
            }
        };
        if owner.0 == slot.type_id {
            return Ok(());
        }
        Err(SessionError::misconfigured(format!(
            "{} and {} both have {constant} = {:?}; give one of them another name",
            owner.1, slot.type_name, slot.name
        )))
    }
}

impl Clone for Claims {
    fn clone(&self) -> Self {
        Self(RwLock::new(self.0.read().unwrap_or_else(PoisonError::into_inner).clone()))
    }
}
