//! A session that belongs to a user, seen as one type.

use super::quota::QuotaExceeded;
use crate::archive::Quota;
use crate::data::{self, UserSessionData};
use crate::error::{SessionError, SessionErrorKind};
use crate::exchange::{Allowed, Desk, Exchange, Kind, Roster, Sight, Ticket};
use crate::id::UserId;
use crate::record::EndReason;
use http::Request;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;
use uuid::Uuid;

/// The signed-in user's `T`: the same on all devices, one at a time, until it is completed, abandoned or has run out.
///
/// Reads as a `T`; where the user has none it is `T::default()`, and reading begins none. The first [`update`](Self::update)
/// begins one, with an id of its own. Signing out ends a browser's session and leaves this one: it goes on wherever the user
/// signs in next. As `Option<UserSession<T>>` it is `None` where the user has none at present. Where nobody is signed in, a handler
/// that asks for it answers 401.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use thin_session::{SessionError, UserSession, UserSessionData};
/// #[derive(Default, Serialize, Deserialize)]
/// struct Transfer { to: String, cents: u64 }
///
/// impl UserSessionData for Transfer { const KIND: &'static str = "transfer"; }
///
/// async fn set_amount(mut transfer: UserSession<Transfer>) -> Result<(), SessionError> {
///     transfer.update(|transfer| transfer.cents = 100_00).await
/// }
///
/// async fn send(mut transfer: UserSession<Transfer>) -> Result<String, SessionError> {
///     transfer.complete().await?; // exactly what this request has seen, or `Changed`
///     Ok(format!("{} cents sent to {}", transfer.cents, transfer.to))
/// }
/// ```
///
/// It needs a layer that was made by [`with_user_sessions`](crate::SessionLayer::with_user_sessions). Alone, or named first in a
/// handler, it costs one round trip together with the browser's session; after another extractor has loaded that, one more.
///
/// Every change asks, in the same step, for the browser's session to be live: whatever is under way on a device that was signed
/// out is refused with `Ended`.
pub struct UserSession<T: UserSessionData> {
    value: T,
    /// What the value was read from; none if the user has none.
    seen: Option<Sight>,
    desk: Desk,
}

#[expect(
    clippy::manual_async_fn,
    reason = "with its bounds spelled out, a closure that is not Send is reported at its call"
)]
impl<T: UserSessionData> UserSession<T> {
    /// The user session of a request, for services without axum.
    ///
    /// # Errors
    ///
    /// `SignedOut` if nobody is signed in; misconfigured without a [`SessionLayer`](crate::SessionLayer) around that keeps user
    /// sessions; unavailable; what is stored cannot be read.
    pub fn of<B>(request: &Request<B>) -> impl Future<Output = Result<Self, SessionError>> + Send + use<T, B> {
        let exchange = Ticket::of_request(request);
        async move { Self::load(exchange?).await?.ok_or_else(|| SessionErrorKind::SignedOut.into()) }
    }

    /// None if nobody is signed in.
    pub(crate) async fn load(exchange: Arc<Exchange>) -> Result<Option<Self>, SessionError> {
        exchange.realm().registry.claim_kind::<T>()?;
        let Some(desk) = exchange.user_session(kind::<T>()).await? else { return Ok(None) };
        Self::at(desk).await.map(Some)
    }

    /// A user's, outside of any request.
    pub(crate) async fn of_user(roster: &Roster, user: &UserId) -> Result<Self, SessionError> {
        Self::at(Self::desk_of(roster, user).await?).await
    }

    /// Abandons a user's unread, if there is one.
    pub(crate) async fn abandon_of(roster: &Roster, user: &UserId) -> Result<bool, SessionError> {
        let desk = Self::desk_of(roster, user).await?;
        match desk.sight().await {
            Some(seen) => desk.end(seen, EndReason::Abandoned).await.map(|()| true),
            None => Ok(false),
        }
    }

    async fn desk_of(roster: &Roster, user: &UserId) -> Result<Desk, SessionError> {
        roster.user_session(user, kind::<T>(), |registry| registry.claim_kind::<T>()).await
    }

    /// The one of a place that was read.
    async fn at(desk: Desk) -> Result<Self, SessionError> {
        let seen = desk.sight().await;
        Ok(Self { value: read(seen.as_ref())?, seen, desk })
    }

    /// Its id, a UUIDv7; none if the user has none at present. The archive has it under the same.
    ///
    /// As this type derefs to `T`, it is called as `UserSession::id(&transfer)`.
    pub fn id(this: &Self) -> Option<Uuid> {
        this.seen.as_ref().map(|seen| seen.id)
    }

    /// Changes the value: committed when this returns, and never lost. Begins a user session where there is none.
    ///
    /// If the user changes it meanwhile on another device, `f` runs again on what was written there: see
    /// [`Session::update`](crate::Session::update). It never runs on the next one: if the one that this handler has seen has been
    /// completed elsewhere, or has run out, the answer is `Ended`. Where it has seen none, it joins one that
    /// another device began meanwhile.
    ///
    /// A change that leaves the value as it was writes nothing, and begins none.
    ///
    /// # Errors
    ///
    /// Nothing was changed: `Ended`, `Unavailable`, `Contended`, `TooLarge`, `Encode`, `Newer`, `Undecodable`. It is not known
    /// whether it was: `Unknown`. A call that is cancelled may have been applied.
    pub fn update<R: Send>(
        &mut self,
        f: impl Fn(&mut T) -> R + Send,
    ) -> impl Future<Output = Result<R, SessionError>> + Send {
        async move {
            let Ok(answer) = self.try_update(move |value| Ok::<_, Infallible>(f(value))).await?;
            Ok(answer)
        }
    }

