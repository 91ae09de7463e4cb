//! Handlers written by hand over one connection: `GET`, and a `SET` that loses the updates of others.

use super::bare::plain;
use super::{Keeps, RAW, Subject};
use crate::cart::Cart;
use crate::cases::Case;
use axum::Router;
use axum::extract::State;
use axum::response::AppendHeaders;
use axum::routing::{get, post};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderName, StatusCode};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands as _, RedisError};

const LIFETIME: u64 = 3_600_000;

type Cookie = AppendHeaders<[(HeaderName, String); 1]>;

fn failed(error: RedisError) -> StatusCode {
    eprintln!("raw: {error}");
    StatusCode::SERVICE_UNAVAILABLE
}

fn id_of(headers: &HeaderMap) -> Result<&str, StatusCode> {
    let text = headers.get(COOKIE).and_then(|header| header.to_str().ok()).ok_or(StatusCode::UNAUTHORIZED)?;
    text.split("; ").find_map(|pair| pair.strip_prefix("session=")).ok_or(StatusCode::UNAUTHORIZED)
}

async fn load(redis: &mut MultiplexedConnection, id: &str) -> Result<Cart, StatusCode> {
    let bytes: Option<Vec<u8>> = redis.get(id).await.map_err(failed)?;
    serde_json::from_slice(&bytes.ok_or(StatusCode::UNAUTHORIZED)?).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

async fn save(redis: &mut MultiplexedConnection, id: &str, cart: &Cart) -> Result<(), StatusCode> {
    let bytes = serde_json::to_vec(cart).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    redis.pset_ex(id, bytes, LIFETIME).await.map_err(failed)
}

async fn read(State(mut redis): State<MultiplexedConnection>, headers: HeaderMap) -> Result<String, StatusCode> {
    Ok(load(&mut redis, id_of(&headers)?).await?.text())
}

async fn update(State(mut redis): State<MultiplexedConnection>, headers: HeaderMap) -> Result<String, StatusCode> {
    let id = id_of(&headers)?;
    let mut cart = load(&mut redis, id).await?;
    cart.add();
    save(&mut redis, id, &cart).await?;
    Ok(cart.text())
}

async fn create(State(mut redis): State<MultiplexedConnection>) -> Result<(Cookie, String), StatusCode> {
    // As long as the ids of others: 22 characters.
    let id: String = format!("{:032x}", rand::random::<u128>())[..22].to_owned();
    let cart = Cart::new();
    save(&mut redis, &id, &cart).await?;
    let cookie = format!("session={id}; HttpOnly; SameSite=Lax; Secure; Path=/");
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), cart.text()))
}

async fn sign_out(
    State(mut redis): State<MultiplexedConnection>,
    headers: HeaderMap,
) -> Result<(Cookie, &'static str), StatusCode> {
    let () = redis.del(id_of(&headers)?).await.map_err(failed)?;
    let cookie = "session=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0".to_owned();
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), Case::SignOut.text()))
}

pub async fn subject(url: &str) -> Subject {
    let client = redis::Client::open(url).expect("a valid URL");
    let connection = client.get_multiplexed_async_connection().await.expect("the server answers");
    let router = Router::new()
        .route("/plain", get(plain))
        .route("/read", get(read))
        .route("/update", post(update))
        .route("/create", post(create))
        .route("/out", post(sign_out))
        .with_state(connection);
    Subject { name: RAW, router, keeps: Keeps::InRedis, enters_by: Some(Case::Create), knows_visitors: false }
}
