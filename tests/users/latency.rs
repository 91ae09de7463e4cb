//! Four processes that follow one Redis: when each of them stops recognising whose session was ended.

use crate::child::{Child, micros};
use crate::site::{Place, Server, VISITOR, id, rounds};
use std::fmt::Write as _;
use std::time::Duration;
use thin_session::UserId;
use tokio::task::JoinSet;

const PROCESSES: usize = 4;
/// Sign-ins under way at once: only so that the many are there sooner.
const AT_ONCE: usize = 32;

/// Signs so many users in. Answers whom, and their visitor cookies.
async fn sign_in(server: &Server, many: usize) -> Vec<(UserId, String)> {
    let mut all = JoinSet::new();
    for part in 0..AT_ONCE {
        let server = server.clone();
        all.spawn(async move {
            let mut some = Vec::new();
            for number in (part..many).step_by(AT_ONCE) {
                let user = format!("user-{number}");
                let browser = server.signed_in(&user).await;
                some.push((id(&user), format!("{VISITOR}={}", browser.cookies[VISITOR])));
            }
            some
        });
    }
    all.join_all().await.concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn four_processes_hear_of_every_ending() {
    let many = rounds(200, 10_000);
    let place = Place::redis();
    let site = place.site().await;
    let (server, redis) = (site.server(), site.redis.clone().expect("it is on Redis"));
    let users = sign_in(&server, many).await;
    let mut children: [Child; PROCESSES] = std::array::from_fn(|_| Child::start(&site, &redis.url()));
    for child in &mut children {
        child.tell(&format!("watch {many}"));
        users.iter().for_each(|(_, cookie)| child.tell(cookie));
    }
    for child in &mut children {
        assert_eq!(child.hear(), "ready");
    }
    let sessions = server.sessions();
    let mut begun = Vec::new();
    for (user, _) in &users {
        let listed = sessions.list(user).await.expect("they can be listed");
        begun.push(micros());
        assert!(sessions.end(user, listed[0].handle()).await.expect("it can be ended"));
    }
    let mut latencies = Vec::new();
    for child in &mut children {
        let heard = child.hear();
        let heard: Vec<u64> = heard.split(' ').map(|micros| micros.parse().expect("a number")).collect();
        assert_eq!(heard.len(), many, "every process hears of every ending");
        latencies.extend(begun.iter().zip(heard).map(|(begun, heard)| Duration::from_micros(heard - begun)));
    }
    latencies.sort_unstable();
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    let table = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0)].map(|(name, share)| (name, at(share)));
    if many >= 10_000 {
        eprintln!("{}", report(many, &table, &latencies));
    }
    assert!(at(0.99) < Duration::from_secs(1), "{table:?}");
    assert!(at(0.5) < Duration::from_millis(50), "{table:?}");
}

/// For the guide: `scripts/revocations`.
fn report(many: usize, table: &[(&str, Duration)], sorted: &[Duration]) -> String {
    let mut text = format!("{many} endings, heard by {PROCESSES} processes\n\n");
    let millis = |time: &Duration| time.as_secs_f64() * 1000.0;
    for (name, time) in table {
        writeln!(text, "{name}  {:>7.1} ms", millis(time)).expect("a text takes everything");
    }
    text.push('\n');
    let mut below = Duration::ZERO;
    for limit in
        [2, 4, 6, 8, 10, 12, 14, 16, 20, 25, 30, 40, 50, 100, 200, 500, 1000, 10_000].map(Duration::from_millis)
    {
        let count = sorted.partition_point(|time| *time < limit) - sorted.partition_point(|time| *time < below);
        if count > 0 {
            let share = count as f64 / sorted.len() as f64;
            let bar = "#".repeat((share * 60.0).ceil() as usize);
            let (from, to) = (below.as_millis(), limit.as_millis());
            writeln!(text, "{from:>4} to {to:>5} ms {count:>7}  {bar}").expect("a text takes everything");
        }
        below = limit;
    }
    text
}
