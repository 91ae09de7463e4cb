//! "Your account": where somebody is signed in, and how to end it from here.

use super::Recent;
use crate::Shop;
use crate::pages::page;
use crate::text::ago;
use axum::extract::State;
use axum::response::Redirect;
use axum::routing::get;
use axum::{Form, Router};
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;
use thin_session::{Cost, SessionError, SessionHandle, SessionInfo, Sessions, SignedIn};

/// The buttons' addresses lead to the page, so that whoever has to sign in first comes back to it.
pub(super) fn routes() -> Router<Arc<Shop>> {
    let to_account = async || Redirect::to("/account");
    Router::new()
        .route("/account", get(show))
        .route("/account/devices/end", get(to_account).post(end))
        .route("/account/devices/end-others", get(to_account).post(end_others))
}

/// Costs a load and the list.
async fn show(
    who: SignedIn,
    State(shop): State<Arc<Shop>>,
    sessions: Sessions,
    cost: Cost,
) -> Result<Markup, SessionError> {
    let devices = sessions.list(who.user_id()).await?;
    let has_others = devices.iter().any(|device| !device.is_current());
    let content = html! {
        h1 { "Your account" }
        p {
            @if let Some(user) = shop.users.find(who.user_id()) { "You are " strong { (user.name) } ", " }
            "signed in on:"
        }
        ul.lines { @for device in &devices { (line(device)) } }
        div.actions {
            @if has_others {
                form method="post" action="/account/devices/end-others" {
                    button.quiet { "Sign out all others" }
                }
            }
            a.quiet href="/account/password" { "Change the password" }
            form method="post" action="/sign-out" { button.quiet { "Sign out here" } }
        }
    };
    Ok(page("Your account", content, &cost))
}

#[derive(Deserialize)]
struct End {
    session: SessionHandle,
}

/// Costs a load, the list, and the end of the one. A handle is no secret and gives no right: that of another user's session is
/// not in the list, and nothing happens.
async fn end(who: Recent, sessions: Sessions, Form(form): Form<End>) -> Result<Redirect, SessionError> {
    sessions.end(who.user_id(), &form.session).await?;
    Ok(Redirect::to("/account"))
}

/// Costs a load, and the end of all others as one step.
async fn end_others(who: Recent, sessions: Sessions) -> Result<Redirect, SessionError> {
    sessions.end_others(&who).await?;
    Ok(Redirect::to("/account"))
}

fn line(device: &SessionInfo) -> Markup {
    let name = device.label().unwrap_or("A browser");
    html! {
        li {
            div.what {
                strong { (name) }
                span { "Signed in " (ago(device.authenticated_at())) }
            }
            @if device.is_current() {
                strong.here { "This one" }
            } @else {
                span.seen { "Last seen " (ago(device.last_seen())) }
                form method="post" action="/account/devices/end" {
                    input type="hidden" name="session" value=(device.handle());
                    button.quiet aria-label={ "Sign out " (name) } { "Sign out" }
                }
            }
        }
    }
}
