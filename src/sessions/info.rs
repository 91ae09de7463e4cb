//! What a list of sessions says about one of them.

use crate::exchange::Listed;
use crate::id::SessionHandle;
use crate::record::Authentication;
use std::fmt;
use std::time::SystemTime;

/// One of a user's sessions, for a list of devices. It holds nothing that gives access.
#[derive(Clone)]
pub struct SessionInfo {
    authentication: Authentication,
    created: SystemTime,
    last_seen: SystemTime,
    is_current: bool,
}

impl SessionInfo {
    /// None of an anonymous session, which is in no list.
    pub(super) fn new(listed: Listed) -> Option<Self> {
        let Listed { body, seen, is_current } = listed;
        let authentication = body.authentication?;
        Some(Self { authentication, created: body.created.into(), last_seen: seen.into(), is_current })
    }

    /// Its public name, by which it can be ended. The same for as long as it lives, whatever its secret id is.
    pub fn handle(&self) -> &SessionHandle {
        &self.authentication.handle
    }

    /// What it was called at sign-in, by [`sign_in_labelled`](crate::Visitor::sign_in_labelled). Text from outside: escape it.
    pub fn label(&self) -> Option<&str> {
        Some(self.authentication.label.as_str()).filter(|label| !label.is_empty())
    }

    /// When the visitor first stored something in it, or signed in.
    pub fn created(&self) -> SystemTime {
        self.created
    }

    /// When its user last proved who they are: at the sign-in, or at a re-authentication since.
    pub fn authenticated_at(&self) -> SystemTime {
        self.authentication.at.into()
    }

    /// The last activity that was noted. It is noted at most once in a tenth of the idle limit.
    pub fn last_seen(&self) -> SystemTime {
        self.last_seen
    }

    /// Whether it is the session of the request that asked. Always false in a list that was asked for outside of requests.
    pub fn is_current(&self) -> bool {
        self.is_current
    }
}

impl fmt::Debug for SessionInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionInfo").field("is_current", &self.is_current).finish_non_exhaustive()
    }
}
