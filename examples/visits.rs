//! Counts a visitor's visits, embedded or in Redis, and says who the browser belongs to.
//!
//! `cargo run --example visits` needs no server. With `--redis redis://127.0.0.1/` any number of processes share the
//! sessions; give them the same `SESSION_LASTING_SECRET` and `SESSION_SECRET` then.

use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use clap::Parser;
use serde::{Deserialize, Serialize};
use std::env::{VarError, var};
use std::error::Error;
use std::net::SocketAddr;
use thin_session::{
    Keyring, MemoryStore, RedisStore, Secret, Session, SessionData, SessionError, SessionLayer, UserId, Visitor,
};
use tokio::net::TcpListener;

/// Counts a visitor's visits.
#[derive(Parser)]
struct Arguments {
    /// Where sessions are kept, such as redis://127.0.0.1/; in the memory of this process if not given.
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:3000")]
    addr: SocketAddr,
}

#[derive(Default, Serialize, Deserialize)]
struct Visits {
    count: u64,
}

impl SessionData for Visits {
    const NAME: &'static str = "visits";
}

/// Costs no store call: the visitor cookie is opened in process.
async fn home(visitor: Visitor) -> Html<String> {
    let (greeting, form) = match visitor.user_id() {
        Some(user) => (
            format!("Good morning, visitor {}.", user.as_str()),
            "<form method=post action=/sign-out><button>Sign out</button></form>",
        ),
        None => (
            "Good morning.".to_owned(),
            "<form method=post action=/sign-in><input name=number type=number required placeholder=\"your number\">\
             <button>Sign in</button></form>",
        ),
    };
    page(&format!("<p>{greeting}</p>{form}<p><a href=/visits>Count a visit</a></p>"))
}

/// Costs a load and a commit.
async fn visit(mut visits: Session<Visits>) -> Result<Html<String>, SessionError> {
    let count = visits
        .update(|visits| {
            visits.count += 1;
            visits.count
        })
        .await?;
    Ok(page(&format!("<p>Visit number {count}.</p><p><a href=/visits>Again</a> <a href=/>Home</a></p>")))
}

#[derive(Deserialize)]
struct SignIn {
    number: u32,
}

/// A real application verifies a password here.
async fn sign_in(mut visitor: Visitor, Form(form): Form<SignIn>) -> Result<Redirect, SessionError> {
    visitor.sign_in(UserId::new(form.number)?).await?;
    Ok(Redirect::to("/"))
}

async fn sign_out(mut visitor: Visitor) -> Result<Redirect, SessionError> {
    visitor.sign_out().await?;
    Ok(Redirect::to("/"))
}

/// Names no extractor, and costs nothing.
async fn about() -> Response {
    page("<p>This page knows nothing of sessions.</p>").into_response()
}

fn page(content: &str) -> Html<String> {
    Html(format!("<!doctype html><meta charset=utf-8><title>Visits</title>{content}"))
}

/// The keys that several processes share, or new ones for this run.
fn keys() -> Result<Keyring, Box<dyn Error>> {
    match (var("SESSION_LASTING_SECRET"), var("SESSION_SECRET")) {
        (Err(VarError::NotPresent), Err(VarError::NotPresent)) => {
            tracing::warn!("keys were made up for this run: a restart signs everybody out");
            Ok(Keyring::generate())
        }
        (lasting, current) => Ok(Keyring::new(Secret::from_base64(&lasting?)?, Secret::from_base64(&current?)?)?),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt::init();
    let arguments = Arguments::parse();
    let sessions = match &arguments.redis {
        Some(url) => SessionLayer::new(RedisStore::connect(url).await?, keys()?),
        None => SessionLayer::new(MemoryStore::new(), keys()?),
    };
    let app = Router::new()
        .route("/", get(home))
        .route("/visits", get(visit))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/about", get(about))
        .layer(sessions.slots::<Visits>());
    let listener = TcpListener::bind(arguments.addr).await?;
    tracing::info!("open http://{}/", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
