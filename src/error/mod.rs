//! What can go wrong, in one type.
//!
//! [`SessionError`] is the rejection of every extractor and the error of every method.

mod config;
mod kind;
mod response;

pub use config::ConfigError;
pub use kind::SessionErrorKind;

use std::error::Error;
use std::fmt;

/// Why a session could not be read, changed or ended.
///
/// As a response it tells the client a status and nothing else; its [`kind`](Self::kind) goes into the response's
/// extensions, where middleware finds it and can put the application's own page in place.
pub struct SessionError(Box<Inner>);

struct Inner {
    kind: SessionErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl SessionError {
    pub(crate) fn with_source(kind: SessionErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Box::new(Inner { kind, source: Some(source.into()) }))
    }

    pub(crate) fn misconfigured(help: impl Into<String>) -> Self {
        SessionErrorKind::Misconfigured { help: help.into() }.into()
    }

    /// What went wrong.
    pub fn kind(&self) -> &SessionErrorKind {
        &self.0.kind
    }

    /// Whether the session has been ended meanwhile, by sign-out for example.
    pub fn is_ended(&self) -> bool {
        matches!(self.kind(), SessionErrorKind::Ended)
    }

    /// Whether the store could not be asked; trying again later may help.
    pub fn is_unavailable(&self) -> bool {
        matches!(self.kind(), SessionErrorKind::Unavailable { .. })
    }

    /// Whether somebody is signed in, but proved it too long ago.
    pub fn is_not_recent(&self) -> bool {
        matches!(self.kind(), SessionErrorKind::NotRecent { .. })
    }

    /// Whether nobody is signed in.
    pub fn is_signed_out(&self) -> bool {
        matches!(self.kind(), SessionErrorKind::SignedOut)
    }
}

impl From<SessionErrorKind> for SessionError {
    fn from(kind: SessionErrorKind) -> Self {
        Self(Box::new(Inner { kind, source: None }))
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().fmt(f)
    }
}

impl fmt::Debug for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = f.debug_struct("SessionError");
        all.field("kind", self.kind());
        if let Some(source) = &self.0.source {
            all.field("source", source);
        }
        all.finish()
    }
}

impl Error for SessionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_ref().map(|source| &**source as _)
    }
}
