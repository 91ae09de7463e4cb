//! One slot, or several that are read and changed together.

use super::session_data::{AtSignIn, SessionData};
use super::value::Schema;
use crate::error::SessionError;
use crate::record::Slot;
use std::any::TypeId;

/// What a session can be asked for: any [`SessionData`], or a tuple of two or three of them, which are then read and
/// changed in one commit.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in a session",
    label = "not session data",
    note = "add `impl thin_session::SessionData for {Self} {{ const NAME: &'static str = \"…\"; }}`",
    note = "tuples of session data have two or three parts"
)]
#[expect(private_bounds, reason = "sealed: only SessionData and its tuples are slots")]
pub trait Slots: sealed::Slots + Default + Send + Sync + 'static {}

impl<T: SessionData> Slots for T {}
impl<A: SessionData, B: SessionData> Slots for (A, B) {}
impl<A: SessionData, B: SessionData, C: SessionData> Slots for (A, B, C) {}

/// A type's claim to a name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlotType {
    pub(super) name: &'static str,
    pub(super) type_id: TypeId,
    pub(super) type_name: fn() -> &'static str,
}

mod sealed {
    use super::{SessionError, Slot, SlotType};

    pub(crate) trait Slots: Sized {
        /// The types in it.
        fn types() -> impl Iterator<Item = SlotType>;
        /// The names of their slots.
        fn names() -> Vec<&'static str> {
            Self::types().map(|slot| slot.name).collect()
        }
        /// What is stored; none if nothing of it is.
        fn read(slots: &[Slot]) -> Result<Option<Self>, SessionError>;
        /// As slots to store.
        fn encode(&self) -> Result<Vec<Slot>, SessionError>;
        /// Whether what was encoded can be read again.
        fn check(encoded: &[Slot]) -> Result<(), SessionError>;
        /// Refuses what a newer version stored: it is neither read nor overwritten.
        fn refuse_newer(slots: &[Slot]) -> Result<(), SessionError>;
    }
}

impl<T: SessionData> sealed::Slots for T {
    fn types() -> impl Iterator<Item = SlotType> {
        const { assert!(!T::NAME.is_empty() && T::NAME.len() <= 64, "SessionData::NAME has 1 to 64 bytes") };
        let type_name = std::any::type_name::<T>;
        std::iter::once(SlotType { name: T::NAME, type_id: TypeId::of::<T>(), type_name })
    }

    fn read(slots: &[Slot]) -> Result<Option<Self>, SessionError> {
        find::<T>(slots).map_or(Ok(None), |slot| schema::<T>().read_or(slot, T::IF_UNDECODABLE))
    }

    fn encode(&self) -> Result<Vec<Slot>, SessionError> {
        Ok(vec![schema::<T>().encode(self, T::AT_SIGN_IN == AtSignIn::Drop)?])
    }

    fn check(encoded: &[Slot]) -> Result<(), SessionError> {
        find::<T>(encoded).map_or(Ok(()), |slot| schema::<T>().check(slot))
    }

    fn refuse_newer(slots: &[Slot]) -> Result<(), SessionError> {
        find::<T>(slots).map_or(Ok(()), |slot| schema::<T>().refuse_newer(slot))
    }
}

fn schema<T: SessionData>() -> Schema<T> {
    Schema { name: T::NAME, version: T::VERSION, migrate: T::migrate }
}

fn find<T: SessionData>(slots: &[Slot]) -> Option<&Slot> {
    slots.iter().find(|slot| slot.name == T::NAME)
}

/// Implements the operations for a tuple by those of its parts.
macro_rules! tuple {
    ($($part:ident . $index:tt),+; distinct: $($distinct:expr),+) => {
        impl<$($part: SessionData),+> sealed::Slots for ($($part,)+) {
            fn types() -> impl Iterator<Item = SlotType> {
                const { assert!($($distinct)&&+, "two types in one tuple have the same SessionData::NAME") };
                std::iter::empty()$(.chain($part::types()))+
            }

            fn read(slots: &[Slot]) -> Result<Option<Self>, SessionError> {
                let parts = ($($part::read(slots)?,)+);
                let any = $(parts.$index.is_some())||+;
                Ok(any.then(|| ($(parts.$index.unwrap_or_default(),)+)))
            }

            fn encode(&self) -> Result<Vec<Slot>, SessionError> {
                Ok([$(self.$index.encode()?),+].concat())
            }

            fn check(encoded: &[Slot]) -> Result<(), SessionError> {
                $($part::check(encoded)?;)+
                Ok(())
            }

            fn refuse_newer(slots: &[Slot]) -> Result<(), SessionError> {
                $($part::refuse_newer(slots)?;)+
                Ok(())
            }
        }
    };
}

tuple!(A.0, B.1; distinct: differ(A::NAME, B::NAME));
tuple!(A.0, B.1, C.2; distinct: differ(A::NAME, B::NAME), differ(A::NAME, C::NAME), differ(B::NAME, C::NAME));

const fn differ(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return true;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return true;
        }
        i += 1;
    }
    false
}
