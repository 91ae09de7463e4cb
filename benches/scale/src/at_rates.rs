//! Updates at the rate of the seed, and at multiples of it, while none ends.

use crate::plan::{Plan, Rate};
use crate::prepare::Place;
use crate::progress::Bar;
use crate::report::Paced;
use crate::servers::Servers;
use crate::statistics::Latency;
use crate::system::System;
use crate::updates::{Updated, update};
use tokio::task::JoinSet;

/// With the least and the most old sessions.
pub(crate) async fn measure(servers: &Servers, plan: &Plan, places: &[Place], bar: &Bar) -> Vec<Paced> {
    let ends = [places.first(), places.last()].map(|place| place.expect("there is a number of old sessions"));
    let mut all = Vec::new();
    for rate in &plan.rates {
        let mut paced: Vec<_> =
            System::ALL.iter().flat_map(|system| ends.map(|place| (*system, place, Updated::default(), 0))).collect();
        for round in 0..rate.rounds {
            if rate.at_once {
                bar.begin(&format!("{:.2} updates a second of each", rate.per_second));
                let mut tasks = JoinSet::new();
                for (number, (system, place, ..)) in paced.iter().enumerate() {
                    let (subject, users, rate) = (place.subject(*system).clone(), plan.users, rate.clone());
                    tasks.spawn(async move { (number, update(&subject, users, rate.per_second, rate.window).await) });
                }
                for (number, updated) in tasks.join_all().await {
                    paced[number].2.add(updated);
                }
                bar.step();
                continue;
            }
            let mut order: Vec<_> = (0..paced.len()).collect();
            order.rotate_left(round % paced.len());
            for number in order {
                let (system, place, updated, log) = &mut paced[number];
                bar.begin(&format!("{:.1} updates a second: {system:?}, {} old", rate.per_second, place.old));
                let (more, bytes) = measure_alone(servers, plan, rate, place, *system).await;
                updated.add(more);
                *log += bytes;
                bar.step();
            }
        }
        all.extend(paced.into_iter().map(|(system, place, updated, log)| Paced {
            system,
            old: place.old,
            times: rate.times,
            per_second: rate.per_second,
            latency: Latency::of(&updated.millis),
            log_bytes_per_update:
                (log > 0 && !updated.millis.is_empty()).then(|| log as f64 / updated.millis.len() as f64),
            failed_updates: updated.failures.len(),
            failures: updated.failures,
        }));
    }
    all
}

/// Answers also how much Postgres has written into its log meanwhile.
async fn measure_alone(servers: &Servers, plan: &Plan, rate: &Rate, place: &Place, system: System) -> (Updated, u64) {
    let written = || -> u64 {
        let text = servers.command(&place.url, "SELECT pg_current_wal_insert_lsn() - '0/0'");
        text.parse().expect("a number of bytes")
    };
    let subject = place.subject(system);
    // Connections are made, and statements known.
    update(subject, plan.users, rate.per_second, plan.warm_up).await;
    let before = written();
    let updated = update(subject, plan.users, rate.per_second, rate.window).await;
    (updated, written() - before)
}
