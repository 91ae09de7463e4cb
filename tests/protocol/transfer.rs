//! The pages of a bank: a transfer that belongs to its user.

use super::shop::{Shop, ok};
use axum::Router;
use axum::extract::Path;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use testbed::Client;
use thin_session::{
    EndReason, HistoryEntry, HistoryPage, Quota, Session, SessionError, Sessions, UserId, UserSession, UserSessionData,
};

/// The steps that were taken.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Transfer(Vec<String>);

impl UserSessionData for Transfer {
    const KIND: &'static str = "transfer";
    const IDLE: Duration = Duration::from_secs(3600);
}

const TWO: Quota = Quota::rolling(2, Duration::from_secs(86_400));
const TWENTY: Quota = Quota::rolling(20, Duration::from_secs(30 * 86_400));
const ONE_A_MINUTE: Quota = Quota::rolling(1, Duration::from_secs(60));
const MANY: Quota = Quota::rolling(1000, Duration::from_secs(86_400));

/// The pages.
pub(crate) fn pages() -> Router {
    Router::new()
        .route("/transfer", get(async |transfer: UserSession<Transfer>| transfer.0.join(" ")))
        .route("/transfer/{step}", post(step))
        .route("/transfer-after-cart/{step}", post(after_cart))
        .route("/complete", post(async |mut transfer: UserSession<Transfer>| transfer.complete().await))
        .route("/abandon", post(async |mut transfer: UserSession<Transfer>| transfer.abandon().await))
        .route("/send", post(async |transfer: UserSession<Transfer>| send(transfer, MANY).await))
        .route("/send-one-of-twenty", post(async |transfer: UserSession<Transfer>| send(transfer, TWENTY).await))
        .route("/send-one-of-two", post(async |transfer: UserSession<Transfer>| send(transfer, TWO).await))
        .route("/send-one-a-minute", post(async |transfer: UserSession<Transfer>| send(transfer, ONE_A_MINUTE).await))
        .route("/send-one-of-two-or-complete", post(send_or_complete))
        .route("/next/{step}", post(next))
        .route("/history", get(async |sessions: Sessions| history(sessions, Path("ada".to_owned())).await))
        .route("/history/{user}", get(history))
}

async fn step(mut transfer: UserSession<Transfer>, Path(step): Path<String>) -> Result<String, SessionError> {
    transfer.update(|transfer| transfer.0.push(step.clone())).await?;
    Ok(transfer.0.join(" "))
}

async fn after_cart(
    _: Session<super::shop::Cart>,
    transfer: UserSession<Transfer>,
    step: Path<String>,
) -> Result<String, SessionError> {
    self::step(transfer, step).await
}

/// Completes one, within a quota.
async fn send(mut transfer: UserSession<Transfer>, quota: Quota) -> Result<Response, SessionError> {
    Ok(transfer.complete_within(quota).await?.map_or_else(IntoResponse::into_response, |()| "sent".into_response()))
}

/// Completes one, within a quota or beyond it.
async fn send_or_complete(mut transfer: UserSession<Transfer>) -> Result<(), SessionError> {
    match transfer.complete_within(TWO).await? {
        Ok(()) => Ok(()),
        Err(_) => transfer.complete().await,
    }
}

/// Completes one, and begins the next.
async fn next(mut transfer: UserSession<Transfer>, Path(step): Path<String>) -> Result<(), SessionError> {
    transfer.complete().await?;
    transfer.update(|transfer| transfer.0.push(step.clone())).await
}

/// What a user has ended, the first in front.
async fn history(sessions: Sessions, Path(user): Path<String>) -> Result<String, SessionError> {
    let mut ended = sessions.history(&UserId::new(user)?, &HistoryPage::of(10_000).only_ended()).await?;
    ended.reverse();
    Ok(ended.iter().map(told).collect::<Vec<_>>().join(", "))
}

fn told(ended: &HistoryEntry) -> String {
    let Transfer(steps) = ended.decode().expect("it is a transfer");
    let how = match ended.reason() {
        Some(EndReason::Completed) => "completed",
        Some(EndReason::Abandoned) => "abandoned",
        Some(EndReason::Expired) => "expired",
        _ => "?",
    };
    format!("{how} {}", steps.join(" "))
}

/// A server with these pages.
pub(crate) fn bank(shop: &Shop) -> Router {
    shop.layered(super::shop::routes().merge(pages()), super::shop::PATIENCE)
}

/// A browser where Ada is signed in.
pub(crate) async fn device(shop: &Shop) -> Client {
    let mut browser = Client::new(bank(shop));
    ok(browser.post("/sign-in/ada").await);
    browser
}

/// The same, with a transfer of one step.
pub(crate) async fn device_with(shop: &Shop, step: &str) -> Client {
    let browser = device(shop).await;
    ok(browser.ask(Method::POST, &format!("/transfer/{step}")).await);
    browser
}
