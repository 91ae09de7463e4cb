//! Services without axum: every extractor's `of`, any body, and which types can be sent where.

mod common;

use common::{Call, Recording};
use http::{HeaderMap, Request, Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use thin_session::{
    AtSignIn, Clock, ConfigError, Cost, IfUndecodable, KeyError, Keyring, LazySession, Limits, MemoryStore, Peek,
    RecentAuth, ResponseFuture, SameSite, Secret, Session, SessionData, SessionError, SessionErrorKind, SessionHandle,
    SessionLayer, SessionService, SignedIn, UserId, Visitor, store,
};
use tower::{Layer as _, Service, ServiceBuilder, ServiceExt as _, service_fn};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Cart(Vec<u32>);

impl SessionData for Cart {
    const NAME: &'static str = "cart";
}

type Recent = RecentAuth<60>;

/// The whole application: a function of the path.
async fn site(request: Request<()>) -> Result<Response<String>, Infallible> {
    let answer = answer(&request).await;
    Ok(answer.map_or_else(|error| error.to_response().map(str::to_owned), Response::new))
}

async fn answer(request: &Request<()>) -> Result<String, SessionError> {
    Ok(match request.uri().path() {
        "/cart" => format!("{:?}", Session::<Cart>::of(request).await?.0),
        "/add" => {
            let mut cart = Session::<Cart>::of(request).await?;
            let count = cart.update(|cart| {
                cart.0.push(7);
                cart.0.len()
            });
            count.await?.to_string()
        }
        "/both" => {
            let both = Session::<(Cart, Note)>::of(request).await?;
            format!("{} {}", both.0.0.len(), both.1.0)
        }
        "/peek" => Peek::<Cart>::of(request).await?.into_inner().0.len().to_string(),
        "/lazy" => {
            let lazy = LazySession::<Cart>::of(request).await?;
            if request.method() == http::Method::POST { lazy.load().await?.0.len().to_string() } else { String::new() }
        }
        "/visitor" => match Visitor::of(request).await?.user_id() {
            Some(user) => user.as_str().to_owned(),
            None => "nobody".to_owned(),
        },
        "/sign-in" => Visitor::of(request).await?.sign_in(UserId::new(42)?).await?.user_id().as_str().to_owned(),
        "/sign-out" => Visitor::of(request).await?.sign_out().await.map(|()| String::new())?,
        "/signed-in" => SignedIn::of(request).await?.user_id().as_str().to_owned(),
        "/recent" => Recent::of(request).await?.user_id().as_str().to_owned(),
        "/cost" => {
            let cost = Cost::of(request).await?;
            Session::<Cart>::of(request).await?;
            cost.store_calls().to_string()
        }
        _ => "plain".to_owned(),
    })
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Note(String);

impl SessionData for Note {
    const NAME: &'static str = "note";
}

fn layer() -> (Clock, Arc<Recording>, SessionLayer) {
    let clock = Clock::manual();
    let store = Recording::new(&clock);
    let layer = SessionLayer::new(Arc::clone(&store), Keyring::generate()).clock(clock.clone());
    (clock, store, layer)
}

/// A browser without axum: names and values of its cookies.
#[derive(Default)]
struct Jar(BTreeMap<String, String>);

impl Jar {
    fn request(&self, method: &str, path: &str) -> Request<()> {
        let cookies: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::builder().method(method).uri(path).header(header::COOKIE, cookies.join("; "));
        request.body(()).expect("the request is well formed")
    }

    fn take(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().expect("a Set-Cookie is visible ASCII");
            let (name, rest) = cookie.split_once('=').expect("a name and a value");
            match rest.split(';').next() {
                Some("") | None => self.0.remove(name),
                Some(value) => self.0.insert(name.to_owned(), value.to_owned()),
            };
        }
    }

    async fn send<S>(&mut self, service: &mut S, method: &str, path: &str) -> Response<String>
    where
        S: Service<Request<()>, Response = Response<String>, Error = Infallible>,
    {
        let Ok(response) = service.ready().await.expect("it is ready").call(self.request(method, path)).await;
        self.take(response.headers());
        response
    }
}

#[tokio::test]
async fn every_extractor_works_without_axum() {
    let (clock, store, layer) = layer();
    let mut service = ServiceBuilder::new().layer(layer).service_fn(site);
    let mut jar = Jar::default();
    // Path, what it answers, and what that costs.
    for (path, expected, calls) in [
        ("/", "plain", &[][..]),
        ("/cart", "[]", &[]),
        ("/visitor", "nobody", &[]),
        ("/add", "1", &[Call::Create]),
        ("/cart", "[7]", &[Call::Load]),
        ("/both", "1 ", &[Call::Load]),
        ("/peek", "1", &[Call::Load]),
        ("/lazy", "", &[]),
        ("/sign-in", "42", &[Call::Load, Call::Admit, Call::End]),
        ("/visitor", "42", &[]),
        ("/signed-in", "42", &[Call::Load]),
        ("/recent", "42", &[Call::Load]),
        ("/cost", "1", &[Call::Load]),
        ("/cart", "[7]", &[Call::Load]),
    ] {
        let response = jar.send(&mut service, "GET", path).await;
        assert_eq!((response.status(), &response.body()[..]), (StatusCode::OK, expected), "{path}");
        assert_eq!(store.calls(), calls, "{path}");
        let private = response.headers().get(header::CACHE_CONTROL).is_some_and(|value| value == "private, no-store");
        assert_eq!(private, path != "/", "{path}");
        assert_eq!(response.headers().contains_key(header::VARY), path != "/", "{path}");
    }
    assert_eq!(jar.send(&mut service, "POST", "/lazy").await.body(), "1");

    clock.advance(Duration::from_secs(61));
    let response = jar.send(&mut service, "GET", "/recent").await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let kind = response.extensions().get::<SessionErrorKind>();
    assert_eq!(kind, Some(&SessionErrorKind::NotRecent { max_age: Duration::from_secs(60) }));

    jar.send(&mut service, "POST", "/sign-out").await;
    assert_eq!(jar.0, BTreeMap::new());
    let response = jar.send(&mut service, "GET", "/signed-in").await;
    assert_eq!((response.status(), &response.body()[..]), (StatusCode::UNAUTHORIZED, "Unauthorized"));
}

#[tokio::test]
async fn without_a_layer_every_of_is_an_error() {
    for path in ["/cart", "/both", "/peek", "/lazy", "/visitor", "/signed-in", "/recent", "/cost"] {
        let Ok(response) = site(Jar::default().request("GET", path)).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        assert_eq!(response.body(), "Internal Server Error", "{path}");
        let kind = response.extensions().get::<SessionErrorKind>();
        assert!(matches!(kind, Some(SessionErrorKind::Misconfigured { .. })), "{path}");
    }
}

/// A body that cannot be shared between threads, as that of axum.
#[derive(Default)]
struct NotSync(Cell<u8>);

fn is_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test]
async fn futures_can_be_sent_whatever_the_body_is() {
    /// Uses all there is that has to be awaited.
    async fn all(request: Request<NotSync>) -> Result<Response<()>, SessionError> {
        let pending = (
            is_send(Session::<Cart>::of(&request)),
            is_send(Session::<(Cart, Note)>::of(&request)),
            is_send(Peek::<Cart>::of(&request)),
            is_send(LazySession::<Cart>::of(&request)),
            is_send(Visitor::of(&request)),
            is_send(SignedIn::of(&request)),
            is_send(Recent::of(&request)),
            is_send(Cost::of(&request)),
        );
        request.body().0.set(1);
        // They borrow nothing of it.
        drop(request);
        let mut cart = pending.0.await?;
        is_send(cart.update(|cart| cart.0.push(7))).await?;
        is_send(cart.try_update(|_| Err::<(), _>(()))).await?.expect_err("it refuses");
        is_send(cart.replace(Cart::default())).await?;
        is_send(cart.take()).await?;
        is_send(cart.reload()).await?;
        pending.1.await?;
        pending.2.await?;
        is_send(pending.3.await?.load()).await?;
        let mut visitor = pending.4.await?;
        is_send(visitor.sign_in(UserId::new(42)?)).await?;
        is_send(visitor.reauthenticated()).await?;
        is_send(pending.5.await?.recheck()).await?;
        pending.6.await?;
        pending.7.await?;
        is_send(visitor.sign_out_remembering()).await?;
        is_send(visitor.sign_out()).await?;
        Ok(Response::new(()))
    }
    let (_, _, layer) = layer();
    let request = Request::new(NotSync::default());
    let response = is_send(layer.layer(service_fn(all)).oneshot(request));
    let response = tokio::spawn(response).await.expect("it does not panic");
    response.expect("all of it works");
}

