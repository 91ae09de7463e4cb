//! One value of an application in a slot: reading it in whatever version it is, and writing it.

use super::codec::{self, MESSAGE_PACK};
use super::session_data::{IfUndecodable, Old};
use crate::error::{SessionError, SessionErrorKind};
use crate::record::Slot;
use crate::telemetry;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How the values of a type are named and versioned.
pub(super) struct Schema<T> {
    pub(super) name: &'static str,
    pub(super) version: u32,
    pub(super) migrate: fn(Old<'_>) -> Option<T>,
}

impl<T: Serialize + DeserializeOwned> Schema<T> {
    /// None for what does not decode, if that is to count as absent.
    pub(super) fn read_or(&self, slot: &Slot, if_undecodable: IfUndecodable) -> Result<Option<T>, SessionError> {
        match self.read(slot) {
            Ok(value) => Ok(Some(value)),
            // What a newer version wrote is never started over.
            Err(error)
                if if_undecodable == IfUndecodable::StartOver
                    && matches!(error.kind(), SessionErrorKind::Undecodable { .. }) =>
            {
                telemetry::started_over(self.name, &error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// # Errors
    ///
    /// `Newer` for what a newer version wrote, `Undecodable` for what does not decode.
    fn read(&self, slot: &Slot) -> Result<T, SessionError> {
        self.refuse_newer(slot)?;
        if slot.version == self.version {
            return codec::from_bytes(&slot.bytes)
                .map_err(|error| SessionError::with_source(SessionErrorKind::Undecodable { slot: self.name }, error));
        }
        (self.migrate)(Old { version: slot.version, bytes: &slot.bytes })
            .ok_or_else(|| SessionErrorKind::Undecodable { slot: self.name }.into())
    }

    pub(super) fn encode(&self, value: &T, drop_at_sign_in: bool) -> Result<Slot, SessionError> {
        let bytes = codec::to_bytes(value)
            .map_err(|error| SessionError::with_source(SessionErrorKind::Encode { slot: self.name }, error))?;
        Ok(Slot { name: self.name.into(), version: self.version, codec: MESSAGE_PACK, drop_at_sign_in, bytes })
    }

    /// Whether what was encoded can be read again.
    pub(super) fn check(&self, encoded: &Slot) -> Result<(), SessionError> {
        codec::from_bytes::<T>(&encoded.bytes)
            .map(drop)
            .map_err(|error| SessionError::with_source(SessionErrorKind::Encode { slot: self.name }, error))
    }

    /// Refuses what a newer version stored: it is neither read nor overwritten.
    pub(super) fn refuse_newer(&self, slot: &Slot) -> Result<(), SessionError> {
        if slot.version > self.version || slot.codec != MESSAGE_PACK {
            telemetry::slot_is_newer(self.name);
            return Err(SessionErrorKind::newer().into());
        }
        Ok(())
    }
}
