//! The catalogue. Its handlers name no extractor of `thin-session`: no cookie is read, none is set, and any cache between
//! here and the browser may keep the page for all visitors.

use crate::Shop;
use crate::goods::{PRODUCTS, Product};
use crate::pages::{Public, impersonal_page};
use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use maud::{Markup, PreEscaped, html};
use std::sync::{Arc, LazyLock};

static PAGE: LazyLock<Public> = LazyLock::new(|| Public::new("text/html; charset=utf-8", catalogue()));
static STYLE: LazyLock<Public> = LazyLock::new(|| Public::new("text/css", include_str!("style.css")));
static BADGE: LazyLock<Public> = LazyLock::new(|| Public::new("text/javascript", include_str!("badge.js")));
static ICON: LazyLock<Public> = LazyLock::new(|| Public::new("image/svg+xml", include_str!("art/icon.svg")));

pub(crate) fn routes() -> Router<Arc<Shop>> {
    Router::new()
        .route("/", get(async |request: HeaderMap| PAGE.answer(&request)))
        .route("/style.css", get(async |request: HeaderMap| STYLE.answer(&request)))
        .route("/badge.js", get(async |request: HeaderMap| BADGE.answer(&request)))
        .route("/icon.svg", get(async |request: HeaderMap| ICON.answer(&request)))
}

fn catalogue() -> Markup {
    impersonal_page(
        "Tea, and things to write with",
        html! {
            div.hero {
                h1 { "Tea, and things to write with" }
                p { "Nine good things for a slow morning." }
            }
            (shelf(PRODUCTS, "/"))
            script src="/badge.js" defer {}
        },
    )
}

/// Products to look at and to put into the cart. Whoever does comes back to the same place of `page`, where the style
/// sheet says "in your cart" to whom the address leads: so the page can be the same for everybody.
pub(crate) fn shelf<'a>(products: impl IntoIterator<Item = &'a Product>, page: &str) -> Markup {
    html! {
        ul.shelf {
            @for product in products {
                li.product id={ "added-" (product.id) } {
                    div.art { (PreEscaped(product.art)) }
                    div.words {
                        h2 { (product.name) }
                        p { (product.about) }
                    }
                    form method="post" action="/cart/add" {
                        strong.price { (product.price) }
                        a.added href="/cart" { "✓ In your cart" }
                        input type="hidden" name="product" value=(product.id);
                        input type="hidden" name="back" value={ (page) "#added-" (product.id) };
                        button aria-label={ "Add " (product.name) " to the cart" } { "Add" }
                    }
                }
            }
        }
    }
}
