//! Listening, and closing in an orderly way.

use axum::Router;
use std::fmt::Display;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Serves until ctrl-c; then the requests under way are answered, and no more are taken.
pub(crate) async fn serve(app: Router, addr: SocketAddr, kept_in: &impl Display) -> io::Result<()> {
    let listener = TcpListener::bind(addr).await?;
    writeln!(io::stdout(), "The bank is open: {} (its sessions are in {kept_in})", address(listener.local_addr()?))?;
    axum::serve(listener, app).with_graceful_shutdown(interrupted()).await
}

/// What to type into a browser. `localhost` is where all of them take secure cookies over plain HTTP.
fn address(bound: SocketAddr) -> String {
    if bound.ip().is_loopback() || bound.ip().is_unspecified() {
        format!("http://localhost:{}/", bound.port())
    } else {
        format!("http://{bound}/")
    }
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await; // no way to be told: serve until killed
    }
}
