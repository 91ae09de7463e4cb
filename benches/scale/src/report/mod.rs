//! What was found, and where it is written.

mod json;
mod plot;
mod table;

use crate::plan::Plan;
use crate::servers::Servers;
use crate::sizes::Sizes;
use crate::statistics::Latency;
use crate::system::System;
use serde::Serialize;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

/// A ratio that is to hold: an update beside the most old sessions takes at most so many times as long as beside none.
pub const TARGET: f64 = 1.10;

/// All that was found.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// What was measured.
    pub plan: Plan,
    /// Where.
    pub machine: Machine,
    /// Updates while sessions end.
    pub beside: Vec<Beside>,
    /// Updates while none ends.
    pub at_rates: Vec<Paced>,
    /// How large everything was in the end.
    pub sizes: Vec<Sizes>,
}

/// The machine and its servers, as much as matters.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Machine {
    /// How many cores the program and the servers share.
    pub cores: usize,
    /// Which Postgres.
    pub postgres: String,
    /// Which Redis.
    pub redis: String,
    /// How many programs wanted to run before it began, on average of a minute: others than those that are measured.
    pub load_before: f64,
}

/// Updates while sessions end.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Beside {
    /// Of what.
    pub system: System,
    /// How many sessions had ended before.
    pub old: u64,
    /// Of all rounds. None where no update was made.
    pub latency: Option<Latency>,
    /// The median of each round, in milliseconds.
    pub medians: Vec<f64>,
    /// The median of how many times as long as beside the fewest old sessions it took in the same round.
    pub ratio: Option<f64>,
    /// How many sessions ended each second.
    pub ended_per_second: f64,
    /// How many came each second to where they are kept.
    pub kept_per_second: f64,
    /// How many updates failed.
    pub failed_updates: usize,
    /// How many endings failed.
    pub failed_endings: u64,
    /// Why, as far as it was noted.
    pub failures: Vec<String>,
}

/// Updates at a rate, while none ends.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Paced {
    /// Of what.
    pub system: System,
    /// How many sessions had ended before.
    pub old: u64,
    /// How many times the load of the seed.
    pub times: u32,
    /// How many updates a second that is.
    pub per_second: f64,
    /// None where no update was made.
    pub latency: Option<Latency>,
    /// How much Postgres wrote into its log for each, in bytes. None where several were measured at once.
    pub log_bytes_per_update: Option<f64>,
    /// How many failed.
    pub failed_updates: usize,
    /// Why.
    pub failures: Vec<String>,
}

impl Machine {
    pub(crate) fn of(servers: &Servers, load_before: f64) -> Self {
        let [postgres, redis] = servers.versions();
        Self { cores: std::thread::available_parallelism().map_or(1, usize::from), postgres, redis, load_before }
    }

    /// How many programs want to run, on average of the last minute.
    pub(crate) fn load() -> f64 {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or_default()
    }
}

impl Beside {
    /// How many times the lowest median of a round the highest is: what is not the fault of old sessions, as they are as many.
    pub(crate) fn spread(&self) -> f64 {
        let highest = self.medians.iter().copied().fold(0.0, f64::max);
        highest / self.medians.iter().copied().fold(f64::MAX, f64::min)
    }
}

impl Report {
    /// Whether an archive apart costs those that are active at most as much as it may, on both stores.
    #[must_use]
    pub fn holds(&self) -> bool {
        let most = self.plan.old.iter().max();
        let apart = self.beside.iter().filter(|beside| beside.system != System::OneTable && Some(&beside.old) == most);
        apart.map(|beside| beside.ratio).all(|ratio| ratio.is_some_and(|ratio| ratio <= TARGET))
    }

    /// How many updates failed, of all.
    #[must_use]
    pub fn failed_updates(&self) -> usize {
        let beside = self.beside.iter().map(|beside| beside.failed_updates);
        beside.chain(self.at_rates.iter().map(|paced| paced.failed_updates)).sum()
    }

    fn beside(&self, system: System, old: u64) -> Option<&Beside> {
        self.beside.iter().find(|beside| beside.system == system && beside.old == old)
    }
}

/// The table.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&table::table(self))
    }
}

/// Where a page has its table, so that it is written again with each run.
const BEGIN: &str = "<!-- made by scripts/bench-archive -->\n";
const END: &str = "<!-- to here -->\n";

/// Writes the table, JSON and the plot into a folder, and the table also into a page, between two marks.
///
/// # Errors
///
/// If a file cannot be written; or the page has not the marks.
pub fn write(report: &Report, folder: &Path, page: &Path) -> io::Result<()> {
    let table = table::table(report);
    fs::create_dir_all(folder)?;
    fs::write(folder.join("archive-scale.md"), &table)?;
    fs::write(folder.join("archive-scale.json"), json::json(report)?)?;
    fs::write(folder.join("archive-scale.svg"), plot::plot(report))?;
    let text = fs::read_to_string(page)?;
    fs::write(page, between_marks(&text, &table).ok_or_else(|| io::Error::other("the page has no marks"))?)
}

fn between_marks(page: &str, table: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_written_again() {
        let page = format!("above\n{BEGIN}\nold\n\n{END}below\n");
        let once = between_marks(&page, "new\n").expect("it has marks");
        assert_eq!(once, format!("above\n{BEGIN}\nnew\n\n{END}below\n"));
        assert_eq!(between_marks(&once, "new\n").as_ref(), Some(&once));
        assert_eq!(between_marks("without", "new\n"), None);
    }
}
