//! Who this browser belongs to, and signing in and out.

use super::signed_in::SignedIn;
use crate::data::UserSessionData;
use crate::error::{SessionError, SessionErrorKind};
use crate::exchange::{Exchange, How, Remember, Ticket};
use crate::id::{Label, UserId};
use crate::user_session::UserSession;
use http::Request;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

/// Who this browser belongs to: always there, read from an encrypted cookie in process, no store call.
///
/// It recognises and never grants privilege, like a doorman who says "good morning, Ada". Whoever must be Ada is asked
/// for by [`SignedIn`]. A cookie of a session that has been ended, here or on another server, is
/// [not recognised](crate::guide::revocation) any more. `mut visitor` signs in and out.
///
/// ```
/// use thin_session::{SessionError, UserId, Visitor};
///
/// async fn greet(visitor: Visitor) -> String {
///     match visitor.user_id() {
///         Some(user) => format!("Good morning, {}", name_of(user)),
///         None => "Good morning".to_owned(),
///     }
/// }
///
/// async fn sign_in(mut visitor: Visitor) -> Result<&'static str, SessionError> {
///     // after the password was verified
///     visitor.sign_in(UserId::new(42)?).await?;
///     Ok("Welcome")
/// }
/// # fn name_of(user: &UserId) -> &str { user.as_str() }
/// ```
pub struct Visitor {
    user: Option<UserId>,
    exchange: Arc<Exchange>,
}

impl Visitor {
    /// The visitor of a request, for services without axum.
    ///
    /// # Errors
    ///
    /// Misconfigured without a [`SessionLayer`](crate::SessionLayer) around.
    pub fn of<B>(request: &Request<B>) -> impl Future<Output = Result<Self, SessionError>> + Send + use<B> {
        std::future::ready(Ticket::of_request(request).map(Self::new))
    }

    pub(super) fn new(exchange: Arc<Exchange>) -> Self {
        Self { user: exchange.visitor(), exchange }
    }

    /// Whom this browser was last signed in as; recognised, not authenticated.
    pub fn user_id(&self) -> Option<&UserId> {
        self.user.as_ref()
    }

    /// Signs a user in whom the application has authenticated. The session gets a new id and the old one ends.
    ///
    /// Values of an anonymous session are carried over, unless their type says [`AtSignIn::Drop`](crate::AtSignIn); so are
    /// those of a session of the same user, which come first where a browser has both. Nothing is carried over from
    /// another user's. A second sign-in of the same user with the cookie of an anonymous session that has just been carried
    /// over, as after a double click, leads to the same session. It goes on to its end if the request is dropped
    /// meanwhile.
    ///
    /// A user has as many sessions as [`max_sessions_per_user`](crate::SessionLayer::max_sessions_per_user) says; a sign-in
    /// beyond that ends another: the oldest that was never used after its sign-in, or if all were used, the oldest.
    ///
    /// If [all](crate::Sessions::end_all) of the user's sessions are ended while this request is under way, it is refused with
    /// `Ended`, or its session has ended with the others by the time it answers: it may have verified a password that holds no
    /// more.
    ///
    /// A request from another site may sign in, as identity providers answer with a form; to keep others from signing
    /// somebody in as themselves is the application's part, by tower-http's `csrf` for example.
    ///
    /// # Errors
    ///
    /// `ResponseStarted`, `Unavailable`, `Contended`, `Unknown`, `Newer`, `Ended`: nobody was signed in by this request, or
    /// nobody knows. The browser keeps the cookies that it had, and signing in again within two minutes finds all that was
    /// to be carried over.
    pub async fn sign_in(&mut self, user: UserId) -> Result<SignedIn, SessionError> {
        self.sign_in_labelled(user, "").await
    }

    /// Signs in like [`sign_in`](Self::sign_in), and labels the session for [lists](crate::Sessions::list) of the user's
    /// sessions, with the browser's name for example.
    ///
    /// Longer labels are cut at 64 bytes, and control characters left out; an empty one leaves the label of a session that goes
    /// on. It is text from outside: escape it where it is shown.
    ///
    /// # Errors
    ///
    /// As [`sign_in`](Self::sign_in).
    pub async fn sign_in_labelled(&mut self, user: UserId, label: &str) -> Result<SignedIn, SessionError> {
        let body = self.exchange.sign_in(How::SignIn(user, Label::new(label))).await?;
        self.user = body.authentication.as_ref().map(|authentication| authentication.user.clone());
        SignedIn::proved(Arc::clone(&self.exchange), body)
    }

    /// Notes that the signed-in user has just proved again who they are. The session gets a new id, its content and its
    /// handle stay, and both limits begin anew.
    ///
    /// Verify the password of [`SignedIn::user_id`], never of a name that came with the form: whoever is signed in here is taken to
    /// have proved it.
    ///
    /// # Errors
    ///
    /// `SignedOut` if nobody is signed in, `Ended` if the session was ended meanwhile; else as
    /// [`sign_in`](Self::sign_in).
    pub async fn reauthenticated(&mut self) -> Result<SignedIn, SessionError> {
        let body = self.exchange.sign_in(How::Reauthentication).await?;
        SignedIn::proved(Arc::clone(&self.exchange), body)
    }

    /// The signed-in user's `T`, for the handler that has just signed somebody in: as an extractor it would have answered 401
    /// before. The place to merge what the browser held with what the user had.
    ///
    /// # Errors
    ///
    /// As [`UserSession::of`].
    pub async fn user_session<T: UserSessionData>(&self) -> Result<UserSession<T>, SessionError> {
        UserSession::load(Arc::clone(&self.exchange)).await?.ok_or_else(|| SessionErrorKind::SignedOut.into())
    }

    /// Signs out: the session ends in the store, and all cookies are removed. Whatever is under way with it meanwhile
    /// gets `Ended`. An update later in this request begins a new, anonymous session.
    ///
    /// # Errors
    ///
    /// If the store fails (`Unavailable`, `Unknown`) the cookies stay, so that signing out can be tried again.
    /// `ResponseStarted`: the session has ended, but its cookies could not be removed. `CrossSite`: another site sent this
    /// request, and the browser withheld its cookies.
    pub async fn sign_out(&mut self) -> Result<(), SessionError> {
        self.exchange.sign_out(Remember::Nobody).await?;
        self.user = None;
        Ok(())
    }

    /// Signs out like [`sign_out`](Self::sign_out), but goes on recognising the visitor.
    ///
    /// # Errors
    ///
    /// As [`sign_out`](Self::sign_out).
    pub async fn sign_out_remembering(&mut self) -> Result<(), SessionError> {
        self.exchange.sign_out(Remember::Visitor).await
    }
}

impl fmt::Debug for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visitor").field("recognised", &self.user.is_some()).finish_non_exhaustive()
    }
}
