//! What the README shows is what was compiled.

#[test]
fn the_quick_start_is_the_example() {
    let readme = include_str!("../README.md");
    let example = include_str!("../examples/quickstart.rs");
    assert!(readme.contains(&format!("```rust\n{example}```\n")), "copy examples/quickstart.rs into the README");
    assert!(example.lines().count() < 30, "a quick start is quick");
}
