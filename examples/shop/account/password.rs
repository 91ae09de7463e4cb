//! Another password, after which nobody is signed in by the old one but who changed it.

use crate::Shop;
use crate::pages::{notice, page};
use crate::refusal::Refusal;
use crate::users::Users;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Form, Router};
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;
use thin_session::{Cost, Sessions, SignedIn};

pub(super) fn routes() -> Router<Arc<Shop>> {
    Router::new().route("/account/password", get(show).post(change))
}

#[derive(Deserialize)]
struct Change {
    old: String,
    password: String,
}

/// Costs one load.
async fn show(_: SignedIn, cost: Cost) -> Markup {
    password_page(None, &cost)
}

/// Costs a load, and the end of all other sessions as one step.
///
/// The present password is a field of the form, and not a recent sign-in, since it is compared and replaced as one: else a request
/// of a stolen session could store its own password after the owner's, just before it is ended.
///
/// The new password comes first: a sign-in that verified the old one before that, and is still under way, is refused. The other
/// way round it would slip in between.
async fn change(
    who: SignedIn,
    State(shop): State<Arc<Shop>>,
    sessions: Sessions,
    cost: Cost,
    Form(form): Form<Change>,
) -> Response {
    if let Err(refusal) = shop.users.change_password(who.user_id(), form.old, form.password).await {
        return (StatusCode::UNPROCESSABLE_ENTITY, password_page(Some(&refusal), &cost)).into_response();
    }
    match sessions.end_others(&who).await {
        Ok(ended) => changed_page(ended, &cost).into_response(),
        // Changed is changed. To say only that something failed would have them type the old one.
        Err(error) => {
            tracing::warn!(%error, "a password is changed, and other sessions may live");
            changed_but_page(&cost).into_response()
        }
    }
}

fn password_page(refusal: Option<&Refusal>, cost: &Cost) -> Markup {
    let content = html! {
        h1 { "Another password" }
        @if let Some(refusal) = refusal { (notice(&refusal.to_string())) }
        p { "You stay signed in here, and are signed out everywhere else." }
        form.sheet method="post" action="/account/password" {
            label { "Your password now"
                input type="password" name="old" autocomplete="current-password"
                    maxlength=(Users::MAX_PASSWORD) required;
            }
            label { "The new password"
                input type="password" name="password" autocomplete="new-password"
                    minlength=(Users::MIN_PASSWORD) maxlength=(Users::MAX_PASSWORD) required;
            }
            div.actions { a.quiet href="/account" { "Back" } button { "Change it" } }
        }
    };
    page("Another password", content, cost)
}

fn changed_page(ended: u64, cost: &Cost) -> Markup {
    let others = match ended {
        0 => "You were signed in nowhere else.".to_owned(),
        1 => "One other device was signed out.".to_owned(),
        many => format!("{many} other devices were signed out."),
    };
    let content = html! {
        h1 { "Your new password holds" }
        p { (others) }
        div.actions { a.button href="/account" { "Your account" } }
    };
    page("Another password", content, cost)
}

/// For a password that is changed, after which the other sessions could not be ended.
fn changed_but_page(cost: &Cost) -> Markup {
    let content = html! {
        h1 { "Your new password holds" }
        (notice("But we could not sign out your other devices right now. Please do it from your account in a moment."))
        div.actions { a.button href="/account" { "Your account" } }
    };
    page("Another password", content, cost)
}
