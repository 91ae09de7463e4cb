//! The protocols of thin-session as models, every interleaving of which is tried with calls that are lost or late and processes that
//! crash between any two steps.

mod archive;
mod completion;
mod end_all;
mod sign_in;

use model_check::{Model, check};
use std::env;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::Instant;

/// More states than any scenario has.
const LIMIT: usize = 20_000_000;

/// All is tried, and no property is broken. In a campaign with the larger bounds.
fn holds<M: Model>(what: &str, brief: &M, full: &M) {
    let (begun, is_full) = (Instant::now(), env::var_os("THIN_SESSION_FULL").is_some());
    let tried = check(if is_full { full } else { brief }, LIMIT);
    if let Some(violation) = tried.violation {
        panic!("{what}: {violation}");
    }
    let seconds = begun.elapsed().as_secs_f64();
    report(&format!("| {what} | {} | {} | {} | {seconds:.1} s |", tried.states, tried.steps, tried.depth));
}

/// The flaw breaks this property first.
fn fails_with<M: Model>(flaw: &str, flawed: &M, property: &str) {
    let tried = check(flawed, LIMIT);
    let Some(violation) = tried.violation else { panic!("{flaw} is not found in {} states", tried.states) };
    assert_eq!(violation.property, property, "{flaw}: {violation}");
    report(&format!("| {flaw} | {property} | {} |", violation.trace.len()));
}

/// A line for the campaign's report, if there is to be one.
fn report(line: &str) {
    eprintln!("{line}");
    let Some(file) = env::var_os("THIN_SESSION_REPORT") else { return };
    let mut file = OpenOptions::new().create(true).append(true).open(file).expect("the report can be written");
    writeln!(file, "{line}").expect("the report can be written");
}
