//! A Postgres that is frozen, killed, restarted: what is known then, and how soon.

use super::{Other, admit, departure, end_of_all, key_of, member, owner};
use crate::bench::postgres;
use crate::entries::{KEPT, TOUCHED, at, id, live};
use crate::markers::ended;
use std::future::Future;
use std::time::{Duration, Instant};
use testbed::PostgresServer;
use thin_session::SqlStore;
use thin_session::store::{Admitted, Answer, Outcome, Store};

/// What waiting for a connection and for an answer take, and some time for a machine that is busy.
const BOUND: Duration = Duration::from_millis(250 + 500 + 750);

fn blocking<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

/// Asserts that there is an error in time, and answers whether it may have been applied.
async fn fails<T: std::fmt::Debug>(what: &str, answer: impl Future<Output = Answer<T>>) -> bool {
    let began = Instant::now();
    let error = answer.await.expect_err(what);
    assert!(began.elapsed() < BOUND, "{what} took {:?}", began.elapsed());
    error.maybe_applied()
}

async fn works(store: &SqlStore) {
    let give_up = Instant::now() + testbed::LIMIT;
    while let Err(error) = store.load(&key_of(0)).await {
        assert!(Instant::now() < give_up, "{error:?}");
    }
}

/// Waits for the first sweep, which would freeze with the connection that is wanted.
async fn swept() {
    while tokio::runtime::Handle::current().metrics().num_alive_tasks() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_server_is_given_up_on_in_time_and_works_again() {
    let server = blocking(PostgresServer::start);
    let store = postgres(&server.database()).await;
    assert_eq!(store.create(&key_of(1), &live(1), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(admit(&store, 1).await.unwrap(), Admitted::Admitted);
    swept().await;
    blocking(|| server.freeze());
    // It was sent on a connection that was open, and nobody knows whether it was carried out.
    assert!(fails("commit", store.commit(&key_of(1), id(1), &live(2), KEPT)).await);
    // Nobody is let in now.
    assert!(!fails("load", store.load(&key_of(1))).await);
    assert!(!fails("create", store.create(&key_of(2), &live(1), KEPT)).await);
    assert!(!fails("touch", store.touch(&key_of(1), at(TOUCHED), at(TOUCHED + 1), KEPT)).await);
    assert!(!fails("end", store.end(&key_of(1), None, ended())).await);
    assert!(!fails("admit", admit(&store, 2)).await);
    assert!(!fails("depart", store.depart(&owner(), &departure(1))).await);
    assert!(!fails("members", store.members(&owner())).await);
    assert!(!fails("end_all", store.end_all(&owner(), &end_of_all())).await);
    blocking(|| server.thaw());
    works(&store).await;
    let there = store.load(&key_of(1)).await.unwrap().unwrap();
    assert!(there == live(1) || there == live(2), "it was applied or not");
    assert_eq!(store.members(&owner()).await.unwrap().len(), 1);
}

/// In a transaction nothing has happened before it is committed.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_freezes_before_the_commit_has_done_nothing() {
    let server = blocking(PostgresServer::start);
    let store = postgres(&server.database()).await;
    assert_eq!(admit(&store, 1).await.unwrap(), Admitted::Admitted);
    blocking(|| server.freeze());
    assert!(!fails("end_all", store.end_all(&owner(), &end_of_all())).await);
    blocking(|| server.thaw());
    works(&store).await;
    assert!(store.load(&member(1).key).await.unwrap().unwrap().is_live());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_is_noticed_at_once_and_works_again_after_a_restart() {
    let mut server = blocking(PostgresServer::start);
    let store = postgres(&server.database()).await;
    assert_eq!(store.create(&key_of(1), &live(1), KEPT).await.unwrap(), Outcome::Applied);
    blocking(|| server.kill());
    let _either = fails("commit", store.commit(&key_of(1), id(1), &live(2), KEPT)).await;
    for number in 2..10 {
        assert!(!fails("create", store.create(&key_of(number), &live(1), KEPT)).await);
    }
    assert!(!fails("admit", admit(&store, 1)).await);
    blocking(|| server.restart());
    works(&store).await;
    assert_eq!(store.load(&key_of(1)).await.unwrap(), Some(live(1)));
    assert_eq!(admit(&store, 1).await.unwrap(), Admitted::Admitted);
}

/// Somebody else holds the row: the database gives up before we do, and says that nothing was done.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_is_held_is_a_refusal() {
    let (_, url) = super::shared().await;
    let store = postgres(&url).await;
    assert_eq!(store.create(&key_of(1), &live(1), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(admit(&store, 1).await.unwrap(), Admitted::Admitted);
    let rows = "SELECT 1 FROM thin_session FOR UPDATE; SELECT 1 FROM thin_user FOR UPDATE";
    let other = Other::says(&url, rows).await;
    assert!(!fails("commit", store.commit(&key_of(1), id(1), &live(2), KEPT)).await);
    assert!(!fails("depart", store.depart(&owner(), &departure(1))).await);
    other.commits().await;
    assert_eq!(store.load(&key_of(1)).await.unwrap(), Some(live(1)));
    assert_eq!(store.commit(&key_of(1), id(1), &live(2), KEPT).await.unwrap(), Outcome::Applied);
}
