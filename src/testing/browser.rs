//! One visitor's browser.

use super::faulty::FaultyStore;
use super::jar::Jar;
use crate::clock::Clock;
use crate::data::{Slots, UserSessionData};
use crate::error::SessionError;
use crate::exchange::{Exchange, Ticket};
use crate::id::UserId;
use crate::keyring::Keyring;
use crate::layer::SessionLayer;
use crate::memory::MemoryStore;
use crate::session::Session;
use crate::sessions::Sessions;
use crate::user_session::UserSession;
use crate::visitor::{SignedIn, Visitor};
use http::{Request, header};
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A visitor's browser, with a store of its own behind it: hands sessions to handlers as a request would, and looks at
/// what they left. See the [module](super) for an example.
///
/// Each session or visitor that it hands out belongs to a request of its own, sent with the cookies that earlier requests
/// have set. All methods are synchronous, and panic with the error where a test cannot go on.
pub struct Browser {
    layer: SessionLayer,
    store: Arc<FaultyStore>,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    jar: Jar,
    /// Requests whose cookies have not been taken in yet.
    open: Vec<Arc<Exchange>>,
}

impl Browser {
    /// A browser that has never been here, and an empty store.
    pub fn new() -> Self {
        let clock = Clock::manual();
        let store = Arc::new(FaultyStore::new(MemoryStore::new().with_clock(clock.clone())));
        let layer = SessionLayer::with_user_sessions(Arc::clone(&store), Keyring::generate())
            .archive(Arc::clone(&store))
            .clock(clock.clone());
        Self { layer, store, clock, state: Mutex::default() }
    }

    /// Another browser at the same application, for a user who comes from two devices. Nothing of this one's is in it.
    #[must_use]
    pub fn another(&self) -> Self {
        let (layer, store, clock) = (self.layer.clone(), Arc::clone(&self.store), self.clock.clone());
        Self { layer, store, clock, state: Mutex::default() }
    }

    /// Has `value` stored in the session.
    #[must_use]
    pub fn holding<T: Slots>(self, value: T) -> Self {
        let mut session = self.session::<T>();
        run(async move { session.replace(value).await }).expect("the value can be stored");
        self
    }

    /// Has this user signed in, just now.
    #[must_use]
    pub fn signed_in(self, user: UserId) -> Self {
        let mut visitor = self.visitor();
        run(async move { visitor.sign_in(user).await.map(drop) }).expect("the user can sign in");
        self
    }

    /// A session, as a handler gets it.
    ///
    /// # Panics
    ///
    /// If it cannot be loaded, as while the store is down: see [`try_session`](Self::try_session).
    #[track_caller]
    pub fn session<T: Slots>(&self) -> Session<T> {
        self.try_session().expect("the session can be loaded")
    }

    /// A session, as a handler gets it that takes a `Result`.
    ///
    /// # Errors
    ///
    /// As [`Session::of`].
    pub fn try_session<T: Slots>(&self) -> Result<Session<T>, SessionError> {
        let request = self.request();
        let session = Session::<T>::of(&request);
        run(session)
    }

    /// A user session, as a handler gets it.
    ///
    /// # Panics
    ///
    /// If it cannot be loaded, or nobody is signed in: see [`try_user_session`](Self::try_user_session).
    #[track_caller]
    pub fn user_session<T: UserSessionData>(&self) -> UserSession<T> {
        self.try_user_session().expect("somebody is signed in, and the user session can be loaded")
    }

    /// A user session, as a handler gets it that takes a `Result`.
    ///
    /// # Errors
    ///
    /// As [`UserSession::of`].
    pub fn try_user_session<T: UserSessionData>(&self) -> Result<UserSession<T>, SessionError> {
        let request = self.request();
        let session = UserSession::<T>::of(&request);
        run(session)
    }

    /// The sessions of users, as a handler gets them.
    pub fn sessions(&self) -> Sessions {
        let request = self.request();
        run(async move { Sessions::of(&request).await }).expect("the layer is there")
    }

    /// A visitor, as a handler gets it.
    pub fn visitor(&self) -> Visitor {
        let request = self.request();
        run(async move { Visitor::of(&request).await }).expect("the layer is there")
    }

    /// Proof of who is signed in, as a handler gets it that takes an `Option`.
    ///
    /// # Panics
    ///
    /// If the store is down.
    #[track_caller]
    pub fn proof(&self) -> Option<SignedIn> {
        let request = self.request();
        match run(SignedIn::of(&request)) {
            Ok(signed_in) => Some(signed_in),
            Err(error) if error.is_signed_out() => None,
            Err(error) => panic!("the session can be loaded: {error}"),
        }
    }

    /// What is stored of `T`: none if nothing is, or the session has ended.
    ///
    /// # Panics
    ///
    /// If it cannot be read.
    #[track_caller]
    pub fn stored<T: Slots>(&self) -> Option<T> {
        let request = self.request();
        let exchange = Ticket::of_request(&request).expect("the layer is there");
        let (session, is_stored) = run(Session::<T>::load(exchange)).expect("the session can be loaded");
        is_stored.then(|| session.into_inner())
    }

    /// Changes the session in another request: whoever holds it now will find it changed at their next update.
    ///
    /// # Panics
    ///
    /// If that request fails.
    #[track_caller]
    pub fn meanwhile<T: Slots>(&self, f: impl Fn(&mut T) + Send) {
        let mut session = self.session::<T>();
        run(async move { session.update(f).await }).expect("the other request can change the session");
    }

    /// Signs out in another request whose response never arrives: the session has ended, and the browser still has its
    /// cookies. Whoever holds the session now gets `Ended` at their next update.
    ///
    /// # Panics
    ///
    /// If that request fails.
    #[track_caller]
    pub fn end(&self) {
        self.take_cookies();
        let request = self.send();
        run(async move {
            let mut elsewhere = Visitor::of(&request).await?;
            elsewhere.sign_out().await
        })
        .expect("the other request can sign out");
    }

    /// Takes the store down, or brings it up again with all that it held.
    pub fn store_down(&self, down: bool) {
        self.store.set_down(down);
    }

    /// Lets time pass, for limits of sessions.
    pub fn wait(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// A request of this browser's as the layer hands it on, for the `of` of the extractors. Its response counts as
    /// received when the browser sends the next one.
    pub fn request(&self) -> Request<()> {
        self.take_cookies();
        let request = self.send();
        let exchange = Ticket::of_request(&request).expect("the layer is there");
        self.state.lock().unwrap_or_else(PoisonError::into_inner).open.push(exchange);
        request
    }

    fn send(&self) -> Request<()> {
        let cookies = self.state.lock().unwrap_or_else(PoisonError::into_inner).jar.header();
        let mut request = Request::new(());
        request.headers_mut().insert(header::COOKIE, cookies);
        self.layer.leave_ticket(&mut request);
        request
    }

    /// Takes in the cookies of responses so far.
    fn take_cookies(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { jar, open } = &mut *state;
        for exchange in open.iter() {
            exchange.reply().cookies().iter().for_each(|cookie| jar.take(cookie));
        }
        // Whoever still holds a session may still set cookies.
        open.retain(|exchange| Arc::strong_count(exchange) > 1);
    }
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser").finish_non_exhaustive()
    }
}

/// Runs to the end on a thread of its own, as the caller may be inside a runtime that cannot be entered twice.
fn run<T: Send>(work: impl Future<Output = T> + Send) -> T {
    let on_a_runtime = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime can be built").block_on(work)
    };
    std::thread::scope(|scope| scope.spawn(on_a_runtime).join())
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
