//! Layers: two on one host, one twice, none at all. And errors on their way to the client and to the log.

mod common;

use axum::extract::{FromRequestParts, Request};
use axum::handler::Handler;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use common::{Call, Recording, log, log_of_this_thread, newcomer, visit};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use testbed::{Answer, Client};
use thin_session::{
    Clock, ConfigError, Keyring, LazySession, Limits, Peek, RecentAuth, Session, SessionData, SessionError,
    SessionErrorKind, SessionLayer, SignedIn, UserId, Visitor,
};
use tower::ServiceBuilder;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Cart(Vec<u32>);

impl SessionData for Cart {
    const NAME: &'static str = "cart";
}

/// Somebody else's idea of a cart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Basket(Vec<u32>);

impl SessionData for Basket {
    const NAME: &'static str = "cart";
}

async fn show(cart: Session<Cart>) -> String {
    format!("{:?}", cart.0)
}

async fn add(mut cart: Session<Cart>) -> Result<(), SessionError> {
    cart.update(|cart| cart.0.push(7)).await
}

async fn sign_in(mut visitor: Visitor) -> Result<(), SessionError> {
    visitor.sign_in(UserId::new(42)?).await.map(drop)
}

async fn sign_out(mut visitor: Visitor) -> Result<(), SessionError> {
    visitor.sign_out().await
}

fn cart_pages() -> Router {
    Router::new()
        .route("/cart", get(show).post(add))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/plain", get(async || "plain"))
}

/// A store, and two layers on it that share everything but the name.
fn two_layers() -> (Arc<Recording>, SessionLayer, SessionLayer) {
    let (clock, keys) = (Clock::manual(), Keyring::generate());
    let store = Recording::new(&clock);
    let layer = || SessionLayer::new(Arc::clone(&store), keys.clone()).clock(clock.clone());
    let (shop, admin) = (layer(), layer().named("admin").expect("a name"));
    (store, shop, admin)
}

fn one_layer() -> (Arc<Recording>, SessionLayer) {
    let (store, layer, _) = two_layers();
    (store, layer)
}

#[tokio::test]
async fn two_layers_side_by_side_have_sessions_of_their_own() {
    let (store, shop, admin) = two_layers();
    let app = cart_pages().layer(shop).nest("/admin", cart_pages().layer(admin));
    let mut browser = Client::new(app);
    browser.post("/cart").await;
    browser.post("/admin/cart").await;
    browser.post("/admin/cart").await;
    assert_eq!(browser.get("/cart").await.text(), "[7]");
    assert_eq!(browser.get("/admin/cart").await.text(), "[7, 7]");
    assert_eq!(
        browser.cookies.keys().collect::<Vec<_>>(),
        ["__Host-Http-admin-session", "__Host-Http-session"],
        "a cookie each"
    );
    let keys: Vec<_> = store.live().await.iter().map(|(key, _)| key.to_string()).collect();
    assert!(keys[0].starts_with("ts:{") && keys[1].starts_with("ts-admin:{"), "{keys:?}");

    browser.post("/sign-in").await;
    browser.post("/admin/sign-in").await;
    browser.post("/sign-out").await;
    assert_eq!(browser.get("/cart").await.text(), "[]");
    assert_eq!(browser.get("/admin/cart").await.text(), "[7, 7]", "signing out of one leaves the other");
}

#[tokio::test]
async fn of_two_nested_layers_the_innermost_wins_and_the_outer_serves_what_is_between() {
    async fn between(mut cart: Session<Cart>, request: Request, next: Next) -> Response {
        cart.update(|cart| cart.0.push(1)).await.expect("it is stored");
        next.run(request).await
    }
    let (store, shop, admin) = two_layers();
    let app = cart_pages().layer(admin).layer(from_fn(between)).layer(shop.clone());
    let mut browser = Client::new(app);
    let answer = browser.post("/cart").await;
    assert_eq!(answer.status, StatusCode::OK);
    let names: Vec<_> = answer.set_cookies().iter().filter_map(|cookie| cookie.split('=').next()).collect();
    assert_eq!(names, ["__Host-Http-admin-session", "__Host-Http-session"]);
    assert_eq!(answer.header("vary"), Some("Cookie"), "once");
    assert_eq!(browser.get("/cart").await.text(), "[7]");
    assert_eq!(visit(&mut browser, &shop, show).await.text(), "[1, 1]");
    assert_eq!(store.live().await.len(), 2);
}

