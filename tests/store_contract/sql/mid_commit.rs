//! A Postgres that falls while a commit is under way.

use super::key_of;
use crate::bench::{PATIENCE, postgres};
use crate::entries::{KEPT, id, live};
use std::time::Duration;
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
    for (shard, fall) in (0..).zip([Fall::BackendKilled, Fall::AllKilled, Fall::ShutDownAtOnce]) {
        let key = key_of(shard);
        assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied, "{fall:?}");
        tokio::task::block_in_place(|| {
            server.command(&url, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
            server.command(&url, "SELECT pg_reload_conf()");
        });
        // It takes a moment until the setting counts.
        let commits = tokio::spawn({
            let store = store.clone();
            async move {
                let mut number = 1;
                loop {
                    match store.commit(&key, id(number), &live(number + 1), KEPT).await {
                        Ok(outcome) => assert_eq!(outcome, Outcome::Applied),
                        Err(error) => return (number, error),
                    }
                    number += 1;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
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
        let (number, error) = commits.await.unwrap();
        assert!(error.maybe_applied(), "{fall:?}: {error:?}");
        tokio::task::block_in_place(|| match fall {
            Fall::BackendKilled => {
                server.wait_until_up();
                server.command(&url, "SELECT pg_reload_conf()");
            }
            Fall::AllKilled | Fall::ShutDownAtOnce => server.restart(),
        });
        assert_eq!(store.load(&key).await.unwrap(), Some(live(number + 1)), "{fall:?}");
        let again = store.commit(&key, id(number), &live(number + 1), KEPT).await.unwrap();
        assert_eq!(again, Outcome::Found(live(number + 1)), "{fall:?}");
        let next = store.commit(&key, id(number + 1), &live(number + 2), KEPT).await.unwrap();
        assert_eq!(next, Outcome::Applied, "{fall:?}");
    }
}
