//! The secret id of a session, its place in the store, and the handle that may be shown.

use super::random::{fill_from_os, nonce};
use super::redacted;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The id of a session: 128 bits, known to the browser's sealed cookie alone. The store sees a digest of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionId([u8; SessionId::SIZE]);

redacted!(SessionId);

impl SessionId {
    pub(crate) const SIZE: usize = 16;

    pub(crate) fn random() -> Self {
        let mut bytes = [0; Self::SIZE];
        fill_from_os(&mut bytes);
        Self(bytes)
    }

    pub(crate) fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; Self::SIZE] {
        &self.0
    }

    /// What the store knows the session by. The realm goes into it, so that the id of one layer is none in another.
    pub(crate) fn digest(&self, realm: &str) -> Digest {
        let hash = Sha256::new().chain_update(self.0).chain_update(realm).finalize();
        let mut digest = [0; Digest::SIZE];
        digest.copy_from_slice(&hash[..Digest::SIZE]);
        Digest(digest)
    }
}

/// Half of a SHA-256, of a session's id as a rule. Plain, since 128 random bits cannot be guessed, and so the same after a
/// rotation of keys.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Digest([u8; Digest::SIZE]);

redacted!(Digest);

impl Digest {
    pub(crate) const SIZE: usize = 16;

    pub(crate) fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; Self::SIZE] {
        &self.0
    }
}

/// Where in the store a session lives: its upper byte picks one of 256 shards. Cookies carry all sixteen bits, so
/// that shards can be split without touching a cookie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shard(pub(crate) u16);

impl Shard {
    /// The shard of an anonymous session; a signed-in one lives in its user's.
    pub(crate) fn random() -> Self {
        Self(u16::from_be_bytes(nonce()))
    }

    pub(crate) fn index(self) -> u8 {
        self.0.to_be_bytes()[0]
    }
}

/// The public name of a signed-in session, for lists of devices and for records of the application.
///
/// It gives no access, and it stays the same when the secret id changes at re-authentication. `Display` shows it,
/// `Debug` does not.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionHandle([u8; SessionHandle::SIZE]);

redacted!(SessionHandle);

impl SessionHandle {
    pub(crate) const SIZE: usize = 16;

    pub(crate) fn random() -> Self {
        Self(nonce())
    }

    pub(crate) fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; Self::SIZE] {
        &self.0
    }
}

impl fmt::Display for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A text is not the handle of a session, which has 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the handle of a session has 32 hexadecimal digits")]
pub struct InvalidHandle;

/// Reads what `Display` shows.
impl FromStr for SessionHandle {
    type Err = InvalidHandle;

    fn from_str(text: &str) -> Result<Self, InvalidHandle> {
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(InvalidHandle) };
        let pairs: &[_; Self::SIZE] = pairs.try_into().map_err(|_| InvalidHandle)?;
        let mut bytes = [0; Self::SIZE];
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            let digit = |of: &u8| char::from(*of).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let (high, low) = (digit(high).ok_or(InvalidHandle)?, digit(low).ok_or(InvalidHandle)?);
            *byte = high << 4 | low;
        }
        Ok(Self(bytes))
    }
}

/// As the text that `Display` shows: for forms, paths and JSON.
impl Serialize for SessionHandle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SessionHandle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_128_bits_and_all_of_them_are_random() {
        let ids: Vec<_> = (0..256).map(|_| u128::from_be_bytes(*SessionId::random().as_bytes())).collect();
        // A bit that is the same in 256 random ids is so once in 10^76.
        assert_eq!(ids.iter().fold(0, |seen, id| seen | id), u128::MAX, "each bit is set in some");
        assert_eq!(ids.iter().fold(u128::MAX, |seen, id| seen & id), 0, "and in others not");
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }

    #[test]
    fn a_handle_is_read_as_it_is_shown_and_nothing_else_is_one() {
        let handle = SessionHandle::random();
        assert_eq!(handle.to_string().parse(), Ok(handle));
        assert_eq!(handle.to_string().to_uppercase().parse(), Ok(handle));
        for text in ["", "00", &"0".repeat(31), &"0".repeat(33), &"g".repeat(32), &"+0".repeat(16), &"é".repeat(16)] {
            assert_eq!(text.parse::<SessionHandle>(), Err(InvalidHandle), "{text:?}");
        }
    }
}
