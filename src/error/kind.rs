//! The kinds of error and the status that each answers with.

use http::StatusCode;
use std::time::Duration;
use thiserror::Error;

/// What went wrong, and with it the status that a client sees.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SessionErrorKind {
    /// The application is wired up wrongly (500). The log says what to do; the client is not told.
    #[error("sessions are misconfigured: {help}")]
    Misconfigured {
        /// What to change.
        help: String,
    },
    /// The store cannot be reached, or refuses, and nothing was changed (503 with `Retry-After`).
    #[error("the session store is unavailable; nothing was changed")]
    Unavailable {
        /// When a client may try again.
        retry_after: Duration,
    },
    /// A write was sent and no reply came, not even to the same write sent again: it may or may not have been applied (503).
    #[error("the session store did not say whether the change was applied")]
    Unknown,
    /// Others changed the session faster than this request could, until its time was up; nothing was changed (503).
    #[error("too many requests change this session at once; nothing was changed")]
    Contended,
    /// The session was ended while this request worked on it, or all of the user's were while it signed in (409). Nothing was
    /// changed; after a sign-in, ask for the password again.
    #[error("the session has ended, or all of the user's have; nothing was changed")]
    Ended,
    /// Somebody else changed the user session since this request saw it, so that it was not ended as it was seen (409). Load it
    /// again, and ask again.
    #[error("the user session was changed meanwhile; nothing was ended")]
    Changed,
    /// Nobody is signed in (401).
    #[error("nobody is signed in")]
    SignedOut,
    /// Somebody is signed in, but proved it too long ago (401).
    #[error("signed in more than {} seconds ago", .max_age.as_secs())]
    NotRecent {
        /// How long ago is recent enough.
        max_age: Duration,
    },
    /// The record would exceed its budget; what was stored stays (413).
    #[error(
        "the session would take {size} of {limit} bytes; the largest changed slot is {slot:?}; what was stored stays"
    )]
    TooLarge {
        /// The largest slot that the refused change touches.
        slot: &'static str,
        /// Bytes that the whole record would take.
        size: usize,
        /// Bytes that it may take: the layer's budget.
        limit: usize,
    },
    /// A value cannot be stored: it does not serialize, or what it serializes to does not deserialize (500).
    #[error("slot {slot:?} does not survive its own encoding; what was stored stays")]
    Encode {
        /// The slot of that value.
        slot: &'static str,
    },
    /// What is stored was written in a version that this type knows and yet does not decode (500). Only `replace` overwrites it.
    #[error("what is stored in slot {slot:?} does not decode; replace() would overwrite it")]
    Undecodable {
        /// The slot that holds it.
        slot: &'static str,
    },
    /// What is stored was written by a newer version of the type, or under a key that is not in the keyring (503): a
    /// process of the next release will be able to read it. It is never overwritten.
    #[error("the session was written by a newer release of this application; it stays as it is")]
    Newer {
        /// When a client may try again.
        retry_after: Duration,
    },
    /// The head of the response has been sent, so that no cookie can go with it (500). Call `update` once before
    /// returning a stream.
    #[error("the response has begun: cookies can no longer be sent; call update once before returning a stream")]
    ResponseStarted,
    /// Two cookies of one name open, and both cannot be this browser's: no session is read or begun (400).
    #[error("two different session cookies were sent under one name")]
    TwoCookies,
    /// A request from another site that came without a session neither begins an anonymous one nor signs out (403):
    /// browsers withhold the cookie there, so that "no cookie" does not mean "no session".
    #[error("a request from another site, without its cookie, neither begins a session nor signs out")]
    CrossSite,
    /// A user id is empty or longer than 64 bytes (500).
    #[error("a user id has 1 to 64 bytes, not {length}")]
    BadUserId {
        /// Bytes that it had.
        length: usize,
    },
}

impl SessionErrorKind {
    /// How long a client is asked to wait when nothing better is known.
    pub(crate) const RETRY_AFTER: Duration = Duration::from_secs(1);

    pub(crate) fn unavailable() -> Self {
        Self::Unavailable { retry_after: Self::RETRY_AFTER }
    }

    pub(crate) fn newer() -> Self {
        Self::Newer { retry_after: Self::RETRY_AFTER }
    }

    /// The status that a client sees.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unavailable { .. } | Self::Unknown | Self::Contended | Self::Newer { .. } => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Ended | Self::Changed => StatusCode::CONFLICT,
            Self::SignedOut | Self::NotRecent { .. } => StatusCode::UNAUTHORIZED,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TwoCookies => StatusCode::BAD_REQUEST,
            Self::CrossSite => StatusCode::FORBIDDEN,
            Self::Misconfigured { .. }
            | Self::Encode { .. }
            | Self::Undecodable { .. }
            | Self::ResponseStarted
            | Self::BadUserId { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// When a client may try again, where that may help.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after } | Self::Newer { retry_after } => Some(*retry_after),
            Self::Unknown | Self::Contended => Some(Self::RETRY_AFTER),
            _ => None,
        }
    }
}
