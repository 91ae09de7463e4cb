//! What has been revoked, as far as this process knows.
//!
//! A visitor cookie is not looked up anywhere, so that a process has to know which ones count no more. Every store tells
//! all processes of each ending; what they tell is a [`Revocation`], and what a process has heard so far are its
//! [`Revocations`]. A revocation is kept for as long as a cookie that it concerns could live.

mod news;
mod table;

pub use news::{Revocation, Revoked};
pub use table::Revocations;
pub(crate) use table::{AsOf, Subject};
