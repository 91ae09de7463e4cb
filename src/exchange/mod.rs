//! One request and its response: what was asked for, what was loaded, which cookies go out.
//!
//! The layer leaves a [`Ticket`] in the request's extensions; only an extractor that finds it makes an [`Exchange`]. All
//! extractors of a request share that one, and with it one load and one view of the session.

mod admission;
mod background;
mod change;
mod create;
mod dead_letters;
mod ended;
mod epoch;
mod live;
mod log_name;
mod mover;
mod moves;
mod presented;
mod realm;
mod recognition;
mod reply;
mod roster;
mod runtime;
mod shards;
mod sign_in;
mod sign_out;
mod state;
mod ticket;
mod user_session;

pub(crate) use change::Edit;
pub(crate) use realm::Realm;
pub(crate) use roster::{Listed, Roster};
pub(crate) use sign_in::How;
pub(crate) use sign_out::Remember;
pub(crate) use state::{Activity, Exchange};
pub(crate) use ticket::Ticket;
pub(crate) use user_session::{Allowed, Desk, Kind, Sight};
