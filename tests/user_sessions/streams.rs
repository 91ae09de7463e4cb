//! After the response has begun, in a stream or a socket: what was seen then may be hours old.

use super::{Transfer, is, user};
use axum::extract::Extension;
use axum::routing::post;
use axum::{Json, Router};
use std::sync::{Arc, Mutex};
use testbed::Client;
use thin_session::{Keyring, MemoryStore, SessionError, SessionErrorKind, SessionLayer, UserSession, Visitor};

type Kept = Arc<Mutex<Option<UserSession<Transfer>>>>;

async fn step(mut transfer: UserSession<Transfer>) -> Result<Json<Vec<u32>>, SessionError> {
    transfer.update(|transfer| transfer.steps.push(1)).await?;
    Ok(Json(transfer.steps.clone()))
}

/// Goes on with the transfer when it has answered.
async fn keep(transfer: UserSession<Transfer>, Extension(kept): Extension<Kept>) {
    *kept.lock().unwrap() = Some(transfer);
}

/// Ada's phone, which has taken a step, and what it has kept of the transfer since its response left.
async fn streaming() -> (Client, UserSession<Transfer>) {
    let kept = Kept::default();
    let app = Router::new()
        .route("/sign-in", post(async |mut who: Visitor| who.sign_in(user("ada")).await.map(drop)))
        .route("/sign-out", post(async |mut who: Visitor| who.sign_out().await))
        .route("/step", post(step))
        .route("/keep", post(keep))
        .layer(Extension(Arc::clone(&kept)))
        .layer(SessionLayer::with_user_sessions(MemoryStore::new(), Keyring::generate()));
    let mut phone = Client::new(app);
    for path in ["/sign-in", "/step", "/keep"] {
        assert_eq!(phone.post(path).await.status, 200, "{path}");
    }
    let transfer = kept.lock().unwrap().take().expect("it was kept");
    (phone, transfer)
}

/// Also where nothing is changed: that too is decided on what is there now.
#[tokio::test]
async fn a_change_begins_with_a_look() {
    let (mut phone, mut transfer) = streaming().await;
    assert_eq!(phone.post("/step").await.text(), "[1,1]");
    assert_eq!(transfer.update(|transfer| transfer.steps.len()).await.unwrap(), 2);
    assert_eq!(transfer.steps, [1, 1]);
}

#[tokio::test]
async fn what_others_have_changed_since_is_not_completed() {
    let (mut phone, mut transfer) = streaming().await;
    phone.post("/step").await;
    is(transfer.complete().await, &SessionErrorKind::Changed);
    transfer.reload().await.unwrap();
    transfer.complete().await.unwrap();
}

#[tokio::test]
async fn whoever_has_signed_out_changes_and_sees_nothing_more() {
    let (mut phone, mut transfer) = streaming().await;
    phone.post("/sign-out").await;
    is(transfer.update(|transfer| transfer.steps.len()).await, &SessionErrorKind::Ended);
    is(transfer.reload().await, &SessionErrorKind::Ended);
    is(transfer.complete().await, &SessionErrorKind::Ended);
}
