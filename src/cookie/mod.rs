//! The three cookies: how they are named, sealed, found in a request and written into a response.

mod base64url;
mod policy;
mod scan;
mod token;
mod write;

pub use policy::SameSite;
pub(crate) use policy::{CookieKind, CookiePolicy, check_domain, check_name};
pub(crate) use scan::{Candidates, Wanted, scan};
pub(crate) use token::{Login, LoginToken, Opened, SessionToken, Token, VisitorToken, open, seal};
pub(crate) use write::{removal, set};
