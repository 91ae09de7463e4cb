//! Signing in and out. A transfer that is under way is the user's, and goes on wherever they sign in next.

use crate::Office;
use crate::device_name::DeviceName;
use crate::local_path::LocalPath;
use crate::pages::{Shown, notice, page};
use crate::refusal::Refusal;
use crate::users::{DEMO, Users};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Form, Router};
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;
use thin_session::{Cost, SessionError, Visitor};

pub(crate) fn routes() -> Router<Arc<Office>> {
    let to_account = async || Redirect::to("/");
    Router::new().route("/sign-in", get(show).post(sign_in)).route("/sign-out", get(to_account).post(sign_out))
}

/// Where to go afterwards.
#[derive(Deserialize)]
struct Back {
    back: Option<LocalPath>,
}

#[derive(Deserialize)]
struct SignIn {
    name: String,
    password: String,
    back: LocalPath,
}

/// Costs nothing.
async fn show(Query(back): Query<Back>, cost: Cost) -> Markup {
    sign_in_page(&back.back.unwrap_or(LocalPath::from("/")), None, &cost)
}

/// Costs the creation of a session; with a wrong password nothing but the hashing.
async fn sign_in(
    State(office): State<Arc<Office>>,
    mut visitor: Visitor,
    device: DeviceName,
    cost: Cost,
    Form(form): Form<SignIn>,
) -> Result<Response, SessionError> {
    match office.users.verify(&form.name, form.password).await {
        Ok(user) => {
            visitor.sign_in_labelled(user, device.as_str()).await?;
            Ok(Redirect::to(form.back.as_str()).into_response())
        }
        Err(refusal) => {
            let page = sign_in_page(&form.back, Some(&refusal), &cost);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

/// Costs the end of the browser's session. User sessions stay.
async fn sign_out(mut visitor: Visitor) -> Result<Redirect, SessionError> {
    visitor.sign_out().await?;
    Ok(Redirect::to("/sign-in"))
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
            div.actions { button { "Sign in" } }
        }
        aside {
            h2 { "To try it" }
            dl { @for (name, password) in DEMO { dt { (name) } dd { code { (password) } } } }
            p { "Sign in here and on your phone, or in a private window, and go on there with what you begin here." }
        }
    };
    page("Sign in", content, Shown::Stranger(cost))
}
