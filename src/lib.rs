//! Sessions.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod cookie;
mod data;
mod error;
mod id;
mod keyring;
mod lifetime;
mod memory;
mod record;
mod sealing;
pub mod store;
mod telemetry;

pub use clock::Clock;
pub use cookie::SameSite;
pub use data::{AtSignIn, IfUndecodable, Old, SessionData, Slots};
pub use error::{ConfigError, SessionError, SessionErrorKind};
pub use id::{SessionHandle, UserId};
pub use keyring::{KeyError, Keyring, Secret};
pub use lifetime::Limits;
pub use memory::MemoryStore;
