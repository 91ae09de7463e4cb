//! Runs one of the hot paths so many times: `counted PATH TIMES`. What `tests/instructions.rs` counts.

use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderValue, Request, Response};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use thin_session::{Keyring, MemoryStore, Session, SessionData, SessionError, SessionLayer, UserId, Visitor};
use tower::{Layer, Service, service_fn};

#[derive(Default, Serialize, Deserialize)]
struct Cart {
    user_id: u64,
    items: Vec<(u32, u32)>,
}

impl SessionData for Cart {
    const NAME: &'static str = "cart";
}

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, SessionError>>>>;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().expect("the name of a path");
    let times: u32 = arguments.next().and_then(|times| times.parse().ok()).expect("how many times");

    let sessions = SessionLayer::new(MemoryStore::new(), Keyring::generate());
    // A signed-in browser with all that it may send.
    let cookies = sign_in(&sessions);
    let plain = service_fn(|request: Request<()>| answer(request));
    match path.as_str() {
        "bare" => run(plain, &cookies, times),
        "untouched" => run(sessions.layer(plain), &cookies, times),
        "visitor" => run(sessions.layer(asking(|request| Box::pin(Visitor::of(request)))), &cookies, times),
        "read" => run(sessions.layer(asking(|request| Box::pin(Session::<Cart>::of(request)))), &cookies, times),
        other => panic!("no path is called {other}"),
    }
}

fn answer(request: Request<()>) -> Ready<Result<Response<()>, Infallible>> {
    black_box(&request);
    ready(Ok(Response::new(())))
}

/// A service that asks for something, and lets go of it.
fn asking<T: 'static>(
    ask: impl Fn(&Request<()>) -> Answer<T> + Copy,
) -> impl Service<Request<()>, Response = Response<()>, Error = Infallible> {
    service_fn(move |request: Request<()>| {
        let asked = ask(&request);
        async move {
            black_box(asked.await.unwrap_or_else(|error| panic!("{error}")));
            answer(request).await
        }
    })
}

fn sign_in(sessions: &SessionLayer) -> HeaderValue {
    let mut service = sessions.layer(service_fn(|request: Request<()>| {
        let asked = (Visitor::of(&request), Session::<Cart>::of(&request));
        async move {
            let (mut visitor, mut cart) = (asked.0.await.unwrap(), asked.1.await.unwrap());
            let user = UserId::new(421_337).unwrap();
            visitor.sign_in(user).await.unwrap();
            let set =
                |cart: &mut Cart| *cart = Cart { user_id: 421_337, items: (0..5).map(|i| (10_000 + i, 1)).collect() };
            cart.update(set).await.unwrap();
            answer(request).await
        }
    }));
    let Ok(response) = now(service.call(Request::new(())));
    let pairs = response.headers().get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
    let pairs: Vec<_> = pairs.filter_map(|cookie| cookie.split(';').next()).collect();
    HeaderValue::from_str(&pairs.join("; ")).unwrap()
}

fn run(
    mut service: impl Service<Request<()>, Response = Response<()>, Error = Infallible>,
    cookies: &HeaderValue,
    times: u32,
) {
    for _ in 0..times {
        let mut request = Request::new(());
        request.headers_mut().insert(COOKIE, cookies.clone());
        let Ok(response) = now(service.call(request));
        black_box(response);
    }
}

/// Nothing here waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("something waits"),
    }
}
