//! Checkout in steps: an address, a way of delivery, a last look; then it is an order.

mod delivery;
mod pages;
mod progress;

pub(crate) use delivery::{Address, Delivery};
pub(crate) use progress::Checkout;

use crate::Shop;
use crate::account::Recent;
use crate::cart::Cart;
use crate::ledger::OrderNumber;
use crate::refusal::Refusal;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Form, Router};
use delivery::AddressForm;
use maud::Markup;
use serde::Deserialize;
use std::sync::Arc;
use thin_session::{Cost, Session, SessionError, SignedIn};

/// The address of each step is its page and takes its form, so that whoever has to sign in first comes back to it.
pub(crate) fn routes() -> Router<Arc<Shop>> {
    Router::new()
        .route("/checkout", get(begin))
        .route("/checkout/address", get(address).post(set_address))
        .route("/checkout/delivery", get(delivery).post(set_delivery))
        .route("/checkout/confirm", get(confirm).post(order))
}

// Each handler below names `SignedIn` or `Recent` first: whoever is not is sent to sign in (see `error`). It and the session
// share one load.

/// To the first step that is not done. Costs one load.
async fn begin(_: SignedIn, session: Session<(Cart, Checkout)>) -> Redirect {
    let (cart, checkout) = &*session;
    if cart.lines().is_empty() { Redirect::to("/cart") } else { Redirect::to(checkout.next_page()) }
}

/// Costs one load.
async fn address(_: SignedIn, checkout: Session<Checkout>, cost: Cost) -> Markup {
    pages::address(checkout.address(), None, &cost)
}

/// Costs a load and a commit.
async fn set_address(
    _: SignedIn,
    mut checkout: Session<Checkout>,
    cost: Cost,
    Form(form): Form<AddressForm>,
) -> Result<Response, SessionError> {
    let address = match Address::try_from(form) {
        Ok(address) => address,
        Err(refusal) => {
            let page = pages::address(checkout.address(), Some(&refusal), &cost);
            return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
        }
    };
    checkout.update(|checkout| checkout.deliver_to(address.clone())).await?;
    Ok(Redirect::to("/checkout/delivery").into_response())
}

/// Costs one load.
async fn delivery(_: SignedIn, checkout: Session<Checkout>, cost: Cost) -> Response {
    match checkout.address() {
        Some(address) => pages::delivery(address, checkout.delivery(), &cost).into_response(),
        None => Redirect::to(checkout.next_page()).into_response(),
    }
}

#[derive(Deserialize)]
struct DeliveryForm {
    delivery: Delivery,
}

/// Costs a load and a commit.
async fn set_delivery(
    _: SignedIn,
    mut checkout: Session<Checkout>,
    Form(form): Form<DeliveryForm>,
) -> Result<Redirect, SessionError> {
    let number = OrderNumber::random();
    checkout.update(|checkout| checkout.deliver_by(form.delivery, number)).await?;
    Ok(Redirect::to(checkout.next_page()))
}

/// Costs one load.
async fn confirm(who: Recent, session: Session<(Cart, Checkout)>, cost: Cost) -> Response {
    let (cart, checkout) = &*session;
    match checkout.order(who.user_id(), cart) {
        Some(order) => pages::confirm(&order, None, &cost).into_response(),
        None => Redirect::to("/checkout").into_response(),
    }
}

#[derive(Deserialize)]
struct ConfirmForm {
    /// What the page said it would cost, in cents.
    total: u32,
}

/// Costs a load and a commit.
///
/// The order comes first, under the number that the checkout has carried since its last step; then one commit takes what
/// was ordered out of the cart, and the checkout back to its beginning. Whatever happens in between, a second click, a
/// lost connection or an outage: with the same number, trying again is the same order.
async fn order(
    who: Recent,
    State(shop): State<Arc<Shop>>,
    mut session: Session<(Cart, Checkout)>,
    cost: Cost,
    Form(form): Form<ConfirmForm>,
) -> Response {
    let (cart, checkout) = &*session;
    let Some(order) = checkout.order(who.user_id(), cart) else {
        // Another tab has emptied the cart; or it is the second click, and all is done.
        let next = if checkout.number().is_some() { "/cart" } else { "/orders" };
        return Redirect::to(next).into_response();
    };
    let is_as_shown = order.total().0 == form.total;
    let placed = if is_as_shown { shop.ledger.place(order.clone()) } else { Err(Refusal::Changed) };
    let placed = match placed {
        Ok(placed) => placed,
        Err(refusal) => {
            return (StatusCode::CONFLICT, pages::confirm(&order, Some(&refusal), &cost)).into_response();
        }
    };
    let done = session.update(|(cart, checkout)| {
        if checkout.number() == Some(placed.number) {
            cart.take_out(&placed.lines);
            *checkout = Checkout::default();
        }
    });
    match done.await {
        Ok(()) => Redirect::to("/orders").into_response(),
        // Ordered is ordered. The cart may still hold it, and confirming that again changes nothing.
        Err(error) => {
            tracing::warn!(%error, "an order is placed, and the cart may still hold it");
            pages::ordered_but(&placed, &cost).into_response()
        }
    }
}
