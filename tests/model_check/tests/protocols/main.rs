//! The protocols of thin-session as models, every interleaving of which is tried: with requests that are lost, replies that are lost,
//! requests that arrive when nobody waits for them any more, refusals, and processes that crash between any two steps.
//!
//! | model | what it is of |
//! |---|---|
//! | [`sign_in`] | a sign-in takes the place of an anonymous session, of one of the same user, and of another user's |
//! | [`end_all`] | all sessions of a user end, all but one, and one by its name |
//! | [`archive`] | a browser's session ends in whatever way, and goes through the outbox to the archive |
//! | [`completion`] | a user session is completed, with a quota and without, and goes to the archive |
//!
//! Each has a page `store` with the steps that are atomic, named as in `thin_session::store`, and a page of what requests and background tasks
//! do in between, with the names of the sources that do it. Whoever changes those changes these. Properties hold in every state; a goal can
//! be reached from every state by what goes on by itself. Each model is also tried with flaws, one at a time: a model that
//! does not find them shows nothing.
//!
//! # What is left out
//!
//! * Time. Markers stay, where real ones go after two minutes; nothing idles out but where a scenario says so, and then once. Whether a
//!   clock says that a completion was abandoned, that an epoch is known, or that time is up, may come out either way.
//! * Histories of writes are never cut short: then a store would answer less often, not otherwise.
//! * Stores that lose what they have acknowledged, and scripts that are stopped halfway. Redis, SQL and memory are one store
//!   here, but for `end_all` and `members`, which are tried in one step and in the several that Redis takes.
//! * What processes know to be revoked, and refuse whatever the store says; visitor cookies; the beginning of an anonymous session.
//! * Types that are dropped at sign-in, budgets, keys, bytes. A session holds items, an archive what it held.
//! * Erasing and forgetting what is in the archive: a mover may bring back what it was about to write, as `Sessions::erase` says.
//! * More than a few requests. Bounds are those of the scenarios; `THIN_SESSION_FULL` takes larger ones.

mod archive;
mod completion;
mod end_all;
mod sign_in;
mod turn;

use model_check::{Model, Tried, check};
use std::env;
use std::fmt::Debug;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::Instant;

/// More states than any scenario has.
const LIMIT: usize = 20_000_000;

/// A model with bounds.
trait Scenario: Model {
    /// What is done by whose turn it is.
    fn name(&self, r: usize) -> &'static str;

    /// Who does what, all of it.
    fn names(&self) -> Vec<&'static str>;

    /// How often something fails, and how often a process crashes.
    fn failures(&self) -> (u8, u8);
}

/// All is tried, and no property is broken. In a campaign with the larger bounds.
fn holds<S: Scenario>(brief: &S, full: &S) {
    let is_full = env::var_os("THIN_SESSION_FULL").is_some();
    let (begun, scenario) = (Instant::now(), if is_full { full } else { brief });
    let (what, (faults, crashes)) = (scenario.names().join(", "), scenario.failures());
    let tried = check(scenario, LIMIT);
    if let Some(violation) = tried.violation {
        panic!("{what}: {violation}");
    }
    let seconds = begun.elapsed().as_secs_f64();
    let Tried { states, steps, depth, .. } = tried;
    report(&format!("| {what} | {faults} + {crashes} | {states} | {steps} | {depth} | {seconds:.0} s |"));
}

/// The flaw breaks this property first.
fn fails_with<S: Scenario>(flaw: impl Debug, flawed: &S, property: &str) {
    let tried = check(flawed, LIMIT);
    let Some(violation) = tried.violation else { panic!("{flaw:?} is not found in {} states", tried.states) };
    assert_eq!(violation.property, property, "{flaw:?}: {violation}");
    report(&format!("| `{flaw:?}` | {} | {property} | {} |", flawed.names().join(", "), violation.trace.len()));
}

/// A line for the campaign's report, if there is to be one.
fn report(line: &str) {
    eprintln!("{line}");
    let Some(file) = env::var_os("THIN_SESSION_REPORT") else { return };
    let mut file = OpenOptions::new().create(true).append(true).open(file).expect("the report can be written");
    writeln!(file, "{line}").expect("the report can be written");
}
