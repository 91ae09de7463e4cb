//! One request and its response: what was asked for, what was loaded, which cookies go out.
//!
//! The layer leaves a [`Ticket`] in the request's extensions; only an extractor that finds it makes an [`Exchange`]. All
//! extractors of a request share that one, and with it one load and one view of the session.

mod change;
mod create;
mod live;
mod presented;
mod realm;
mod reply;
mod runtime;
mod sign_in;
mod sign_out;
mod state;
mod ticket;

pub(crate) use change::Edit;
pub(crate) use realm::Realm;
pub(crate) use sign_in::How;
pub(crate) use sign_out::Remember;
pub(crate) use state::{Activity, Exchange};
pub(crate) use ticket::Ticket;
