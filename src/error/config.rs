//! Settings that cannot work.

use std::time::Duration;
use thiserror::Error;

/// Why a setting was refused when the layer was built.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The name of a layer: 1 to 32 lower-case letters, digits and hyphens, since it becomes part of cookie names.
    #[error("a layer's name has 1 to 32 lower-case letters, digits or hyphens; {0:?} has not")]
    Name(String),
    /// A cookie's domain: a host name of letters, digits, hyphens and at least one dot, at most 253 bytes, without a port.
    #[error("{0:?} is not a domain for cookies: give a host name such as example.com")]
    Domain(String),
    /// Limits of a session: at least a second, idle at most as long as absolute, and that at most 400 days.
    #[error("limits of a session are 1 second <= idle <= absolute <= 400 days")]
    Limits,
    /// The lifetime of the visitor cookie: a second to 400 days, beyond which browsers shorten it (RFC 6265bis).
    #[error("a visitor cookie lives between 1 second and 400 days")]
    VisitorLifetime,
    /// The deadline of store operations: 10 milliseconds to 30 seconds.
    #[error("a store operation's deadline lies between 10 ms and 30 s, not at {0:?}")]
    StoreDeadline(Duration),
    /// How many sessions a user may have: 1 to 1,000, since all of them are ended in one step.
    #[error("a user may have between 1 and 1,000 sessions, not {0}")]
    MaxSessionsPerUser(usize),
    /// The budget of a record: 256 bytes to 64 KiB.
    #[error("a record's budget lies between 256 bytes and 64 KiB, not at {0} bytes")]
    Budget(usize),
}