#[tokio::test]
async fn two_nested_layers_of_one_name_are_an_error_that_names_the_setter() {
    log_of_this_thread();
    let (store, outer) = one_layer();
    let (_, inner) = one_layer();
    let app = cart_pages().layer(inner).layer(outer);
    let mut browser = Client::new(app);
    assert_eq!(browser.get("/plain").await.text(), "plain", "whoever asks for nothing is not concerned");
    assert_misconfigured(&browser.get("/cart").await);
    assert_eq!(errors_that_say("call .named("), 1);
    assert_eq!(store.calls(), []);
}

#[tokio::test]
async fn a_layer_that_was_changed_after_cloning_is_another_layer() {
    let (_, layer) = one_layer();
    let changed = layer.clone().budget(1000).expect("a budget");
    let app = cart_pages().layer(changed).layer(layer);
    assert_misconfigured(&Client::new(app).get("/cart").await);
}

#[tokio::test]
async fn the_same_layer_twice_does_its_work_once() {
    let (store, layer) = one_layer();
    for app in [
        cart_pages().layer(layer.clone()).layer(layer.clone()),
        cart_pages().route_layer(layer.clone()).layer(layer.clone()),
        cart_pages().layer(ServiceBuilder::new().layer(layer.clone()).layer(layer.clone()).layer(layer.clone())),
    ] {
        let mut browser = Client::new(app);
        store.calls();
        let answer = browser.post("/cart").await;
        assert_eq!(answer.set_cookies().len(), 1);
        assert_eq!(answer.header("vary"), Some("Cookie"), "once");
        assert_eq!(answer.header("cache-control"), Some("private, no-store"), "once");
        assert_eq!(store.calls(), [Call::Create]);
        assert_eq!(browser.get("/cart").await.text(), "[7]");
    }
}

#[tokio::test]
async fn a_missing_layer_is_an_error_whose_log_line_says_what_to_add() {
    async fn ask<H: Handler<T, ()>, T: 'static>(handler: H) -> Answer {
        Client::new(Router::new().route("/", any(handler))).get("/").await
    }
    log_of_this_thread();
    let answers = [
        ask(show).await,
        ask(async |_: Option<Session<Cart>>| ()).await,
        ask(async |_: Session<(Cart, Other)>| ()).await,
        ask(async |_: Peek<Cart>| ()).await,
        ask(async |_: Option<Peek<Cart>>| ()).await,
        ask(async |_: LazySession<Cart>| ()).await,
        ask(async |_: Visitor| ()).await,
        ask(async |_: SignedIn| ()).await,
        ask(async |_: Option<SignedIn>| ()).await,
        ask(async |_: RecentAuth<60>| ()).await,
    ];
    assert_eq!(errors_that_say("add .layer(sessions)"), answers.len());
    for answer in answers {
        assert_misconfigured(&answer);
        assert_eq!(answer.header("cache-control"), Some("private, no-store"), "no cache keeps the failure");
    }
    let (_, layer) = one_layer();
    let late = Router::new().layer(layer).route("/", get(show));
    assert_misconfigured(&Client::new(late).get("/").await);
    assert_eq!(errors_that_say("routes added later are not covered"), 1);
}

/// How many lines of the log are errors that say this.
fn errors_that_say(text: &str) -> usize {
    log().lines().filter(|line| line.contains("ERROR") && line.contains(text)).count()
}

#[derive(Default, Serialize, Deserialize)]
struct Other;

impl SessionData for Other {
    const NAME: &'static str = "other";
}

#[track_caller]
fn assert_misconfigured(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.text(), "Internal Server Error", "the client is told nothing");
    assert_eq!(answer.set_cookies(), [""; 0]);
}

