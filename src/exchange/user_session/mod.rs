//! Sessions that belong to a user: one at a time of each kind, under one key, the same on all devices.
//!
//! | file | what it holds |
//! |---|---|
//! | `stand` | what stands under the key, as this process last saw it |
//! | `desk` | where a handle works on it: whose, of which kind, asked for by which request |
//! | `change` | beginning one and changing it |
//! | `end` | ending it, exactly as it was seen |
//! | `quota` | completing it if the archive allows |
//! | `sweep` | finding those whose time has run out |
//! | `survey` | what a user has at present, of several kinds |
//! | `settle` | finding one that somebody was completing |

mod change;
mod desk;
mod end;
mod quota;
mod settle;
mod stand;
mod survey;
mod sweep;

pub(crate) use desk::{Desk, Views};
pub(crate) use quota::Allowed;
pub(crate) use stand::{Kind, Sight};
pub(crate) use survey::survey;
pub(crate) use sweep::sweep;
