//! The trait that makes a type fit for a session.

use super::codec;
use crate::id::redacted;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A type that can be kept in a session.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use thin_session::SessionData;
///
/// #[derive(Default, Serialize, Deserialize)]
/// struct Cart {
///     items: std::collections::BTreeMap<u32, u32>,
/// }
///
/// impl SessionData for Cart {
///     const NAME: &'static str = "cart";
/// }
/// ```
///
/// # When the type changes
///
/// | change | what to do |
/// |---|---|
/// | a new field | `#[serde(default)]`. Processes of the old release drop it when they write; where that matters, raise [`VERSION`](Self::VERSION) or use a type of its own |
/// | another shape | raise `VERSION` and write [`migrate`](Self::migrate) |
/// | a value of a newer `VERSION`, met by an old process | an error (503), and never overwritten |
/// | a value that does not decode | an error (500) that only `replace` overwrites, unless [`IF_UNDECODABLE`](Self::IF_UNDECODABLE) says otherwise |
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in a session",
    label = "not session data",
    note = "add `impl thin_session::SessionData for {Self} {{ const NAME: &'static str = \"…\"; }}`"
)]
pub trait SessionData: Default + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Names the slot: 1 to 64 bytes, one name for each type of an application. A new name is a new, empty slot.
    const NAME: &'static str;
    /// Goes up when the stored form changes so that older code could not read it.
    const VERSION: u32 = 1;
    /// Whether an anonymous visitor's value is still there after signing in.
    const AT_SIGN_IN: AtSignIn = AtSignIn::Carry;
    /// What happens to a stored value that does not decode.
    const IF_UNDECODABLE: IfUndecodable = IfUndecodable::Refuse;

    /// Makes a value of this version from one of an older version; `None` if it cannot.
    fn migrate(old: Old<'_>) -> Option<Self> {
        let _ = old;
        None
    }
}

/// What becomes of an anonymous visitor's value at sign-in.
///
/// A session that somebody else planted in the browser brings its values along. Whatever would do harm then, such as an
/// address to deliver to, should be dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtSignIn {
    /// It stays.
    Carry,
    /// It is left behind.
    Drop,
}

/// What becomes of a stored value that does not decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfUndecodable {
    /// Reading it is an error; only `replace` overwrites it.
    Refuse,
    /// It counts as absent, and the next update overwrites it: for values that nobody would miss.
    StartOver,
}

/// A value of an older version, for [`SessionData::migrate`] and [`UserSessionData::migrate`](crate::UserSessionData::migrate).
pub struct Old<'a> {
    pub(super) version: u32,
    pub(super) bytes: &'a [u8],
}

redacted!(Old<'_>);

impl Old<'_> {
    /// The version that wrote it.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The value as the type that it then was; `None` if it is not of that type.
    pub fn decode<T: DeserializeOwned>(&self) -> Option<T> {
        codec::from_bytes(self.bytes).ok()
    }
}