#[tokio::test]
async fn two_types_of_one_name_are_found_at_the_first_use_of_the_second() {
    log_of_this_thread();
    let (_, layer) = one_layer();
    let mut browser = newcomer();
    assert_eq!(visit(&mut browser, &layer, add).await.status, StatusCode::OK);
    let answers = [
        visit(&mut browser, &layer, async |_: Session<Basket>| ()).await,
        visit(&mut browser, &layer, async |_: Option<Session<Basket>>| ()).await,
        visit(&mut browser, &layer, async |_: Session<(Other, Basket)>| ()).await,
        visit(&mut browser, &layer, async |_: Peek<Basket>| ()).await,
        visit(&mut browser, &layer, async |lazy: LazySession<Basket>| lazy.load().await.map(drop)).await,
        visit(&mut browser, &layer, async |lazy: LazySession<Basket>| lazy.replace(Basket::default()).await.map(drop))
            .await,
    ];
    assert_eq!(errors_that_say("Cart and layers::Basket both have SessionData::NAME"), answers.len());
    answers.iter().for_each(assert_misconfigured);
    assert_eq!(visit(&mut browser, &layer, show).await.text(), "[7]", "the first is not concerned");

    let (_, another) = one_layer();
    let basket = async |_: Session<Basket>| ();
    assert_eq!(visit(&mut newcomer(), &another, basket).await.status, StatusCode::OK, "names are of a layer's own");
}

#[tokio::test]
async fn two_declared_types_of_one_name_are_logged_when_declared() {
    log_of_this_thread();
    let (_, layer) = one_layer();
    let layer = layer.slots::<(Cart, Other)>();
    assert_eq!(log(), "");
    let layer = layer.slots::<Basket>();
    assert_eq!(errors_that_say("layers::Basket both have SessionData::NAME"), 1);
    assert_misconfigured(&visit(&mut newcomer(), &layer, async |_: Session<Basket>| ()).await);
    assert_eq!(visit(&mut newcomer(), &layer, show).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_cookies_of_one_layer_are_nothing_to_another_nor_under_another_name() {
    let (store, shop, admin) = two_layers();
    let mut browser = newcomer();
    visit(&mut browser, &shop, add).await;
    let anonymous = browser.cookies["__Host-Http-session"].clone();
    visit(&mut browser, &shop, sign_in).await;
    let values = [&browser.cookies["__Host-Http-login"], &browser.cookies["__Host-Http-visitor"], &anonymous];
    let kinds = ["login", "visitor", "session"];
    let who = async |visitor: Visitor, who: Option<SignedIn>, cart: Option<Peek<Cart>>| {
        format!("{} {} {}", visitor.user_id().is_some(), who.is_some(), cart.is_some())
    };
    store.calls();
    for (layer, prefix) in [(&shop, "__Host-Http-"), (&admin, "__Host-Http-admin-")] {
        for kind in kinds {
            for (value, of) in values.iter().zip(kinds) {
                if (prefix, kind) == ("__Host-Http-", of) {
                    continue;
                }
                let mut thief = newcomer();
                thief.cookies.insert(format!("{prefix}{kind}"), (*value).clone());
                assert_eq!(visit(&mut thief, layer, who).await.text(), "false false false", "{of} as {prefix}{kind}");
            }
        }
    }
    assert_eq!(store.calls(), [], "what does not open is not looked up");
    assert_eq!(visit(&mut browser, &shop, who).await.text(), "true true true");
}

#[tokio::test]
async fn the_kind_of_an_error_is_in_the_responses_extensions() {
    /// The application's own page, for all routes at once.
    async fn page(response: Response) -> Response {
        match response.extensions().get::<SessionErrorKind>() {
            Some(SessionErrorKind::SignedOut) => {
                (StatusCode::SEE_OTHER, [(header::LOCATION, "/sign-in")]).into_response()
            }
            Some(SessionErrorKind::Unavailable { .. }) => (response.status(), "We will be back soon.").into_response(),
            Some(_) => (response.status(), "Sorry.").into_response(),
            None => response,
        }
    }
    let (store, layer) = one_layer();
    let account = get(async |_: SignedIn| "account");
    let app = cart_pages().route("/account", account).layer(map_response(page)).layer(layer);
    let mut browser = Client::new(app);
    let answer = browser.get("/account").await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, Some("/sign-in")));
    assert_eq!(answer.header("cache-control"), Some("private, no-store"), "the page in its place is private too");
    browser.post("/cart").await;
    store.set_down(true);
    let answer = browser.get("/cart").await;
    assert_eq!((answer.status, answer.text()), (StatusCode::SERVICE_UNAVAILABLE, "We will be back soon."));
    assert_eq!(browser.get("/plain").await.text(), "plain");
}

