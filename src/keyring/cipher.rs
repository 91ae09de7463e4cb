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
        self.decrypt(nonce, data, &mut plain, tag)?;
        Some(plain)
    }

    /// The same, in the place of the sealed bytes.
    pub(crate) fn open_in_place<'a>(
        &self,
        nonce: &[u8; NONCE_SIZE],
        data: &AssociatedData,
        sealed: &'a mut [u8],
    ) -> Option<&'a [u8]> {
        let (text, tag) = sealed.split_last_chunk_mut::<TAG_SIZE>()?;
        self.decrypt(nonce, data, text, tag)?;
        Some(text)
    }

    /// Leaves `text` as it was if it does not open.
    fn decrypt(
        &self,
        nonce: &[u8; NONCE_SIZE],
        data: &AssociatedData,
        text: &mut [u8],
        tag: &[u8; TAG_SIZE],
    ) -> Option<()> {
        self.0.decrypt_inout_detached(&Nonce::from(*nonce), &data.0, text.into(), &Tag::from(*tag)).ok()
    }
}

/// What a sealed value is bound to. Each field carries its length, so that no two lists of fields are the same bytes.
pub(crate) struct AssociatedData(Vec<u8>);

impl AssociatedData {
    /// Few take more.
    const ROOM: usize = 128;

    /// Begins with the kind of thing that is sealed.
    pub(crate) fn new(kind: &'static str) -> Self {
        Self(Vec::with_capacity(Self::ROOM)).field(kind.as_bytes())
    }

    /// Where the field is an array, copying it is not worth a call.
    #[inline]
    pub(crate) fn field(mut self, field: &[u8]) -> Self {
        self.0.extend_from_slice(&(field.len() as u64).to_be_bytes());
        self.0.extend_from_slice(field);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha3::Shake128;
    use sha3::digest::{ExtendableOutput as _, Update as _, XofReader};

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The vectors of <https://c2sp.org/XAES-256-GCM>; the second has a key whose L begins with a one.
    #[test]
    fn both_vectors_of_the_specification() {
        let nonce = *b"ABCDEFGHIJKLMNOPQRSTUVWX";
        for (key, data, expected) in [
            ([0x01; 32], &b""[..], "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
            ([0x03; 32], b"c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
        ] {
            let mut sealed = Vec::new();
            Cipher::new(&key).seal(&nonce, &AssociatedData(data.to_vec()), b"XAES-256-GCM", &mut sealed);
            assert_eq!(hex(&sealed), expected);
        }
    }

    /// Seals as many pseudo-random messages as `XAES_ITERATIONS` says and compares a hash of them all with the one that
    /// the specification's reference implementation gives.
    #[test]
    fn accumulated_vectors_of_the_specification() {
        let iterations = std::env::var("XAES_ITERATIONS").unwrap_or("10000".to_owned());
        let expected = match iterations.as_str() {
            "10000" => "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939",
            "1000000" => "2163ae1445985a30b60585ee67daa55674df06901b890593e824b8a7c885ab15",
            other => panic!("the specification gives hashes for 10000 and 1000000 messages, not for {other}"),
        };
        let mut source = Shake128::default().finalize_xof();
        let mut all = Shake128::default();
        for _ in 0..iterations.parse().expect("one of the two numbers above") {
            let cipher = Cipher::new(&array(&mut source));
            let nonce = array(&mut source);
            let plain = message(&mut source);
            let data = AssociatedData(message(&mut source));
            let mut sealed = Vec::new();
            cipher.seal(&nonce, &data, &plain, &mut sealed);
            assert_eq!(cipher.open(&nonce, &data, &sealed), Some(plain));
            all.update(&sealed);
        }
        assert_eq!(hex(&array::<32>(&mut all.finalize_xof())), expected);
    }

    fn array<const N: usize>(source: &mut impl XofReader) -> [u8; N] {
        let mut bytes = [0; N];
        source.read(&mut bytes);
        bytes
    }

    /// One byte that says how many follow.
    fn message(source: &mut impl XofReader) -> Vec<u8> {
        let [length] = array(source);
        let mut bytes = vec![0; usize::from(length)];
        source.read(&mut bytes);
        bytes
    }

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
