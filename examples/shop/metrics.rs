//! Numbers for Prometheus, at a door of their own. `grafana.json` beside this file shows them.

use axum::Router;
use axum::http::header;
use axum::routing::get;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;

/// From what memory takes to what a store may take. In seconds.
const SECONDS: [f64; 13] = [1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];
/// To the largest record that a layer can allow.
const BYTES: [f64; 10] = [128., 256., 512., 1024., 2048., 4096., 8192., 16384., 32768., 65536.];

/// Collects what the session layer counts, and answers `/metrics` with it.
///
/// Not among the shop's pages: how many sign in, and how often the store fails, is nobody's business but the operators'. A path
/// that only the proxy in front hides is one wrong line away from being open; an address that it does not know is not.
pub(crate) async fn serve(addr: SocketAddr) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(addr).await?;
    let numbers = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_bytes".to_owned()), &BYTES)?
        .install_recorder()?;
    tracing::info!(addr = %listener.local_addr()?, "numbers for Prometheus");
    tokio::spawn(tidy(numbers.clone()));
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    let app = Router::new().route("/metrics", get(async move || (content_type, numbers.render())));
    tokio::spawn(async { axum::serve(listener, app).await });
    Ok(())
}

/// Sorts observations into their buckets: those that nobody asks for would pile up.
async fn tidy(numbers: PrometheusHandle) {
    let mut ticks = tokio::time::interval(Duration::from_secs(5));
    loop {
        ticks.tick().await;
        numbers.run_upkeep();
    }
}
