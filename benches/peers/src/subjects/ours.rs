//! thin-session.

use super::bare::plain;
use super::{Keeps, OURS, OURS_MEMORY, OURS_SIGNED_IN, Subject};
use crate::cart::Cart;
use crate::cases::Case;
use axum::Router;
use axum::routing::{get, post};
use std::path::Path;
use std::sync::LazyLock;
use thin_session::{Keyring, MemoryStore, RedisStore, Session, SessionError, SessionLayer, SqlStore, UserId, Visitor};

async fn visitor(visitor: Visitor) -> String {
    visitor.user_id().map_or_else(String::new, |user| user.as_str().to_owned())
}

async fn sign_in(mut visitor: Visitor) -> Result<&'static str, SessionError> {
    visitor.sign_in(UserId::new(Case::Visitor.text())?).await?;
    Ok(Case::SignIn.text())
}

async fn read(cart: Session<Cart>) -> String {
    cart.text()
}

async fn update(mut cart: Session<Cart>) -> Result<String, SessionError> {
    cart.update(Cart::add).await?;
    Ok(cart.text())
}

async fn create(mut cart: Session<Cart>) -> Result<String, SessionError> {
    cart.update(|cart| *cart = Cart::new()).await?;
    Ok(cart.text())
}

/// Each of them is another user.
async fn create_signed_in(mut visitor: Visitor, cart: Session<Cart>) -> Result<String, SessionError> {
    visitor.sign_in(UserId::new(rand::random::<u64>())?).await?;
    create(cart).await
}

async fn sign_out(mut visitor: Visitor) -> Result<&'static str, SessionError> {
    visitor.sign_out().await?;
    Ok(Case::SignOut.text())
}

fn routes() -> Router {
    Router::new()
        .route("/plain", get(plain))
        .route("/visitor", get(visitor))
        .route("/in", post(sign_in))
        .route("/read", get(read))
        .route("/update", post(update))
        .route("/out", post(sign_out))
}

/// The same for all routers of this process: where each core has one, any of them may be asked.
static KEYS: LazyLock<Keyring> = LazyLock::new(Keyring::generate);

async fn store(url: &str) -> RedisStore {
    RedisStore::connect(url).await.expect("the server can keep sessions")
}

/// Of visitors that are not signed in, as those of all others are.
pub async fn redis(url: &str) -> Subject {
    let router = routes().route("/create", post(create)).layer(SessionLayer::new(store(url).await, KEYS.clone()));
    Subject { name: OURS, router, keeps: Keeps::InRedis, enters_by: Some(Case::Create), knows_visitors: false }
}

/// The same on a file.
pub async fn sqlite(file: &Path) -> Router {
    let store = SqlStore::sqlite(file).await.expect("a file can be made");
    routes().route("/create", post(create)).layer(SessionLayer::new(store, KEYS.clone()))
}

/// Of users: two cookies, and an index of each user's sessions.
pub async fn redis_signed_in(url: &str) -> Subject {
    let layer = SessionLayer::new(store(url).await, Keyring::generate()).named("users").expect("a valid name");
    let router = routes().route("/create", post(create_signed_in)).layer(layer);
    Subject {
        name: OURS_SIGNED_IN,
        router,
        keeps: Keeps::InRedis,
        enters_by: Some(Case::Create),
        knows_visitors: false,
    }
}

/// Signs in before it is asked what needs no store, so that a browser sends all cookies.
pub fn memory() -> Subject {
    let store = MemoryStore::new().with_limit(2_000_000);
    let router = routes().route("/create", post(create)).layer(SessionLayer::new(store, Keyring::generate()));
    Subject { name: OURS_MEMORY, router, keeps: Keeps::InMemory, enters_by: Some(Case::SignIn), knows_visitors: true }
}
