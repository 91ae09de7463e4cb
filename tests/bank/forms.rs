//! Forms that belong to their users, for browsers that ask again when nobody has answered: to do so changes nothing.

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use thin_session::{Quota, SessionError, UserSession, UserSessionData};

/// The fields that are filled in.
#[derive(Default, Serialize, Deserialize)]
struct Form(Vec<String>);

impl UserSessionData for Form {
    const KIND: &'static str = KIND;
    const IDLE: Duration = IDLE;
}

pub(crate) const KIND: &str = "form";
pub(crate) const IDLE: Duration = Duration::from_secs(3600);

const DAY: Duration = Duration::from_secs(86_400);
const MANY: Quota = Quota::rolling(1000, DAY);
const NONE: Quota = Quota::rolling(0, DAY);

/// The pages.
pub(crate) fn pages() -> Router {
    Router::new()
        .route("/form/{field}", post(fill_in))
        .route("/form-completed", post(async |mut form: UserSession<Form>| form.complete().await))
        .route("/form-abandoned", post(async |mut form: UserSession<Form>| form.abandon().await))
        .route("/form-sent", post(async |form: UserSession<Form>| send(form, MANY).await))
        .route("/form-not-sent", post(async |form: UserSession<Form>| send(form, NONE).await))
}

async fn fill_in(mut form: UserSession<Form>, Path(field): Path<String>) -> Result<(), SessionError> {
    form.update(|form| {
        if !form.0.contains(&field) {
            form.0.push(field.clone());
        }
    })
    .await
}

async fn send(mut form: UserSession<Form>, quota: Quota) -> Result<Response, SessionError> {
    let sent = form.complete_within(quota).await?;
    Ok(sent.map_or_else(|_| "too many".into_response(), |()| "sent".into_response()))
}
