//! User sessions and the outbox.
//!
//! | page | what it holds |
//! |---|---|
//! | [`load`] | two entries at once |
//! | [`refusals`] | what a replacement is refused for, in which order, and that it then changes nothing |
//! | [`replace`] | what a replacement does |
//! | [`races`] | replacements that meet each other, and the end of the session that asks |
//! | [`renew`] | activity |
//! | [`outbox`] | what has ended, until the archive has it |
//! | [`due`] | when it is time to look at one |

pub(super) mod due;
pub(super) mod load;
pub(super) mod outbox;
pub(super) mod races;
pub(super) mod refusals;
pub(super) mod renew;
pub(super) mod replace;

use crate::store::{
    Entry, Key, LastingStore, Outcome, Outgoing, Owner, Replaced, Replacement, Standing, Timestamp, WriteId,
};
use crate::testing;
use crate::testing::conformance::Bench;
use crate::testing::conformance::entries::{KEPT, Parts, at, live, parts};
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

const ADA: u8 = 0xad;
const HOUR: u64 = 3_600_000;
const DAY: Duration = Duration::from_secs(86_400);

/// About when the tests began, in milliseconds.
static BASE: LazyLock<u64> =
    LazyLock::new(|| u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap());

/// An entry by its number, whose deadline is long after any test. It was touched when the tests began.
fn of(number: u16) -> Parts {
    Parts { touched: *BASE, ..parts(number) }.with_deadline(at(*BASE + 10 * HOUR))
}

fn entry(number: u16) -> Entry {
    of(number).entry()
}

fn id(number: u16) -> WriteId {
    entry(number).write_id()
}

/// What goes out, by its number. Its content holds bytes that text would not.
fn outgoing(number: u8) -> Outgoing {
    Outgoing { id: Uuid::from_bytes([number; 16]), sealed: [b"\0\r\n\xff'%\"\\"[..].into(), vec![number; 40]].concat() }
}

/// Where a user has transfers, and the browser's session from which they are asked for.
#[derive(Clone)]
struct Transfers<S> {
    store: S,
    owner: Owner,
    key: Key,
    session: Key,
}

/// All that can be seen of them.
#[derive(Debug, PartialEq)]
struct Sight {
    found: [Option<Entry>; 2],
    outbox: Vec<(Uuid, Vec<u8>)>,
}

impl<S: LastingStore + Clone> Transfers<S> {
    /// Ada's, whose browser's session lives.
    async fn of_ada(bench: &impl Bench<Store = S>) -> Self {
        Self::of(bench, testing::owner("", [ADA; 16])).await
    }

    /// The same of one of many users.
    async fn of_user(bench: &impl Bench<Store = S>, number: u8) -> Self {
        Self::of(bench, testing::owner("", [number; 16])).await
    }

    async fn of(bench: &impl Bench<Store = S>, owner: Owner) -> Self {
        let (store, key) = (bench.store().clone(), testing::user_session_key(&owner, "transfer"));
        assert_eq!(key.shard(), owner.shard());
        let session = testing::member(&owner, *owner.user().as_bytes(), [9; 16]).key;
        assert_eq!(store.create(&session, &live(900), KEPT).await.unwrap(), Outcome::Applied);
        Self { store, owner, key, session }
    }

    /// Sees to it that the browser's session lives, where time has passed for it too.
    async fn lives_on(&self) {
        let _ = self.store.create(&self.session, &live(900), KEPT).await.unwrap();
    }

    /// Puts an entry there as it is, with the time of its last touch.
    async fn has(&self, entry: &Entry) {
        assert_eq!(self.store.create(&self.key, entry, KEPT).await.unwrap(), Outcome::Applied);
    }

    /// Asks from the browser to put this entry where none is, or what the test changes of that.
    async fn asks<'a>(&self, entry: &'a Entry, change: impl FnOnce(&mut Replacement<'a>)) -> Replaced {
        let (asked_by, standing) = (Some(self.session), Standing::Any);
        let (expected, outgoing, look_in) = (None, None, None);
        let mut replacement = Replacement { asked_by, expected, standing, entry, keep_for: KEPT, outgoing, look_in };
        change(&mut replacement);
        self.store.replace(&self.key, &replacement).await.unwrap()
    }

    async fn loads(&self) -> Option<Entry> {
        self.store.load(&self.key).await.unwrap()
    }

    /// Asserts that this entry is there but for the time of its last touch, and answers that.
    async fn shows(&self, entry: &Entry) -> Timestamp {
        let there = self.loads().await.expect("something is there");
        let mut expected = entry.clone();
        expected.touch(there.touched());
        assert_eq!(there, expected);
        there.touched()
    }

    /// What is in the outbox of the shard, by id.
    async fn waiting(&self) -> Vec<(Uuid, Vec<u8>)> {
        let waiting = self.store.outbox(self.owner.realm(), self.owner.shard(), 1000).await.unwrap();
        let mut waiting: Vec<_> = waiting.into_iter().map(|outgoing| (outgoing.id, outgoing.sealed)).collect();
        waiting.sort_unstable();
        waiting
    }

    async fn sight(&self) -> Sight {
        let found = self.store.load_both(&self.session, &self.key).await.unwrap();
        Sight { found, outbox: self.waiting().await }
    }
}
