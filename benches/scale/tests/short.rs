//! The whole with a little of everything, so that it does not rot. What took how long is not looked at.

use scale::{Plan, System, run, write};
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn all_is_measured_and_written() {
    let plan = Plan::short();
    let report = run(&plan).await.expect("it runs to its end");

    assert_eq!(report.beside.len(), 3 * plan.old.len());
    for beside in &report.beside {
        let latency = beside.latency.expect("updates were made");
        assert!(latency.updates > 0 && latency.median > 0.0, "{beside:?}");
        assert_eq!(beside.medians.len(), plan.rounds, "{beside:?}");
        assert!(beside.ratio.is_some_and(|ratio| ratio > 0.0), "{beside:?}");
        assert!(beside.ended_per_second > 0.0 && beside.kept_per_second > 0.0, "{beside:?}");
        assert_eq!((beside.failed_updates, beside.failed_endings), (0, 0), "{beside:?}");
    }
    assert_eq!(report.at_rates.len(), 3 * 2 * plan.rates.len());
    for paced in &report.at_rates {
        let latency = paced.latency.expect("updates were made");
        assert!(latency.updates > 0 && latency.median > 0.0, "{paced:?}");
        assert_eq!(paced.failed_updates, 0, "{paced:?}");
        let in_postgres = paced.system != System::RedisStore;
        let alone = plan.rates.iter().any(|rate| rate.times == paced.times && !rate.at_once);
        assert!(!(alone && in_postgres) || paced.log_bytes_per_update.is_some_and(|bytes| bytes > 100.0), "{paced:?}");
    }
    assert_eq!(report.sizes.len(), plan.old.len());
    for sizes in &report.sizes {
        for relation in ["thin_session", "thin_archive_user", "one_table", "one_table_user"] {
            assert!(sizes.relation(relation).is_some_and(|relation| relation.bytes > 0), "{relation} of {sizes:?}");
        }
        // By the index of what changes each time no update of the one table goes without indexes.
        assert!(
            sizes.relation("one_table").is_some_and(|table| table.updated > 0 && table.updated_hot == 0),
            "{sizes:?}"
        );
    }
    let [least, most] = [report.sizes.first(), report.sizes.last()].map(|sizes| sizes.expect("there is one"));
    assert!(least.of_table("thin_archive") < most.of_table("thin_archive"));

    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let page = folder.path().join("page.md");
    let guide = include_str!("../../../src/docs/guide/archive.md");
    fs::write(&page, guide).expect("a page can be written");
    write(&report, folder.path(), &page).expect("all can be written");
    let written = |name: &str| fs::read_to_string(folder.path().join(name)).expect("it was written");
    let (table, page) = (written("archive-scale.md"), written("page.md"));
    assert_eq!(table.lines().filter(|line| line.contains("| one table for all |")).count(), 3 + 2 * plan.rates.len());
    assert!(page.contains(&table) && page.starts_with("# The archive"), "{page}");
    let json: serde_json::Value = serde_json::from_str(&written("archive-scale.json")).expect("it is JSON");
    assert_eq!(json["beside"].as_array().map(Vec::len), Some(report.beside.len()));
    assert!(written("archive-scale.svg").matches("<circle").count() >= 3 * plan.old.len());
}

/// Nobody has changed by hand what is measured.
#[test]
fn the_guide_has_the_table_that_was_measured_last() {
    let guide = include_str!("../../../src/docs/guide/archive.md");
    let table = include_str!("../../../docs/archive-scale.md");
    assert!(table.contains("| one table for all |") && guide.contains(table), "run ./scripts/bench-archive");
}
