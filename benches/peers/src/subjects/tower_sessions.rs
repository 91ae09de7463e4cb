//! tower-sessions: in memory, and in Redis with the version that the published store goes with.

use super::bare::plain;
use super::{Keeps, Subject, TOWER_SESSIONS_MEMORY};
use crate::cart::Cart;
use crate::cases::Case;
use axum::Router;
use axum::routing::{get, post};
use http::StatusCode;
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{ClientLike as _, Config, Pool};

/// The same handlers for both versions, whose types differ.
macro_rules! routes {
    ($session:ty) => {{
        fn failed(error: impl std::fmt::Display) -> StatusCode {
            eprintln!("tower-sessions: {error}");
            StatusCode::SERVICE_UNAVAILABLE
        }

        async fn cart_of(session: &$session) -> Result<Cart, StatusCode> {
            session.get("cart").await.map_err(failed)?.ok_or(StatusCode::UNAUTHORIZED)
        }

        async fn read(session: $session) -> Result<String, StatusCode> {
            Ok(cart_of(&session).await?.text())
        }

        async fn update(session: $session) -> Result<String, StatusCode> {
            let mut cart = cart_of(&session).await?;
            cart.add();
            session.insert("cart", &cart).await.map_err(failed)?;
            Ok(cart.text())
        }

        async fn create(session: $session) -> Result<String, StatusCode> {
            let cart = Cart::new();
            session.insert("cart", &cart).await.map_err(failed)?;
            Ok(cart.text())
        }

        async fn sign_out(session: $session) -> Result<&'static str, StatusCode> {
            session.flush().await.map_err(failed)?;
            Ok(Case::SignOut.text())
        }

        Router::new()
            .route("/plain", get(plain))
            .route("/read", get(read))
            .route("/update", post(update))
            .route("/create", post(create))
            .route("/out", post(sign_out))
    }};
}

pub async fn redis(url: &str, clients: usize) -> Subject {
    let pool = Pool::new(Config::from_url(url).expect("a valid URL"), None, None, None, clients).expect("a pool");
    // Ends with the connections.
    let _ = pool.connect();
    pool.wait_for_connect().await.expect("the server answers");
    let layer = tower_sessions_014::SessionManagerLayer::new(RedisStore::new(pool));
    let router = routes!(tower_sessions_014::Session).layer(layer);
    let name = if clients == 1 { "tower-sessions, Redis" } else { "tower-sessions, Redis, pool of 6" };
    Subject { name, router, keeps: Keeps::InRedis, enters_by: Some(Case::Create), knows_visitors: false }
}

pub fn memory() -> Subject {
    let layer = tower_sessions::SessionManagerLayer::new(tower_sessions::MemoryStore::default());
    let router = routes!(tower_sessions::Session).layer(layer);
    let name = TOWER_SESSIONS_MEMORY;
    Subject { name, router, keeps: Keeps::InMemory, enters_by: Some(Case::Create), knows_visitors: false }
}
