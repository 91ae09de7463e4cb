//! A loaded session, seen as one type.

use crate::data::Slots;
use crate::error::SessionError;
use crate::exchange::{Activity, Edit, Exchange, Ticket};
use crate::record::{Body, Slot};
use http::Request;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

/// The visitor's `T`, loaded from the store: one round trip, shared by all extractors of a request.
///
/// Reads as a `T`; whoever has stored none sees `T::default()`, and reading creates nothing. Without `mut` it cannot
/// write. As `Option<Session<T>>` it is `None` where no `T` is stored; as `Result<Session<T>, SessionError>` a handler
/// answers an outage itself. `Session<(A, B)>` reads and changes two types in one commit.
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use thin_session::{Session, SessionData, SessionError};
/// # #[derive(Default, Serialize, Deserialize)]
/// # struct Cart { items: Vec<u32> }
/// # impl SessionData for Cart { const NAME: &'static str = "cart"; }
/// async fn show(cart: Session<Cart>) -> String {
///     format!("{} items", cart.items.len())
/// }
///
/// async fn add(mut cart: Session<Cart>) -> Result<(), SessionError> {
///     cart.update(|cart| cart.items.push(7)).await
/// }
/// ```
///
/// There is no `DerefMut`: whatever changes, changes in [`update`](Self::update), and what it finds out comes back from it:
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use thin_session::{Session, SessionData, SessionError};
/// # #[derive(Default, Serialize, Deserialize)]
/// # struct Cart { items: Vec<u32> }
/// # impl SessionData for Cart { const NAME: &'static str = "cart"; }
/// async fn empty(mut cart: Session<Cart>) -> Result<String, SessionError> {
///     let removed = cart.update(|cart| std::mem::take(&mut cart.items).len()).await?;
///     Ok(format!("{removed} items removed"))
/// }
/// ```
///
/// In a handler's arguments it stands before an extractor of the body, such as `Form`, which is always the last. It is loaded
/// before a body extractor looks at the form; [`LazySession`](crate::LazySession) waits. What was committed
/// stays, whatever the handler returns afterwards. A second handle of one type in one request keeps
/// its view until its own `update` or [`reload`](Self::reload).
pub struct Session<T: Slots> {
    value: T,
    exchange: Arc<Exchange>,
}

#[expect(
    clippy::manual_async_fn,
    reason = "with its bounds spelled out, a closure that is not Send is reported at its call"
)]
impl<T: Slots> Session<T> {
    /// The session of a request, for services without axum.
    ///
    /// # Errors
    ///
    /// Misconfigured without a [`SessionLayer`](crate::SessionLayer) around; unavailable; what is stored cannot be read.
    pub fn of<B>(request: &Request<B>) -> impl Future<Output = Result<Self, SessionError>> + Send + use<T, B> {
        let exchange = Ticket::of_request(request);
        async move { Self::load(exchange?).await.map(|(session, _)| session) }
    }

    /// The session, and whether a `T` is stored.
    pub(crate) async fn load(exchange: Arc<Exchange>) -> Result<(Self, bool), SessionError> {
        exchange.realm().registry.claim::<T>()?;
        let body = exchange.body(Activity::Counts).await?;
        let stored = read::<T>(body.as_deref())?;
        let is_stored = stored.is_some();
        Ok((Self { value: stored.unwrap_or_default(), exchange }, is_stored))
    }

