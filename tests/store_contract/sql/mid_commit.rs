//! A Postgres that falls while a commit is under way.

use super::key_of;
use crate::bench::{PATIENCE, postgres};
use crate::entries::{KEPT, id, live};
use testbed::{PostgresServer, wait_until};
use thin_session::store::{Outcome, Store};

/// What happens to Postgres, or to the process in it that commits.
#[derive(Clone, Copy, Debug)]
enum Fall {
    BackendKilled,
    AllKilled,
    ShutDownAtOnce,
}

/// The commit is in the log and waits for a replica that never comes: it is done, and nobody was told. What is sent again finds
/// itself, so that it is applied once.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_in_mid_commit_is_unknown_and_applied_once() {
    let mut server = tokio::task::block_in_place(PostgresServer::start);
    let url = server.database();
    let store = postgres(&url).await.with_timeout(PATIENCE);
    for (number, fall) in (0..).zip([Fall::BackendKilled, Fall::AllKilled, Fall::ShutDownAtOnce]) {
        let key = key_of(number);
        assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied, "{fall:?}");
        tokio::task::block_in_place(|| {
            server.command(&url, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
            server.command(&url, "SELECT pg_reload_conf()");
        });
        let commit = tokio::spawn({
            let store = store.clone();
            async move { store.commit(&key, id(1), &live(2), KEPT).await }
        });
        tokio::task::block_in_place(|| {
            let waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
            let mut found = String::new();
            wait_until("the commit to wait", || {
                found = server.command(&url, waiting);
                !found.is_empty()
            });
            server.command(&url, "ALTER SYSTEM RESET synchronous_standby_names");
            match fall {
                Fall::BackendKilled => server.kill_backend(found.parse().expect("one commits")),
                Fall::AllKilled => server.kill(),
                Fall::ShutDownAtOnce => server.stop_immediately(),
            }
        });
        let error = commit.await.unwrap().expect_err("nobody was told");
        assert!(error.maybe_applied(), "{fall:?}: {error:?}");
        tokio::task::block_in_place(|| match fall {
            Fall::BackendKilled => {
                server.wait_until_up();
                server.command(&url, "SELECT pg_reload_conf()");
            }
            Fall::AllKilled | Fall::ShutDownAtOnce => server.restart(),
        });
        assert_eq!(store.load(&key).await.unwrap(), Some(live(2)), "{fall:?}");
        let again = store.commit(&key, id(1), &live(2), KEPT).await.unwrap();
        assert_eq!(again, Outcome::Found(live(2)), "{fall:?}");
        assert_eq!(store.commit(&key, id(2), &live(3), KEPT).await.unwrap(), Outcome::Applied, "{fall:?}");
    }
}
