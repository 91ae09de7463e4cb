//! Measures what an archive of a million ended sessions costs those that are active: `scripts/bench-archive`.

use clap::Parser;
use scale::{Plan, run, write};
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

/// What an archive of a million ended sessions costs those that are active.
#[derive(Debug, Parser)]
struct Options {
    /// A little of everything: shows that it runs, and says nothing about time.
    #[arg(long)]
    short: bool,
    /// Has Postgres wait for the disk.
    #[arg(long)]
    durable: bool,
    /// How often each is measured.
    #[arg(long)]
    rounds: Option<usize>,
    /// How many sessions have ended before; figures are compared with the first.
    #[arg(long, value_delimiter = ',')]
    old: Option<Vec<u64>>,
    /// Only while sessions end.
    #[arg(long)]
    only_beside: bool,
    /// Says in which statements Postgres spent its time, if it comes with `pg_stat_statements`.
    #[arg(long)]
    statements: bool,
    /// Only says what was found, and writes nothing.
    #[arg(long)]
    dry: bool,
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::parse();
    let mut plan = if options.short { Plan::short() } else { Plan::full() };
    plan.durable = options.durable;
    plan.rounds = options.rounds.unwrap_or(plan.rounds);
    plan.old = options.old.unwrap_or(plan.old);
    plan.notes_statements = options.statements;
    if options.only_beside {
        plan.rates.clear();
    }
    let report = run(&plan).await?;
    eprintln!("{report}");
    if !options.dry {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        write(&report, &root.join("docs"), &root.join("src/docs/guide/archive.md"))?;
    }
    let is_good = report.failed_updates() == 0 && report.holds();
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
