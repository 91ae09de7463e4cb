//! What a handler holds of a session: [`Session`], [`Peek`], [`LazySession`].

#[cfg(feature = "axum")]
mod extract;
mod lazy;
mod peek;
mod typed;

pub use lazy::LazySession;
pub use peek::Peek;
pub use typed::Session;
