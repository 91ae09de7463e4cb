//! Names of keys.

/// Names a key in what it sealed. Derived from the key, so that there is no number to get wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct KeyId([u8; KeyId::SIZE]);

impl KeyId {
    pub(crate) const SIZE: usize = 4;

    pub(crate) fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; Self::SIZE] {
        &self.0
    }
}
