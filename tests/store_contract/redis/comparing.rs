//! A commit by one command, where the server has one that compares; the script elsewhere. Both come to the same.

use super::Wired;
use crate::entries::{KEPT, at, id, key, live};
use crate::markers::ended;
use testbed::Reply;
use thin_session::store::{Outcome, Store};

impl Wired {
    /// Whether the server can be asked, in words of its own.
    fn can_compare(&self) -> bool {
        self.server.command(&[b"SET", b"compared", b"new", b"IFEQ", b"old", b"GET"]) == Reply::Nil
    }
}

#[tokio::test]
async fn a_commit_over_a_whole_entry_is_one_request() {
    let wired = Wired::start().await;
    wired.create(&key(0)).await;
    assert_eq!(wired.store.commit_over(&key(0), &live(1), &live(2), KEPT).await.unwrap(), Outcome::Applied);
    let commands = wired.proxy.commands();
    // Where the script is not known yet it is sent.
    let expected: &[&str] = if wired.can_compare() { &["SET"] } else { &["EVALSHA"] };
    assert_eq!(commands, expected);
    assert_eq!(wired.store.load(&key(0)).await.unwrap(), Some(live(2)));
}

#[tokio::test]
async fn what_is_not_the_entry_stays() {
    let wired = Wired::start().await;
    let store = &wired.store;
    assert_eq!(store.commit_over(&key(0), &live(1), &live(2), KEPT).await.unwrap(), Outcome::Absent);
    assert_eq!(store.load(&key(0)).await.unwrap(), None, "a commit never creates");
    wired.create(&key(0)).await;
    assert_eq!(store.commit_over(&key(0), &live(9), &live(2), KEPT).await.unwrap(), Outcome::Found(live(1)));
    let marker = ended();
    assert_eq!(store.end(&key(0), Some(id(1)), marker).await.unwrap(), Outcome::Applied);
    let there = Outcome::Found(live(1).ended(marker));
    assert_eq!(store.commit_over(&key(0), &live(1), &live(2), KEPT).await.unwrap(), there);
}

#[tokio::test]
async fn over_an_entry_that_was_touched_meanwhile_it_is_applied_or_finds_that() {
    let wired = Wired::start().await;
    let (store, before) = (&wired.store, live(1));
    wired.create(&key(0)).await;
    let mut touched = before.clone();
    touched.touch(at(7));
    assert!(store.touch(&key(0), before.touched(), at(7), KEPT).await.unwrap());
    let outcome = store.commit_over(&key(0), &before, &live(2), KEPT).await.unwrap();
    if wired.can_compare() {
        assert_eq!(outcome, Outcome::Found(touched.clone()));
        assert_eq!(store.commit_over(&key(0), &touched, &live(2), KEPT).await.unwrap(), Outcome::Applied);
    } else {
        assert_eq!(outcome, Outcome::Applied);
    }
    assert_eq!(store.load(&key(0)).await.unwrap(), Some(live(2)));
}
