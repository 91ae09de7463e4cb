//! The whole, from the start of servers to what was found.

use crate::plan::Plan;
use crate::prepare::prepare;
use crate::progress::Bar;
use crate::report::{Machine, Report};
use crate::servers::Servers;
use crate::sizes::Sizes;
use crate::system::System;
use crate::{at_rates, beside};
use std::error::Error;

/// Measures all that is planned, on servers of its own.
///
/// # Errors
///
/// If a store cannot be reached, or users cannot be signed in.
///
/// # Panics
///
/// If what has ended is not in the archive, each once; or a server cannot be started.
pub async fn run(plan: &Plan) -> Result<Report, Box<dyn Error>> {
    let load_before = Machine::load();
    let bar = Bar::of(plan.steps(System::ALL.len()));
    bar.begin("starting servers");
    let servers = Servers::start(plan);
    let places = prepare(&servers, plan, &bar).await?;
    let at_rates = at_rates::measure(&servers, plan, &places, &bar).await;
    let beside = beside::measure(&servers, plan, &places, &bar).await;
    let sizes = places.iter().map(|place| Sizes::of(&servers, place)).collect();
    let machine = Machine::of(&servers, load_before);
    bar.end();
    if plan.notes_statements {
        eprintln!("{}\n", servers.statements());
    }
    Ok(Report { plan: plan.clone(), machine, beside, at_rates, sizes })
}
