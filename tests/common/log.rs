//! What is logged, kept apart for each thread: `#[tokio::test]` runs a test, and what it spawns, on one of its own.

use std::cell::RefCell;
use std::io::{Result, Write};
use std::sync::Once;

thread_local! {
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct ThisThread;

impl Write for ThisThread {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        LINES.with_borrow_mut(|lines| lines.write(bytes))
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Begins to log, at every level. Call it first.
pub(crate) fn log_of_this_thread() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        let all = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
        all.with_writer(|| ThisThread).init();
    });
}

/// What was logged since this was last looked at.
pub(crate) fn log() -> String {
    String::from_utf8(LINES.take()).expect("a log is text")
}
