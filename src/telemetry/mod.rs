//! The one place that logs and counts. No id, key, cookie, user or content is ever an argument here; a session goes by a
//! keyed digest.
//!
//! Target `thin_session`; the life of sessions at `debug`, what deserves a look at `warn`, faults at `error`.

mod numbers;

#[cfg(any(feature = "redis", feature = "sqlite", feature = "postgres"))]
pub(crate) use numbers::revocation_heard;
pub(crate) use numbers::{StoreCall, begin, record_bytes, unknown_outcome, waiting};

use std::error::Error;
use std::fmt::{self, Display};

macro_rules! event {
    ($level:ident, $($rest:tt)+) => { tracing::$level!(target: "thin_session", $($rest)+) };
}

/// An error and its causes in one line. A cause that the error before has quoted is not said twice.
pub(crate) struct Chain<'a>(pub(crate) &'a dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        f.write_str(&said)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !said.ends_with(&text) {
                write!(f, ": {text}")?;
            }
            said = text;
            cause = error.source();
        }
        Ok(())
    }
}

pub(crate) fn answered_with_error(error: &dyn Error) {
    event!(error, error = %Chain(error), "a request was answered with an error of the session layer");
}

pub(crate) fn refused_as_too_large(error: &dyn Error) {
    event!(warn, error = %Chain(error), "a change was refused");
}

pub(crate) fn refused(error: &dyn Error) {
    event!(debug, error = %Chain(error), "a request was refused");
}

pub(crate) fn created(session: impl Display, signed_in: bool) {
    numbers::created(signed_in);
    event!(debug, %session, signed_in, "session created");
}

pub(crate) fn committed(session: impl Display, runs: u32) {
    event!(debug, %session, runs, "session changed");
}

pub(crate) fn touched(session: impl Display) {
    event!(debug, %session, "session touched");
}

pub(crate) fn touch_failed(error: &dyn Error) {
    event!(warn, error = %Chain(error), "session could not be touched; the next request tries again");
}

pub(crate) fn signed_in(session: impl Display) {
    event!(debug, %session, "signed in");
}

pub(crate) fn reauthenticated(session: impl Display) {
    event!(debug, %session, "re-authenticated");
}

pub(crate) fn ended(reason: &'static str, session: impl Display) {
    numbers::ended(reason, 1);
    event!(debug, %session, reason, "session ended");
}

pub(crate) fn ended_all(reason: &'static str, ended: u64) {
    numbers::ended(reason, ended);
    event!(debug, reason, ended, "all sessions of a user ended");
}

pub(crate) fn ended_everything() {
    event!(warn, "all sessions of all users ended");
}

pub(crate) fn sign_in_overtaken() {
    event!(debug, "all sessions of the user were ended while a sign-in was under way; it is refused");
}

pub(crate) fn end_failed(reason: &'static str, error: &dyn Error) {
    event!(warn, reason, error = %Chain(error), "session could not be ended; it ends when it has been idle for long enough");
}

pub(crate) fn conflict() {
    numbers::conflict();
    event!(debug, "somebody else changed the session; the change runs again on what they wrote");
}

pub(crate) fn store_retry(error: &dyn Error) {
    numbers::retry();
    event!(debug, error = %Chain(error), "the store failed; trying again");
}

pub(crate) fn cookie_refused(why: &'static str) {
    numbers::cookie_refused(why);
    event!(debug, why, "cookie refused");
}

pub(crate) fn secure_cookies_over_plain_http() {
    event!(
        warn,
        "a browser came over plain HTTP and will drop the session's secure cookies: open the site as localhost, or serve it \
         over HTTPS; for development on another host there is SessionLayer::insecure_plain_http()"
    );
}

pub(crate) fn two_cookies() {
    event!(warn, "two different cookies of one name open; no session is read or begun");
}

pub(crate) fn record_refused(why: &'static str) {
    numbers::decode_failure("record");
    event!(error, why, "record refused");
}

