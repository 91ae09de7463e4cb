//! The trait that makes a type fit for a user session.

use super::session_data::{IfUndecodable, Old};
use super::value::Schema;
use crate::error::SessionError;
use crate::record::Slot;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// A type of which a user has one at a time, the same on all devices: for [`UserSession`](crate::UserSession).
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use std::time::Duration;
/// use thin_session::UserSessionData;
///
/// #[derive(Default, Serialize, Deserialize)]
/// struct Transfer {
///     to: String,
///     cents: u64,
/// }
///
/// impl UserSessionData for Transfer {
///     const KIND: &'static str = "transfer";
///     const IDLE: Duration = Duration::from_secs(24 * 3600);
/// }
/// ```
///
/// Not [`SessionData`](crate::SessionData), so that one type cannot be meant as both by mistake; a type that is both implements
/// both. When the type changes, the same holds as [there](crate::SessionData#when-the-type-changes).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in a user session",
    label = "not data of a user session",
    note = "add `impl thin_session::UserSessionData for {Self} {{ const KIND: &'static str = \"…\"; }}`"
)]
pub trait UserSessionData: Default + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Names the kind: 1 to 64 bytes, one for each type of an application.
    const KIND: &'static str;
    /// Goes up when the stored form changes so that older code could not read it.
    const VERSION: u32 = 1;
    /// Without activity for so long it ends, and the next begins. At least a second, and an hour unless the type says otherwise.
    const IDLE: Duration = Duration::from_secs(3600);
    /// Whatever happens it ends so long after it began. At least [`IDLE`](Self::IDLE), at most 400 days, and 30 days unless the
    /// type says otherwise.
    const LIFETIME: Duration = Duration::from_secs(30 * 86_400);
    /// What happens to a stored value that does not decode. Where reading it is an error,
    /// [`Sessions::abandon`](crate::Sessions::abandon) ends it unread.
    const IF_UNDECODABLE: IfUndecodable = IfUndecodable::Refuse;

    /// Makes a value of this version from one of an older version; `None` if it cannot.
    fn migrate(old: Old<'_>) -> Option<Self> {
        let _ = old;
        None
    }
}

/// What is stored.
pub(crate) fn read<T: UserSessionData>(slot: &Slot) -> Result<T, SessionError> {
    schema::<T>().read_or(slot, T::IF_UNDECODABLE).map(Option::unwrap_or_default)
}

/// As a slot to store.
pub(crate) fn encode<T: UserSessionData>(value: &T) -> Result<Slot, SessionError> {
    schema::<T>().encode(value, false)
}

/// Whether what was encoded can be read again.
pub(crate) fn check<T: UserSessionData>(encoded: &Slot) -> Result<(), SessionError> {
    schema::<T>().check(encoded)
}

fn schema<T: UserSessionData>() -> Schema<T> {
    const {
        assert!(!T::KIND.is_empty() && T::KIND.len() <= 64, "UserSessionData::KIND has 1 to 64 bytes");
        assert!(T::IDLE.as_secs() >= 1, "UserSessionData::IDLE is at least a second");
        assert!(T::IDLE.as_millis() <= T::LIFETIME.as_millis(), "UserSessionData::IDLE is at most LIFETIME");
        assert!(T::LIFETIME.as_secs() <= 400 * 86_400, "UserSessionData::LIFETIME is at most 400 days");
    }
    Schema { name: T::KIND, version: T::VERSION, migrate: T::migrate }
}
