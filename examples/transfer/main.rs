//! A bank transfer in several steps, begun on a phone and finished on a desktop: `cargo run --example transfer`.
//!
//! | page | module | what its handlers ask for | store calls |
//! |---|---|---|---|
//! | `/` the account | [`overview`] | `UserSession<Visit>`, `UserSession<Transfer>` | 3 |
//! | `/transfer/…` a step | [`transfer`] | `UserSession<Transfer>`, `UserSession<Visit>` | 3, and 2 for its form |
//! | its last step, sending | [`transfer`] | `UserSession<Transfer>` | 4: a load, and a completion within a quota |
//! | `/transfer/sent` the receipt | [`transfer`] | `UserSession<Visit>` | 2 |
//! | `/history` | [`history`] | `UserSession<Visit>`, `Sessions` | 4, and one of the archive |
//! | `/days` | [`days`] | `UserSession<Visit>`, `Sessions` | 2, and one of the archive |
//! | `/sign-in`, `/sign-out` | [`sign_in`] | `Visitor` | a few to sign in, 1 to sign out |
//!
//! Two of the calls of each page are the [`visit`]: one would do without it. What was sent is booked by the [`bank`], which is in
//! the memory of this process, and reads its books again from the archive. Where sessions and archive are is in [`stores`].

mod bank;
mod days;
#[path = "../shared/device_name.rs"]
mod device_name;
mod door;
mod error;
mod history;
mod keys;
#[path = "../shared/local_path.rs"]
mod local_path;
mod money;
mod overview;
mod pages;
mod refusal;
mod sign_in;
mod stores;
#[cfg(test)]
mod tests;
mod text;
mod transfer;
mod users;
mod visit;

use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware};
use bank::Bank;
use clap::Parser;
use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use stores::Stores;
use thin_session::SessionLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::trace::TraceLayer;
use transfer::Transfer;
use users::Users;
use visit::Visit;

/// A bank that lets a transfer begin on one device and end on another.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    stores: Stores,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:3000")]
    addr: SocketAddr,
}

/// What the bank knows by itself. Nothing in it belongs to a session.
struct Office {
    users: Users,
    bank: Bank,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match open(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = &*error, "the bank cannot open");
            ExitCode::FAILURE
        }
    }
}

async fn open(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let sessions = arguments.stores.layer().await?;
    Ok(door::serve(app(sessions), arguments.addr, &arguments.stores).await?)
}

/// All pages.
fn app(sessions: SessionLayer) -> Router {
    let office = Office { users: Users::new(), bank: Bank::new() };
    Router::new()
        .merge(overview::routes())
        .merge(transfer::routes())
        .merge(history::routes())
        .merge(days::routes())
        .merge(sign_in::routes())
        .merge(pages::routes())
        .fallback(error::not_found)
        // From the inside out: what is listed last sees a request first.
        .layer(DefaultBodyLimit::max(16 * 1024))
        .layer(CsrfLayer::new())
        // So that the history has what is open from the first request on.
        .layer(sessions.kind::<Transfer>().kind::<Visit>())
        .layer(middleware::from_fn(error::in_plain_words))
        .layer(TraceLayer::new_for_http())
        .with_state(Arc::new(office))
}
