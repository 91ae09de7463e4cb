//! Listing and ending.

use super::info::SessionInfo;
use crate::data::UserSessionData;
use crate::error::SessionError;
use crate::exchange::{Roster, Ticket};
use crate::id::{SessionHandle, UserId};
use crate::user_session::UserSession;
use crate::visitor::SignedIn;
use http::Request;
use std::fmt;
use std::future::Future;

/// The sessions of users: to list, and to end one, all, or all but this.
///
/// An extractor in handlers, and a value from [`SessionLayer::sessions`](crate::SessionLayer::sessions) for jobs outside of
/// requests. It checks no right of its own: ask for [`SignedIn`] or [`RecentAuth`](crate::RecentAuth) beside it.
///
/// ```
/// use thin_session::{RecentAuth, SessionError, Sessions};
///
/// async fn sign_out_other_devices(user: RecentAuth<{ 5 * 60 }>, sessions: Sessions) -> Result<String, SessionError> {
///     let ended = sessions.end_others(&user).await?;
///     Ok(format!("{ended} other devices were signed out"))
/// }
/// ```
///
/// The store refuses what has ended at once, everywhere. Visitor cookies stop being recognised in this process at once, and in
/// all others within a second, as a rule within milliseconds; see [revocation](crate::guide::revocation), also for how to
/// change a password.
#[derive(Clone)]
pub struct Sessions {
    pub(super) roster: Roster,
}

impl Sessions {
    /// Those of a request, for services without axum.
    ///
    /// # Errors
    ///
    /// Misconfigured without a [`SessionLayer`](crate::SessionLayer) around.
    pub fn of<B>(request: &Request<B>) -> impl Future<Output = Result<Self, SessionError>> + Send + use<B> {
        std::future::ready(Ticket::of_request(request).map(|exchange| Self::new(Roster::of_exchange(exchange))))
    }

    pub(crate) fn new(roster: Roster) -> Self {
        Self { roster }
    }

    /// The user's sessions: this one in front, then the one that was active last. Two round trips.
    ///
    /// # Errors
    ///
    /// `Unavailable`; `Newer` if one of them was written by a newer release.
    pub async fn list(&self, user: &UserId) -> Result<Vec<SessionInfo>, SessionError> {
        Ok(self.roster.list(user).await?.into_iter().filter_map(SessionInfo::new).collect())
    }

    /// Ends one of the user's sessions, and answers whether it lived. The handle of somebody else's does nothing. For the one that
    /// asks there is [`sign_out`](crate::Visitor::sign_out), which also removes its cookies.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Unknown`, `Contended`: try again.
    pub async fn end(&self, user: &UserId, session: &SessionHandle) -> Result<bool, SessionError> {
        self.roster.end(user, *session).await
    }

    /// Ends all sessions of the user as one step, and answers how many there were. A sign-in that was under way meanwhile is
    /// refused with `Ended`: it may have verified a password that holds no more. Call this after the new one was stored.
    ///
    /// In a handler take `Sessions` as an extractor: then a sign-in later in the same request is known to come after this.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Unknown`, `Contended`: try again.
    pub async fn end_all(&self, user: &UserId) -> Result<u64, SessionError> {
        self.roster.end_all(user, None).await
    }

    /// Ends all other sessions of the user who is signed in here, as [`end_all`](Self::end_all) does.
    ///
    /// # Errors
    ///
    /// `Ended` if the session to be kept has ended itself; then no other has been, and after a password was changed that is a
    /// reason for alarm: somebody else ended it. Else as [`end_all`](Self::end_all).
    pub async fn end_others(&self, keep: &SignedIn) -> Result<u64, SessionError> {
        self.roster.end_all(keep.user_id(), Some(*keep.session())).await
    }

    /// The user's `T`, for jobs outside of requests: no browser has to be signed in.
    ///
    /// # Errors
    ///
    /// Misconfigured without a layer that keeps user sessions; unavailable; what is stored cannot be read.
    pub async fn user_session<T: UserSessionData>(&self, user: &UserId) -> Result<UserSession<T>, SessionError> {
        UserSession::of_user(&self.roster, user).await
    }

    /// Abandons the user's `T` unread, whatever it holds, and answers whether there was one: for jobs, and the way out where what
    /// is stored does not decode.
    ///
    /// # Errors
    ///
    /// As [`UserSession::abandon`], and if it was sealed under another lasting secret.
    pub async fn abandon<T: UserSessionData>(&self, user: &UserId) -> Result<bool, SessionError> {
        UserSession::<T>::abandon_of(&self.roster, user).await
    }

    /// For operators: signs everybody out, and recognises nobody who signed in before. Anonymous sessions go on.
    ///
    /// The records stay in the store until they idle out. Each process refuses them once it has heard of this, which takes less
    /// than a second; one that cannot hear the store refuses them when it can again.
    ///
    /// # Errors
    ///
    /// `Unavailable`, `Unknown`: try again.
    pub async fn end_everything(&self) -> Result<(), SessionError> {
        self.roster.end_everything().await
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}
