//! Which type has which slot name, for one layer.

use super::slots::Slots;
use crate::error::SessionError;
use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

/// The names that types of an application have claimed.
///
/// One for each layer, not one for the process: two layers may well know two versions of a type.
#[derive(Debug, Default)]
pub(crate) struct Registry(RwLock<HashMap<&'static str, (TypeId, &'static str)>>);

impl Registry {
    /// Claims the names of `T`.
    ///
    /// # Errors
    ///
    /// Misconfigured, if another type has one of them.
    pub(crate) fn claim<T: Slots>(&self) -> Result<(), SessionError> {
        for slot in T::types() {
            let known = self.0.read().unwrap_or_else(PoisonError::into_inner).get(slot.name).copied();
            let owner = match known {
                Some(owner) => owner,
                None => {
                    let mut claims = self.0.write().unwrap_or_else(PoisonError::into_inner);
                    *claims.entry(slot.name).or_insert((slot.type_id, slot.type_name))
                }
            };
            if owner.0 != slot.type_id {
                return Err(SessionError::misconfigured(format!(
                    "{} and {} both have SessionData::NAME = {:?}; give one of them another name",
                    owner.1, slot.type_name, slot.name
                )));
            }
        }
        Ok(())
    }
}

impl Clone for Registry {
    fn clone(&self) -> Self {
        Self(RwLock::new(self.0.read().unwrap_or_else(PoisonError::into_inner).clone()))
    }
}
