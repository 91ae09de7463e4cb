//! A writer in a process of its own: this program once more, running only [`child`]. What it was answered is there after it
//! was killed.

use super::{File, key_of};
use crate::archive;
use crate::entries::{KEPT, id, live};
use std::io::Write as _;
use std::path::Path;
use std::{env, fs};
use testbed::{Process, wait_until};
use thin_session::archive::{Archive, Completion, EndedSession};
use thin_session::store::{Answer, Key, LastingStore, Outcome, Replaced, Replacement, Standing, Store};
use thin_session::{SqlStore, testing};
use tokio::task::JoinSet;
use uuid::Uuid;

const CHILD: &str = "THIN_SESSION_SQL_CHILD";

/// Starts a child that writes to the file, and notes what was answered.
fn start(database: &Path, notes: &Path, first: u32) -> Process {
    let told = format!("{}\n{}\n{first}", database.display(), notes.display());
    let program = env::current_exe().expect("this program has a path");
    let args = ["--exact", "sql::child::child", "--nocapture"].map(str::to_owned);
    let output = tempfile::tempfile().expect("a temporary file");
    Process::spawn_with(program.to_str().expect("it is text"), &args, &[(CHILD, &told)], output)
}

/// The numbers that were noted, up to the last whole line.
fn noted(notes: &Path) -> Vec<u32> {
    let text = fs::read_to_string(notes).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| line.parse().expect("a number")).collect()
}

/// Where the user of this number has transfers.
fn transfers(number: u32) -> Key {
    let [a, b, c, d] = number.to_be_bytes();
    testing::user_session_key(&testing::owner("", std::array::from_fn(|i| [a, b, c, d][i % 4])), "transfer")
}

/// A transfer of this number, which is its alone.
fn transfer(number: u32) -> EndedSession {
    EndedSession { id: Uuid::from_u128(number.into()), ..archive::transfer(number.into()) }
}

/// All of what a writer does with a number: a session, a user session that is begun and changed from there, a completion.
async fn writes(store: &SqlStore, number: u32) -> Answer<()> {
    let (key, transfers) = (key_of(number), transfers(number));
    let mut expected = None;
    let _: Outcome = store.create(&key, &live(1), KEPT).await?;
    let _: Outcome = store.commit(&key, id(1), &live(2), KEPT).await?;
    for entry in [live(3), live(4)] {
        let (asked_by, standing, outgoing) = (Some(key), Standing::Any, None);
        let replacement =
            Replacement { asked_by, expected, standing, entry: &entry, keep_for: KEPT, outgoing, look_in: None };
        let _: Replaced = store.replace(&transfers, &replacement).await?;
        expected = Some(entry.write_id());
    }
    let _: Completion = store.complete("", &transfer(number), &archive::attempt(1), archive::ANY).await?;
    Ok(())
}

/// Not a test by itself: writes for as long as it lives.
#[tokio::test]
async fn child() {
    let Ok(told) = env::var(CHILD) else { return };
    let parts: Vec<_> = told.lines().collect();
    let [database, notes, first] = parts[..] else { panic!("it is told three things") };
    let store = SqlStore::sqlite(database).await.unwrap();
    let mut notes = fs::File::options().append(true).create(true).open(notes).unwrap();
    for number in first.parse::<u32>().unwrap().. {
        // Others may be in the way for too long; what was not answered is not noted.
        if writes(&store, number).await.is_ok() {
            writeln!(notes, "{number}").unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_there_after_a_kill() {
    let file = File::new();
    for round in 0..3 {
        // Two at once: several processes on one file.
        let notes = [0, 1].map(|i| file.folder.path().join(format!("notes-{round}-{i}")));
        let first = |i: u32| 1_000_000 * (2 * round + i);
        let children = [start(&file.path(), &notes[0], first(0)), start(&file.path(), &notes[1], first(1))];
        tokio::task::block_in_place(|| {
            wait_until("both to have written", || notes.iter().all(|notes| noted(notes).len() > 20));
        });
        drop(children);
        let store = file.open().await;
        for number in notes.iter().flat_map(|notes| noted(notes)) {
            assert_eq!(store.load(&key_of(number)).await.unwrap(), Some(live(2)), "{number} of round {round}");
            let changed = store.load(&transfers(number)).await.unwrap().map(|there| there.write_id());
            assert_eq!(changed, Some(id(4)), "{number} of round {round}");
            assert!(store.settle("", &transfer(number), None).await.unwrap(), "{number} of round {round}");
        }
    }
}

/// As two processes would: each store has connections of its own.
#[tokio::test(flavor = "multi_thread")]
async fn of_commits_on_one_base_through_several_stores_one_is_applied() {
    let file = File::new();
    let stores = [file.open().await, file.open().await, file.open().await];
    for round in 0..10 {
        let key = key_of(round);
        assert_eq!(stores[0].create(&key, &live(0), KEPT).await.unwrap(), Outcome::Applied);
        let mut commits = JoinSet::new();
        for (i, store) in (1..).zip(&stores) {
            let store = store.clone();
            commits.spawn(async move { (i, store.commit(&key, id(0), &live(i), KEPT).await.unwrap()) });
        }
        let outcomes = commits.join_all().await;
        let applied: Vec<_> = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Applied).collect();
        let [(winner, _)] = applied[..] else { panic!("applied: {applied:?}") };
        assert_eq!(outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Found(live(*winner))).count(), 2);
    }
}
