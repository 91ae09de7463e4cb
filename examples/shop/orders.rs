//! The orders of whoever is signed in.

use crate::Shop;
use crate::ledger::{Line, Order};
use crate::pages::page;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use maud::{Markup, PreEscaped, html};
use std::sync::Arc;
use thin_session::{Cost, SignedIn};

pub(crate) fn routes() -> Router<Arc<Shop>> {
    Router::new().route("/orders", get(show))
}

/// Costs one load: `SignedIn` is proof from the store, where `Visitor` only recognises.
async fn show(State(shop): State<Arc<Shop>>, who: SignedIn, cost: Cost) -> Markup {
    let orders = shop.ledger.orders_of(who.user_id());
    let content = html! {
        h1 { "Your orders" }
        @if orders.is_empty() { p { "You have not ordered anything yet." } }
        @for order in &orders { (receipt(order)) }
        div.actions { a.button href="/" { "To the catalogue" } }
    };
    page("Your orders", content, &cost)
}

fn receipt(order: &Order) -> Markup {
    html! {
        section.receipt {
            h2 { "Order " span { (order.number) } }
            ul.lines { (goods(&order.lines)) (delivery(order)) }
            p { "To " (order.address) }
        }
    }
}

/// Lines that can no longer be changed.
pub(crate) fn goods(lines: &[Line]) -> Markup {
    html! {
        @for line in lines {
            li {
                div.thumb { (PreEscaped(line.product.art)) }
                div.what { strong { (line.product.name) } span { (line.amount) " × " (line.product.price) } }
                strong.price { (line.total()) }
            }
        }
    }
}

fn delivery(order: &Order) -> Markup {
    html! {
        li.extra { span { (order.delivery.name()) } strong { (order.delivery.price()) } }
        li.total { span { "Together" } strong { (order.total()) } }
    }
}
