//! What a handler holds of a session: [`Session`], [`Peek`], [`LazySession`]; and what it costs, [`Cost`].

mod cost;
#[cfg(feature = "axum")]
mod extract;
mod lazy;
mod peek;
mod typed;

pub use cost::Cost;
pub use lazy::LazySession;
pub use peek::Peek;
pub use typed::Session;
