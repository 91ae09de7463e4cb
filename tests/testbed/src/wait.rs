//! Waiting for something that has no event to await.

use std::thread;
use std::time::{Duration, Instant};

/// How long anything is given before the test fails.
pub const LIMIT: Duration = Duration::from_secs(10);

const PAUSE: Duration = Duration::from_millis(5);

/// Looks again and again until `ready` says so; panics, naming `what`, when
/// [`LIMIT`] has passed.
#[track_caller]
pub fn wait_until(what: &str, mut ready: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !ready() {
        assert!(Instant::now() < deadline, "waited {LIMIT:?} for {what}");
        thread::sleep(PAUSE);
    }
}
