//! The contract of [`thin_session::archive::Archive`], for every archive of this crate: one line each in [`bench`].
//!
//! | page | what it holds |
//! |---|---|
//! | [`bench`] | an archive and its time, to run it on |
//! | [`add`] | what is added, all or none |
//! | [`complete`] | completions, and what they are refused for, in which order |
//! | [`quota`] | what counts, and when the next is possible |
//! | [`settle`] | attempts that come to nothing |
//! | [`history`] | a user's sessions, page by page |
//! | [`filter`] | only some of them |
//! | [`counts`] | how many ended, and when |
//! | [`dead`] | what could not be converted |
//! | [`retention`] | what is kept no longer |

mod add;
mod bench;
mod complete;
mod counts;
mod dead;
mod filter;
mod history;
mod quota;
mod retention;
mod settle;

use bench::ArchiveBench;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use thin_session::UserId;
use thin_session::archive::{Archive, Completion, EndReason, EndedSession, HistoryPage, Quota, Timestamp, WriteId};
use uuid::Uuid;

/// A month of thirty days.
pub(crate) const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// As many as need not be counted.
pub(crate) const ANY: Quota = Quota::rolling(1000, MONTH);

pub(crate) fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

/// The id of the session of this number, a UUIDv7. Those of higher numbers began later.
pub(crate) fn id(number: u64) -> Uuid {
    uuid::Builder::from_unix_timestamp_millis(1_700_000_000_000 + number / 4, &[number.to_be_bytes()[7]; 10])
        .into_uuid()
}

/// Ada's transfer of this number, which was completed.
pub(crate) fn transfer(number: u64) -> EndedSession {
    let [began, ended] = [0, 1000].map(|after| crate::entries::at(1_700_000_000_000 + number / 4 + after));
    let (kind, payload) = ("transfer".to_owned(), format!("{{\"amount\":{number},\"to\":\"Bäcker \\\"'%\"}}"));
    EndedSession {
        id: id(number),
        user: Some(user("ada")),
        kind,
        reason: EndReason::Completed,
        began,
        ended,
        updates: 3,
        payload,
    }
}

/// The write that began a completion.
pub(crate) fn attempt(number: u16) -> WriteId {
    crate::entries::id(number)
}

/// One that nobody else has.
pub(crate) fn own_attempt() -> WriteId {
    static NUMBER: AtomicU16 = AtomicU16::new(1000);
    attempt(NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// That moment by so many milliseconds later or earlier.
fn off(from: Timestamp, by: i64) -> Timestamp {
    crate::entries::at(from.as_millis().checked_add_signed(by).unwrap())
}

/// Completes a session, under an attempt of its own.
async fn complete(bench: &impl ArchiveBench, ended: &EndedSession, quota: Quota) -> Completion {
    bench.archive().complete("", ended, &own_attempt(), quota).await.unwrap()
}

/// All that is there of a user in a layer.
async fn all_of(bench: &impl ArchiveBench, layer: &'static str, user: &UserId) -> Vec<EndedSession> {
    bench.archive().history(layer, user, &HistoryPage::of(10_000)).await.unwrap()
}
