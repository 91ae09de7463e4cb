//! The bytes of a stored session.
//!
//! One session is one value: a [`Header`] in the clear, because stores compare and change parts of it, and a [`Body`]
//! that is sealed before a store sees it.
//!
//! | offset | bytes | content |
//! |---|---|---|
//! | 0 | 1 | format, now 1 |
//! | 1 | 1 | [`State`]: live, ended, moved |
//! | 2 | 12 | write id of the last commit |
//! | 14 | 6 | absolute deadline, ms since 1970 |
//! | 20 | 6 | touched: last activity, ms since 1970 |
//! | 26 | 1 | n, the number of earlier write ids that follow, at most 16 |
//! | 27 | 4 | id of the key that sealed the body |
//! | 31 | 6 n | first halves of earlier write ids, newest first |
//! | 31 + 6 n | rest | sealed body; for a marker its [`Marker::tail`] |
//!
//! The first 31 bytes are frozen for every future format, since scripts inside a store read them.

mod body;
mod bytes;
mod entry;
mod header;
mod history;

pub(crate) use body::{Authentication, Body, Codec, Slot};
pub use bytes::Malformed;
pub(crate) use bytes::Reader;
pub(crate) use entry::EndReason;
pub use entry::{Entry, Marker};
#[cfg(feature = "redis")]
pub(crate) use header::offset;
pub(crate) use header::{FORMAT, Header, State};
pub(crate) use history::History;
