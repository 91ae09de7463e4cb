//! The application's name for a user.

use super::redacted;
use super::session::{Digest, Shard};
use crate::error::{SessionError, SessionErrorKind};
use sha2::{Digest as _, Sha256};
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

/// The application's id of a user, as text of 1 to 64 bytes.
///
/// Use the number or UUID that never changes and is never given to anybody else, not a name or an address: it travels in an
/// encrypted cookie and nothing brings that up to date. `Debug` hides it.
///
/// ```
/// use thin_session::UserId;
///
/// let user = UserId::new(42)?;
/// assert_eq!(user.as_str(), "42");
/// assert_eq!(user.parse::<i64>(), Ok(42));
/// # Ok::<(), thin_session::SessionError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(Arc<str>);

redacted!(UserId);

impl UserId {
    /// The longest id, in bytes: every cookie leaves room for it, so that its length tells nothing.
    pub const MAX_LEN: usize = 64;

    /// The id as `Display` shows it.
    ///
    /// # Errors
    ///
    /// [`SessionErrorKind::BadUserId`] if that is empty or longer than 64 bytes.
    pub fn new(id: impl Display) -> Result<Self, SessionError> {
        Self::of_text(&id.to_string())
    }

    /// The same, of text.
    pub(crate) fn of_text(text: &str) -> Result<Self, SessionError> {
        if text.is_empty() || text.len() > Self::MAX_LEN {
            return Err(SessionErrorKind::BadUserId { length: text.len() }.into());
        }
        Ok(Self(text.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id in the application's own type.
    ///
    /// # Errors
    ///
    /// What that type answers for text that is not one of its values.
    pub fn parse<T: FromStr>(&self) -> Result<T, T::Err> {
        self.0.parse()
    }
}

/// What stores know a user by: a keyed digest of the id, which a dump cannot be searched for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserDigest([u8; UserDigest::SIZE]);

redacted!(UserDigest);

impl UserDigest {
    pub(crate) const SIZE: usize = 16;

    pub(crate) fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The place in the store where the user has sessions of this kind. Plain, as this digest itself is a keyed one.
    pub(crate) fn place_of(&self, kind: &str, realm: &str) -> Digest {
        let lengths = [kind.len(), realm.len()].map(|length| (length as u64).to_be_bytes());
        let hash = Sha256::new()
            .chain_update("user session")
            .chain_update(self.0)
            .chain_update(lengths.as_flattened())
            .chain_update(kind)
            .chain_update(realm)
            .finalize();
        Digest::from_bytes(std::array::from_fn(|i| hash[i]))
    }

    /// Where all that belongs to the user lives: the same for all time, as the digest is.
    pub(crate) fn shard(&self) -> Shard {
        let [high, low, ..] = self.0;
        Shard(u16::from_be_bytes([high, low]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_to_sixty_four_bytes() {
        for (id, fits) in [("", false), ("7", true), (&"x".repeat(64), true), (&"x".repeat(65), false)] {
            assert_eq!(UserId::new(id).is_ok(), fits, "{} bytes", id.len());
        }
    }

    #[test]
    fn debug_hides_it() {
        assert_eq!(format!("{:?}", UserId::new("ada").unwrap()), "UserId(…)");
    }
}
