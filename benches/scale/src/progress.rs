//! The bar, on stderr.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal as _;

/// How far a run has come. Where nobody looks at a terminal, a line says what begins.
#[derive(Debug)]
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn of(steps: usize) -> Self {
        let bar = ProgressBar::new(steps as u64);
        let style = ProgressStyle::with_template("{elapsed_precise} {bar:40} {pos}/{len} {msg}");
        bar.set_style(style.expect("the template is in order"));
        Self(bar)
    }

    /// Something begins.
    pub(crate) fn begin(&self, what: &str) {
        if !std::io::stderr().is_terminal() {
            eprintln!("{}/{} {what}", self.0.position(), self.0.length().unwrap_or_default());
        }
        self.0.set_message(what.to_owned());
    }

    /// A step is done.
    pub(crate) fn step(&self) {
        self.0.inc(1);
    }

    pub(crate) fn end(self) {
        self.0.finish_and_clear();
    }
}
