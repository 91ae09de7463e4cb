//! What streams, sockets and spawned tasks do once the head of the response has left; and requests that are dropped.

mod common;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::StatusCode;
use axum::routing::any;
use common::{Call, Gate, Recording, in_time, newcomer, visit};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testbed::{Answer, Client};
use thin_session::{
    Clock, Keyring, LazySession, Peek, Session, SessionData, SessionError, SessionErrorKind, SessionLayer, SignedIn,
    UserId, Visitor,
};
use tokio::sync::oneshot;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Cart(Vec<u32>);

impl SessionData for Cart {
    const NAME: &'static str = "cart";
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Note(String);

impl SessionData for Note {
    const NAME: &'static str = "note";
}

/// A site, and a browser that is there. A clone is another tab of the same browser.
#[derive(Clone)]
struct Tab {
    store: Arc<Recording>,
    clock: Clock,
    layer: SessionLayer,
    browser: Client,
}

impl Tab {
    fn new() -> Self {
        let clock = Clock::manual();
        let store = Recording::new(&clock);
        let layer = SessionLayer::new(Arc::clone(&store), Keyring::generate()).clock(clock.clone());
        // A test holds calls up for as long as it likes.
        Self {
            store,
            clock,
            layer: layer.store_deadline(Duration::from_secs(30)).expect("it is in bounds"),
            browser: newcomer(),
        }
    }

    async fn with_cart() -> Self {
        let mut tab = Self::new();
        tab.push(1).await;
        tab.store.calls();
        tab
    }

    async fn with_note() -> Self {
        let mut tab = Self::new();
        tab.ask(async |mut note: Session<Note>| note.replace(Note("hello".to_owned())).await).await;
        tab.store.calls();
        tab
    }

    async fn signed_in() -> Self {
        let mut tab = Self::with_cart().await;
        tab.sign_in().await;
        tab.store.calls();
        tab
    }

    async fn ask<H: Handler<T, ()>, T: 'static>(&mut self, handler: H) -> Answer {
        visit(&mut self.browser, &self.layer, handler).await
    }

    async fn push(&mut self, item: u32) {
        let push = async move |mut cart: Session<Cart>| cart.update(|cart| cart.0.push(item)).await;
        assert_eq!(self.ask(push).await.status, StatusCode::OK);
    }

    async fn sign_in(&mut self) {
        let sign_in = async |mut visitor: Visitor| visitor.sign_in(UserId::new(42)?).await.map(drop);
        assert_eq!(self.ask(sign_in).await.status, StatusCode::OK);
    }

    async fn sign_out(&mut self) {
        let sign_out = async |mut visitor: Visitor| visitor.sign_out().await;
        assert_eq!(self.ask(sign_out).await.status, StatusCode::OK);
    }

    /// What is in the cart, as text.
    async fn cart(&self) -> String {
        let show = async |cart: Peek<Cart>| format!("{:?}", cart.into_inner().0);
        self.clone().ask(show).await.text().to_owned()
    }

