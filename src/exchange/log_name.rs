//! What logs call a session.

use super::realm::Realm;
use crate::cookie::SessionToken;
use crate::id::SessionHandle;
use std::fmt;

/// A keyed digest, worked out only if something is logged. It stays the same at re-authentication, so that all lines of a
/// session can be found by it, in the logs of all processes; and it stands in no cookie and no store.
pub(super) struct LogName<'a> {
    pub(super) realm: &'a Realm,
    pub(super) session: Named,
}

/// By what a session is known to those who log it.
pub(super) enum Named {
    Anonymous(SessionToken),
    SignedIn(SessionHandle),
}

impl fmt::Display for LogName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match &self.session {
            Named::Anonymous(token) => self.realm.keys.log_name(self.realm.key(token).digest()),
            Named::SignedIn(handle) => self.realm.keys.log_name(handle.as_bytes()),
        };
        write!(f, "{name:016x}")
    }
}
