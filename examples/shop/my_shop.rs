//! "My shop": a page that is personal, and yet asks no store.

use crate::Shop;
use crate::catalogue::shelf;
use crate::goods::PRODUCTS;
use crate::pages::page;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use maud::{Markup, html};
use std::sync::Arc;
use thin_session::{Cost, Visitor};

pub(crate) fn routes() -> Router<Arc<Shop>> {
    Router::new().route("/my", get(show))
}

/// Costs one decryption: who this browser belongs to is in a cookie, and the name and the taste are the shop's own.
///
/// It recognises and grants nothing. So there is nothing here that somebody at Ada's desk must not see: for her orders
/// the shop asks for `SignedIn`.
async fn show(State(shop): State<Arc<Shop>>, visitor: Visitor, cost: Cost) -> Markup {
    let Some(user) = visitor.user_id().and_then(|id| shop.users.find(id)) else {
        return page("My shop", welcome_stranger(), &cost);
    };
    let favourites = PRODUCTS.iter().filter(|product| product.taste == user.taste);
    let content = html! {
        div.hero {
            h1 { "Good morning, " (user.name) }
            p { "We thought of you when these came in." }
        }
        (shelf(favourites, "/my"))
        div.actions {
            a.quiet href="/orders" { "Your orders" }
            form method="post" action="/sign-out" { button.quiet { "Sign out" } }
        }
    };
    page("My shop", content, &cost)
}

fn welcome_stranger() -> Markup {
    html! {
        div.hero {
            h1 { "Good morning" }
            p { "Once we know you, we put aside what you like." }
        }
        div.actions {
            a.button href="/sign-in" { "Sign in" }
            a.quiet href="/sign-up" { "New here?" }
        }
    }
}
