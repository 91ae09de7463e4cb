//! Each check is about a sentence of the contract, as the comments of `src/store` have it.

use crate::bench::Memory;
use std::fs;
use std::path::Path;
use thin_session::testing::conformance::{lasting_checks, store_checks};

/// All comments of the port as one text, without their markup.
fn contract() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let source =
        ["mod.rs", "lasting.rs", "user.rs"].map(|file| fs::read_to_string(folder.join(file)).unwrap()).concat();
    let lines = source.lines().map(str::trim_start);
    let comments = lines.filter_map(|line| line.strip_prefix("///").or_else(|| line.strip_prefix("//!")));
    let text = comments.collect::<Vec<_>>().join(" ").replace('`', "");
    // [text](target) is text.
    let mut plain = String::new();
    for (i, part) in text.split("](").enumerate() {
        plain += if i == 0 { part } else { part.split_once(')').expect("a link ends").1 };
    }
    plain.replace(['[', ']'], "").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn each_check_quotes_the_contract() {
    let contract = contract();
    let stores = store_checks::<Memory>().into_iter().chain(lasting_checks());
    let checks: Vec<_> = stores.map(|check| (check.name(), check.promise())).collect();
    assert!(checks.len() > 120, "{} checks", checks.len());
    let missing: Vec<_> = checks.iter().filter(|(_, promise)| !contract.contains(promise)).collect();
    assert!(missing.is_empty(), "the contract does not say: {missing:#?}");
    for (i, (name, _)) in checks.iter().enumerate() {
        assert!(checks[..i].iter().all(|(other, _)| other != name), "{name} is there twice");
    }
}
