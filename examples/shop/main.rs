//! A small shop on `thin-session`: `cargo run --example shop`, and open the address that it prints.
//!
//! | page | module | what its handlers ask for | store calls |
//! |---|---|---|---|
//! | `/` the catalogue | [`catalogue`] | nothing: the same bytes for everybody, from any cache | 0 |
//! | `/my` my shop | [`my_shop`] | `Visitor` | 0 |
//! | `/cart`, `/cart.json` | [`cart`] | `Session<Cart>`, `Peek<Cart>` | 1, and 1 for a change |
//! | `/checkout` | [`checkout`] | `SignedIn`, `Session<(Cart, Checkout)>` | 1, and 1 for a change |
//! | its last step, ordering | [`checkout`] | `RecentAuth`, `Session<(Cart, Checkout)>` | 1, and 1 for a change |
//! | `/orders` | [`orders`] | `SignedIn` | 1 |
//! | `/sign-in`, `/sign-up`, `/sign-out` | [`account`] | `Visitor` | a few to sign in, 1 to sign out |
//! | `/account` the user's devices | [`account`] | `SignedIn` to see, `RecentAuth` to end; `Sessions` | 2, and 1 or 2 to end others |
//! | `/account/password` | [`account`] | `SignedIn`, `Sessions` | 1, and 1 to end all others |
//! | `/confirm-it-is-you` | [`account`] | `SignedIn`, `Visitor` | 1, and 1 for the proof |
//!
//! With `--redis redis://127.0.0.1/` carts outlive the process. Users, stock and orders are in its memory: they are not
//! what this shop is to show. `--metrics 127.0.0.1:9100` has [`metrics`] for Prometheus there, and `grafana.json` shows them.

mod account;
mod cart;
mod catalogue;
mod checkout;
#[path = "../shared/device_name.rs"]
mod device_name;
mod door;
mod error;
mod goods;
mod ledger;
#[path = "../shared/local_path.rs"]
mod local_path;
mod metrics;
mod my_shop;
mod orders;
mod pages;
mod refusal;
mod sessions;
#[cfg(test)]
mod tests;
mod text;
mod users;

use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware};
use clap::Parser;
use ledger::Ledger;
use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use thin_session::SessionLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::trace::TraceLayer;
use users::Users;

/// A small shop that shows what sessions cost.
#[derive(Parser)]
struct Arguments {
    /// Where sessions are kept, such as redis://127.0.0.1/; in the memory of this process if not given.
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:3000")]
    addr: SocketAddr,
    /// Where to answer /metrics; nowhere if not given.
    #[arg(long, value_name = "ADDR")]
    metrics: Option<SocketAddr>,
}

/// What the shop knows by itself. Nothing in it belongs to a session.
struct Shop {
    users: Users,
    ledger: Ledger,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match open(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = &*error, "the shop cannot open");
            ExitCode::FAILURE
        }
    }
}

async fn open(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    if let Some(addr) = arguments.metrics {
        metrics::serve(addr).await?;
    }
    let app = app(sessions::layer(arguments.redis.as_deref()).await?);
    Ok(door::serve(app, arguments.addr).await?)
}

/// All pages.
fn app(sessions: SessionLayer) -> Router {
    let shop = Shop { users: Users::new(), ledger: Ledger::new() };
    Router::new()
        .merge(catalogue::routes())
        .merge(my_shop::routes())
        .merge(cart::routes())
        .merge(checkout::routes())
        .merge(orders::routes())
        .merge(account::routes())
        .fallback(error::not_found)
        // From the inside out: what is listed last sees a request first.
        .layer(DefaultBodyLimit::max(16 * 1024))
        .layer(CsrfLayer::new())
        .layer(sessions)
        .layer(middleware::from_fn(error::in_plain_words))
        .layer(TraceLayer::new_for_http())
        .with_state(Arc::new(shop))
}
