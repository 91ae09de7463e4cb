//! Counters and histograms, with the feature `metrics`; without it nothing is counted.
//!
//! No label names a user, a session or a key: the values of each are few, and stand in the sources, ours or the
//! application's.

#[cfg(any(feature = "redis", feature = "sqlite", feature = "postgres"))]
use std::time::Duration;
#[cfg(feature = "metrics")]
use std::time::Instant;

#[cfg(feature = "metrics")]
macro_rules! count {
    ($name:literal $(, $label:literal => $value:expr)*) => {
        metrics::counter!($name $(, $label => $value)*).increment(1)
    };
}

#[cfg(feature = "metrics")]
macro_rules! record {
    ($name:literal, $number:expr $(, $label:literal => $value:expr)*) => {
        metrics::histogram!($name $(, $label => $value)*).record($number)
    };
}

#[cfg(not(feature = "metrics"))]
macro_rules! count {
    ($name:literal $(, $label:literal => $value:expr)*) => {{ $(let _ = $value;)* }};
}

#[cfg(not(feature = "metrics"))]
macro_rules! record {
    ($name:literal, $number:expr $(, $label:literal => $value:expr)*) => {{ let _ = $number; $(let _ = $value;)* }};
}

/// Has the counters without labels begin at zero, so that what never happens can be told from what is not counted.
pub(crate) fn begin() {
    #[cfg(feature = "metrics")]
    for name in ["thin_session_conflicts_total", "thin_session_retries_total", "thin_session_unknown_outcomes_total"] {
        metrics::counter!(name).absolute(0);
    }
}

/// A call of the store under way.
pub(crate) struct StoreCall {
    operation: &'static str,
    #[cfg(feature = "metrics")]
    began: Instant,
}

impl StoreCall {
    pub(crate) fn begin(operation: &'static str) -> Self {
        Self {
            operation,
            #[cfg(feature = "metrics")]
            began: Instant::now(),
        }
    }

    /// What came of it: answered, refused or unknown.
    pub(crate) fn end(self, outcome: &'static str) {
        count!("thin_session_store_calls_total", "operation" => self.operation, "outcome" => outcome);
        #[cfg(feature = "metrics")]
        record!("thin_session_store_seconds", self.began.elapsed(), "operation" => self.operation);
    }
}

pub(crate) fn record_bytes(operation: &'static str, bytes: usize) {
    // No record comes near the 2^52 up to which every number has a float.
    #[allow(clippy::cast_precision_loss)]
    let bytes = bytes as f64;
    record!("thin_session_record_bytes", bytes, "operation" => operation);
}

#[cfg(any(feature = "redis", feature = "sqlite", feature = "postgres"))]
pub(crate) fn revocation_heard(lag: Duration) {
    record!("thin_session_revocation_lag_seconds", lag);
}

pub(super) fn conflict() {
    count!("thin_session_conflicts_total");
}

pub(super) fn retry() {
    count!("thin_session_retries_total");
}

pub(crate) fn unknown_outcome() {
    count!("thin_session_unknown_outcomes_total");
}

pub(super) fn decode_failure(what: &'static str) {
    count!("thin_session_decode_failures_total", "what" => what);
}

pub(super) fn created(signed_in: bool) {
    count!("thin_session_created_total", "signed_in" => if signed_in { "true" } else { "false" });
}

pub(super) fn ended(reason: &'static str, sessions: u64) {
    #[cfg(feature = "metrics")]
    metrics::counter!("thin_session_ended_total", "reason" => reason).increment(sessions);
    #[cfg(not(feature = "metrics"))]
    let _ = (reason, sessions);
}

pub(super) fn user_session_begun(kind: &'static str) {
    count!("thin_session_user_sessions_begun_total", "kind" => kind);
}

pub(super) fn user_session_ended(kind: &'static str, reason: &'static str) {
    count!("thin_session_user_sessions_ended_total", "kind" => kind, "reason" => reason);
}

pub(super) fn quota_exceeded(kind: &'static str) {
    count!("thin_session_quota_exceeded_total", "kind" => kind);
}

/// How many ended sessions of a layer wait for the archive.
pub(crate) fn waiting(layer: &'static str, sessions: usize) {
    #[cfg(feature = "metrics")]
    {
        // As with bytes: no store holds nearly as many.
        #[allow(clippy::cast_precision_loss)]
        metrics::gauge!("thin_session_outbox_sessions", "layer" => layer).set(sessions as f64);
    }
    #[cfg(not(feature = "metrics"))]
    let _ = (layer, sessions);
}

pub(super) fn archived(sessions: usize) {
    #[cfg(feature = "metrics")]
    metrics::counter!("thin_session_archived_total").increment(sessions as u64);
    #[cfg(not(feature = "metrics"))]
    let _ = sessions;
}

pub(super) fn buried() {
    count!("thin_session_dead_letters_total");
}

pub(super) fn revived(sessions: usize) {
    #[cfg(feature = "metrics")]
    metrics::counter!("thin_session_dead_letters_revived_total").increment(sessions as u64);
    #[cfg(not(feature = "metrics"))]
    let _ = sessions;
}

pub(super) fn cookie_refused(why: &'static str) {
    count!("thin_session_cookies_refused_total", "why" => why);
}
