//! Many processes on one store, each with a mover: how much of their work is in vain.

use crate::apps::Crew;
use crate::lives::{Life, all};
use crate::places::Place;
use crate::{rounds, until};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use testbed::Http;

const PROCESSES: usize = 8;
const USERS: usize = 100;

/// What all processes have done, by the names of their numbers.
async fn numbers(crew: &Crew) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    for addr in crew.addrs() {
        let told = Http::new(addr).ask("GET", "/numbers", &[]).await.body;
        for (name, number) in told.lines().filter_map(|line| line.rsplit_once(' ')) {
            if let Ok(number) = number.parse::<u64>() {
                *all.entry(name.to_owned()).or_default() += number;
            }
        }
    }
    all
}

/// How often an operation was asked for.
fn calls(numbers: &BTreeMap<String, u64>, operation: &str) -> u64 {
    let named = format!("thin_session_store_calls_total{{operation=\"{operation}\"");
    numbers.iter().filter(|(name, _)| name.starts_with(&named)).map(|(_, calls)| calls).sum()
}

/// Ends so many of each user, and waits until all are archived. Tells what was done for each that has ended, by name.
async fn end(place: &Arc<Place>, crew: &Arc<Crew>, each: usize, while_down: bool) -> BTreeMap<&'static str, f64> {
    let before = numbers(crew).await;
    let archived = place.count().await;
    if while_down {
        place.stop_sql().await;
    }
    all(USERS, |user| {
        let crew = Arc::clone(crew);
        async move {
            let mut life = Life::begin(&crew, &format!("user{user}")).await;
            for _ in 0..each {
                life.fills_in_one_and_completes().await;
            }
        }
    })
    .await;
    let began = Instant::now();
    if while_down {
        place.start_sql().await;
    }
    until("all is archived", async || place.left_to_do().await == 0).await;
    let drained = began.elapsed();
    let (after, ended) = (numbers(crew).await, USERS * each);
    assert_eq!(place.count().await - archived, ended as i64);
    let for_each =
        |number: &dyn Fn(&BTreeMap<String, u64>) -> u64| (number(&after) - number(&before)) as f64 / ended as f64;
    let moved =
        |numbers: &BTreeMap<String, u64>| numbers.get("thin_session_archived_total").copied().unwrap_or_default();
    let mut told: BTreeMap<_, _> = ["outbox", "full_outboxes", "archive", "sent"]
        .map(|operation| (operation, for_each(&|numbers| calls(numbers, operation))))
        .into();
    told.insert("moved", for_each(&moved));
    eprintln!("{ended} ended, while down: {while_down}, drained in {drained:?}: {told:.3?}");
    told
}

/// Each session is moved by one of them, or now and then by two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_movers_on_one_store_do_little_in_vain() {
    let place = Arc::new(tokio::task::block_in_place(Place::redis_and_postgres));
    let crew = Crew::start(&place.site, PROCESSES).await;
    let steady = end(&place, &crew, rounds(2, 20), false).await;
    let backlog = end(&place, &crew, rounds(2, 20), true).await;
    assert!(steady["moved"] < 2.0 && backlog["moved"] < 2.0, "nearly all went to the archive once");
    assert!(steady["full_outboxes"] < 0.1, "who ends one knows where it is");
}
