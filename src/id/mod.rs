//! Names of things: sessions, writes, users.
//!
//! None that is secret, or names a person, shows its content in `Debug`.

mod epoch;
mod key;
mod label;
mod ordered;
mod random;
mod session;
mod user;

pub use epoch::Epoch;
pub(crate) use key::KeyId;
pub(crate) use label::Label;
pub(crate) use ordered::ordered_id;
pub use random::WriteId;
pub(crate) use random::{fill_from_os, nonce};
pub(crate) use session::{Digest, SessionId, Shard};
pub use session::{InvalidHandle, SessionHandle};
pub use user::{UserDigest, UserId};

/// A `Debug` that names the type and hides the value.
macro_rules! redacted {
    ($type:ty) => {
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let name = stringify!($type).split('<').next().unwrap_or_default();
                write!(f, "{name}(…)")
            }
        }
    };
}
pub(crate) use redacted;
