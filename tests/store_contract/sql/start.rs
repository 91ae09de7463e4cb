//! Several who start at once, and what errors say.

use super::{File, psql, server};
use crate::entries::{KEPT, key, live};
use std::sync::Arc;
use thin_session::SqlStore;
use thin_session::store::{Outcome, Store};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_start_at_once_on_an_empty_file_each_gets_a_store() {
    let file = File::new();
    let mut starts = JoinSet::new();
    let gate = Arc::new(Barrier::new(8));
    for number in 0..8 {
        let (path, gate) = (file.path(), gate.clone());
        starts.spawn(async move {
            gate.wait().await;
            let store = SqlStore::sqlite(path).await.unwrap();
            assert_eq!(store.create(&key(number), &live(1), KEPT).await.unwrap(), Outcome::Applied);
        });
    }
    starts.join_all().await;
    let store = file.open().await;
    for number in 0..8 {
        assert_eq!(store.load(&key(number)).await.unwrap(), Some(live(1)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_start_at_once_on_an_empty_database_each_gets_a_store() {
    let url = tokio::task::block_in_place(|| server().database());
    let mut starts = JoinSet::new();
    for number in 0..8 {
        let url = url.clone();
        starts.spawn(async move {
            let store = crate::bench::postgres(&url).await;
            assert_eq!(store.create(&key(number), &live(1), KEPT).await.unwrap(), Outcome::Applied);
        });
    }
    starts.join_all().await;
    let versions = psql(&url, "SELECT version FROM thin_schema");
    assert_eq!(versions, "1");
}

/// Whoever starts later needs no right to create tables.
#[tokio::test(flavor = "multi_thread")]
async fn where_the_tables_are_nothing_is_created() {
    let (_, url) = super::shared().await;
    let user = format!("reader_{}", url.rsplit('_').next().unwrap());
    psql(&url, &format!("CREATE ROLE {user} LOGIN"));
    psql(&url, "REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    psql(&url, &format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}"));
    let store = crate::bench::postgres(&url.replace("postgres@", &format!("{user}@"))).await;
    assert_eq!(store.create(&key(1), &live(1), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(super::admit(&store, 1).await.unwrap(), thin_session::store::Admitted::Admitted);
    assert!(store.end_all(&super::owner(), &super::end_of_all()).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_error_tells_the_password() {
    let port = testbed::free_port();
    let there = server().addr().port();
    for url in [
        format!("postgres://app:correct-horse@127.0.0.1:{port}/db"),
        format!("postgres://app:correct-horse@127.0.0.1:{there}/db"),
        "postgres://app:correct-horse@127.0.0.1:x/db".to_owned(),
        "postgres://app:correct-horse@[::/db".to_owned(),
        "postgres://app:correct-horse@127.0.0.1/db?sslmode=correct-horse".to_owned(),
        "correct-horse".to_owned(),
    ] {
        let error = SqlStore::postgres(&url).await.unwrap_err();
        assert!(!error.maybe_applied());
        let mut told = format!("{error:?} {error}");
        let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(&error);
        while let Some(error) = cause {
            told += &format!(" {error} {error:?}");
            cause = error.source();
        }
        assert!(!told.contains("correct"), "{told}");
    }
    let (_, url) = super::shared().await;
    let store = crate::bench::postgres(&url.replace("postgres@", "postgres:correct-horse@")).await;
    assert!(!format!("{store:?}").contains("correct"), "{store:?}");
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let file = File::new();
    std::fs::write(file.path(), [b'x'; 4096]).unwrap();
    assert!(SqlStore::sqlite(file.path()).await.is_err());
    assert!(SqlStore::sqlite(file.folder.path().join("no/such/folder")).await.is_err());
}
