//! Histories that show what the checker knows.

use super::checker::{Verdict, check};
use super::op::{Act, Name, Op, Tokens, Told};

/// An operation of the client of this number, between two moments.
fn op(client: u8, act: Act, name: Option<Name>, asked: u32, answered: u32, told: Told) -> Op {
    let answered = if told.is_open() { u32::MAX } else { answered };
    Op { client, act, name, asked, told, answered }
}

fn tokens(of: &[u8]) -> Tokens {
    Tokens::of(of).expect("they are tokens")
}

fn done(seen: &[u8], signed_in: bool) -> Told {
    Told::Done { seen: tokens(seen), signed_in }
}

fn began(seen: &[u8]) -> Told {
    Told::Began { seen: tokens(seen) }
}

fn ended() -> Told {
    Told::Ended { seen: None }
}

/// One begins an anonymous session, at the moments 1 and 2.
fn begun() -> Op {
    op(0, Act::Update(1), None, 1, 2, began(&[1]))
}

#[track_caller]
fn is_fine(history: &[Op]) {
    assert_eq!(check(history), Verdict::Fine);
}

#[track_caller]
fn is_broken(history: &[Op]) {
    assert!(matches!(check(history), Verdict::Broken(_)), "the checker found an order");
}

#[test]
fn tokens_are_told_in_the_order_in_which_they_came() {
    assert_eq!(format!("{:?}", tokens(&[3, 1, 31])), "[3, 1, 31]");
    assert_eq!(Tokens::of(&[32]), None);
    assert_eq!(Tokens::of(&[0]), None);
    assert_eq!(Tokens::of(&[1; 26]), None);
}

#[test]
fn updates_at_once_come_in_either_order_and_neither_is_lost() {
    for (first, second) in [(vec![1, 2], vec![1, 2, 3]), (vec![1, 3, 2], vec![1, 3])] {
        is_fine(&[
            begun(),
            op(1, Act::Update(2), Some(0), 3, 5, done(&first, false)),
            op(2, Act::Update(3), Some(0), 4, 6, done(&second, false)),
        ]);
    }
    is_broken(&[
        begun(),
        op(1, Act::Update(2), Some(0), 3, 5, done(&[1, 2], false)),
        op(2, Act::Update(3), Some(0), 4, 6, done(&[1, 3], false)),
    ]);
}

#[test]
fn what_was_told_before_it_was_asked_was_done_before() {
    let before = op(1, Act::Update(2), Some(0), 3, 4, done(&[1, 2], false));
    is_fine(&[begun(), before.clone(), op(2, Act::Read, Some(0), 5, 6, done(&[1, 2], false))]);
    is_broken(&[begun(), before, op(2, Act::Read, Some(0), 5, 6, done(&[1], false))]);
}

#[test]
fn what_is_open_happens_at_any_time_or_never_but_not_twice() {
    let open = op(1, Act::Update(2), Some(0), 3, 0, Told::Unknown);
    for (one, other) in [(vec![1], vec![1]), (vec![1], vec![1, 2]), (vec![1, 2], vec![1, 2])] {
        is_fine(&[
            begun(),
            open.clone(),
            op(2, Act::Read, Some(0), 4, 5, done(&one, false)),
            op(2, Act::Read, Some(0), 6, 7, done(&other, false)),
        ]);
    }
    is_broken(&[begun(), open.clone(), op(2, Act::Read, Some(0), 4, 5, done(&[1, 2, 2], false))]);
    is_broken(&[
        begun(),
        open,
        op(2, Act::Read, Some(0), 4, 5, done(&[1, 2], false)),
        op(2, Act::Read, Some(0), 6, 7, done(&[1], false)),
    ]);
}

#[test]
fn what_was_not_applied_is_not_there() {
    let refused = op(1, Act::Update(2), Some(0), 3, 4, Told::NotApplied);
    is_fine(&[begun(), refused.clone(), op(2, Act::Read, Some(0), 5, 6, done(&[1], false))]);
    is_broken(&[begun(), refused, op(2, Act::Read, Some(0), 5, 6, done(&[1, 2], false))]);
}

#[test]
fn nothing_comes_after_the_end() {
    let end = op(1, Act::SignOut, Some(0), 3, 4, done(&[], false));
    is_fine(&[begun(), end.clone(), op(2, Act::Update(2), Some(0), 5, 6, ended())]);
    is_fine(&[begun(), end.clone(), op(2, Act::Read, Some(0), 5, 6, done(&[], false))]);
    is_broken(&[begun(), end.clone(), op(2, Act::Update(2), Some(0), 5, 6, done(&[1, 2], false))]);
    is_broken(&[begun(), end.clone(), op(2, Act::Update(2), Some(0), 5, 6, began(&[2]))]);
    is_broken(&[begun(), end, op(2, Act::Read, Some(0), 5, 6, done(&[1], false))]);
    is_broken(&[begun(), op(2, Act::Update(2), Some(0), 5, 6, ended())]);
}

