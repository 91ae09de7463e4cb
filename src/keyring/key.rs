//! Keys derived from one secret: one for each purpose, so that nothing sealed for one opens for another.

use super::cipher::Cipher;
use super::secret::Secret;
use crate::id::KeyId;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// What a sealed value is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Visitor,
    Anonymous,
    SignedIn,
    Record,
}

impl Purpose {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Visitor => "visitor cookie",
            Self::Anonymous => "anonymous session cookie",
            Self::SignedIn => "signed-in session cookie",
            Self::Record => "session record",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Key {
    id: KeyId,
    visitor: Cipher,
    anonymous: Cipher,
    signed_in: Cipher,
    record: Cipher,
}

impl Key {
    /// Derives by HKDF-SHA-256 (RFC 5869), a label for each key.
    pub(super) fn derive(secret: &Secret) -> Self {
        let cipher = |purpose: Purpose| Cipher::new(&expand(secret, purpose.label()));
        Self {
            id: KeyId::from_bytes(*expand(secret, "key id")),
            visitor: cipher(Purpose::Visitor),
            anonymous: cipher(Purpose::Anonymous),
            signed_in: cipher(Purpose::SignedIn),
            record: cipher(Purpose::Record),
        }
    }

    pub(crate) fn id(&self) -> KeyId {
        self.id
    }

    pub(crate) fn cipher(&self, purpose: Purpose) -> &Cipher {
        match purpose {
            Purpose::Visitor => &self.visitor,
            Purpose::Anonymous => &self.anonymous,
            Purpose::SignedIn => &self.signed_in,
            Purpose::Record => &self.record,
        }
    }
}

/// `N` bytes that depend on the secret and on what they are for.
pub(super) fn expand<const N: usize>(secret: &Secret, label: &'static str) -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    Hkdf::<Sha256>::new(Some(b"thin-session 1"), secret.as_bytes())
        .expand(label.as_bytes(), bytes.as_mut())
        .expect("HKDF gives up to 8,160 bytes");
    bytes
}
