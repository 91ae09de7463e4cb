//! A bank on several servers: crowds at one user session, and quotas that hold.
//!
//! | module | subject |
//! |---|---|
//! | `backlog` | SQL that is away while sessions keep ending, and what a process needs of memory then |
//! | `browsers` | browsers' sessions that go to the archive: each way to end, once |
//! | `crowds` | many requests of one user at once, from two devices on two servers |
//! | `expired` | what has run out, also while no server is up, and each way to end at once |
//! | `herd` | eight processes that move what has ended: how much of that is in vain |
//! | `history` | what is active, on its way and archived, page by page, while it moves |
//! | `kills` | sessions that end in every way, while processes are killed and SQL is restarted |
//! | `outage` | a Postgres that is killed or frozen while sessions live in Redis |
//! | `processes` | fifty completions at once in two processes, where five are left; and a store that is emptied |
//! | `restarts` | what ran out while no process ran |
//! | `stubborn` | an archive that refuses one session, or is slow; and what is moved before a process ends |
//! | `windows` | a process that dies at each step from a session's end to the archive |
//!
//! Processes of the application are in `apps`, their pages in `forms`, what their users do in `lives`, servers and what an operator
//! sees of them in `places` and `site`.
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

mod apps;
mod backlog;
mod browsers;
mod crowds;
mod expired;
mod forms;
mod herd;
mod history;
mod kills;
mod lives;
mod outage;
mod places;
mod processes;
mod restarts;
mod site;
mod stubborn;
mod windows;

use std::time::{Duration, Instant};

/// Waits for what goes on beside the requests.
async fn until(what: &str, happened: impl AsyncFn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !happened().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// How often to try what is a matter of luck.
fn rounds(short: usize, full: usize) -> usize {
    if std::env::var_os("THIN_SESSION_FULL").is_some() { full } else { short }
}
