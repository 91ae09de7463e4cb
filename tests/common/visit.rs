//! Requests to one handler.

use axum::Router;
use axum::handler::Handler;
use axum::routing::any;
use std::time::Duration;
use testbed::{Answer, Client};
use thin_session::SessionLayer;

/// A browser that has never been here.
pub(crate) fn newcomer() -> Client {
    Client::new(Router::new())
}

/// Sends a request of this browser's to a handler under a layer, and takes in the cookies of the response.
pub(crate) async fn visit<H, T>(browser: &mut Client, layer: &SessionLayer, handler: H) -> Answer
where
    H: Handler<T, ()>,
    T: 'static,
{
    *browser = browser.at(Router::new().route("/", any(handler)).layer(layer.clone()));
    browser.post("/").await
}

/// What `work` answers; fails the test if that takes longer than anything here should.
pub(crate) async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), work).await.expect("it happens within 20 seconds")
}
