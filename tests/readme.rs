//! What the README and the guides say is what there is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn the_quick_start_is_the_example() {
    let readme = include_str!("../README.md");
    let example = include_str!("../examples/quickstart.rs");
    assert!(readme.contains(&format!("```rust\n{example}```\n")), "copy examples/quickstart.rs into the README");
    assert!(example.lines().count() < 30, "a quick start is quick");
}

/// All sources in a folder, as one text.
fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("a folder of sources can be read");
    let paths = entries.map(|entry| entry.expect("an entry can be read").path());
    let texts = paths.map(|path| match path.extension() {
        _ if path.is_dir() => sources(&path),
        Some(extension) if extension == "rs" => fs::read_to_string(&path).expect("a source can be read"),
        _ => String::new(),
    });
    texts.collect()
}

/// What stands between backticks and begins as said.
fn quoted(page: &str, is_meant: impl Fn(&str) -> bool) -> BTreeSet<&str> {
    page.split('`').skip(1).step_by(2).filter(|quoted| is_meant(quoted)).collect()
}

#[test]
fn every_clause_that_is_met_names_a_test_that_there_is() {
    let page = include_str!("../src/docs/guide/asvs.md");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources = [root.join("src"), root.join("tests")].map(|folder| sources(&folder)).concat();
    let met: Vec<_> = page.lines().filter(|line| line.contains("| met |")).collect();
    assert!(met.len() > 15, "the clauses are found");
    for line in met {
        let cell = line.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let tests = quoted(cell, |name| name.contains('_'));
        assert!(!tests.is_empty(), "no test is named: {line}");
        for test in tests {
            let is_test = sources.contains(&format!("fn {test}(")) || sources.contains(&format!("{test}:"));
            assert!(is_test, "there is no test {test}");
        }
    }
}

#[test]
fn every_number_that_is_kept_is_explained_and_no_other() {
    let page = quoted(include_str!("../src/docs/guide/metrics.md"), |name| name.starts_with("thin_session_"));
    let source = include_str!("../src/telemetry/numbers.rs");
    let kept: BTreeSet<_> = source.split('"').filter(|text| text.starts_with("thin_session_")).collect();
    assert_eq!(page, kept);
}
