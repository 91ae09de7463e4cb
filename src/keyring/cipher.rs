//! XAES-256-GCM (C2SP) with associated data whose fields cannot run into each other.

use crate::id::redacted;
use aes_gcm::KeyInit as _;
use aes_gcm::aead::AeadInOut as _;
use xaes_256_gcm::{Nonce, Tag, Xaes256Gcm};

pub(crate) const NONCE_SIZE: usize = 24;
pub(crate) const TAG_SIZE: usize = 16;

/// One derived key, ready for use. Its nonces are random or contain a random part of 12 bytes for each message under
/// one derived subkey: there is no number of messages after which it must be changed.
pub(crate) struct Cipher(Xaes256Gcm);

redacted!(Cipher);

impl Cipher {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(Xaes256Gcm::new(&(*key).into()))
    }

    /// Appends the sealed form of `plain`, [`TAG_SIZE`] bytes longer, to `out`.
    pub(crate) fn seal(&self, nonce: &[u8; NONCE_SIZE], data: &AssociatedData, plain: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(plain);
        let tag = self
            .0
            .encrypt_inout_detached(&Nonce::from(*nonce), &data.0, (&mut out[start..]).into())
            .expect("a message of kilobytes is below the cipher's limit of gigabytes");
        out.extend_from_slice(&tag);
    }

    /// What was sealed, or nothing at all: there is no second way to read it.
    pub(crate) fn open(&self, nonce: &[u8; NONCE_SIZE], data: &AssociatedData, sealed: &[u8]) -> Option<Vec<u8>> {
        let (text, tag) = sealed.split_last_chunk::<TAG_SIZE>()?;
        let mut plain = text.to_vec();
        self.0
            .decrypt_inout_detached(&Nonce::from(*nonce), &data.0, plain.as_mut_slice().into(), &Tag::from(*tag))
            .ok()
            .map(|()| plain)
    }
}

/// What a sealed value is bound to. Each field carries its length, so that no two lists of fields are the same bytes.
pub(crate) struct AssociatedData(Vec<u8>);

impl AssociatedData {
    /// Begins with the kind of thing that is sealed.
    pub(crate) fn new(kind: &'static str) -> Self {
        Self(Vec::with_capacity(96)).field(kind.as_bytes())
    }

    pub(crate) fn field(mut self, field: &[u8]) -> Self {
        self.0.extend_from_slice(&(field.len() as u64).to_be_bytes());
        self.0.extend_from_slice(field);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_into_each_other() {
        let a = AssociatedData::new("k").field(b"ab").field(b"c");
        let b = AssociatedData::new("k").field(b"a").field(b"bc");
        assert_ne!(a.0, b.0);
    }

    #[test]
    fn a_tag_of_any_other_length_is_refused() {
        let (cipher, nonce, data) = (Cipher::new(&[1; 32]), [2; NONCE_SIZE], AssociatedData::new("test"));
        let mut sealed = Vec::new();
        cipher.seal(&nonce, &data, b"content", &mut sealed);
        assert_eq!(cipher.open(&nonce, &data, &sealed).as_deref(), Some(&b"content"[..]));
        for length in 0..sealed.len() {
            assert_eq!(cipher.open(&nonce, &data, &sealed[..length]), None);
        }
    }
}
