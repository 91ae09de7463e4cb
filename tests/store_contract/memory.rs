//! What is peculiar to `MemoryStore`: it has an end.

use crate::entries::{KEPT, id, key, live, parts};
use crate::markers::ended;
use std::future::Future;
use std::pin::pin;
use std::sync::Barrier;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};
use thin_session::store::{
    Admission, Admitted, Answer, Departure, Entry, Epoch, Marker, Member, Outcome, Store, Sweep,
};
use thin_session::{Clock, MemoryStore, testing};

fn store(sessions: usize) -> (MemoryStore, Clock) {
    let clock = Clock::manual();
    (MemoryStore::new().with_limit(sessions).with_clock(clock.clone()), clock)
}

#[tokio::test]
async fn a_full_store_refuses_to_create_and_evicts_nothing() {
    let (store, _) = store(3);
    for i in 0..3 {
        assert_eq!(store.create(&key(i), &live(i.into()), KEPT).await.unwrap(), Outcome::Applied);
    }
    for shard in [3, 4, 5] {
        assert!(!store.create(&key(shard), &live(9), KEPT).await.unwrap_err().maybe_applied());
    }
    for i in 0..3 {
        assert_eq!(store.load(&key(i)).await.unwrap(), Some(live(i.into())));
        // A create that was sent again finds itself, full or not.
        assert_eq!(store.create(&key(i), &live(i.into()), KEPT).await.unwrap(), Outcome::Found(live(i.into())));
    }
}