#[test]
fn signing_in_moves_the_session_and_two_clicks_are_one() {
    let click = op(1, Act::SignIn(1), Some(0), 3, 4, began(&[]));
    let again = op(1, Act::SignIn(1), Some(0), 5, 6, began(&[]));
    let read = |name, at, seen: &[u8], who| op(2, Act::Read, Some(name), at, at + 1, done(seen, who));
    is_fine(&[begun(), click.clone(), again.clone(), read(1, 7, &[1], true), read(2, 9, &[1], true)]);
    is_fine(&[begun(), click.clone(), again.clone(), read(0, 7, &[], false)]);
    is_broken(&[begun(), click.clone(), again.clone(), read(0, 7, &[1], false)]);
    is_broken(&[begun(), click.clone(), again, read(2, 7, &[], true)]);
    is_broken(&[begun(), click, read(1, 7, &[], true)]);
}

#[test]
fn all_end_but_those_that_are_admitted_later() {
    let sign_in = |client, at| op(client, Act::SignIn(1), None, at, at + 1, began(&[]));
    let end_all = |at, told| op(3, Act::EndAll(1), None, at, told, done(&[], false));
    let read = |name, at, who| op(2, Act::Read, Some(name), at, at + 1, done(&[], who));
    is_fine(&[sign_in(1, 1), end_all(3, 4), read(0, 5, false)]);
    is_broken(&[sign_in(1, 1), end_all(3, 4), read(0, 5, true)]);
    is_fine(&[end_all(1, 2), sign_in(1, 3), read(1, 5, true)]);
    // Under way at once, it may be either; but what was seen of others says which.
    for lives in [true, false] {
        is_fine(&[sign_in(1, 1), end_all(3, 9), sign_in(2, 4), read(2, 11, lives)]);
    }
    let before = |lives| [sign_in(1, 1), end_all(3, 11), sign_in(2, 4), read(0, 6, true), read(2, 13, lives)];
    is_fine(&before(false));
    is_broken(&before(true));
    let after = |lives| [sign_in(1, 1), end_all(3, 11), read(0, 4, false), sign_in(2, 6), read(3, 13, lives)];
    is_fine(&after(true));
    is_broken(&after(false));
}

/// Whose answer is lost is sent again, and ends what has come since.
#[test]
fn end_all_that_was_sent_twice_may_end_twice() {
    let sign_in = |client, at| op(client, Act::SignIn(1), None, at, at + 1, began(&[]));
    let end_all = op(3, Act::EndAll(2), None, 3, 11, done(&[], false));
    let read = |name, at| op(2, Act::Read, Some(name), at, at + 1, done(&[], false));
    is_fine(&[sign_in(1, 1), end_all, read(0, 4), sign_in(2, 6), read(3, 13)]);
}

#[test]
fn a_user_session_is_completed_as_it_was_seen_and_once() {
    let sign_in = op(1, Act::SignIn(1), None, 1, 2, began(&[]));
    let update = |token, at, seen: &[u8]| op(1, Act::JobUpdate(token), Some(0), at, at + 1, done(seen, true));
    let complete = |at, told| op(2, Act::JobComplete, Some(0), at, at + 1, told);
    let history = |at, all: &[&[u8]]| {
        op(3, Act::History, None, at, at + 1, Told::Completed(all.iter().map(|of| tokens(of)).collect()))
    };
    let begun = [sign_in, update(2, 3, &[2])];
    let and = |more: &[Op]| [&begun[..], more].concat();
    is_fine(&and(&[complete(5, done(&[2], true)), history(7, &[&[2]])]));
    is_broken(&and(&[complete(5, done(&[2], true)), history(7, &[])]));
    is_broken(&and(&[complete(5, done(&[2], true)), complete(7, done(&[2], true))]));
    is_fine(&and(&[complete(5, done(&[2], true)), complete(7, ended())]));
    is_fine(&and(&[complete(5, done(&[2], true)), update(4, 7, &[4])]));
    is_broken(&and(&[complete(5, done(&[2], true)), update(4, 7, &[2, 4])]));
    let seen_before = op(2, Act::JobComplete, Some(0), 5, 9, Told::Changed { seen: Some(tokens(&[2])) });
    is_fine(&and(&[seen_before.clone(), update(4, 6, &[2, 4])]));
    is_broken(&and(&[seen_before]));
}

#[test]
fn what_idles_out_is_not_there_and_another_begins() {
    let wait = op(0, Act::Wait, None, 3, 4, done(&[], false));
    is_fine(&[begun(), wait.clone(), op(1, Act::Update(3), Some(0), 5, 6, began(&[3]))]);
    is_broken(&[begun(), wait, op(1, Act::Update(3), Some(0), 5, 6, done(&[1, 3], false))]);
}
