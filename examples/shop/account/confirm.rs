//! "Is it still you?": the password once more, for what a browser that was left open must not do.

use super::Back;
use crate::Shop;
use crate::local_path::LocalPath;
use crate::pages::{notice, page};
use crate::refusal::Refusal;
use crate::users::Users;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Form, Router};
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;
use thin_session::{Cost, SessionError, SignedIn, Visitor};

pub(super) fn routes() -> Router<Arc<Shop>> {
    Router::new().route("/confirm-it-is-you", get(show).post(confirm))
}

#[derive(Deserialize)]
struct Confirm {
    password: String,
    back: LocalPath,
}

/// Costs one load. Whoever is not signed in proves as much by signing in.
async fn show(who: Option<SignedIn>, Query(back): Query<Back>, cost: Cost) -> Response {
    let back = back.path();
    match who {
        Some(_) => confirm_page(&back, None, &cost).into_response(),
        None => to_sign_in(&back),
    }
}

/// Costs a load, and the change of the session's id, to which its content and its handle come along; with a wrong password the
/// load alone.
async fn confirm(
    who: Option<SignedIn>,
    State(shop): State<Arc<Shop>>,
    mut visitor: Visitor,
    cost: Cost,
    Form(form): Form<Confirm>,
) -> Result<Response, SessionError> {
    let Some(who) = who else { return Ok(to_sign_in(&form.back)) };
    if let Err(refusal) = shop.users.verify_again(who.user_id(), form.password).await {
        let page = confirm_page(&form.back, Some(&refusal), &cost);
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    visitor.reauthenticated().await?;
    Ok(Redirect::to(form.back.as_str()).into_response())
}

fn to_sign_in(back: &LocalPath) -> Response {
    Redirect::to(&format!("/sign-in?back={}", back.as_str())).into_response()
}

fn confirm_page(back: &LocalPath, refusal: Option<&Refusal>, cost: &Cost) -> Markup {
    let content = html! {
        h1 { "Is it still you?" }
        @if let Some(refusal) = refusal { (notice(&refusal.to_string())) }
        p { "It has been a while since you signed in, so we ask once more before you go on." }
        form.sheet method="post" action="/confirm-it-is-you" {
            label { "Password"
                input type="password" name="password" autocomplete="current-password"
                    maxlength=(Users::MAX_PASSWORD) required;
            }
            input type="hidden" name="back" value=(back.as_str());
            div.actions { button.quiet form="leave" { "It is not: sign out" } button { "It is" } }
        }
        // A form of its own, or the key Enter in the field above would press its button.
        form #leave method="post" action="/sign-out" {}
    };
    page("Is it still you?", content, cost)
}
