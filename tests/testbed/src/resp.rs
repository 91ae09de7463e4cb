//! The protocol of Redis, as much of it as tests need.
//!
//! | page | what it holds |
//! |---|---|
//! | [`frame`] | where one message ends |
//! | [`reply`] | what a message says |
//! | [`client`] | one command and its reply |

mod client;
mod frame;
mod reply;

pub(crate) use client::call;
pub use frame::{Malformed, frame_len};
pub use reply::Reply;