    /// Has a request answered, of which something outlives the response.
    async fn take_away<T: Send + 'static>(&mut self, extractor: Extractor<T>) -> T {
        let left = Arc::new(Mutex::new(None));
        let place = Arc::clone(&left);
        let leave = async move |request: Request| {
            let taken = extractor(request).await.expect("it is there");
            *place.lock().expect("nobody panics") = Some(taken);
        };
        assert_eq!(self.ask(leave).await.status, StatusCode::OK);
        self.store.calls();
        let taken = left.lock().expect("nobody panics").take();
        taken.expect("the handler left it")
    }

    /// Sends a request, and hangs up when it has reached `gate`.
    async fn hang_up_at<H: Handler<T, ()>, T: 'static>(&self, gate: &Gate, handler: H) {
        let mut tab = self.clone();
        let mut request = Box::pin(tab.ask(handler));
        tokio::select! {
            _ = &mut request => panic!("the store holds it up"),
            () = gate.reached() => {}
        }
        drop(request);
        gate.open();
    }

    /// Waits until so many sessions live, for work that nobody awaits.
    async fn until_live(&self, count: usize) {
        in_time(async {
            while self.store.live().await.len() != count {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

type Loading<T> = std::pin::Pin<Box<dyn Future<Output = Result<T, SessionError>> + Send>>;
type Extractor<T> = fn(Request) -> Loading<T>;

fn session(request: Request) -> Loading<Session<Cart>> {
    Box::pin(Session::of(&request))
}

fn visitor(request: Request) -> Loading<Visitor> {
    Box::pin(Visitor::of(&request))
}

fn signed_in(request: Request) -> Loading<SignedIn> {
    Box::pin(SignedIn::of(&request))
}

/// The request itself, of which nothing was asked while it was answered.
fn nothing(request: Request) -> Loading<Request> {
    Box::pin(std::future::ready(Ok(request)))
}

#[track_caller]
fn assert_kind<T>(result: Result<T, SessionError>, expected: SessionErrorKind) {
    match result {
        Ok(_) => panic!("{expected:?} was expected"),
        Err(error) => assert_eq!(*error.kind(), expected),
    }
}

#[tokio::test]
async fn an_update_of_an_existing_session_works_after_the_response_and_reads_first() {
    let mut tab = Tab::with_cart().await;
    let mut cart = tab.take_away(session).await;
    tab.push(2).await;
    tab.store.calls();
    let count = cart.update(|cart| {
        cart.0.push(3);
        cart.0.len()
    });
    assert_eq!(count.await.expect("it is stored"), 3);
    assert_eq!(tab.store.calls(), [Call::Load, Call::Commit], "no conflict, since it read first");
    assert_eq!(tab.cart().await, "[1, 2, 3]");
}

#[tokio::test]
async fn a_spawned_task_can_go_on_with_the_session() {
    let mut tab = Tab::with_cart().await;
    let (answered, response) = oneshot::channel();
    let (done, task) = oneshot::channel();
    let channels = Arc::new(Mutex::new(Some((response, done))));
    let answer = tab.ask(async move |mut cart: Session<Cart>| {
        let (response, done) = channels.lock().expect("nobody panics").take().expect("it is asked once");
        tokio::spawn(async move {
            response.await.expect("the response comes");
            let result = cart.update(|cart| cart.0.push(2)).await;
            done.send(result).expect("the test waits");
        });
    });
    assert_eq!(answer.await.set_cookies(), [""; 0]);
    answered.send(()).expect("the task waits");
    in_time(task).await.expect("the task ends").expect("it is stored");
    assert_eq!(tab.cart().await, "[1, 2]");
}

#[tokio::test]
async fn taking_after_the_response_takes_what_is_there_and_not_what_was() {
    let mut tab = Tab::with_note().await;
    let mut cart = tab.take_away(session).await;
    assert_eq!(*cart, Cart::default());
    tab.push(1).await;
    assert_eq!(cart.take().await.expect("it is taken"), Cart(vec![1]));
    assert_eq!(tab.cart().await, "[]");
}

#[tokio::test]
async fn what_changes_nothing_after_the_response_is_decided_on_what_is_there() {
    let mut tab = Tab::with_cart().await;
    let mut cart = tab.take_away(session).await;
    tab.push(2).await;
    tab.store.calls();
    assert_eq!(cart.update(|cart| cart.0.len()).await.expect("it is read"), 2);
    assert_eq!(tab.store.calls(), [Call::Load]);
    assert_eq!(cart.0, [1, 2]);
    tab.push(3).await;
    tab.store.calls();
    let refused = cart.try_update(|cart| if cart.0.len() < 3 { Ok(()) } else { Err("full") }).await;
    assert_eq!(refused.expect("it is decided"), Err("full"));
    assert_eq!(tab.store.calls(), [Call::Load]);
    assert_eq!(cart.0, [1, 2, 3]);
    cart.replace(Cart(vec![1, 2, 3])).await.expect("it is there");
    assert_eq!(tab.store.calls(), [Call::Load], "the same value is not written");
}

#[tokio::test]
async fn creating_after_the_response_is_an_error() {
    let mut tab = Tab::new();
    let mut cart = tab.take_away(session).await;
    assert_kind(cart.update(|cart| cart.0.push(1)).await, SessionErrorKind::ResponseStarted);
    assert_kind(cart.replace(Cart::default()).await, SessionErrorKind::ResponseStarted);
    assert_eq!(cart.0, [0; 0]);
    assert_eq!(cart.update(|cart| cart.0.len()).await.expect("it changes nothing"), 0);
    assert_eq!(cart.take().await.expect("there is nothing to take"), Cart::default());
    assert_eq!(tab.store.calls(), []);
}

#[tokio::test]
async fn a_session_that_was_begun_before_the_response_can_be_changed_after_it() {
    let mut tab = Tab::new();
    let begin: Extractor<Session<Cart>> = |request| {
        let cart = Session::of(&request);
        Box::pin(async {
            let mut cart: Session<Cart> = cart.await?;
            cart.update(|cart| cart.0.push(1)).await?;
            Ok(cart)
        })
    };
    let mut cart = tab.take_away(begin).await;
    cart.update(|cart| cart.0.push(2)).await.expect("it is stored");
    assert_eq!(tab.cart().await, "[1, 2]");
    tab.sign_out().await;
    for _ in 0..2 {
        assert_kind(cart.update(|cart| cart.0.push(3)).await, SessionErrorKind::Ended);
    }
}

#[tokio::test]
async fn signing_in_after_the_response_is_an_error_and_changes_nothing() {
    let mut tab = Tab::with_cart().await;
    let mut visitor = tab.take_away(visitor).await;
    assert_kind(visitor.sign_in(UserId::new(42).expect("an id")).await, SessionErrorKind::ResponseStarted);
    assert_eq!(visitor.user_id(), None);
    assert_eq!(tab.store.calls(), []);
    assert_eq!(tab.cart().await, "[1]");
}

#[tokio::test]
async fn proving_anew_after_the_response_is_an_error_and_changes_nothing() {
    let mut tab = Tab::signed_in().await;
    let mut visitor = tab.take_away(visitor).await;
    assert_kind(visitor.reauthenticated().await, SessionErrorKind::ResponseStarted);
    assert_eq!(tab.store.calls(), []);
    assert_eq!(tab.cart().await, "[1]");
}

#[tokio::test]
async fn signing_out_after_the_response_ends_the_session_and_says_that_the_cookies_stay() {
    let mut tab = Tab::signed_in().await;
    let mut visitor = tab.take_away(visitor).await;
    assert_kind(visitor.sign_out().await, SessionErrorKind::ResponseStarted);
    assert!(tab.store.live().await.is_empty());
    assert_eq!(tab.cart().await, "[]");
}

#[tokio::test]
async fn a_request_of_which_nothing_was_asked_can_be_asked_after_its_response() {
    let mut tab = Tab::with_cart().await;
    let request = tab.take_away(nothing).await;
    let mut cart = Session::<Cart>::of(&request).await.expect("it is there");
    assert_eq!(cart.0, [1]);
    cart.update(|cart| cart.0.push(2)).await.expect("it is stored");
    assert_eq!(tab.cart().await, "[1, 2]");

    let mut stranger = Tab { browser: newcomer(), ..tab };
    let request = stranger.take_away(nothing).await;
    let lazy = LazySession::<Cart>::of(&request).await.expect("it is there");
    assert_kind(lazy.replace(Cart::default()).await, SessionErrorKind::ResponseStarted);
    let mut cart = lazy.load().await.expect("there is none");
    assert_kind(cart.update(|cart| cart.0.push(1)).await, SessionErrorKind::ResponseStarted);
    assert_eq!(stranger.store.live().await.len(), 1, "that of the other browser");
}

#[tokio::test]
async fn a_session_that_is_being_created_when_the_head_leaves_is_ended_again() {
    for hold in [Recording::hold, Recording::hold_answer] {
        let mut tab = Tab::new();
        let gate = hold(&tab.store, Call::Create);
        let reached = gate.clone();
        let (done, task) = oneshot::channel();
        let done = Arc::new(Mutex::new(Some(done)));
        let answer = tab.ask(async move |mut cart: Session<Cart>| {
            let done = done.lock().expect("nobody panics").take().expect("it is asked once");
            tokio::spawn(async move {
                let result = cart.update(|cart| cart.0.push(1)).await;
                done.send(result).expect("the test waits");
            });
            reached.reached().await;
        });
        assert_eq!(answer.await.set_cookies(), [""; 0]);
        gate.open();
        assert_kind(in_time(task).await.expect("the task ends"), SessionErrorKind::ResponseStarted);
        assert_eq!(tab.store.calls(), [Call::Create, Call::End]);
        assert!(tab.store.live().await.is_empty());
    }
}

#[tokio::test]
async fn a_session_that_is_being_created_when_the_client_hangs_up_is_ended_again() {
    for hold in [Recording::hold, Recording::hold_answer] {
        let tab = Tab::new();
        let (create, end) = (hold(&tab.store, Call::Create), tab.store.hold_answer(Call::End));
        let begin = async |mut cart: Session<Cart>| cart.update(|cart| cart.0.push(1)).await;
        tab.hang_up_at(&create, begin).await;
        end.reached().await;
        end.open();
        assert!(tab.store.live().await.is_empty());
        assert_eq!(tab.store.calls(), [Call::Create, Call::End]);
    }
}

#[tokio::test]
async fn a_change_that_is_dropped_was_applied_or_was_not() {
    for (hold, expected) in [(Recording::hold as fn(&_, _) -> _, "[1]"), (Recording::hold_answer, "[1, 2]")] {
        let tab = Tab::with_cart().await;
        let gate = hold(&tab.store, Call::Commit);
        let push = async |mut cart: Session<Cart>| cart.update(|cart| cart.0.push(2)).await;
        tab.hang_up_at(&gate, push).await;
        assert_eq!(tab.cart().await, expected);
        tab.clone().push(3).await;
        assert_eq!(tab.store.live().await.len(), 1, "the session goes on");
    }
}

/// Every moment at which the store can hold a call up.
fn moments(tab: &Tab, calls: &[Call]) -> Vec<Gate> {
    let store = &tab.store;
    calls.iter().flat_map(|call| [store.hold(*call), store.hold_answer(*call)]).collect()
}

#[tokio::test]
async fn a_dropped_sign_in_leaves_one_session_and_can_be_tried_again() {
    async fn sign_in(mut visitor: Visitor) -> Result<(), SessionError> {
        visitor.sign_in(UserId::new(42)?).await.map(drop)
    }
    const CALLS: &[Call] = &[Call::Load, Call::Admit, Call::End];
    for moment in 0..2 * CALLS.len() {
        let mut tab = Tab::with_cart().await;
        let gates = moments(&tab, CALLS);
        // Those of other moments let everything pass.
        gates.iter().enumerate().filter(|(other, _)| *other != moment).for_each(|(_, gate)| gate.open());
        tab.hang_up_at(&gates[moment], sign_in).await;
        tab.until_live(1).await;
        if moment >= 2 {
            // It was under way, and so ran to its end: the old id is nothing any more.
            in_time(async {
                while tab.cart().await != "[]" {
                    tokio::task::yield_now().await;
                }
            })
            .await;
        }
        gates.iter().for_each(Gate::open);

        tab.sign_in().await;
        assert_eq!(tab.cart().await, "[1]", "moment {moment}: nothing is lost");
        assert_eq!(tab.store.live().await.len(), 1, "moment {moment}: and nothing is left behind");
        tab.push(2).await;
        assert_eq!(tab.cart().await, "[1, 2]", "moment {moment}");
    }
}

#[tokio::test]
async fn a_dropped_first_sign_in_leaves_nothing_behind() {
    async fn sign_in(mut visitor: Visitor) -> Result<(), SessionError> {
        visitor.sign_in(UserId::new(42)?).await.map(drop)
    }
    for hold in [Recording::hold, Recording::hold_answer] {
        let tab = Tab::new();
        let (create, end) = (hold(&tab.store, Call::Admit), tab.store.hold_answer(Call::Depart));
        tab.hang_up_at(&create, sign_in).await;
        end.reached().await;
        end.open();
        assert!(tab.store.live().await.is_empty(), "no cookie leads to it");
    }
}

#[tokio::test]
async fn a_dropped_proof_loses_nothing_either() {
    async fn prove(mut visitor: Visitor) -> Result<(), SessionError> {
        visitor.reauthenticated().await.map(drop)
    }
    let mut tab = Tab::signed_in().await;
    let admit = tab.store.hold_answer(Call::Admit);
    tab.hang_up_at(&admit, prove).await;
    tab.until_live(1).await;
    tab.sign_in().await;
    assert_eq!(tab.cart().await, "[1]");
    assert_eq!(tab.store.live().await.len(), 1);
}

#[tokio::test]
async fn a_dropped_sign_out_signs_out() {
    async fn sign_out(mut visitor: Visitor) -> Result<(), SessionError> {
        visitor.sign_out().await
    }
    for hold in [Recording::hold, Recording::hold_answer] {
        let tab = Tab::signed_in().await;
        let depart = hold(&tab.store, Call::Depart);
        tab.hang_up_at(&depart, sign_out).await;
        tab.until_live(0).await;
        assert_eq!(tab.cart().await, "[]");
    }
}

#[tokio::test]
async fn a_request_dropped_while_it_loads_harms_nobody() {
    let tab = Tab::with_cart().await;
    for hold in [Recording::hold, Recording::hold_answer] {
        let gate = hold(&tab.store, Call::Load);
        tab.hang_up_at(&gate, async |_: Session<Cart>| ()).await;
        assert_eq!(tab.cart().await, "[1]");
    }
}

#[tokio::test]
async fn a_recheck_notices_a_sign_out_from_elsewhere() {
    let mut tab = Tab::signed_in().await;
    let proof = tab.take_away(signed_in).await;
    proof.recheck().await.expect("still signed in");
    assert_eq!(tab.store.calls(), [Call::Load]);
    tab.store.set_down(true);
    let error = proof.recheck().await.expect_err("nobody knows");
    assert!(error.is_unavailable() && !error.is_ended());
    tab.store.set_down(false);
    proof.recheck().await.expect("still signed in");

    tab.clone().sign_out().await;
    assert_kind(proof.recheck().await, SessionErrorKind::Ended);
    tab.clock.advance(Duration::from_secs(121));
    assert_kind(proof.recheck().await, SessionErrorKind::Ended);
    tab.sign_in().await;
    assert_kind(proof.recheck().await, SessionErrorKind::Ended);
}

#[tokio::test]
async fn a_recheck_notices_that_the_session_has_idled_out() {
    let mut tab = Tab::signed_in().await;
    let proof = tab.take_away(signed_in).await;
    for _ in 0..10 {
        tab.clock.advance(Duration::from_secs(29 * 60));
        proof.recheck().await.expect("a socket that asks is active");
    }
    tab.clock.advance(Duration::from_secs(30 * 60));
    assert_kind(proof.recheck().await, SessionErrorKind::Ended);
}

#[tokio::test]
async fn a_reload_notices_a_change_and_a_sign_out_from_elsewhere() {
    let mut tab = Tab::signed_in().await;
    let mut cart = tab.take_away(session).await;
    tab.push(2).await;
    cart.reload().await.expect("it is read");
    assert_eq!(cart.0, [1, 2]);

    tab.clone().sign_out().await;
    for _ in 0..3 {
        // Whether it says so or shows an empty cart, nothing of what was there is shown.
        if cart.reload().await.is_ok() {
            assert_eq!(cart.0, [0; 0]);
        }
        assert_kind(cart.update(|cart| cart.0.push(3)).await, SessionErrorKind::Ended);
        assert_kind(cart.replace(Cart(vec![3])).await, SessionErrorKind::Ended);
        tab.clock.advance(Duration::from_secs(61));
    }
    assert!(tab.store.live().await.is_empty());
}

#[tokio::test]
async fn cookies_of_a_response_that_never_came_are_not_sent_with_another() {
    // The handler signs in and is dropped before it answers.
    let tab = Tab::with_cart().await;
    let (signed_in, forever) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let (tell, wait) = (Arc::clone(&signed_in), forever);
    let app = Router::new().route(
        "/",
        any(async move |mut visitor: Visitor| {
            visitor.sign_in(UserId::new(42)?).await?;
            tell.notify_one();
            wait.notified().await;
            Ok::<_, SessionError>(())
        }),
    );
    let mut browser = tab.browser.at(app.layer(tab.layer.clone()));
    let mut request = Box::pin(browser.post("/"));
    tokio::select! {
        _ = &mut request => panic!("the handler waits forever"),
        () = in_time(signed_in.notified()) => {}
    }
    drop(request);
    let mut again = tab.clone();
    assert_eq!(again.ask(async |_: Visitor| ()).await.set_cookies(), [""; 0]);
    again.sign_in().await;
    assert_eq!(again.cart().await, "[1]", "trying again is safe");
    assert_eq!(tab.store.live().await.len(), 1);
}
