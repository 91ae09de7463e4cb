//! What is compared: routers with the same routes, each with sessions of its own kind.

mod axum_session;
mod bare;
mod cookies;
pub mod ours;
mod raw;
mod ruts;
mod tower_sessions;

use crate::cases::Case;
use axum::Router;

/// A router, and what it can be asked.
pub struct Subject {
    pub name: &'static str,
    pub router: Router,
    pub keeps: Keeps,
    /// How a browser comes to the cookies for what needs no store.
    pub enters_by: Option<Case>,
    /// Whether it knows a visitor by a cookie alone.
    pub knows_visitors: bool,
}

/// Where its sessions are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    Nothing,
    InRedis,
    InMemory,
}

pub const BARE: &str = "bare axum";
pub const NO_OP: &str = "a layer that does nothing";
pub const RAW: &str = "raw GET, SET";
pub const RAW_APART: &str = "raw, a runtime and connection per core";
pub const OURS: &str = "thin-session, Redis";
pub const OURS_SIGNED_IN: &str = "thin-session, Redis, signed in";
pub const OURS_APART: &str = "thin-session, Redis, a runtime per core";
pub const OURS_MEMORY: &str = "thin-session, memory";
pub const TOWER_SESSIONS_MEMORY: &str = "tower-sessions, memory";
pub const AXUM_SESSION_MEMORY: &str = "axum_session, memory";

/// Those that are run in this process's runtime. Who cannot be is left out, with a word why.
pub async fn all(redis: &str) -> Vec<Subject> {
    let mut all = vec![bare::bare(), bare::no_op(), cookies::open(), cookies::private_jar()];
    all.push(raw::subject(redis).await);
    all.extend([ours::redis(redis).await, ours::redis_signed_in(redis).await, ours::memory()]);
    all.extend([
        tower_sessions::redis(redis, 1).await,
        tower_sessions::redis(redis, 6).await,
        tower_sessions::memory(),
    ]);
    all.extend([axum_session::redis(redis).await, axum_session::memory().await]);
    match ruts::redis(redis).await {
        Ok(subject) => all.push(subject),
        Err(why) => {
            eprintln!("ruts without its store: {why}");
            all.push(ruts::without_store(redis).await);
        }
    }
    all
}

/// One for a runtime of its own.
pub async fn apart(name: &str, redis: &str) -> Router {
    match name {
        RAW_APART => raw::subject(redis).await.router,
        OURS_APART => ours::redis(redis).await.router,
        other => panic!("{other} is not run apart"),
    }
}
