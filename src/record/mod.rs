//! The bytes of a stored session.
//!
//! One session is one value: a [`Header`] in the clear, because stores compare and change parts of it, and a [`Body`]
//! that is sealed before a store sees it.
//!
#![doc = include_str!("../docs/record.md")]

mod archival;
mod body;
mod bytes;
mod entry;
mod header;
mod history;
mod past;
mod user_body;

pub(crate) use archival::Archival;
pub(crate) use body::{Authentication, Body, Codec, Slot};
pub use bytes::Malformed;
pub(crate) use bytes::Reader;
pub use entry::{EndReason, Entry, Marker};
#[cfg(any(feature = "redis", feature = "sqlite", feature = "postgres"))]
pub(crate) use header::offset;
pub(crate) use header::{ARCHIVED, FORMAT, Header, State};
pub(crate) use history::History;
pub(crate) use past::{Departed, Parted, Past};
pub(crate) use user_body::UserBody;
