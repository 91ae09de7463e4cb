//! axum_session, as its defaults have it; with Redis but without the memory that may be stale.

use super::bare::plain;
use super::{AXUM_SESSION_MEMORY, Keeps, Subject};
use crate::cart::Cart;
use crate::cases::Case;
use axum::Router;
use axum::routing::{get, post};
use axum_session::{DatabasePool, Session, SessionConfig, SessionLayer, SessionNullPool, SessionStore};
use axum_session_redispool::SessionRedisPool;
use http::StatusCode;
use redis_pool::RedisPool;
use std::fmt::Debug;

trait Store: DatabasePool + Clone + Debug + Send + Sync + 'static {}
impl<T: DatabasePool + Clone + Debug + Send + Sync + 'static> Store for T {}

async fn read<T: Store>(session: Session<T>) -> Result<String, StatusCode> {
    Ok(session.get::<Cart>("cart").ok_or(StatusCode::UNAUTHORIZED)?.text())
}

async fn update<T: Store>(session: Session<T>) -> Result<String, StatusCode> {
    let mut cart = session.get::<Cart>("cart").ok_or(StatusCode::UNAUTHORIZED)?;
    cart.add();
    session.set("cart", &cart);
    Ok(cart.text())
}

async fn create<T: Store>(session: Session<T>) -> String {
    let cart = Cart::new();
    session.set("cart", &cart);
    cart.text()
}

async fn sign_out<T: Store>(session: Session<T>) -> &'static str {
    session.destroy();
    Case::SignOut.text()
}

fn routes<T: Store>(store: SessionStore<T>) -> Router {
    Router::new()
        .route("/plain", get(plain))
        .route("/read", get(read::<T>))
        .route("/update", post(update::<T>))
        .route("/create", post(create::<T>))
        .route("/out", post(sign_out::<T>))
        .layer(SessionLayer::new(store))
}

pub async fn redis(url: &str) -> Subject {
    let pool = RedisPool::from(redis::Client::open(url).expect("a valid URL"));
    let config = SessionConfig::default().with_memory_lifetime(time::Duration::ZERO);
    let store = SessionStore::<SessionRedisPool>::new(Some(pool.into()), config).await.expect("a store");
    let name = "axum_session, Redis";
    Subject { name, router: routes(store), keeps: Keeps::InRedis, enters_by: Some(Case::Create), knows_visitors: false }
}

pub async fn memory() -> Subject {
    let store = SessionStore::<SessionNullPool>::new(None, SessionConfig::default()).await.expect("a store");
    let (name, router) = (AXUM_SESSION_MEMORY, routes(store));
    Subject { name, router, keeps: Keeps::InMemory, enters_by: Some(Case::Create), knows_visitors: false }
}
