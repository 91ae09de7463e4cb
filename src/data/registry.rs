//! Which type has which slot name, for one layer.

use super::slots::{SlotType, Slots};
use super::user_session_data::UserSessionData;
use crate::error::SessionError;
use std::any::TypeId;
use std::sync::OnceLock;

/// The names of slots, and the kinds of user sessions, that types of an application have claimed.
///
/// One for each layer, not one for the process: two layers may well know two versions of a type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registry(Claims, Claims);

/// A list that grows at its end and is read without a lock, by every request. An application has few types.
#[derive(Clone, Debug, Default)]
struct Claims(OnceLock<Box<(SlotType, Claims)>>);

/// What the archive calls browsers' sessions.
pub(crate) const BROWSER: &str = "browser";

impl Registry {
    /// Claims the names of `T`.
    ///
    /// # Errors
    ///
    /// Misconfigured, if another type has one of them.
    pub(crate) fn claim<T: Slots>(&self) -> Result<(), SessionError> {
        T::types().try_for_each(|slot| self.0.claim(slot, "SessionData::NAME"))
    }

    /// Claims the kind of `T`.
    ///
    /// # Errors
    ///
    /// Misconfigured, if another type has it, or browsers' sessions are called so in the archive.
    pub(crate) fn claim_kind<T: UserSessionData>(&self) -> Result<(), SessionError> {
        let (type_id, type_name) = (TypeId::of::<T>(), std::any::type_name::<T> as fn() -> &'static str);
        if T::KIND == BROWSER {
            return Err(SessionError::misconfigured(format!(
                "{} has UserSessionData::KIND = {BROWSER:?}, as the archive calls browsers' sessions; give it another name",
                type_name()
            )));
        }
        self.1.claim(SlotType { name: T::KIND, type_id, type_name }, "UserSessionData::KIND")
    }

    /// The kind of this name, if a type has claimed it.
    pub(crate) fn kind(&self, name: &str) -> Option<&'static str> {
        self.1.iter().find(|slot| slot.name == name).map(|slot| slot.name)
    }

    /// All kinds that a type has claimed.
    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.1.iter().map(|claim| claim.name).collect()
    }
}

impl Claims {
    fn iter(&self) -> impl Iterator<Item = &SlotType> {
        std::iter::successors(self.0.get(), |claim| claim.1.0.get()).map(|claim| &claim.0)
    }

    fn claim(&self, slot: SlotType, constant: &str) -> Result<(), SessionError> {
        let mut claims = self;
        loop {
            // Of two who come at once to the end of the list, one goes on behind the other.
            let (owner, rest) = &**claims.0.get_or_init(|| Box::new((slot, Self::default())));
            if owner.name != slot.name {
                claims = rest;
                continue;
            }
            if owner.type_id == slot.type_id {
                return Ok(());
            }
            return Err(SessionError::misconfigured(format!(
                "{} and {} both have {constant} = {:?}; give one of them another name",
                (owner.type_name)(),
                (slot.type_name)(),
                slot.name
            )));
        }
    }
}
