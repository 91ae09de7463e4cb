//! The sessions of a user, and the news.
//!
//! | page | what it holds |
//! |---|---|
//! | [`refusals`] | what an admission is refused for, and that it then changes nothing |
//! | [`admission`] | what an admission does |
//! | [`departure`] | what a departure does |
//! | [`members`] | who is named |
//! | [`end_all`] | the end of all sessions of a user |
//! | [`news`] | what is told, and to whom |

pub(super) mod admission;
pub(super) mod departure;
pub(super) mod end_all;
pub(super) mod members;
pub(super) mod news;
pub(super) mod refusals;

use crate::Clock;
use crate::store::{
    Admission, Admitted, Departure, Entry, Epoch, Marker, Member, Owner, Revocation, Revocations, Revoked, Store,
    Sweep, Timestamp, WriteId,
};
use crate::testing;
use crate::testing::conformance::Bench;
use crate::testing::conformance::entries::{KEPT, at, parts};
use crate::testing::conformance::markers::ended;
use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::task::JoinHandle;

const HOUR: u64 = 3_600_000;
const ADA: u8 = 0xad;
const BOB: u8 = 0xb0;

/// About when the tests began, in milliseconds: the time of manual clocks, unless a test moves its own.
static BASE: LazyLock<u64> =
    LazyLock::new(|| u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap());

/// A moment long after any test, but not after an epoch has run out.
fn later() -> Timestamp {
    at(*BASE + 100 * HOUR)
}

/// A session by its number. Those of higher numbers have later deadlines, all of them long after any test.
fn entry(number: u16) -> Entry {
    parts(number).with_deadline(at(*BASE + 10 * HOUR + 60_000 * u64::from(number))).entry()
}

fn id(number: u16) -> WriteId {
    entry(number).write_id()
}

/// A user of a store, whose sessions have numbers.
#[derive(Clone)]
struct User<S> {
    store: S,
    owner: Owner,
}

/// All that can be seen of a user.
#[derive(Debug, PartialEq)]
struct Sight {
    members: Vec<(Member, Entry)>,
    /// What is under the keys of the first twenty numbers.
    records: BTreeMap<u16, Entry>,
    epoch: Epoch,
}

impl<S: Store + Clone> User<S> {
    fn new(bench: &impl Bench<Store = S>, user: u8) -> Self {
        Self::in_realm(bench, "", user)
    }

    fn in_realm(bench: &impl Bench<Store = S>, realm: &'static str, user: u8) -> Self {
        Self { store: bench.store().clone(), owner: testing::owner(realm, [user; 16]) }
    }

    fn member(&self, number: u16) -> Member {
        let [a, b] = number.to_be_bytes();
        let mut id = *self.owner.user().as_bytes();
        id[..2].copy_from_slice(&[a, b]);
        let handle = id.map(|byte| byte ^ 0xff);
        testing::member(&self.owner, id, handle)
    }

    /// What is told when one session has ended.
    fn news(&self, number: u16) -> Revocation {
        testing::revocation(Revoked::Session(self.member(number).handle), later())
    }

    fn departure(&self, number: u16) -> Departure {
        let news = Some(self.news(number));
        Departure { member: self.member(number), expected: None, marker: ended().clone(), news }
    }

