//! What may happen, one after the other.

use proptest::prelude::*;
use std::ops::Range;

pub(super) const BROWSERS: usize = 3;
pub(super) const USERS: usize = 2;

/// Time is counted in these, so that a limit has passed exactly or by far not.
pub(super) const MINUTES: u64 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Ask(Asked),
    /// So many times [`MINUTES`] go by.
    Pass(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) browser: usize,
    /// With the cookie that it had before, as a page that was left open sends it.
    pub(super) with_the_cookie_before: bool,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Read,
    /// Puts something into the session, or begins one.
    Update,
    SignIn(usize),
    SignOut,
    EndAll(usize),
    EndOthers,
    /// Puts something into the user session, or begins one.
    JobUpdate,
    JobComplete,
    History(usize),
}

fn what() -> impl Strategy<Value = What> {
    prop_oneof![
        3 => Just(What::Read),
        6 => Just(What::Update),
        6 => (0..USERS).prop_map(What::SignIn),
        1 => Just(What::SignOut),
        1 => (0..USERS).prop_map(What::EndAll),
        1 => Just(What::EndOthers),
        6 => Just(What::JobUpdate),
        3 => Just(What::JobComplete),
        1 => (0..USERS).prop_map(What::History),
    ]
}

fn asked() -> impl Strategy<Value = Asked> {
    (0..BROWSERS, prop::bool::weighted(0.15), what()).prop_map(|(browser, before, what)| {
        // A second click on "sign in" is a matter of who comes first: other tests have it.
        let with_the_cookie_before = before && !matches!(what, What::SignIn(_));
        Asked { browser, with_the_cookie_before, what }
    })
}

pub(super) fn steps(count: Range<usize>) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        7 => asked().prop_map(Step::Ask),
        1 => prop_oneof![4 => Just(1), 2 => Just(2), 1 => Just(3)].prop_map(Step::Pass),
    ];
    prop::collection::vec(step, count)
}
