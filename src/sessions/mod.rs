//! All sessions of a user: [`Sessions`] lists and ends them.

#[cfg(feature = "axum")]
mod extract;
mod info;
mod users;

pub use info::SessionInfo;
pub use users::Sessions;
