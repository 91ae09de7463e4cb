//! Updates while sessions end: in each round all systems, and of each all numbers of old sessions one right after the other.

use crate::endings::Endings;
use crate::plan::Plan;
use crate::prepare::Place;
use crate::progress::Bar;
use crate::report::Beside;
use crate::servers::Servers;
use crate::statistics::{Latency, median};
use crate::system::{Subject, System};
use crate::updates::{Updated, update};

/// What was seen of one system beside one number of old sessions.
#[derive(Debug, Default)]
struct Seen {
    updated: Updated,
    /// The median of each round, in milliseconds.
    medians: Vec<f64>,
    ended: f64,
    kept: f64,
    seconds: f64,
    /// Endings since the archive was last counted, those before the window included.
    to_be_found: u64,
    perhaps_found: u64,
    failed: u64,
    failures: Vec<String>,
}

pub(crate) async fn measure(servers: &Servers, plan: &Plan, places: &[Place], bar: &Bar) -> Vec<Beside> {
    let mut seen: Vec<Vec<Seen>> = System::ALL.map(|_| places.iter().map(|_| Seen::default()).collect()).into();
    for round in 0..plan.rounds {
        for turn in 0..System::ALL.len() {
            let system = (turn + round) % System::ALL.len();
            let mut order: Vec<_> = (0..places.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for number in order {
                let place = &places[number];
                let (which, subject) = &place.subjects[system];
                bar.begin(&format!("round {} of {}: {which:?}, {} old", round + 1, plan.rounds, place.old));
                measure_once(plan, subject, &mut seen[system][number]).await;
                if place.old == 0 {
                    check_kept(servers, place, *which, &mut seen[system][number]);
                    empty(servers, place, *which);
                }
                bar.step();
            }
        }
    }
    // The two that share an archive are counted together.
    for (number, place) in places.iter().enumerate().filter(|(_, place)| place.old > 0) {
        let apart = (
            seen[0][number].to_be_found + seen[1][number].to_be_found,
            seen[0][number].perhaps_found + seen[1][number].perhaps_found,
        );
        let together = (seen[2][number].to_be_found, seen[2][number].perhaps_found);
        check_between(kept(servers, place, System::SqlStore), apart, place);
        check_between(kept(servers, place, System::OneTable), together, place);
    }
    let of_system = |(which, of_each): (&System, Vec<Seen>)| {
        let first = of_each.first().map(|seen| seen.medians.clone()).unwrap_or_default();
        let beside = |(place, seen): (&Place, Seen)| seen.conclude(*which, place.old, &first);
        places.iter().zip(of_each).map(beside).collect::<Vec<_>>()
    };
    System::ALL.iter().zip(seen).flat_map(of_system).collect()
}

async fn measure_once(plan: &Plan, subject: &Subject, seen: &mut Seen) {
    let endings = Endings::begin(subject, plan.users, plan.endings);
    let warm_up = update(subject, plan.users, plan.updates, plan.warm_up).await;
    let before = endings.progress();
    let updated = update(subject, plan.users, plan.updates, plan.window).await;
    let after = endings.progress();
    seen.ended += (after.ended - before.ended) as f64;
    seen.kept += (after.kept - before.kept) as f64;
    seen.seconds += (after.at - before.at).as_secs_f64();
    let ended = endings.stop().await;
    seen.to_be_found += ended.ended;
    seen.perhaps_found += ended.failed;
    seen.failed += ended.failed;
    seen.failures.extend(ended.last_failure);
    seen.failures.extend(warm_up.failures);
    seen.medians.push(median(&updated.millis).unwrap_or_else(|| panic!("no update was made: {:?}", updated.failures)));
    seen.updated.add(updated);
}

/// What is in the archive is what has ended, each once.
fn check_kept(servers: &Servers, place: &Place, which: System, seen: &mut Seen) {
    let expected = (std::mem::take(&mut seen.to_be_found), std::mem::take(&mut seen.perhaps_found));
    check_between(kept(servers, place, which), expected, place);
}

fn check_between(found: u64, (surely, perhaps): (u64, u64), place: &Place) {
    let expected = place.old + surely..=place.old + surely + perhaps;
    assert!(expected.contains(&found), "{found} are kept, of {expected:?}");
}

fn kept(servers: &Servers, place: &Place, which: System) -> u64 {
    let counted = match which {
        System::SqlStore | System::RedisStore => "SELECT count(*) FROM thin_archive",
        System::OneTable => "SELECT count(*) FROM one_table WHERE status <> 'active'",
    };
    servers.command(&place.url, counted).parse().expect("a number")
}

/// So that what is empty does not fill while it is measured.
fn empty(servers: &Servers, place: &Place, which: System) {
    match which {
        System::SqlStore | System::RedisStore => drop(servers.command(&place.url, "TRUNCATE thin_archive")),
        System::OneTable => {
            servers.command(&place.url, "DELETE FROM one_table WHERE status <> 'active'");
            servers.command(&place.url, "VACUUM one_table");
        }
    }
}

impl Seen {
    fn conclude(self, system: System, old: u64, first: &[f64]) -> Beside {
        let ratios: Vec<_> = self.medians.iter().zip(first).map(|(own, first)| own / first).collect();
        let mut failures = self.failures;
        failures.extend(self.updated.failures.iter().cloned());
        Beside {
            system,
            old,
            latency: Latency::of(&self.updated.millis),
            medians: self.medians,
            ratio: median(&ratios),
            ended_per_second: self.ended / self.seconds,
            kept_per_second: self.kept / self.seconds,
            failed_updates: self.updated.failures.len(),
            failed_endings: self.failed,
            failures,
        }
    }
}
