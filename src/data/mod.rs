//! What an application keeps in a session: its own types, each in a slot of its own.

mod codec;
mod registry;
mod session_data;
mod slots;
mod user_session_data;
mod value;

pub(crate) use codec::MESSAGE_PACK;
pub(crate) use registry::{BROWSER, Registry};
pub use session_data::{AtSignIn, IfUndecodable, Old, SessionData};
pub use slots::Slots;
pub use user_session_data::UserSessionData;
pub(crate) use user_session_data::{check, encode, read};
