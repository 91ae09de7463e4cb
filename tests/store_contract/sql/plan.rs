//! How Postgres carries out what changes with each request: by the name alone, and in the place where the row is.

use super::{key_of, psql, shared};
use crate::entries::{KEPT, TOUCHED, at, id, live};
use thin_session::store::{Outcome, Store};

#[tokio::test(flavor = "multi_thread")]
async fn only_names_have_an_index_where_rows_change() {
    let (_, url) = shared().await;
    let of = |table: &str| psql(&url, &format!("SELECT indexdef FROM pg_indexes WHERE tablename = '{table}'"));
    for (table, columns) in [("thin_session", "(realm, name)"), ("thin_user", "(realm, owner)")] {
        let indexes = of(table);
        assert!(indexes.lines().count() == 1 && indexes.contains(columns), "{indexes}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_is_found_by_its_name() {
    let (store, url) = shared().await;
    for number in 0..200 {
        assert_eq!(store.create(&key_of(number), &live(1), KEPT).await.unwrap(), Outcome::Applied);
    }
    psql(&url, "ANALYZE thin_session");
    let plan = psql(
        &url,
        "EXPLAIN UPDATE thin_session SET entry = 'x', expires = 1 WHERE realm = '' AND name = '\\x00' AND expires > 5 \
         AND substr(entry, 2, 13) = '\\x00'",
    );
    assert!(plan.contains("Index Scan using thin_session_pkey"), "{plan}");
    assert!(plan.contains("Index Cond: ((realm = ''::text) AND (name = "), "{plan}");
    // As it was carried out, whatever was planned.
    for number in 0..200 {
        let key = key_of(number);
        assert_eq!(store.commit(&key, id(1), &live(2), KEPT).await.unwrap(), Outcome::Applied);
        assert_eq!(store.load(&key).await.unwrap(), Some(live(2)));
    }
    // The server counts when a connection has been idle for a moment, or has ended.
    drop(store);
    let counted =
        || psql(&url, "SELECT idx_scan >= 600, seq_scan FROM pg_stat_user_tables WHERE relname = 'thin_session'");
    tokio::task::block_in_place(|| testbed::wait_until("the server to count", || counted().starts_with("t|")));
    // A sweep may choose to look at all rows of a small table.
    let all_rows: u32 = counted()[2..].parse().unwrap();
    assert!(all_rows < 10, "{all_rows} times all rows were looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_stays_on_its_page() {
    let (store, url) = shared().await;
    let key = key_of(1);
    assert_eq!(store.create(&key, &live(0), KEPT).await.unwrap(), Outcome::Applied);
    for number in 0..100 {
        assert_eq!(store.commit(&key, id(number), &live(number + 1), KEPT).await.unwrap(), Outcome::Applied);
        let (seen, now) = (at(TOUCHED), at(TOUCHED + 1));
        assert!(store.touch(&key, seen, now, KEPT).await.unwrap());
    }
    drop(store);
    let counts =
        || psql(&url, "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'thin_session'");
    tokio::task::block_in_place(|| testbed::wait_until("the server to count", || counts().starts_with("200|")));
    // Not always all: while anybody still looks at what was there before, its place is not free.
    let in_place: u32 = counts()[4..].parse().unwrap();
    assert!(in_place >= 180, "{in_place} of 200 were written in place");
}
