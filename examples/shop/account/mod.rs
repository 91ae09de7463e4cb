//! Accounts: signing in, proving it once more, the devices that are signed in, and the password.

mod confirm;
mod devices;
mod password;
mod sign_in;

use crate::Shop;
use crate::local_path::LocalPath;
use axum::Router;
use serde::Deserialize;
use std::sync::Arc;
use thin_session::RecentAuth;

/// Who orders, or signs other devices out, has proved within a quarter of an hour who they are: a browser that was left open at a
/// café is to do neither. Whoever is later is asked for the password (see `error`), and comes back.
pub(crate) type Recent = RecentAuth<{ 15 * 60 }>;

pub(crate) fn routes() -> Router<Arc<Shop>> {
    Router::new().merge(sign_in::routes()).merge(confirm::routes()).merge(devices::routes()).merge(password::routes())
}

/// Where to go afterwards.
#[derive(Deserialize)]
struct Back {
    back: Option<LocalPath>,
}

impl Back {
    fn path(self) -> LocalPath {
        self.back.unwrap_or(LocalPath::from("/my"))
    }
}
