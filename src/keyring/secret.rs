//! The secrets that an operator makes and keeps.

use crate::id::{fill_from_os, redacted};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use thiserror::Error;
use zeroize::Zeroizing;

/// At least 32 random bytes, from which keys are derived. Erased from memory when dropped.
///
/// Make one with `head -c 32 /dev/urandom | base64` and hand it to the process like any other credential. There is no
/// default and no way to make one from a passphrase.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

redacted!(Secret);

/// Why a secret, or a combination of secrets, was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Fewer than 32 bytes.
    #[error("a secret has at least 32 random bytes, not {0}; make one with `head -c 32 /dev/urandom | base64`")]
    TooShort(usize),
    /// Not base64.
    #[error("a secret is written in base64; this one is not")]
    NotBase64,
    /// Bytes that no random generator gives: repeated, counted up, or typed on a keyboard.
    #[error("this secret is not random; if it is text in base64, read it with from_base64")]
    NotRandom,
    /// The same secret stands in the ring twice.
    #[error("the same secret is used twice in one keyring; each place needs one of its own")]
    Duplicate,
}

impl Secret {
    const MIN_LEN: usize = 32;

    /// A new secret from the operating system.
    pub fn generate() -> Self {
        let mut bytes = Zeroizing::new(vec![0; Self::MIN_LEN]);
        fill_from_os(&mut bytes);
        Self(bytes)
    }

    /// The secret that these bytes are.
    ///
    /// # Errors
    ///
    /// If there are fewer than 32, or they are evidently not random.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Result<Self, KeyError> {
        let bytes = Zeroizing::new(bytes.into());
        if bytes.len() < Self::MIN_LEN {
            return Err(KeyError::TooShort(bytes.len()));
        }
        if !looks_random(&bytes) {
            return Err(KeyError::NotRandom);
        }
        Ok(Self(bytes))
    }

    /// The secret that this text encodes: base64 of either alphabet, with or without padding.
    ///
    /// ```no_run
    /// use thin_session::Secret;
    ///
    /// let secret = Secret::from_base64(&std::env::var("SESSION_SECRET")?)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If it is not base64, or not of a secret.
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let alphabet = if text.contains(['-', '_']) { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
        let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let bytes = GeneralPurpose::new(alphabet, lenient).decode(text).map_err(|_| KeyError::NotBase64)?;
        Self::from_bytes(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Whether random bytes would look like this: not few different ones, no steady step, not all printable.
///
/// 32 random bytes have fewer than 16 different values once in 10^16 secrets, and are all printable once in 10^13.
fn looks_random(bytes: &[u8]) -> bool {
    let mut seen = [false; 256];
    bytes.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    let different = seen.iter().filter(|seen| **seen).count();
    let mut steps = bytes.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]));
    let first = steps.next();
    let steady = steps.all(|step| Some(step) == first);
    let typed = bytes.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
    different >= 16 && !steady && !typed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_secret_is_refused_with_the_reason() {
        let counted: Vec<u8> = (0..32).collect();
        for (bytes, why) in [
            (vec![], KeyError::TooShort(0)),
            (vec![7; 31], KeyError::TooShort(31)),
            (vec![0; 32], KeyError::NotRandom),
            (counted, KeyError::NotRandom),
            (b"correct horse battery staple and more of it".to_vec(), KeyError::NotRandom),
        ] {
            assert_eq!(Secret::from_bytes(bytes).err(), Some(why));
        }
        assert_eq!(Secret::from_base64("no base64!").err(), Some(KeyError::NotBase64));
    }

    #[test]
    fn generated_secrets_pass_and_both_alphabets_are_read() {
        for _ in 0..100 {
            let secret = Secret::generate();
            assert!(looks_random(secret.as_bytes()));
            for engine in [base64::engine::general_purpose::STANDARD, base64::engine::general_purpose::URL_SAFE] {
                let read = Secret::from_base64(&engine.encode(secret.as_bytes())).unwrap();
                assert_eq!(read.as_bytes(), secret.as_bytes());
            }
        }
    }

    #[test]
    fn debug_hides_it() {
        assert_eq!(format!("{:?}", Secret::generate()), "Secret(…)");
    }
}
