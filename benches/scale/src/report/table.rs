//! What was found, for people: pieces of a page in Markdown.

use super::{Beside, Paced, Report, TARGET};
use crate::sizes::Sizes;
use crate::statistics::Latency;
use crate::system::System;
use std::fmt::Write as _;

pub(super) fn table(report: &Report) -> String {
    [intro(report), beside(report), verdict(report), at_rates(report), sizes(report)].join("\n")
}

fn intro(report: &Report) -> String {
    let (plan, machine) = (&report.plan, &report.machine);
    let flush = if plan.durable { "which waits for the disk" } else { "which does not wait for the disk" };
    format!(
        "Measured with `./scripts/bench-archive`, on {} cores that the application, Postgres {} ({flush}) and Redis {} share. {} users \
         are signed in, each with an active session; {:.0} of those are updated each second, while {:.0} others are to begin and end. \
         A round is {:.1} seconds of each row, and there were {}. \"Times as long\" compares with the first row of the same system in \
         the same round, and is the median of all rounds. Before it began {:.1} other programs wanted to run, on average.\n",
        count(machine.cores as u64),
        machine.postgres,
        machine.redis,
        grouped(plan.users as u64),
        plan.updates,
        plan.endings,
        plan.window.as_secs_f64(),
        plan.rounds,
        machine.load_before,
    )
}

fn beside(report: &Report) -> String {
    let mut text = String::from(
        "| an update, in milliseconds | old sessions | median | p99 | times as long | ended a second | archived a second |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for system in System::ALL {
        for old in &report.plan.old {
            let Some(Beside { latency, ratio, ended_per_second, kept_per_second, .. }) = report.beside(system, *old)
            else {
                continue;
            };
            let [median, p99] = columns(latency.as_ref());
            let ratio = ratio.map_or_else(none, |ratio| format!("{ratio:.2}"));
            let (name, old) = (system.name(), grouped(*old));
            row(&mut text, &[name, &old, &median, &p99, &ratio, &rate(*ended_per_second), &rate(*kept_per_second)]);
        }
    }
    text
}

/// What comes of it.
fn verdict(report: &Report) -> String {
    let is = if report.holds() { "holds" } else { "does not hold" };
    let apart = report.beside.iter().map(Beside::spread).fold(1.0, f64::max);
    let failed: u64 = report.beside.iter().map(|beside| beside.failed_endings).sum();
    let failures = match (report.failed_updates(), failed) {
        (0, 0) => "No update and no ending failed, and what ended is in the archive, each once.".to_owned(),
        (updates, endings) => {
            format!("{updates} updates failed, and {endings} endings; what ended is in the archive, each once.")
        }
    };
    format!(
        "That an archive of {} makes an update at most {TARGET:.2} times as long {is} in this run. The medians of single rounds of one row lay up \
         to {apart:.1} times apart, which is how much else at work on the machine can do. {failures}\n",
        grouped(report.plan.old.last().copied().unwrap_or_default())
    )
}

fn at_rates(report: &Report) -> String {
    let mut text = String::from(
        "While none ends, by the number of updates a second; 0.35 is 30,000 a day. Where fewer than a hundred were made there is no \
         p99. The last column is what Postgres wrote into its log for one.\n\n\
         | an update, in milliseconds | old sessions | a second | updates | median | p99 | log, bytes |\n|---|---|---|---|---|---|---|\n",
    );
    for system in System::ALL {
        for paced in report.at_rates.iter().filter(|paced| paced.system == system) {
            let Paced { old, per_second, latency, log_bytes_per_update, .. } = paced;
            let [median, p99] = columns(latency.as_ref());
            let updates = grouped(latency.map_or(0, |latency| latency.updates as u64));
            let log = log_bytes_per_update.map_or_else(none, |bytes| grouped(bytes.round() as u64));
            let pace = if *per_second < 10.0 { format!("{per_second:.2}") } else { format!("{per_second:.0}") };
            row(&mut text, &[system.name(), &grouped(*old), &pace, &updates, &median, &p99, &log]);
        }
    }
    text
}

fn sizes(report: &Report) -> String {
    let mut text = String::from(
        "Afterwards, in megabytes: a table and all its indexes, and in brackets the indexes alone. \"In place\" is the share of updates \
         that changed no index.\n\n\
         | old sessions | active ones of `SqlStore` | in place | archive | one table | in place |\n|---|---|---|---|---|---|\n",
    );
    for sizes in &report.sizes {
        let [active, archive, one] = ["thin_session", "thin_archive", "one_table"].map(|table| of_table(sizes, table));
        let [active_hot, one_hot] = ["thin_session", "one_table"].map(|table| in_place(sizes, table));
        row(&mut text, &[&grouped(sizes.old), &active, &active_hot, &archive, &one, &one_hot]);
    }
    text
}

fn of_table(sizes: &Sizes, table: &str) -> String {
    let megabytes = |bytes: u64| format!("{:.1}", bytes as f64 / f64::from(1 << 20));
    let (all, own) = (sizes.of_table(table), sizes.relation(table).map_or(0, |table| table.bytes));
    format!("{} ({})", megabytes(all), megabytes(all - own))
}

fn in_place(sizes: &Sizes, table: &str) -> String {
    let updated = sizes.relation(table).filter(|table| table.updated > 0);
    updated.map_or_else(none, |table| format!("{:.0} %", 100.0 * table.updated_hot as f64 / table.updated as f64))
}

fn columns(latency: Option<&Latency>) -> [String; 2] {
    let time = |millis: Option<f64>| millis.map_or_else(none, |millis| format!("{millis:.2}"));
    [time(latency.map(|latency| latency.median)), time(latency.and_then(|latency| latency.p99))]
}

fn none() -> String {
    "–".to_owned()
}

fn rate(per_second: f64) -> String {
    grouped(per_second.round() as u64)
}

fn row(text: &mut String, columns: &[&str]) {
    writeln!(text, "| {} |", columns.join(" | ")).expect("a text takes everything");
}

/// Small numbers as words.
fn count(number: u64) -> String {
    let words = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight"];
    words.get(number as usize).map_or_else(|| number.to_string(), |word| (*word).to_owned())
}

/// With commas between thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).expect("digits")).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
