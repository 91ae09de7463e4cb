//! All of it, for programs.

use super::Report;
use std::io;

pub(super) fn json(report: &Report) -> io::Result<String> {
    Ok(serde_json::to_string_pretty(report)? + "\n")
}