/// An application's error, made from ours and from its own.
#[derive(Debug, thiserror::Error)]
enum AppError {
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error("sold out")]
    SoldOut(#[from] SoldOut),
}

#[derive(Debug, thiserror::Error)]
#[error("sold out")]
struct SoldOut;

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        match self {
            Self::Session(error) => (error.status(), Json("session")).into_response(),
            Self::SoldOut(_) => (StatusCode::GONE, Json("sold out")).into_response(),
        }
    }
}

#[tokio::test]
async fn the_question_mark_leads_into_an_applications_error() {
    async fn buy(mut cart: Session<Cart>) -> Result<(), AppError> {
        let add = |cart: &mut Cart| {
            if cart.0.len() == 2 {
                return Err(SoldOut);
            }
            cart.0.push(7);
            Ok(())
        };
        cart.try_update(add).await??;
        Ok(())
    }
    async fn boxed(mut cart: Session<Cart>) -> String {
        async fn change(cart: &mut Session<Cart>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            cart.update(|cart| cart.0.push(7)).await?;
            Ok(())
        }
        let error = change(&mut cart).await.expect_err("the store is down");
        let kind = error.downcast_ref::<SessionError>().map(SessionError::kind);
        assert!(matches!(kind, Some(SessionErrorKind::Unavailable { .. })), "{error}");
        error.to_string()
    }
    async fn of_axum(mut cart: Session<Cart>) -> axum::response::Result<()> {
        cart.update(|cart| cart.0.push(7)).await?;
        Ok(())
    }
    let (store, layer) = one_layer();
    let mut browser = newcomer();
    for expected in [StatusCode::OK, StatusCode::OK, StatusCode::GONE] {
        assert_eq!(visit(&mut browser, &layer, buy).await.status, expected);
    }
    store.set_down(true);
    let answer = visit(&mut browser, &layer, buy).await;
    assert_eq!(
        (answer.status, answer.text()),
        (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        "the rejection"
    );
    let mut stranger = newcomer();
    let answer = visit(&mut stranger, &layer, buy).await;
    assert_eq!((answer.status, answer.text()), (StatusCode::SERVICE_UNAVAILABLE, "\"session\""), "the handler's error");
    assert!(visit(&mut stranger, &layer, boxed).await.text().contains("unavailable"));
    assert_eq!(visit(&mut stranger, &layer, of_axum).await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_handler_can_answer_a_failed_load_itself() {
    async fn own(cart: Result<Session<Cart>, SessionError>) -> (StatusCode, String) {
        match cart {
            Ok(cart) => (StatusCode::OK, format!("{:?}", cart.0)),
            Err(error) if error.is_unavailable() => (StatusCode::OK, "a page without a cart".to_owned()),
            Err(error) => (error.status(), String::new()),
        }
    }
    let (store, layer) = one_layer();
    let mut browser = newcomer();
    visit(&mut browser, &layer, add).await;
    assert_eq!(visit(&mut browser, &layer, own).await.text(), "[7]");
    store.set_down(true);
    assert_eq!(visit(&mut browser, &layer, own).await.text(), "a page without a cart");
}

#[tokio::test]
async fn an_extractor_of_ones_own_can_answer_in_its_own_way() {
    /// A cart whose errors are JSON.
    struct ApiCart(Session<Cart>);

    impl<S: Send + Sync> FromRequestParts<S> for ApiCart {
        type Rejection = AppError;

        async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AppError> {
            Ok(Self(<Session<Cart> as FromRequestParts<S>>::from_request_parts(parts, state).await?))
        }
    }
    let (store, layer) = one_layer();
    let mut browser = newcomer();
    visit(&mut browser, &layer, add).await;
    let show = async |cart: ApiCart| Json(cart.0.0.clone());
    assert_eq!(visit(&mut browser, &layer, show).await.text(), "[7]");
    store.set_down(true);
    let answer = visit(&mut browser, &layer, show).await;
    assert_eq!((answer.status, answer.text()), (StatusCode::SERVICE_UNAVAILABLE, "\"session\""));
}

#[tokio::test]
async fn each_kind_of_error_has_its_status_and_tells_the_client_nothing_else() {
    use SessionErrorKind as Kind;
    log_of_this_thread();
    let (_, layer) = one_layer();
    let (three, help) = (Duration::from_secs(3), "secret help".to_owned());
    let kinds = [
        (Kind::Misconfigured { help }, 500, None),
        (Kind::Unavailable { retry_after: three }, 503, Some("3")),
        (Kind::Unavailable { retry_after: Duration::ZERO }, 503, Some("1")),
        (Kind::Unknown, 503, Some("1")),
        (Kind::Contended, 503, Some("1")),
        (Kind::Newer { retry_after: three }, 503, Some("3")),
        (Kind::Ended, 409, None),
        (Kind::SignedOut, 401, None),
        (Kind::NotRecent { max_age: three }, 401, None),
        (Kind::TooLarge { slot: "secret", size: 5000, limit: 4096 }, 413, None),
        (Kind::Encode { slot: "secret" }, 500, None),
        (Kind::Undecodable { slot: "secret" }, 500, None),
        (Kind::ResponseStarted, 500, None),
        (Kind::TwoCookies, 400, None),
        (Kind::CrossSite, 403, None),
        (Kind::BadUserId { length: 65 }, 500, None),
    ];
    for (kind, status, retry_after) in kinds {
        log();
        let error = SessionError::from(kind.clone());
        assert_eq!((error.status(), kind.status()), (error.to_response().status(), error.status()));
        assert!(error.to_string().len() > 10, "whoever logs it sees what happened");
        let fail = async move || Err::<(), _>(SessionError::from(kind.clone()));
        let answer = visit(&mut newcomer(), &layer, fail).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("retry-after"), retry_after);
        assert_eq!(answer.header("cache-control"), Some("private, no-store"));
        assert_eq!(answer.text(), answer.status.canonical_reason().expect("a known status"));
        assert_eq!(log().contains("ERROR"), status >= 500, "faults of the server are logged");
    }
}

#[test]
fn settings_that_cannot_work_are_refused_when_the_layer_is_built() {
    let layer = || one_layer().1;
    let (second, year) = (Duration::from_secs(1), Duration::from_secs(366 * 86_400));
    assert_eq!(layer().named("Ädmin").err(), Some(ConfigError::Name("Ädmin".to_owned())));
    assert_eq!(layer().domain("localhost").err(), Some(ConfigError::Domain("localhost".to_owned())));
    assert_eq!(layer().budget(255).err(), Some(ConfigError::Budget(255)));
    assert_eq!(layer().budget(64 * 1024 + 1).err(), Some(ConfigError::Budget(64 * 1024 + 1)));
    assert_eq!(layer().visitor_lifetime(Duration::ZERO).err(), Some(ConfigError::VisitorLifetime));
    assert_eq!(layer().visitor_lifetime(year * 2).err(), Some(ConfigError::VisitorLifetime));
    assert_eq!(Limits::new(second * 2, second).err(), Some(ConfigError::Limits));
    assert!(layer().budget(256).is_ok() && layer().budget(64 * 1024).is_ok() && layer().visitor_lifetime(year).is_ok());
}

#[tokio::test]
async fn an_error_of_ours_is_private_also_where_no_layer_says_so() {
    let app = Router::new().route("/", get(async || SessionError::from(SessionErrorKind::SignedOut)));
    let answer = Client::new(app).get("/").await;
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
}

#[tokio::test]
async fn the_same_layer_around_another_and_inside_it_again_works_once_and_wins() {
    let outermost = SessionLayer::new(Arc::new(Recording::default()), Keyring::generate());
    let store = Arc::new(Recording::default());
    let between = SessionLayer::new(Arc::clone(&store), Keyring::generate()).named("admin").unwrap();
    let app = cart_pages().layer(outermost.clone()).layer(between).layer(outermost);
    let mut browser = Client::new(app);
    let answer = browser.post("/cart").await;
    assert_eq!(answer.status, StatusCode::OK);
    let [cookie] = answer.set_cookies().try_into().expect("one cookie is set");
    assert!(cookie.starts_with("__Host-Http-session="), "{cookie}");
    assert_eq!(browser.get("/cart").await.text(), "[7]");
    assert_eq!(store.calls(), Vec::<Call>::new(), "the layer between is not asked");
}
