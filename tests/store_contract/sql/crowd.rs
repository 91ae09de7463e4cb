//! All that a few users do at once: nobody waits in a circle, and what is answered holds.

use super::{File, psql, shared};
use crate::entries::{ENDED, KEPT, parts};
use crate::markers::ended;
use rand::RngExt as _;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use thin_session::store::{
    Admission, Admitted, Departure, Entry, Epoch, Key, LastingStore, Member, Outcome, Outgoing, Owner, Replaced,
    Replacement, Standing, Store, Sweep, WriteId,
};
use thin_session::{SqlStore, testing};
use tokio::task::JoinSet;
use uuid::Uuid;

/// A user, and what is known of their sessions.
struct User {
    owner: Owner,
    transfers: Key,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    epoch: Epoch,
    /// That were admitted.
    members: Vec<Member>,
    /// Of these the first so many have ended.
    ended: usize,
    /// On which a replacement was applied.
    replaced: BTreeSet<Option<[u8; 12]>>,
}

static NUMBER: AtomicU16 = AtomicU16::new(1);

fn next() -> u16 {
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

fn entry(number: u16, state: u8) -> Entry {
    parts(number).with_deadline(super::later()).with_state(state).entry()
}

impl User {
    fn new(number: u8) -> Self {
        let owner = testing::owner("", [number; 16]);
        let transfers = testing::user_session_key(&owner, "transfer");
        Self { owner, transfers, known: Mutex::default() }
    }

    fn known<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.known.lock().unwrap())
    }

    /// One of the last that were admitted, and whether it is known to have ended.
    fn any(&self) -> Option<(Member, bool)> {
        self.known(|known| {
            let at = known.members.len().checked_sub(rand::rng().random_range(1..4))?;
            Some((known.members[at], at < known.ended))
        })
    }

    async fn admits(&self, store: &SqlStore) {
        let (number, epoch) = (next(), self.known(|known| known.epoch));
        let [a, b] = number.to_be_bytes();
        let bytes = std::array::from_fn(|i| [a, b, self.owner.shard(), 7][i % 4]);
        let member = testing::member(&self.owner, bytes, bytes);
        let (entry, epoch_until, limit) = (entry(number, 0), super::later(), 10_000);
        let (predecessor, evicted) = (None, &[][..]);
        let admission =
            Admission { member, entry: &entry, keep_for: KEPT, epoch, epoch_until, limit, predecessor, evicted };
        match store.admit(&self.owner, &admission).await.unwrap() {
            Admitted::Admitted => self.known(|known| {
                // After a later end it may have ended, which nobody claims.
                if known.epoch == epoch {
                    known.members.push(member);
                }
            }),
            Admitted::Outdated { epoch, .. } => self.known(|known| known.epoch = known.epoch.max(epoch)),
            other => panic!("{other:?}"),
        }
    }

    async fn ends_all(&self, store: &SqlStore) {
        let there = self.known(|known| known.members.len());
        let sweep = Sweep { except: None, marker: ended().clone(), until: super::later() };
        let _ = store.end_all(&self.owner, &sweep).await.unwrap().expect("none was to be kept");
        self.known(|known| known.ended = known.ended.max(there));
    }

    async fn replaces(&self, store: &SqlStore) {
        let Some((member, has_ended)) = self.any() else { return };
        let there = store.load(&self.transfers).await.unwrap();
        let expected = there.as_ref().map(Entry::write_id);
        let (number, ends) = (next(), rand::rng().random_bool(0.2));
        let entry = entry(number, if ends { ENDED } else { 0 });
        let out = Outgoing { id: Uuid::from_u128(number.into()), sealed: vec![1] };
        let standing = if rand::rng().random() { Standing::Any } else { Standing::Lives(Duration::MAX) };
        let (asked_by, outgoing) = (Some(member.key), ends.then_some(&out));
        let replacement =
            Replacement { asked_by, expected, standing, entry: &entry, keep_for: KEPT, outgoing, look_in: None };
        let answer = store.replace(&self.transfers, &replacement).await.unwrap();
        if answer == Replaced::Applied {
            assert!(!has_ended, "applied after the end");
            let is_first = self.known(|known| known.replaced.insert(expected.map(|id| *id.as_bytes())));
            assert!(is_first, "two were applied on one");
        }
    }

    async fn renews(&self, store: &SqlStore) {
        if let Some(there) = store.load(&self.transfers).await.unwrap() {
            let _: bool = store.renew(&self.transfers, there.touched(), Duration::MAX, KEPT).await.unwrap();
        }
    }

    async fn commits(&self, store: &SqlStore) {
        let Some((member, has_ended)) = self.any() else { return };
        let Some(there) = store.load(&member.key).await.unwrap() else { return };
        let base: WriteId = there.write_id();
        let outcome = store.commit(&member.key, base, &entry(next(), 0), KEPT).await.unwrap();
        assert!(outcome != Outcome::Applied || !has_ended, "applied after the end");
    }

    async fn departs(&self, store: &SqlStore) {
        let Some((member, _)) = self.any() else { return };
        let departure = Departure { member, expected: None, marker: ended().clone(), news: None };
        let _: Outcome = store.depart(&self.owner, &departure).await.unwrap();
    }

    async fn sends(&self, store: &SqlStore) {
        let some = store.outbox("", self.owner.shard(), 5).await.unwrap();
        let ids: Vec<_> = some.iter().map(|out| out.id).collect();
        store.sent("", self.owner.shard(), &ids).await.unwrap();
    }
}

async fn nobody_waits_in_a_circle(store: SqlStore) {
    let users: Arc<[User; 3]> = Arc::new([User::new(1), User::new(2), User::new(3)]);
    let applied = |users: &[User]| users.iter().map(|user| user.known(|known| known.replaced.len())).sum::<usize>();
    let (began, give_up) = (Instant::now(), Instant::now() + 6 * testbed::LIMIT);
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let (store, users) = (store.clone(), users.clone());
        tasks.spawn(async move {
            // On a busy machine, and on a disk that is asked to be sure, it takes longer to come to anything.
            while began.elapsed() < Duration::from_secs(2) || applied(&*users) < 20 {
                assert!(Instant::now() < give_up, "{} were replaced", applied(&*users));
                let (user, turn) = (&users[rand::rng().random_range(0..3)], rand::rng().random_range(0..20));
                match turn {
                    0 => user.ends_all(&store).await,
                    1..4 => user.admits(&store).await,
                    4 => user.departs(&store).await,
                    5 => user.sends(&store).await,
                    6..8 => user.commits(&store).await,
                    8..10 => user.renews(&store).await,
                    _ => user.replaces(&store).await,
                }
            }
        });
    }
    tasks.join_all().await;
    eprintln!("{store:?}: {} were replaced", applied(&*users));
}

#[tokio::test(flavor = "multi_thread")]
async fn in_sqlite_nobody_waits_in_a_circle() {
    let file = File::new();
    nobody_waits_in_a_circle(file.open().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_postgres_nobody_waits_in_a_circle() {
    let (store, url) = shared().await;
    nobody_waits_in_a_circle(store).await;
    let question = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(psql(&url, question), "0");
}
