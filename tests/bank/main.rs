//! A bank on several servers: crowds at one user session, and quotas that hold.
//!
//! | module | subject |
//! |---|---|
//! | `crowds` | many requests of one user at once, from two devices on two servers |
//! | `expired` | what has run out, also while no server is up, and each way to end at once |
//! | `history` | what is active, on its way and archived, page by page, while it moves |
//! | `outage` | a Postgres that is killed or frozen while sessions live in Redis |
//! | `processes` | fifty completions at once in two processes, where five are left; and a store that is emptied |
//!
//! What is a matter of luck runs some rounds, and with `THIN_SESSION_FULL` in the environment as many as `scripts/campaign`
//! wants.

#[allow(dead_code, reason = "each test program uses its part")]
#[path = "../protocol/gate/mod.rs"]
mod gate;
#[allow(dead_code, unused_imports, reason = "each test program uses its part")]
#[path = "../protocol/shop.rs"]
mod shop;
#[allow(dead_code, reason = "each test program uses its part")]
#[path = "../protocol/transfer.rs"]
mod transfer;

mod crowds;
mod expired;
mod history;
mod outage;
mod processes;

/// How often to try what is a matter of luck.
fn rounds(short: usize, full: usize) -> usize {
    if std::env::var_os("THIN_SESSION_FULL").is_some() { full } else { short }
}
