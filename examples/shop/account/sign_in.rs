//! Signing up, in and out.

use super::Back;
use crate::Shop;
use crate::device_name::DeviceName;
use crate::goods::Taste;
use crate::local_path::LocalPath;
use crate::pages::{notice, page};
use crate::refusal::Refusal;
use crate::users::{DEMO, Users};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;
use thin_session::{Cost, SessionError, UserId, Visitor};

pub(super) fn routes() -> Router<Arc<Shop>> {
    Router::new()
        .route("/sign-in", get(show_sign_in).post(sign_in))
        .route("/sign-up", get(show_sign_up).post(sign_up))
        .route("/sign-out", post(sign_out))
}

#[derive(Deserialize)]
struct SignIn {
    name: String,
    password: String,
    back: LocalPath,
}

#[derive(Deserialize)]
struct SignUp {
    name: String,
    password: String,
    taste: Taste,
    back: LocalPath,
}

/// Costs nothing.
async fn show_sign_in(Query(back): Query<Back>, cost: Cost) -> Markup {
    sign_in_page(&back.path(), None, &cost)
}

/// Costs what `begin` costs; with a wrong password nothing but the hashing.
async fn sign_in(
    State(shop): State<Arc<Shop>>,
    visitor: Visitor,
    device: DeviceName,
    cost: Cost,
    Form(form): Form<SignIn>,
) -> Result<Response, SessionError> {
    match shop.users.verify(&form.name, form.password).await {
        Ok(user) => begin(visitor, user, &device, &form.back).await,
        Err(refusal) => {
            let page = sign_in_page(&form.back, Some(&refusal), &cost);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

/// Costs nothing.
async fn show_sign_up(Query(back): Query<Back>, cost: Cost) -> Markup {
    sign_up_page(&back.path(), None, &cost)
}

/// Costs what `begin` costs.
async fn sign_up(
    State(shop): State<Arc<Shop>>,
    visitor: Visitor,
    device: DeviceName,
    cost: Cost,
    Form(form): Form<SignUp>,
) -> Result<Response, SessionError> {
    match shop.users.add(form.name, form.password, form.taste).await {
        Ok(user) => begin(visitor, user, &device, &form.back).await,
        Err(refusal) => {
            let page = sign_up_page(&form.back, Some(&refusal), &cost);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

/// Costs the creation of a session under a new id, and where the browser had one before, a load and its end.
///
/// The cart comes along by itself: an anonymous one into the new session, or all that a session of the same user held.
/// Of another user's session nothing does.
async fn begin(
    mut visitor: Visitor,
    user: UserId,
    device: &DeviceName,
    next: &LocalPath,
) -> Result<Response, SessionError> {
    visitor.sign_in_labelled(user, device.as_str()).await?;
    Ok(Redirect::to(next.as_str()).into_response())
}

/// Costs the end of the session, which is not even loaded for it. All of it goes: cart, address, name.
async fn sign_out(mut visitor: Visitor) -> Result<Redirect, SessionError> {
    visitor.sign_out().await?;
    Ok(Redirect::to("/my"))
}

fn sign_in_page(back: &LocalPath, refusal: Option<&Refusal>, cost: &Cost) -> Markup {
    let content = html! {
        h1 { "Sign in" }
        @if let Some(refusal) = refusal { (notice(&refusal.to_string())) }
        form.sheet method="post" action="/sign-in" {
            label { "Name" input name="name" autocomplete="username" maxlength=(Users::MAX_NAME) required; }
            label { "Password"
                input type="password" name="password" autocomplete="current-password"
                    maxlength=(Users::MAX_PASSWORD) required;
            }
            input type="hidden" name="back" value=(back.as_str());
            div.actions { a.quiet href={ "/sign-up?back=" (back.as_str()) } { "New here?" } button { "Sign in" } }
        }
        aside {
            h2 { "To try it" }
            dl { @for (name, password) in DEMO { dt { (name) } dd { code { (password) } } } }
        }
    };
    page("Sign in", content, cost)
}

fn sign_up_page(back: &LocalPath, refusal: Option<&Refusal>, cost: &Cost) -> Markup {
    let content = html! {
        h1 { "New here?" }
        @if let Some(refusal) = refusal { (notice(&refusal.to_string())) }
        form.sheet method="post" action="/sign-up" {
            label { "What may we call you?"
                input name="name" autocomplete="username" maxlength=(Users::MAX_NAME) required;
            }
            label { "A password"
                input type="password" name="password" autocomplete="new-password"
                    minlength=(Users::MIN_PASSWORD) maxlength=(Users::MAX_PASSWORD) required;
            }
            label { "What do you like best?"
                select name="taste" {
                    option value="tea" { "Tea" }
                    option value="table" { "A laid table" }
                    option value="desk" { "A tidy desk" }
                }
            }
            input type="hidden" name="back" value=(back.as_str());
            div.actions { a.quiet href={ "/sign-in?back=" (back.as_str()) } { "Sign in" } button { "Open an account" } }
        }
    };
    page("New here?", content, cost)
}
