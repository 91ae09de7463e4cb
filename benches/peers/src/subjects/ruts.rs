//! ruts, whose store needs Redis 7.4 or Valkey 9.

use super::bare::plain;
use super::{Keeps, Subject};
use crate::cart::Cart;
use crate::cases::Case;
use axum::Router;
use axum::routing::{get, post};
use fred::clients::Client;
use fred::interfaces::{ClientLike as _, HashesInterface as _, KeysInterface as _};
use fred::prelude::Config;
use http::StatusCode;
use ruts::store::Ttl;
use ruts::store::redis::RedisStore;
use ruts::{CookieOptions, SessionLayer};
use std::sync::Arc;
use tower_cookies::CookieManagerLayer;

type Session = ruts::Session<RedisStore<Client>>;

const LIFETIME: u32 = 3600;

fn failed(error: impl std::fmt::Display) -> StatusCode {
    eprintln!("ruts: {error}");
    StatusCode::SERVICE_UNAVAILABLE
}

fn lifetime() -> Ttl {
    Ttl::new(i64::from(LIFETIME)).expect("a valid time")
}

async fn cart_of(session: &Session) -> Result<Cart, StatusCode> {
    session.get("cart").await.map_err(failed)?.ok_or(StatusCode::UNAUTHORIZED)
}

async fn read(session: Session) -> Result<String, StatusCode> {
    Ok(cart_of(&session).await?.text())
}

async fn update(session: Session) -> Result<String, StatusCode> {
    let mut cart = cart_of(&session).await?;
    cart.add();
    session.set("cart", &cart, lifetime(), None).await.map_err(failed)?;
    Ok(cart.text())
}

async fn create(session: Session) -> Result<String, StatusCode> {
    let cart = Cart::new();
    session.set("cart", &cart, lifetime(), None).await.map_err(failed)?;
    Ok(cart.text())
}

async fn sign_out(session: Session) -> Result<&'static str, StatusCode> {
    session.delete().await.map_err(failed)?;
    Ok(Case::SignOut.text())
}

async fn client(url: &str) -> Client {
    let client = Client::new(Config::from_url(url).expect("a valid URL"), None, None, None);
    client.init().await.expect("the server answers");
    client
}

async fn subject(client: Client, keeps: Keeps) -> Subject {
    let store = RedisStore::new(Arc::new(client)).await.expect("scripts can be loaded");
    let cookie = CookieOptions::build().name("session").max_age(u64::from(LIFETIME)).path("/");
    let router = Router::new()
        .route("/plain", get(plain))
        .route("/read", get(read))
        .route("/update", post(update))
        .route("/create", post(create))
        .route("/out", post(sign_out))
        .layer(SessionLayer::new(Arc::new(store)).with_cookie_options(cookie))
        .layer(CookieManagerLayer::new());
    let enters_by = (keeps != Keeps::Nothing).then_some(Case::Create);
    Subject { name: "ruts, Redis", router, keeps, enters_by, knows_visitors: false }
}

/// # Errors
///
/// The server's refusal to give a field of a hash an expiry.
pub async fn redis(url: &str) -> Result<Subject, fred::error::Error> {
    let client = client(url).await;
    let () = client.hset("peers:probe", ("field", "value")).await?;
    let expired: Result<Vec<i64>, _> = client.hexpire("peers:probe", 60, None, "field").await;
    let () = client.del("peers:probe").await?;
    expired?;
    Ok(subject(client, Keeps::InRedis).await)
}

/// For routes that ask for nothing.
pub async fn without_store(url: &str) -> Subject {
    subject(client(url).await, Keeps::Nothing).await
}
