//! Why a store did not answer, and whether it may have acted all the same.

use crate::telemetry::Chain;
use std::error::Error;
use std::fmt;

type Source = Box<dyn Error + Send + Sync>;

/// Why a store did not answer.
///
/// The one thing that matters above: can the write have been applied? Say [`unknown`](Self::unknown) whenever it was
/// sent and no reply came.
///
/// `Debug` reads as `Display` and the causes do, for a `main` that returns it.
pub struct StoreError {
    maybe_applied: bool,
    for_good: bool,
    source: Source,
}

impl StoreError {
    /// Nothing was changed: it was never sent, or the store itself refused.
    pub fn not_applied(source: impl Into<Source>) -> Self {
        Self { maybe_applied: false, for_good: false, source: source.into() }
    }

    /// Nothing was changed, and trying again at once would come to the same: a store that is full, for example.
    pub fn refused(source: impl Into<Source>) -> Self {
        Self { maybe_applied: false, for_good: true, source: source.into() }
    }

    /// It was sent, and what became of it is not known.
    pub fn unknown(source: impl Into<Source>) -> Self {
        Self { maybe_applied: true, for_good: false, source: source.into() }
    }

    /// The same of a read, which changes nothing: a lost reply is no worse than a refusal.
    pub(super) fn of_read(self) -> Self {
        Self { maybe_applied: false, ..self }
    }

    /// Whether trying again at once is of no use.
    pub(super) fn is_for_good(&self) -> bool {
        self.for_good
    }

    /// Whether the write may have been applied.
    pub fn maybe_applied(&self) -> bool {
        self.maybe_applied
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Chain(self), f)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.maybe_applied {
            "the store did not answer; a write may have been applied"
        } else {
            "the store was not reached, or refused; nothing was changed"
        })
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