#[tokio::test]
async fn a_body_needs_nothing_at_all_and_an_error_of_the_service_passes_through() {
    /// Neither `Default` nor `Send` nor `Clone`.
    struct Opaque(std::rc::Rc<u8>);
    #[derive(Debug, PartialEq)]
    struct Failed;

    let (_, store, layer) = layer();
    let echo = async |request: Request<Opaque>| Ok::<_, Failed>(Response::new(request.into_body()));
    let response = layer.layer(service_fn(echo)).oneshot(Request::new(Opaque(std::rc::Rc::new(7)))).await;
    assert_eq!(*response.expect("it answers").body().0, 7);

    let fail = async |request: Request<()>| {
        let mut cart = Session::<Cart>::of(&request).await.expect("the layer is there");
        cart.update(|cart| cart.0.push(7)).await.expect("it is stored");
        Err::<Response<()>, _>(Failed)
    };
    let response = layer.layer(service_fn(fail)).oneshot(Request::new(())).await;
    assert_eq!(response.expect_err("it fails"), Failed);
    assert_eq!(store.calls(), [Call::Create]);
}

#[tokio::test]
async fn readiness_is_that_of_the_inner_service() {
    /// Ready when asked for the second time.
    struct Slow(bool);

    impl Service<Request<()>> for Slow {
        type Response = Response<()>;
        type Error = &'static str;
        type Future = std::future::Ready<Result<Response<()>, &'static str>>;

        fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), &'static str>> {
            if std::mem::replace(&mut self.0, true) { Err("broken").into() } else { std::task::Poll::Pending }
        }

        fn call(&mut self, _: Request<()>) -> Self::Future {
            std::future::ready(Ok(Response::new(())))
        }
    }
    let (_, _, layer) = layer();
    let mut service = layer.layer(Slow(false));
    let cx = &mut std::task::Context::from_waker(std::task::Waker::noop());
    assert!(service.poll_ready(cx).is_pending());
    assert_eq!(service.poll_ready(cx), std::task::Poll::Ready(Err("broken")));
}

