//! The parts of a request, without a server and without a socket: `cargo bench --manifest-path benches/peers/Cargo.toml`.

use criterion::{Criterion, criterion_group, criterion_main};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderValue, Request, Response};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
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

type Asked = Pin<Box<dyn Future<Output = Result<(), SessionError>> + Send>>;

/// What a handler does with a request.
type Handler = fn(&Request<()>) -> Asked;

fn nothing(_: &Request<()>) -> Asked {
    Box::pin(async { Ok(()) })
}

fn visitor(request: &Request<()>) -> Asked {
    let visitor = Visitor::of(request);
    Box::pin(async move {
        black_box(visitor.await?.user_id());
        Ok(())
    })
}

fn read(request: &Request<()>) -> Asked {
    let cart = Session::<Cart>::of(request);
    Box::pin(async move {
        black_box(cart.await?.items.len());
        Ok(())
    })
}

fn update(request: &Request<()>) -> Asked {
    let cart = Session::<Cart>::of(request);
    Box::pin(async move { cart.await?.update(|cart| cart.items[0].1 += 1).await })
}

fn fill(request: &Request<()>) -> Asked {
    let cart = Session::<Cart>::of(request);
    Box::pin(async move {
        let set = |cart: &mut Cart| *cart = Cart { user_id: 421_337, items: (0..5).map(|i| (10_000 + i, 1)).collect() };
        cart.await?.update(set).await
    })
}

fn sign_in(request: &Request<()>) -> Asked {
    let (visitor, fill) = (Visitor::of(request), fill(request));
    Box::pin(async move {
        visitor.await?.sign_in(UserId::new(421_337)?).await?;
        fill.await
    })
}

fn service(
    sessions: &SessionLayer,
    handler: Handler,
) -> impl Service<Request<()>, Response = Response<()>, Error = Infallible> + use<> {
    sessions.layer(service_fn(move |request: Request<()>| async move {
        handler(&request).await.unwrap_or_else(|error| panic!("{error}"));
        Ok(Response::new(()))
    }))
}

fn send(
    service: &mut impl Service<Request<()>, Response = Response<()>, Error = Infallible>,
    cookies: Option<&HeaderValue>,
) -> Response<()> {
    let mut request = Request::new(());
    if let Some(cookies) = cookies {
        request.headers_mut().insert(COOKIE, cookies.clone());
    }
    // In memory nothing waits.
    match pin!(service.call(request)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(response)) => response,
        Poll::Pending => panic!("something waits"),
    }
}

fn cookies_of(response: &Response<()>) -> String {
    let set = response.headers().get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok());
    let pairs: Vec<_> =
        set.filter(|cookie| !cookie.contains("Max-Age=0")).filter_map(|it| it.split(';').next()).collect();
    pairs.join("; ")
}

fn parts(criterion: &mut Criterion) {
    let sessions = SessionLayer::new(MemoryStore::new(), Keyring::generate());
    let anonymous = cookies_of(&send(&mut service(&sessions, fill), None));
    let signed_in = cookies_of(&send(&mut service(&sessions, sign_in), None));
    // Of others, as many as servers take.
    let others: Vec<_> =
        (0..100).map(|i| format!("tracker_{i}=0123456789abcdefghijklmnopqrstuvwxyz0123456789")).collect();
    let among_others = format!("{}; {signed_in}", others.join("; "));
    let browsers =
        [("anonymous", anonymous), ("signed in", signed_in), ("signed in, 6 KB of other cookies", among_others)];
    let handlers: [(&str, Handler); 4] =
        [("nothing", nothing), ("visitor", visitor), ("read", read), ("update", update)];
    for (what, handler) in handlers {
        let mut group = criterion.benchmark_group(what);
        let mut service = service(&sessions, handler);
        for (who, cookies) in &browsers {
            let cookies = HeaderValue::from_str(cookies).expect("cookies are ASCII");
            group.bench_function(*who, |bencher| bencher.iter(|| black_box(send(&mut service, Some(&cookies)))));
        }
        group.finish();
    }
}

criterion_group!(benches, parts);
criterion_main!(benches);
