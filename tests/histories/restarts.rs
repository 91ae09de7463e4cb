//! Histories on a Postgres one of whose processes is killed, or that is shut down at once, while requests are in the middle of their
//! commits.

use super::troubles::{through, wait};
use super::{count, threads};
use testbed::PostgresServer;
use thin_session::SqlStore;

/// A backend that is killed takes all others with it, and Postgres starts over with what was committed.
#[test]
fn on_a_postgres_that_falls_in_mid_commit_every_history_has_an_order() {
    let (server, times) = (PostgresServer::start(), count(1, 100));
    let store = threads().block_on(SqlStore::postgres(&server.database())).expect("Postgres is up");
    let server = through("Postgres, a backend killed", times, store.clone(), server, |server| {
        wait(300..900);
        let victim = loop {
            match server.backends().first() {
                Some(backend) => break *backend,
                None => wait(1..10),
            }
        };
        server.kill_backend(victim);
        wait(1..100);
        server.wait_until_up();
    });
    let _ = through("Postgres, shut down at once", times, store, server, |server| {
        wait(300..900);
        server.stop_immediately();
        server.restart();
    });
}