/// Checked when this file is compiled.
#[test]
fn public_types_can_be_sent_shared_and_moved() {
    fn fits<T: Send + Sync + Unpin>() {}
    fn clones<T: Clone>() {}

    fits::<Session<Cart>>();
    fits::<Session<(Cart, Note)>>();
    fits::<Peek<Cart>>();
    fits::<LazySession<Cart>>();
    fits::<Visitor>();
    fits::<SignedIn>();
    fits::<Recent>();
    fits::<Cost>();
    fits::<UserId>();
    fits::<SessionHandle>();
    fits::<SessionError>();
    fits::<SessionErrorKind>();
    fits::<ConfigError>();
    fits::<KeyError>();
    fits::<Keyring>();
    fits::<Secret>();
    fits::<Limits>();
    fits::<Clock>();
    fits::<SameSite>();
    fits::<AtSignIn>();
    fits::<IfUndecodable>();
    fits::<MemoryStore>();
    fits::<SessionLayer>();
    fits::<SessionService<()>>();
    fits::<ResponseFuture<()>>();
    fits::<store::Key>();
    fits::<store::Entry>();
    fits::<store::Marker>();
    fits::<store::Outcome>();
    fits::<store::WriteId>();
    fits::<store::Timestamp>();
    fits::<store::StoreError>();

    clones::<SessionLayer>();
    clones::<SessionService<()>>();
    clones::<SignedIn>();
    clones::<Recent>();
    clones::<Keyring>();
    clones::<SessionErrorKind>();
    clones::<UserId>();
}
