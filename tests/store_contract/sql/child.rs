//! A writer in a process of its own: this program once more, running only [`child`]. What it was answered is there after it
//! was killed.

use super::{File, key_of};
use crate::entries::{KEPT, id, live};
use std::io::Write as _;
use std::path::Path;
use std::{env, fs};
use testbed::{Process, wait_until};
use thin_session::SqlStore;
use thin_session::store::{Outcome, Store};
use tokio::task::JoinSet;

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

/// Not a test by itself: creates and commits for as long as it lives.
#[tokio::test]
async fn child() {
    let Ok(told) = env::var(CHILD) else { return };
    let parts: Vec<_> = told.lines().collect();
    let [database, notes, first] = parts[..] else { panic!("it is told three things") };
    let store = SqlStore::sqlite(database).await.unwrap();
    let mut notes = fs::File::options().append(true).create(true).open(notes).unwrap();
    for number in first.parse::<u32>().unwrap().. {
        let key = key_of(number);
        // Others may be in the way for too long; what was not answered is not noted.
        if matches!(store.create(&key, &live(1), KEPT).await, Ok(Outcome::Applied))
            && matches!(store.commit(&key, id(1), &live(2), KEPT).await, Ok(Outcome::Applied))
        {
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
