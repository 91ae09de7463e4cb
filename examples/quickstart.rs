//! A cart in the memory of this process. Serves on http://localhost:3000
use axum::{Form, Router, response::Html, response::Redirect, routing::get};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thin_session::{Keyring, MemoryStore, Session, SessionData, SessionError, SessionLayer};

#[derive(Default, Serialize, Deserialize)]
struct Cart(BTreeMap<String, u32>);

impl SessionData for Cart {
    const NAME: &'static str = "cart";
}

async fn show(cart: Session<Cart>) -> Html<String> {
    let form = "<form method=post><button name=item value=tea>Add tea</button></form>";
    Html(format!("{} in your cart {form}", cart.0.values().sum::<u32>()))
}

async fn add(mut cart: Session<Cart>, Form(form): Form<BTreeMap<String, String>>) -> Result<Redirect, SessionError> {
    cart.update(|cart| form.values().for_each(|item| *cart.0.entry(item.clone()).or_default() += 1)).await?;
    Ok(Redirect::to("/"))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let sessions = SessionLayer::new(MemoryStore::new(), Keyring::generate()); // a restart signs everybody out
    let app = Router::new().route("/", get(show).post(add)).layer(sessions);
    axum::serve(tokio::net::TcpListener::bind("127.0.0.1:3000").await?, app).await
}
