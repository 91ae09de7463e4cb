//! News between processes, and a database that was emptied.

use super::{File, admit, end_of_all, owner, psql, session, shared};
use std::time::{Duration, Instant};
use testbed::{PostgresServer, wait_until};
use thin_session::store::{Admitted, Revocation, Revocations, Store};
use thin_session::testing::revocations;
use thin_session::{Clock, SqlStore};
use tokio::task::JoinHandle;

/// Somebody who follows, until dropped.
struct Follower {
    known: Revocations,
    task: JoinHandle<()>,
}

impl Follower {
    fn of(store: &SqlStore) -> Self {
        let (store, known) = (store.clone(), revocations(&Clock::system()));
        let follower = known.clone();
        Self { known, task: tokio::spawn(async move { store.follow("", &follower).await }) }
    }

    fn hears(&self, news: &Revocation) {
        tokio::task::block_in_place(|| wait_until("it is heard", || self.known.all().contains(news)));
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Each is heard by a process that did not tell it. Answers how long that took, in the middle.
async fn latency(teller: &SqlStore, follower: &Follower) -> Duration {
    let mut times = Vec::new();
    for number in 1..=20 {
        let told = Instant::now();
        teller.publish("", &session(number)).await.unwrap();
        while !follower.known.all().contains(&session(number)) {
            assert!(told.elapsed() < testbed::LIMIT);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        times.push(told.elapsed());
    }
    times.sort_unstable();
    times[10]
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_on_the_same_file_is_heard() {
    let file = File::new();
    let (one, other) = (file.open().await, file.open().await);
    let follower = Follower::of(&other);
    eprintln!("a file: {:?} in the middle", latency(&one, &follower).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_on_the_same_server_is_heard() {
    let (one, url) = shared().await;
    let follower = Follower::of(&crate::bench::postgres(&url).await);
    eprintln!("a server: {:?} in the middle", latency(&one, &follower).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_emptied_is_told_again_what_is_known() {
    let (store, url) = shared().await;
    let followers = [Follower::of(&store), Follower::of(&store)];
    assert_eq!(admit(&store, 1).await.unwrap(), Admitted::Admitted);
    let swept = store.end_all(&owner(), &end_of_all()).await.unwrap().expect("nobody was to be kept");
    for number in 1..=60 {
        store.publish("", &session(number)).await.unwrap();
    }
    for follower in &followers {
        follower.hears(&swept.news);
        follower.hears(&session(60));
    }
    let tables = "thin_session, thin_member, thin_user, thin_news, thin_mark";
    psql(&url, &format!("TRUNCATE {tables}"));
    let newcomer = Follower::of(&store);
    tokio::task::block_in_place(|| {
        wait_until("it is all there again", || newcomer.known.all().len() == 61);
        wait_until("the epoch is back", || !psql(&url, "SELECT 1 FROM thin_user WHERE epoch > 0").is_empty());
    });
    let late = admit(&store, 2).await.unwrap();
    assert!(matches!(late, Admitted::Outdated { .. }), "{late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_after_a_restart_is_heard() {
    let mut server = tokio::task::block_in_place(PostgresServer::start);
    let url = server.database();
    let follower = Follower::of(&crate::bench::postgres(&url).await);
    let teller = crate::bench::postgres(&url).await;
    teller.publish("", &session(1)).await.unwrap();
    follower.hears(&session(1));
    tokio::task::block_in_place(|| server.restart());
    let give_up = Instant::now() + testbed::LIMIT;
    while let Err(error) = teller.publish("", &session(2)).await {
        assert!(Instant::now() < give_up, "{error:?}");
    }
    follower.hears(&session(2));
}
