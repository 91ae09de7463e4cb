//! The cart and its pages.

mod contents;

pub(crate) use contents::Cart;

use crate::Shop;
use crate::goods::ProductId;
use crate::ledger::Line;
use crate::local_path::LocalPath;
use crate::pages::{notice, page};
use crate::refusal::Refusal;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use maud::{Markup, PreEscaped, html};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use thin_session::{Cost, Peek, Session, SessionError};

pub(crate) fn routes() -> Router<Arc<Shop>> {
    Router::new()
        .route("/cart", get(show))
        .route("/cart.json", get(badge))
        .route("/cart/add", post(add))
        .route("/cart/change", post(change))
        .route("/cart/remove", post(remove))
}

/// Costs one load; no store call at all for a visitor who has put nothing in yet.
async fn show(State(shop): State<Arc<Shop>>, cart: Session<Cart>, cost: Cost) -> Markup {
    page("Your cart", contents(&shop, &cart), &cost)
}

/// Costs one load. A `Peek`, since a script's question does not show that anybody is still there.
async fn badge(cart: Peek<Cart>) -> Json<Badge> {
    Json(Badge { items: cart.items() })
}

/// Costs a load and a commit. If another tab writes meanwhile, the closure runs again on what that tab wrote: whatever is
/// decided, the stock too, is decided inside.
async fn add(
    State(shop): State<Arc<Shop>>,
    mut cart: Session<Cart>,
    cost: Cost,
    Form(form): Form<Add>,
) -> Result<Response, SessionError> {
    let added = cart.try_update(|cart| cart.add(form.product, &shop.ledger)).await?;
    Ok(answer(added, form.back.as_str(), &shop, &cart, &cost))
}

/// Costs a load and a commit.
async fn change(
    State(shop): State<Arc<Shop>>,
    mut cart: Session<Cart>,
    cost: Cost,
    Form(form): Form<Change>,
) -> Result<Response, SessionError> {
    let changed = cart.try_update(|cart| cart.set(form.product, form.amount, &shop.ledger)).await?;
    Ok(answer(changed, "/cart", &shop, &cart, &cost))
}

/// Costs a load and a commit, or the load alone if another tab has removed it already.
async fn remove(mut cart: Session<Cart>, Form(form): Form<Remove>) -> Result<Redirect, SessionError> {
    cart.update(|cart| cart.remove(form.product)).await?;
    Ok(Redirect::to("/cart"))
}

#[derive(Serialize)]
struct Badge {
    items: u32,
}

#[derive(Deserialize)]
struct Add {
    product: ProductId,
    back: LocalPath,
}

#[derive(Deserialize)]
struct Change {
    product: ProductId,
    amount: u32,
}

#[derive(Deserialize)]
struct Remove {
    product: ProductId,
}

/// On to the next page, or the cart and why it stays as it is.
fn answer(done: Result<(), Refusal>, next: &str, shop: &Shop, cart: &Cart, cost: &Cost) -> Response {
    match done {
        Ok(()) => Redirect::to(next).into_response(),
        Err(refusal) => {
            let content = html! { (notice(&refusal.to_string())) (contents(shop, cart)) };
            (StatusCode::CONFLICT, page("Your cart", content, cost)).into_response()
        }
    }
}

fn contents(shop: &Shop, cart: &Cart) -> Markup {
    let lines = cart.lines();
    html! {
        h1 { "Your cart" }
        @if lines.is_empty() {
            p { "There is nothing in it yet." }
            div.actions { a.button href="/" { "To the catalogue" } }
        } @else {
            ul.lines {
                @for line in &lines { (line_form(line, shop.ledger.stock(line.product.id))) }
                li.total { span { "Together" } strong { (cart.total()) } }
            }
            div.actions {
                a.quiet href="/" { "Look around some more" }
                a.button href="/checkout" { "Check out" }
            }
        }
    }
}

fn line_form(line: &Line, left: u32) -> Markup {
    let Line { product, amount } = line;
    html! {
        li {
            div.thumb { (PreEscaped(product.art)) }
            div.what {
                strong { (product.name) }
                span { (product.price) " each" }
                @if *amount > left { em { "only " (left) " left" } }
            }
            form method="post" action="/cart/change" {
                input type="hidden" name="product" value=(product.id);
                input type="number" name="amount" value=(amount) min="1" max=(Cart::MAX_AMOUNT) required
                    aria-label={ "How many of " (product.name) };
                button.quiet { "Change" }
                button.quiet formaction="/cart/remove" formnovalidate { "Remove" }
            }
            strong.price { (line.total()) }
        }
    }
}
