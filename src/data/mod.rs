//! What an application keeps in a session: its own types, each in a slot of its own.

mod codec;
mod registry;
mod session_data;
mod slots;

pub(crate) use registry::Registry;
pub use session_data::{AtSignIn, IfUndecodable, Old, SessionData};
pub use slots::Slots;