    /// Changes the value: committed when this returns, and never lost.
    ///
    /// If somebody else wrote to the session meanwhile, `f` runs again on what they wrote. So it is an `Fn`, and decides
    /// and changes in one: whatever is checked outside is a check of what was. Results come out as `R`. Await first,
    /// then update; and hold no lock guard across the call, take it inside `f`.
    ///
    /// A change that leaves the value as it was writes nothing, and begins no session. Of a tuple the parts that changed
    /// are stored; a part that was set to its default stays stored as such, and [`take`](Self::take) removes.
    ///
    /// Browsers cancel requests, at a double click for example: what was committed then stays, and what the handler
    /// would have done next is not done. So let an effect elsewhere come first, under a number that the session holds,
    /// and take that number out of the session when it is done.
    ///
    /// # Errors
    ///
    /// Nothing was changed: `Ended`, `Unavailable`, `Contended` (others wrote faster until the deadline), `TooLarge`,
    /// `Encode`, `Newer`, `Undecodable`, and where a session would have to begin `ResponseStarted`, `CrossSite` or
    /// `TwoCookies`. It is not known whether it was: `Unknown`. A call that is cancelled may have been applied.
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
    /// The outer result says that the change could not be made, the inner one that it was not wanted. In a handler
    /// whose error is made from both, `??` is enough.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub fn try_update<R: Send, E: Send>(
        &mut self,
        f: impl Fn(&mut T) -> Result<R, E> + Send,
    ) -> impl Future<Output = Result<Result<R, E>, SessionError>> + Send {
        async move {
            let decided = self.exchange.change(move |slots| {
                let mut value = T::read(slots)?.unwrap_or_default();
                let before = value.encode()?;
                match f(&mut value) {
                    Err(refused) => Ok((Edit::default(), (T::read(slots)?.unwrap_or_default(), Err(refused)))),
                    Ok(answer) => {
                        // Of a tuple, only the parts that changed.
                        let changed = |(after, before): &(Slot, Slot)| after != before;
                        let set: Vec<_> =
                            value.encode()?.into_iter().zip(before).filter(changed).map(|(after, _)| after).collect();
                        T::check(&set)?;
                        Ok((Edit { set, remove: Vec::new() }, (value, Ok(answer))))
                    }
                }
            });
            let (value, answer) = decided.await?;
            self.value = value;
            Ok(answer)
        }
    }

    /// Removes the value from the session and answers it; the default if none was stored.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update).
    pub async fn take(&mut self) -> Result<T, SessionError> {
        let decided = self.exchange.change(|slots| {
            let stored = T::read(slots)?;
            let remove = if stored.is_some() { T::names() } else { Vec::new() };
            Ok((Edit { set: Vec::new(), remove }, stored.unwrap_or_default()))
        });
        let taken = decided.await?;
        self.value = T::default();
        Ok(taken)
    }

    /// Sets the value whatever is stored, also if that does not decode. What a newer version wrote stays.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update), but never `Undecodable`.
    pub async fn replace(&mut self, value: T) -> Result<(), SessionError> {
        replace(&self.exchange, &value).await?;
        self.value = value;
        Ok(())
    }

    /// Reads the value anew: for sockets and streams, which outlive what they have read.
    ///
    /// # Errors
    ///
    /// As [`of`](Self::of).
    pub async fn reload(&mut self) -> Result<(), SessionError> {
        let body = self.exchange.reread(Activity::Counts).await?;
        self.value = read::<T>(body.as_deref())?.unwrap_or_default();
        Ok(())
    }

    /// The value, to give it away.
    pub fn into_inner(self) -> T {
        self.value
    }

    pub(super) fn new(value: T, exchange: Arc<Exchange>) -> Self {
        Self { value, exchange }
    }
}

/// What a body holds of `T`.
pub(super) fn read<T: Slots>(body: Option<&Body>) -> Result<Option<T>, SessionError> {
    body.map_or(Ok(None), |body| T::read(&body.slots))
}

pub(super) async fn replace<T: Slots>(exchange: &Arc<Exchange>, value: &T) -> Result<(), SessionError> {
    let new = value.encode()?;
    T::check(&new)?;
    let decided = exchange.change(move |slots| {
        T::refuse_newer(slots)?;
        let set = if new.iter().all(|slot| slots.contains(slot)) { Vec::new() } else { new.clone() };
        Ok((Edit { set, remove: Vec::new() }, ()))
    });
    decided.await
}

impl<T: Slots> Deref for Session<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Shows the type and hides the value: it is the visitor's.
impl<T: Slots> fmt::Debug for Session<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session<{}>(…)", std::any::type_name::<T>())
    }
}
