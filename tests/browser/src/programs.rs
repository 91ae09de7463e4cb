//! Programs that a machine may lack.

use std::path::Path;

/// The first of these programs that is not installed.
pub fn missing<'a>(programs: &[&'a str]) -> Option<&'a str> {
    let path = std::env::var("PATH").unwrap_or_default();
    // Debian keeps servers where only root's PATH leads.
    let folders: Vec<&str> = path.split(':').chain(["/usr/sbin"]).collect();
    programs.iter().copied().find(|program| !folders.iter().any(|folder| Path::new(folder).join(program).exists()))
}
