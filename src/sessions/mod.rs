//! All sessions of a user: [`Sessions`] lists and ends them, and knows those that have ended.

#[cfg(feature = "axum")]
mod extract;
mod history;
mod info;
mod users;

pub use info::SessionInfo;
pub use users::Sessions;
