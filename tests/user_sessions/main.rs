//! Sessions that belong to a user: what each method of `UserSession` says.
//!
//! | page | what it holds |
//! |---|---|
//! | [`life`] | beginning, changing, ending, and the next one |
//! | [`devices`] | two devices of one user, and signing out of one |
//! | [`keeping`] | for how long what has ended is kept |
//! | [`releases`] | two releases at once, and values that cannot be kept |
//! | [`rhythm`] | when what has ended is looked for, and how much is taken at a time |
//! | [`streams`] | after the response has begun |
//! | [`windows`] | idle and absolute limits; visits |
//! | [`lost_keys`] | what cannot be converted on its way there, until it can |
//! | [`moving`] | how those that have ended come into the archive |
//! | [`quotas`] | how many may be completed |
//! | [`wire`] | what it puts on the wire, and in how many round trips |

mod devices;
mod keeping;
mod life;
mod lost_keys;
mod moving;
mod quotas;
mod releases;
mod rhythm;
mod streams;
mod windows;
mod wire;

use serde::{Deserialize, Serialize};
use std::time::Duration;
use thin_session::testing::Browser;
use thin_session::{SessionError, SessionErrorKind, UserId, UserSession, UserSessionData};

/// A transfer of money, step by step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Transfer {
    to: String,
    cents: u64,
    steps: Vec<u32>,
}

impl UserSessionData for Transfer {
    const KIND: &'static str = "transfer";
    const IDLE: Duration = Duration::from_secs(24 * 3600);
    const LIFETIME: Duration = Duration::from_secs(7 * 86_400);
}

/// A visit to the site: pages are counted, and an hour without any begins a new one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Visit {
    pages: u32,
}

impl UserSessionData for Visit {
    const KIND: &'static str = "visit";
}

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

fn ada() -> Browser {
    Browser::new().signed_in(user("ada"))
}

/// Another device of the same user.
fn also_ada(browser: &Browser) -> Browser {
    browser.another().signed_in(user("ada"))
}

async fn step(transfer: &mut UserSession<Transfer>, step: u32) {
    transfer.update(move |transfer| transfer.steps.push(step)).await.unwrap();
}

#[track_caller]
fn is<T>(result: Result<T, SessionError>, kind: &SessionErrorKind) {
    match result {
        Ok(_) => panic!("it is refused with {kind:?}"),
        Err(error) => assert_eq!(error.kind(), kind),
    }
}
