//! Secrets, the keys derived from them, and which key seals or opens what.

mod cipher;
mod key;
mod ring;
mod secret;

pub(crate) use cipher::{AssociatedData, NONCE_SIZE, TAG_SIZE};
pub(crate) use key::Purpose;
pub use ring::Keyring;
pub(crate) use ring::Known;
pub use secret::{KeyError, Secret};
