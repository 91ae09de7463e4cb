//! What a handler holds of a session that belongs to a user: [`UserSession`]; and the refusal of a quota, [`QuotaExceeded`].

#[cfg(feature = "axum")]
mod extract;
mod quota;
mod typed;

pub use quota::QuotaExceeded;
pub use typed::UserSession;
