//! Sessions.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod error;
mod id;
mod keyring;
mod memory;
mod record;
mod sealing;
pub mod store;
mod telemetry;

pub use clock::Clock;
pub use error::{SessionError, SessionErrorKind};
pub use id::{SessionHandle, UserId};
pub use keyring::{KeyError, Keyring, Secret};
pub use memory::MemoryStore;
