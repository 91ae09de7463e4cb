//! Who a browser belongs to ([`Visitor`]), who has proved it ([`SignedIn`]), and when ([`RecentAuth`]).

#[cfg(feature = "axum")]
mod extract;
mod recent;
mod recognised;
mod signed_in;

pub use recent::RecentAuth;
pub use recognised::Visitor;
pub use signed_in::SignedIn;