    /// Asks to be admitted as by `admission`, but for what the test changes.
    async fn asks(&self, number: u16, change: impl for<'a> FnOnce(&mut Admission<'a>)) -> Admitted {
        self.asks_with(number, None, &[], change).await
    }

    async fn asks_with(
        &self,
        number: u16,
        predecessor: Option<&Departure>,
        evicted: &[Departure],
        change: impl for<'a> FnOnce(&mut Admission<'a>),
    ) -> Admitted {
        let (member, entry) = (self.member(number), entry(number));
        let (epoch, epoch_until) = (Epoch::default(), later());
        let mut admission =
            Admission { member, entry: &entry, keep_for: KEPT, epoch, epoch_until, limit: 1000, predecessor, evicted };
        change(&mut admission);
        self.store.admit(&self.owner, &admission).await.unwrap()
    }

    async fn signs_in(&self, numbers: impl IntoIterator<Item = u16>) {
        for number in numbers {
            assert_eq!(self.asks(number, |_| ()).await, Admitted::Admitted);
        }
    }

    async fn members(&self) -> Vec<(Member, Entry)> {
        self.store.members(&self.owner).await.unwrap()
    }

    /// Asserts who is there, with what was created under their keys.
    async fn has(&self, numbers: impl IntoIterator<Item = u16>) {
        let expected: Vec<_> = numbers.into_iter().map(|number| (self.member(number), entry(number))).collect();
        assert_eq!(self.members().await, expected);
    }

    async fn loads(&self, number: u16) -> Option<Entry> {
        self.store.load(&self.member(number).key).await.unwrap()
    }

    /// Asserts that this marker stands where the session was.
    async fn has_left(&self, number: u16, marker: &Marker) {
        assert_eq!(self.loads(number).await, Some(entry(number).ended(marker)), "session {number}");
    }

    /// The epoch as the store has it: what it answers to one who is too late, and comes in vain at any rate.
    async fn epoch(&self) -> Epoch {
        match self.asks(60_000, |admission| admission.limit = 0).await {
            Admitted::Outdated { epoch, .. } => epoch,
            Admitted::Full => Epoch::default(),
            other => panic!("nobody is admitted to no place: {other:?}"),
        }
    }

    async fn sight(&self) -> Sight {
        let mut records = BTreeMap::new();
        for number in 0..20 {
            records.extend(self.loads(number).await.map(|entry| (number, entry)));
        }
        Sight { members: self.members().await, records, epoch: self.epoch().await }
    }

    fn sweep(&self, except: Option<u16>) -> Sweep {
        let except = except.map(|number| self.member(number).handle);
        Sweep { except, marker: ended().clone(), until: later() }
    }
}

/// Somebody who follows the news until they are dropped.
struct Follower {
    known: Revocations,
    task: JoinHandle<()>,
}

impl Follower {
    fn of(bench: &impl Bench, realm: &'static str) -> Self {
        Self::by(bench, realm, &bench.clock())
    }

    fn by(bench: &impl Bench, realm: &'static str, clock: &Clock) -> Self {
        let (store, known) = (bench.store().clone(), testing::revocations(clock));
        let task = tokio::spawn({
            let known = known.clone();
            async move { store.follow(realm, &known).await }
        });
        Self { known, task }
    }

    /// Waits until all of these are known; others may be.
    async fn hears(&self, news: impl IntoIterator<Item = Revocation>) {
        let news: Vec<_> = news.into_iter().collect();
        until("the news", || {
            let known = self.all();
            news.iter().all(|news| known.contains(news))
        })
        .await;
    }

    fn all(&self) -> HashSet<Revocation> {
        self.known.all().into_iter().collect()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Asserts that these were told so far in the nameless layer about what is in Ada's shard, and nothing else: one who begins
/// to follow now hears them before what is published now.
async fn told(bench: &impl Bench, news: impl IntoIterator<Item = Revocation>) {
    static TIMES: AtomicU64 = AtomicU64::new(1);
    let epoch = Epoch::from_u64(TIMES.fetch_add(1, Ordering::Relaxed));
    let nobody = testing::owner("", std::array::from_fn(|i| if i == 0 { ADA } else { 0xff }));
    let last = testing::revocation(Revoked::User(*nobody.user(), epoch, None), later());
    bench.store().publish("", &last).await.unwrap();
    let follower = Follower::of(bench, "");
    follower.hears([last]).await;
    let mut heard = follower.all();
    heard.retain(|news| !matches!(news.revoked(), Revoked::User(user, ..) if user == *nobody.user()));
    assert_eq!(heard, news.into_iter().collect());
}

/// Looks again and again, for as long as anything is given.
async fn until(what: &str, mut ready: impl FnMut() -> bool) {
    let looks = async {
        while !ready() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(crate::testing::conformance::LIMIT, looks)
        .await
        .unwrap_or_else(|_| panic!("waited for {what}"));
}