#[tokio::test]
async fn a_full_store_still_commits_and_ends() {
    let (store, clock) = store(1);
    assert_eq!(store.create(&key(0), &live(1), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(store.commit(&key(0), id(1), &live(2), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(store.end(&key(0), None, ended()).await.unwrap(), Outcome::Applied);
    assert!(store.create(&key(1), &live(1), KEPT).await.is_err());
    clock.advance(Marker::KEPT);
    assert_eq!(store.create(&key(1), &live(1), KEPT).await.unwrap(), Outcome::Applied);
}

#[tokio::test]
async fn what_has_expired_does_not_count() {
    let (store, clock) = store(200);
    for shard in 0..200 {
        assert_eq!(store.create(&key(shard), &live(1), KEPT).await.unwrap(), Outcome::Applied);
    }
    assert!(store.create(&key(200), &live(1), KEPT).await.is_err());
    clock.advance(KEPT - Duration::from_millis(1));
    assert!(store.create(&key(200), &live(1), KEPT).await.is_err());
    clock.advance(Duration::from_millis(1));
    for shard in 50..250 {
        assert_eq!(store.create(&key(shard), &live(2), KEPT).await.unwrap(), Outcome::Applied);
    }
    assert!(store.create(&key(250), &live(1), KEPT).await.is_err());
}

#[tokio::test]
async fn a_create_that_finds_something_takes_no_room() {
    let (store, _) = store(2);
    for _ in 0..10 {
        let _: Outcome = store.create(&key(0), &live(1), KEPT).await.unwrap();
    }
    assert_eq!(store.create(&key(1), &live(1), KEPT).await.unwrap(), Outcome::Applied);
}

/// A store that is full of live sessions is not swept again and again: only what has expired since is looked for.
#[tokio::test]
async fn a_flood_on_a_full_store_is_refused_at_little_cost() {
    let (store, clock) = store(20_000);
    for i in 0..20_000_u32 {
        let [a, b, c, d] = i.to_be_bytes();
        let key = thin_session::testing::key(d, [a, b, c, d, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
        assert_eq!(store.create(&key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    }
    // Each sweep would look at all of them: 20,000 of those would take minutes.
    for _ in 0..20_000 {
        assert!(store.create(&key(0), &live(2), KEPT).await.is_err());
    }
    clock.advance(KEPT);
    assert_eq!(store.create(&key(0), &live(2), KEPT).await.unwrap(), Outcome::Applied);
}

/// What a user asks for who wants to be admitted, for as long as most things are kept.
fn admission<'a>(member: Member, entry: &'a Entry, evicted: &'a [Departure]) -> Admission<'a> {
    let (epoch, epoch_until) = (Epoch::default(), SystemTime::now().into());
    Admission { member, entry, keep_for: KEPT, epoch, epoch_until, limit: 2, predecessor: None, evicted }
}

#[tokio::test]
async fn a_full_store_refuses_to_admit_and_ends_all_the_same() {
    let (store, clock) = store(3);
    let ada = testing::owner("", [1; 16]);
    let [one, two, three] = [1, 2, 3].map(|id| testing::member(&ada, [id; 16], [id; 16]));
    let entry = parts(1).with_deadline((SystemTime::now() + KEPT).into()).entry();
    for member in [one, two] {
        let admitted = store.admit(&ada, &admission(member, &entry, &[])).await.unwrap();
        assert_eq!(admitted, Admitted::Admitted);
    }
    assert_eq!(store.create(&key(7), &live(1), KEPT).await.unwrap(), Outcome::Applied);
    let departure = |member| Departure { member, expected: None, marker: ended().clone(), news: None };
    // What would leave leaves a marker, which takes its place.
    assert!(!store.admit(&ada, &admission(three, &entry, &[departure(one)])).await.unwrap_err().maybe_applied());
    assert_eq!(store.members(&ada).await.unwrap().len(), 2);
    // Refusals need no room.
    assert_eq!(store.admit(&ada, &admission(three, &entry, &[])).await.unwrap(), Admitted::Full);
    assert_eq!(store.admit(&ada, &admission(one, &entry, &[])).await.unwrap(), Admitted::Found(entry.clone()));

    assert_eq!(store.depart(&ada, &departure(one)).await.unwrap(), Outcome::Applied);
    let sweep = Sweep { except: None, marker: ended().clone(), until: entry.deadline() };
    assert_eq!(store.end_all(&ada, &sweep).await.unwrap().map(|swept| swept.ended), Some(1));
    let bob = testing::owner("", [2; 16]);
    let his = testing::member(&bob, [4; 16], [4; 16]);
    assert!(store.admit(&bob, &admission(his, &entry, &[])).await.is_err());
    clock.advance(Marker::KEPT);
    assert_eq!(store.admit(&bob, &admission(his, &entry, &[])).await.unwrap(), Admitted::Admitted);
}

#[tokio::test]
async fn an_admission_that_is_refused_takes_no_room() {
    let (store, _) = store(2);
    let ada = testing::owner("", [1; 16]);
    let member = testing::member(&ada, [1; 16], [1; 16]);
    let entry = parts(1).entry();
    for _ in 0..10 {
        let _: Admitted = store.admit(&ada, &admission(member, &entry, &[])).await.unwrap();
    }
    assert_eq!(store.create(&key(1), &live(1), KEPT).await.unwrap(), Outcome::Applied);
    assert!(store.create(&key(2), &live(1), KEPT).await.is_err());
}

#[tokio::test]
async fn an_epoch_is_kept_for_a_day_longer_than_it_matters() {
    let (store, clock) = store(10);
    let ada = testing::owner("", [1; 16]);
    let (hour, day) = (Duration::from_secs(3600), Duration::from_secs(24 * 3600));
    // The clock stands at the moment when it was made, somewhat before this one.
    let sweep = Sweep { except: None, marker: ended().clone(), until: (SystemTime::now() + hour).into() };
    assert!(store.end_all(&ada, &sweep).await.unwrap().is_some());
    let entry = parts(1).entry();
    let late = admission(testing::member(&ada, [1; 16], [1; 16]), &entry, &[]);
    clock.advance(hour + day - Duration::from_secs(1));
    assert!(matches!(store.admit(&ada, &late).await.unwrap(), Admitted::Outdated { .. }));
    clock.advance(Duration::from_secs(60));
    assert_eq!(store.admit(&ada, &late).await.unwrap(), Admitted::Admitted);
}

/// The answer of a store in memory, which nobody has to wait for.
pub(crate) fn at_once<T>(call: impl Future<Output = Answer<T>>) -> Answer<T> {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn only_to_follow_takes_a_runtime() {
    let (ada, store) = (testing::owner("", [1; 16]), MemoryStore::new());
    let (member, entry) = (testing::member(&ada, [1; 16], [1; 16]), parts(1).entry());
    assert_eq!(at_once(store.admit(&ada, &admission(member, &entry, &[]))).unwrap(), Admitted::Admitted);
    assert_eq!(at_once(store.members(&ada)).unwrap().len(), 1);
    let sweep = Sweep { except: None, marker: ended().clone(), until: (SystemTime::now() + KEPT).into() };
    let swept = at_once(store.end_all(&ada, &sweep)).unwrap().expect("nobody was to be kept");
    at_once(store.publish("", &swept.news)).unwrap();
}

/// Of two at once who both find a place free, one has it; and the other gives back the room that was set aside for it.
#[test]
fn the_limit_holds_for_two_threads_that_go_in_step() {
    const ROUNDS: u16 = 5000;
    let (store, _) = store(usize::from(ROUNDS) + 2);
    let (entry, start) = (parts(1).with_deadline((SystemTime::now() + KEPT).into()).entry(), Barrier::new(2));
    let signs_in = &|thread: u8| {
        let mut admitted = 0;
        for round in 0..ROUNDS {
            let [a, b] = round.to_be_bytes();
            let user = testing::owner("", std::array::from_fn(|i| [b, a, 1][i.min(2)]));
            let member = testing::member(&user, [a, b, thread, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], [thread; 16]);
            start.wait();
            let answer =
                at_once(store.admit(&user, &Admission { limit: 1, ..admission(member, &entry, &[]) })).unwrap();
            admitted += u16::from(answer == Admitted::Admitted);
        }
        admitted
    };
    let admitted: u16 = std::thread::scope(|scope| {
        let threads = [1, 2].map(|thread| scope.spawn(move || signs_in(thread)));
        threads.map(|thread| thread.join().unwrap()).into_iter().sum()
    });
    assert_eq!(admitted, ROUNDS);
    for (id, has_room) in [(1, true), (2, true), (3, false)] {
        let created = at_once(store.create(&testing::key(0, [id; 16]), &entry, KEPT));
        assert_eq!(created.is_ok(), has_room, "entry {id}");
    }
}
