//! What sessions cost.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Counts calls of a store, and time.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    calls: AtomicU32,
    nanos: AtomicU64,
}

/// Adds the time until it is dropped.
pub(crate) struct Timer<'a> {
    meter: &'a Meter,
    started: Instant,
}

impl Meter {
    pub(super) fn count(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn time(&self) -> Timer<'_> {
        self.time_from(Instant::now())
    }

    pub(crate) fn time_from(&self, started: Instant) -> Timer<'_> {
        Timer { meter: self, started }
    }

    /// Whether nothing was counted yet.
    pub(crate) fn is_new(&self) -> bool {
        self.calls() == 0 && self.nanos.load(Ordering::Relaxed) == 0
    }

    pub(crate) fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        let nanos = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.meter.nanos.fetch_add(nanos, Ordering::Relaxed);
    }
}