    /// Changes the value unless `f` refuses: then nothing is written, and the inner result holds the refusal.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn try_update<R: Send, E: Send>(
        &mut self,
        f: impl Fn(&mut T) -> Result<R, E> + Send,
    ) -> impl Future<Output = Result<Result<R, E>, SessionError>> + Send {
        async move {
            let seen = self.seen.as_ref().map(|seen| seen.id);
            let decided = self.desk.change(seen, move |slot| {
                let stored = || slot.map_or_else(|| Ok(T::default()), data::read::<T>);
                let mut value = stored()?;
                let before = data::encode(&value)?;
                match f(&mut value) {
                    Err(refused) => Ok((None, (stored()?, Err(refused)))),
                    Ok(answer) => {
                        let after = Some(data::encode(&value)?).filter(|after| *after != before);
                        after.as_ref().map_or(Ok(()), data::check::<T>)?;
                        Ok((after, (value, Ok(answer))))
                    }
                }
            });
            let ((value, answer), seen) = decided.await?;
            (self.value, self.seen) = (value, seen);
            Ok(answer)
        }
    }

    /// Reads what is there now, also if that is another one or none: for sockets and streams. Nothing more is shown where the
    /// user has signed out meanwhile.
    ///
    /// # Errors
    ///
    /// `Ended` if the browser's session has. `Unavailable`, and if what is stored cannot be read.
    pub async fn reload(&mut self) -> Result<(), SessionError> {
        let seen = self.desk.reload().await?;
        self.value = read(seen.as_ref())?;
        self.seen = seen;
        Ok(())
    }

    /// Ends it: what it was for is done. Exactly what this handler has seen is completed. The value can still be
    /// read; the next update begins a new one. Of a double click the second is told `Ended`.
    ///
    /// # Errors
    ///
    /// `Changed` if another device has changed it since, and `Ended` if there is none, or it has ended, or the browser's session
    /// has: nothing was completed. `Unavailable`: nothing was. `Unknown`: it may have been.
    pub async fn complete(&mut self) -> Result<(), SessionError> {
        self.end(EndReason::Completed).await
    }

    /// Ends it: what it was for is given up. Else as [`complete`](Self::complete).
    ///
    /// # Errors
    ///
    /// As [`complete`](Self::complete).
    pub async fn abandon(&mut self) -> Result<(), SessionError> {
        self.end(EndReason::Abandoned).await
    }

    async fn end(&mut self, reason: EndReason) -> Result<(), SessionError> {
        let seen = self.seen.clone().ok_or(SessionErrorKind::Ended)?;
        self.desk.end(seen, reason).await?;
        self.seen = None;
        Ok(())
    }

    /// Completes it like [`complete`](Self::complete), if the user has not completed too many of this kind. Of many that are
    /// completed at once, on however many servers, no more get through than the quota allows.
    ///
    /// The outer result says that it could not be completed, the inner one that it may not be, and when it may: in a handler
    /// whose error is made from both, `??` is enough.
    ///
    /// This is the one operation that needs the [archive](crate::SessionLayer::archive) to answer: it is completed when it is
    /// there, and counts for as long as it stays there. A process that crashes in between is found out by the
    /// next who looks.
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use std::time::Duration;
    /// # use thin_session::{Quota, QuotaExceeded, SessionError, UserSession, UserSessionData};
    /// # #[derive(Default, Serialize, Deserialize)]
    /// # struct Transfer { to: String, cents: u64 }
    /// # impl UserSessionData for Transfer { const KIND: &'static str = "transfer"; }
    /// # enum Failure { Session(SessionError), Quota(QuotaExceeded) }
    /// # impl From<SessionError> for Failure { fn from(error: SessionError) -> Self { Self::Session(error) } }
    /// # impl From<QuotaExceeded> for Failure { fn from(error: QuotaExceeded) -> Self { Self::Quota(error) } }
    /// const TWENTY_A_MONTH: Quota = Quota::rolling(20, Duration::from_secs(30 * 86_400));
    ///
    /// async fn send(mut transfer: UserSession<Transfer>) -> Result<&'static str, Failure> {
    ///     transfer.complete_within(TWENTY_A_MONTH).await??;
    ///     Ok("on its way")
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`complete`](Self::complete); misconfigured without an archive; `Unavailable` too if the archive cannot be reached.
    pub async fn complete_within(&mut self, quota: Quota) -> Result<Result<(), QuotaExceeded>, SessionError> {
        let seen = self.seen.clone().ok_or(SessionErrorKind::Ended)?;
        match self.desk.complete_within(seen, quota).await? {
            Allowed::Completed => {
                self.seen = None;
                Ok(Ok(()))
            }
            Allowed::Exceeded(next) => Ok(Err(QuotaExceeded { kind: T::KIND, next: next.into() })),
        }
    }

    /// The value, to give it away.
    pub fn into_inner(self) -> T {
        self.value
    }
}

/// What a type says of its user sessions.
fn kind<T: UserSessionData>() -> Kind {
    Kind { name: T::KIND, idle: T::IDLE, lifetime: T::LIFETIME }
}

fn read<T: UserSessionData>(seen: Option<&Sight>) -> Result<T, SessionError> {
    seen.map_or_else(|| Ok(T::default()), |seen| data::read(&seen.body.slot))
}

impl<T: UserSessionData> Deref for UserSession<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Shows the type and hides the value: it is the user's.
impl<T: UserSessionData> fmt::Debug for UserSession<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserSession<{}>(…)", std::any::type_name::<T>())
    }
}
