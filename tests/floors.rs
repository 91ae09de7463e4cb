//! The floors of the crate: what a module may import. Read from the sources, so that no import can slip in.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// From the bottom up. A module uses those of lower floors, and none of its own: adapters know nothing of each other.
const FLOORS: &[&[&str]] = &[
    &["clock", "telemetry"],
    &["error"],
    &["id"],
    &["record"],
    &["keyring", "lifetime", "revocation"],
    &["cookie", "data"],
    &["store"],
    &["archive", "sealing"],
    &["memory", "redis", "sql"],
    &["exchange"],
    &["session", "user_session"],
    &["visitor"],
    &["sessions"],
    &["layer"],
    &["testing"],
];

fn floor(module: &str) -> usize {
    FLOORS
        .iter()
        .position(|floor| floor.contains(&module))
        .unwrap_or_else(|| panic!("module {module} stands on no floor: give it one in tests/floors.rs"))
}

fn sources() -> Vec<(String, PathBuf)> {
    fn collect(module: &str, path: &Path, into: &mut Vec<(String, PathBuf)>) {
        if path.is_dir() {
            for entry in fs::read_dir(path).expect("a folder of src can be read") {
                collect(module, &entry.expect("an entry of src can be read").path(), into);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push((module.to_owned(), path.to_owned()));
        }
    }
    let mut sources = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("src can be read") {
        let path = entry.expect("an entry of src can be read").path();
        let module = path.file_stem().and_then(|stem| stem.to_str()).expect("names are text").to_owned();
        if !["lib", "docs", "guide"].contains(&module.as_str()) {
            collect(&module, &path, &mut sources);
        }
    }
    sources
}

/// The modules of this crate that a source names by path, comments aside. Exported macros, `__` and so on, are at the root.
fn imports(source: &str) -> BTreeSet<String> {
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("crate::").skip(1))
        .map(|path| path.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>())
        .filter(|module| !module.is_empty() && !module.starts_with("__"))
        .collect()
}

#[test]
fn imports_point_down_and_never_sideways() {
    let sources = sources();
    assert!(sources.len() > 40, "the sources are found");
    let mut checked = 0;
    for (module, path) in sources {
        let source = fs::read_to_string(&path).expect("a source can be read");
        for import in imports(&source).iter().filter(|import| **import != module) {
            checked += 1;
            assert!(floor(import) < floor(&module), "{} imports {import}, which is not below {module}", path.display());
        }
    }
    assert!(checked > 80, "imports are found");
}

#[test]
fn every_source_fits_on_a_few_screens() {
    for (_, path) in sources() {
        let source = fs::read_to_string(&path).expect("a source can be read");
        let code = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let lines = code.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("//")).count();
        assert!(lines <= 300, "{} has {lines} lines of code: move a wall", path.display());
    }
}
