//! The secret id of a session, its place in the store, and the handle that may be shown.

use super::random::{fill_from_os, nonce};
use super::redacted;
use sha2::{Digest as _, Sha256};
use std::fmt;

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

/// Half of the SHA-256 of a session's id. Plain, since 128 random bits cannot be guessed, and so the same after a
/// rotation of keys.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Digest([u8; Digest::SIZE]);

redacted!(Digest);

impl Digest {
    pub(crate) const SIZE: usize = 16;

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
