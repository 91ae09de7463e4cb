//! How Postgres carries out a replacement, and that sweeps leave what lasts.

use super::{File, Other, key_of, owner, psql, shared};
use crate::entries::{KEPT, id, live, parts};
use std::time::{Duration, Instant};
use thin_session::store::{
    Entry, Key, LastingStore, Outcome, Outgoing, Replaced, Replacement, Standing, Store, WriteId,
};
use thin_session::{Clock, SqlStore, testing};
use tokio::task::JoinHandle;
use uuid::Uuid;

fn transfers() -> Key {
    testing::user_session_key(&owner(), "transfer")
}

/// What the row of a key goes by, its shard in front.
fn hex(key: &Key) -> String {
    [&[key.shard()][..], key.digest()].concat().iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn replace(store: &SqlStore, expected: Option<WriteId>, entry: &Entry, out: Option<&Outgoing>) -> Replaced {
    let (asked_by, standing) = (Some(key_of(1)), Standing::Lives(Duration::MAX));
    let (keep_for, look_in) = (2 * KEPT, Some(KEPT));
    let replacement = Replacement { asked_by, expected, standing, entry, keep_for, outgoing: out, look_in };
    store.replace(&transfers(), &replacement).await.unwrap()
}

fn lives(number: u16) -> Entry {
    parts(number).with_deadline(super::later()).entry()
}

/// A store with a browser's session, and a user session of number 0.
async fn begun(store: &SqlStore) {
    assert_eq!(store.create(&key_of(1), &live(0), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(replace(store, None, &lives(0), None).await, Replaced::Applied);
}

/// How many connections said this last.
fn said_last(url: &str, words: &str) -> String {
    let question = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE";
    psql(url, &format!("{question} '{words}%'"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_is_one_statement() {
    let (store, url) = shared().await;
    begun(&store).await;
    let out = Outgoing { id: Uuid::from_u128(1), sealed: vec![1] };
    let mut times = Vec::new();
    for number in 0..100 {
        let asked = Instant::now();
        let applied = replace(&store, Some(id(number)), &lives(number + 1), Some(&out)).await;
        times.push(asked.elapsed());
        assert_eq!(applied, Replaced::Applied);
    }
    // Nothing came after it on its connection, nor then before the next.
    assert_eq!(said_last(&url, "WITH asked"), "1");
    assert_eq!(store.outbox("", owner().shard(), 10).await.unwrap(), [out]);
    times.sort_unstable();
    eprintln!("a replacement with what goes out: {:?} in the middle", times[50]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_finds_rows_by_their_names_and_stays_on_its_page() {
    let (store, url) = shared().await;
    begun(&store).await;
    for number in 10..210 {
        assert_eq!(store.create(&key_of(number), &live(1), KEPT).await.unwrap(), Outcome::Applied);
    }
    psql(&url, "ANALYZE thin_session");
    for number in 0..100 {
        assert_eq!(replace(&store, Some(id(number)), &lives(number + 1), None).await, Replaced::Applied);
    }
    // The server counts when a connection has been idle for a moment, or has ended.
    drop(store);
    let counted = || {
        let counts = "n_tup_upd, n_tup_hot_upd, seq_scan, idx_scan >= 400";
        psql(&url, &format!("SELECT {counts} FROM pg_stat_user_tables WHERE relname = 'thin_session'"))
    };
    tokio::task::block_in_place(|| testbed::wait_until("the server to count", || counted().ends_with("|t")));
    let counts: Vec<u32> = counted().split('|').take(3).map(|count| count.parse().unwrap()).collect();
    let [written, in_place, all_rows] = counts[..] else { panic!("{counts:?}") };
    assert_eq!(written, 100);
    // As with commits: while anybody still looks at what was there before, its place is not free.
    assert!(in_place >= 90, "{in_place} of 100 were written in place");
    assert!(all_rows < 10, "{all_rows} times all rows were looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn sweeps_leave_what_lasts() {
    let (store, url) = shared().await;
    let clock = Clock::manual();
    let store = store.with_clock(clock.clone());
    begun(&store).await;
    let out = Outgoing { id: Uuid::from_u128(1), sealed: vec![1] };
    assert_eq!(replace(&store, Some(id(0)), &lives(1), Some(&out)).await, Replaced::Applied);
    clock.advance(KEPT);
    // The browser's session goes, and what was created by use is there.
    super::sweep::used_until(&store, &clock, &url, &["thin_session"], 2).await;
    assert_eq!(store.load(&transfers()).await.unwrap().map(|there| there.write_id()), Some(id(1)));
    clock.advance(2 * KEPT);
    super::sweep::used_until(&store, &clock, &url, &["thin_session"], 1).await;
    assert_eq!(store.outbox("", owner().shard(), 10).await.unwrap(), [out]);
}

/// Waits until so many wait for somebody else to commit.
fn wait(url: &str, how_many: usize) {
    let question = "SELECT count(*) FROM pg_stat_activity \
                    WHERE datname = current_database() AND wait_event_type = 'Lock'";
    tokio::task::block_in_place(|| testbed::wait_until("them to wait", || psql(url, question) == how_many.to_string()));
}

/// A replacement of what was begun, by somebody who may have to wait.
fn replacing(store: &SqlStore) -> JoinHandle<Replaced> {
    let store = store.clone();
    tokio::spawn(async move { replace(&store, Some(id(0)), &lives(1), None).await })
}

/// The statement began before the end was there to be seen, and waited for it.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_is_under_way_comes_first() {
    let (store, url) = shared().await;
    begun(&store).await;
    let end = format!(
        "UPDATE thin_session SET entry = overlay(entry PLACING '\\x01' FROM 2) WHERE name = '\\x{}'",
        hex(&key_of(1))
    );
    let other = Other::says(&url, &end).await;
    let replacing = replacing(&store);
    wait(&url, 1);
    other.commits().await;
    assert_eq!(replacing.await.unwrap(), Replaced::Unasked);
    assert_eq!(store.load(&transfers()).await.unwrap().map(|there| there.write_id()), Some(id(0)));
}

/// The same of another replacement.
#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_that_is_under_way_comes_first() {
    let (store, url) = shared().await;
    begun(&store).await;
    let new = "overlay(entry PLACING '\\x7777' FROM 3)";
    let replaces = format!("UPDATE thin_session SET entry = {new} WHERE name = '\\x{}'", hex(&transfers()));
    let other = Other::says(&url, &replaces).await;
    let replacing = replacing(&store);
    wait(&url, 1);
    other.commits().await;
    let answer = replacing.await.unwrap();
    assert!(matches!(answer, Replaced::Found(_)), "{answer:?}");
}

/// It has seen that the browser's session lives, and waits for another user of the row that it writes.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_waits_for_a_replacement_that_is_under_way() {
    let (store, url) = shared().await;
    begun(&store).await;
    let lock = format!("SELECT 1 FROM thin_session WHERE name = '\\x{}' FOR UPDATE", hex(&transfers()));
    let other = Other::says(&url, &lock).await;
    let replacing = replacing(&store);
    wait(&url, 1);
    let ending = tokio::spawn({
        let store = store.clone();
        async move { store.end(&key_of(1), None, crate::markers::ended()).await.unwrap() }
    });
    wait(&url, 2);
    other.commits().await;
    assert_eq!(ending.await.unwrap(), Outcome::Applied);
    // It was answered, or is about to be: what it wrote is there.
    assert_eq!(store.load(&transfers()).await.unwrap().map(|there| there.write_id()), Some(id(1)));
    assert_eq!(replacing.await.unwrap(), Replaced::Applied);
}

/// As two processes would: each store has connections of its own.
#[tokio::test(flavor = "multi_thread")]
async fn of_replacements_through_several_stores_one_is_applied() {
    let file = File::new();
    let stores = [file.open().await, file.open().await];
    begun(&stores[0]).await;
    for round in 0..20 {
        let new = [lives(2 * round + 1), lives(2 * round + 2)];
        let expected = stores[0].load(&transfers()).await.unwrap().map(|there| there.write_id());
        let both =
            tokio::join!(replace(&stores[0], expected, &new[0], None), replace(&stores[1], expected, &new[1], None));
        let there = stores[0].load(&transfers()).await.unwrap().unwrap();
        match both {
            (Replaced::Applied, Replaced::Found(found)) | (Replaced::Found(found), Replaced::Applied) => {
                assert_eq!(found, there);
            }
            both => panic!("{both:?}"),
        }
    }
}