pub(crate) fn revoked_session_refused(session: impl Display) {
    event!(debug, %session, "the store still has a session that was ended; it is refused");
}

#[cfg(feature = "redis")]
pub(crate) fn may_evict(policy: &str) {
    event!(warn, policy, "this Redis may evict live sessions; set maxmemory-policy to noeviction");
}

#[cfg(feature = "redis")]
pub(crate) fn not_probed(error: &dyn Error) {
    event!(warn, error = %Chain(error), "this Redis takes nothing new in; whether it allows all that sessions need is not known");
}

#[cfg(feature = "redis")]
pub(crate) fn policy_unknown(error: &dyn Error) {
    event!(debug, error = %Chain(error), "maxmemory-policy could not be read");
}

pub(crate) fn started_over(slot: &'static str, error: &dyn Error) {
    numbers::decode_failure("slot");
    event!(warn, slot, error = %Chain(error), "a stored value does not decode; it counts as absent");
}

pub(crate) fn slot_is_newer(slot: &'static str) {
    numbers::decode_failure("slot");
    event!(warn, slot, "a stored value is of a newer version than this process knows");
}

pub(crate) fn misconfigured(error: &dyn Error) {
    event!(error, error = %Chain(error), "the session layer is misconfigured");
}

pub(crate) fn revocations_forgotten(limit: usize) {
    event!(
        warn,
        limit,
        "more revocations than this process may hold; visitors whom the forgotten ones may concern are not recognised"
    );
}

#[cfg(any(feature = "redis", feature = "sqlite", feature = "postgres"))]
pub(crate) fn follow_failed(error: &dyn Error) {
    event!(warn, error = %Chain(error), "revocations cannot be followed; trying again");
}

pub(crate) fn two_users() {
    event!(warn, "the visitor cookie and the signed-in one are of different users; no session is read or begun");
}

pub(crate) fn user_session_changed(kind: &'static str, begun: bool, runs: u32) {
    if begun {
        numbers::user_session_begun(kind);
    }
    event!(debug, kind, begun, runs, "user session changed");
}

pub(crate) fn user_session_ended(kind: &'static str, reason: &'static str) {
    numbers::user_session_ended(kind, reason);
    event!(debug, kind, reason, "user session ended");
}

pub(crate) fn quota_exceeded(kind: &'static str) {
    numbers::quota_exceeded(kind);
    event!(debug, kind, "a user session was not completed: its quota is used up");
}

pub(crate) fn left_to_settle(error: &dyn Error) {
    event!(warn, error = %Chain(error), "a completion was not finished in the store; the next who looks finishes it");
}

pub(crate) fn archived(sessions: usize) {
    numbers::archived(sessions);
    event!(debug, sessions, "ended sessions moved to the archive");
}

pub(crate) fn archive_failed(error: &dyn Error) {
    event!(warn, error = %Chain(error), "ended sessions could not be moved to the archive; trying again");
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn not_swept(error: &dyn Error) {
    event!(warn, error = %Chain(error), "what has expired could not all be deleted; trying again in a minute");
}

pub(crate) fn not_in_history(error: &dyn Error) {
    numbers::decode_failure("record");
    event!(error, error = %Chain(error), "a user session cannot be read here, and is missing from a history");
}

pub(crate) fn buried(error: &dyn Error) {
    numbers::buried();
    event!(
        error,
        error = %Chain(error),
        "an ended session cannot be converted here; it is kept in the archive as a dead letter, until a process comes that can"
    );
}

pub(crate) fn revived(sessions: usize) {
    numbers::revived(sessions);
    event!(warn, sessions, "dead letters were converted, and are in the archive as sessions");
}

pub(crate) fn not_archived(error: &dyn Error) {
    numbers::decode_failure("outgoing");
    event!(error, error = %Chain(error), "an ended session cannot be moved to the archive, and stays in the store");
}
