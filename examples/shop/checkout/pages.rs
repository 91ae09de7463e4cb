//! The pages of the steps.

use super::delivery::{Address, Delivery};
use crate::ledger::Order;
use crate::orders::goods;
use crate::pages::{notice, page};
use crate::refusal::Refusal;
use maud::{Markup, html};
use thin_session::Cost;

pub(super) fn address(known: Option<&Address>, refusal: Option<&Refusal>, cost: &Cost) -> Markup {
    let field = |name: &str, label: &str, autocomplete: &str, value: Option<&String>| {
        html! {
            label { (label)
                input name=(name) autocomplete=(autocomplete) value=[value] maxlength=(Address::MAX_CHARS) required;
            }
        }
    };
    let content = html! {
        form.sheet method="post" {
            (field("name", "Name", "name", known.map(|known| &known.name)))
            (field("street", "Street and number", "street-address", known.map(|known| &known.street)))
            (field("city", "Postcode and town", "address-level2", known.map(|known| &known.city)))
            div.actions { a.quiet href="/cart" { "Back to the cart" } button { "Go on" } }
        }
    };
    step(0, "Where to?", content, refusal, cost)
}

pub(super) fn delivery(address: &Address, chosen: Option<Delivery>, cost: &Cost) -> Markup {
    let chosen = chosen.unwrap_or(Delivery::Post);
    let content = html! {
        p { "To " (address) " " a href="/checkout/address" { "Change" } }
        form.sheet method="post" {
            fieldset {
                legend { "Delivery" }
                @for delivery in Delivery::ALL {
                    label.choice {
                        input type="radio" name="delivery" value=(delivery.value()) checked[delivery == chosen];
                        span { strong { (delivery.name()) } (delivery.about()) }
                        span.price { (delivery.price()) }
                    }
                }
            }
            div.actions { a.quiet href="/checkout/address" { "Back" } button { "Go on" } }
        }
    };
    step(1, "How?", content, None, cost)
}

pub(super) fn confirm(order: &Order, refusal: Option<&Refusal>, cost: &Cost) -> Markup {
    let content = html! {
        ul.lines {
            (goods(&order.lines))
            li.extra {
                span { (order.delivery.name()) " " a href="/checkout/delivery" { "Change" } }
                strong { (order.delivery.price()) }
            }
            li.total { span { "Together" } strong { (order.total()) } }
        }
        p { "To " (order.address) " " a href="/checkout/address" { "Change" } }
        form method="post" {
            input type="hidden" name="total" value=(order.total().0);
            div.actions { a.quiet href="/cart" { "Back to the cart" } button { "Order for " (order.total()) } }
        }
    };
    step(2, "Is this right?", content, refusal, cost)
}

/// For an order that stands, after which the session could not be changed.
pub(super) fn ordered_but(order: &Order, cost: &Cost) -> Markup {
    let content = html! {
        h1 { "Thank you" }
        p { "Your order " (order.number) " is placed." }
        (notice("Your cart is unavailable right now and may still show what you have ordered. Nothing is ordered twice if you confirm it again."))
        div.actions { a.button href="/orders" { "Your orders" } }
    };
    page("Ordered", content, cost)
}

fn step(now: usize, heading: &str, content: Markup, refusal: Option<&Refusal>, cost: &Cost) -> Markup {
    let content = html! {
        ol.steps {
            @for (number, name) in ["Address", "Delivery", "Confirm"].into_iter().enumerate() {
                li.done[number < now] aria-current=[(number == now).then_some("step")] { (name) }
            }
        }
        h1 { (heading) }
        @if let Some(refusal) = refusal { (notice(&refusal.to_string())) }
        (content)
    };
    page("Checkout", content, cost)
}
