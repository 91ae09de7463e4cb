//! What is peculiar to `MemoryStore` as the place of user sessions and as an archive: both have an end.

use crate::entries::{ENDED, KEPT, LIVE, at, id, key, live, parts};
use crate::memory::at_once;
use std::sync::Barrier;
use std::time::Duration;
use thin_session::archive::{Archive, Completion, EndReason, EndedSession, HistoryPage, Quota};
use thin_session::store::{
    Answer, Entry, Key, LastingStore, Marker, Outcome, Outgoing, Replaced, Replacement, Standing, Store,
};
use thin_session::{Clock, MemoryStore, UserId, testing};
use uuid::Uuid;

const IDLE: Duration = Duration::from_secs(60);

fn store(sessions: usize) -> (MemoryStore, Clock) {
    let clock = Clock::manual();
    (MemoryStore::new().with_limit(sessions).with_clock(clock.clone()), clock)
}

fn place(kind: &str) -> Key {
    testing::user_session_key(&testing::owner("", [7; 16]), kind)
}

/// An entry that lasts.
fn entry(number: u16, state: u8) -> Entry {
    parts(number).with_state(state).with_deadline(at((1 << 48) - 1)).entry()
}

fn outgoing(number: u8) -> Outgoing {
    Outgoing { id: Uuid::from_bytes([number; 16]), sealed: vec![number] }
}

/// Replaces as if from outside of a request.
async fn replace(
    store: &MemoryStore,
    key: &Key,
    expected: Option<u16>,
    entry: &Entry,
    outgoing: Option<&Outgoing>,
) -> Answer<Replaced> {
    let (expected, standing) = (expected.map(id), Standing::Any);
    let replacement =
        Replacement { asked_by: None, expected, standing, entry, keep_for: KEPT, outgoing, look_in: None };
    store.replace(key, &replacement).await
}

/// Whether an anonymous session can begin.
async fn has_room(store: &MemoryStore) -> bool {
    let (probe, marker) = (key(200), crate::markers::ended());
    match store.create(&probe, &live(1), Duration::from_millis(1)).await {
        Ok(outcome) => {
            assert_eq!(outcome, Outcome::Applied);
            assert_eq!(store.end(&probe, None, marker).await.unwrap(), Outcome::Applied);
            true
        }
        Err(error) => {
            assert!(!error.maybe_applied());
            false
        }
    }
}

#[tokio::test]
async fn a_full_store_begins_none_and_still_changes_and_ends() {
    let (store, _) = store(2);
    let [transfer, order, visits] = ["transfer", "order", "visits"].map(place);
    for key in [&transfer, &order] {
        assert_eq!(replace(&store, key, None, &entry(1, LIVE), None).await.unwrap(), Replaced::Applied);
    }
    assert!(!replace(&store, &visits, None, &entry(1, LIVE), None).await.unwrap_err().maybe_applied());
    assert_eq!(store.load(&visits).await.unwrap(), None);
    assert_eq!(replace(&store, &order, Some(1), &entry(2, LIVE), None).await.unwrap(), Replaced::Applied);
    // What is refused for another reason is not said to be full.
    let there = store.load(&order).await.unwrap().unwrap();
    assert_eq!(replace(&store, &order, None, &entry(3, LIVE), None).await.unwrap(), Replaced::Found(there));
    let ended = replace(&store, &transfer, Some(1), &entry(2, ENDED), Some(&outgoing(1))).await;
    assert_eq!(ended.unwrap(), Replaced::Applied);
    // Even where nothing is.
    assert_eq!(replace(&store, &visits, None, &entry(2, ENDED), None).await.unwrap(), Replaced::Applied);
}

/// Else one that begins and ends again and again would fill the outbox without end.
#[tokio::test]
async fn what_waits_for_the_archive_counts_as_sessions_do() {
    let (store, clock) = store(3);
    let key = place("transfer");
    let mut last = None;
    for number in 1..=3 {
        let (first, marker) = (entry(2 * number, LIVE), entry(2 * number + 1, ENDED));
        let begun = replace(&store, &key, last, &first, None).await;
        if number == 3 {
            assert!(!begun.unwrap_err().maybe_applied(), "a marker, and two that wait");
            break;
        }
        assert_eq!(begun.unwrap(), Replaced::Applied);
        let past = outgoing(number.to_be_bytes()[1]);
        let ended = replace(&store, &key, Some(2 * number), &marker, Some(&past)).await;
        assert_eq!(ended.unwrap(), Replaced::Applied);
        last = Some(2 * number + 1);
    }
    store.sent("", 7, &[outgoing(1).id, outgoing(1).id, outgoing(9).id]).await.unwrap();
    assert_eq!(replace(&store, &key, last, &entry(9, LIVE), None).await.unwrap(), Replaced::Applied);
    clock.advance(KEPT);
    assert_eq!(replace(&store, &key, None, &entry(10, LIVE), None).await.unwrap(), Replaced::Applied);
    assert_eq!(store.outbox("", 7, 10).await.unwrap(), [outgoing(2)], "it does not expire");
}

#[tokio::test]
async fn one_that_lapsed_gives_no_room_to_the_next_if_it_goes_out() {
    let (store, _) = store(1);
    let key = place("transfer");
    assert_eq!(replace(&store, &key, None, &entry(1, LIVE), None).await.unwrap(), Replaced::Applied);
    assert!(replace(&store, &key, Some(1), &entry(2, LIVE), Some(&outgoing(1))).await.is_err());
    assert!(store.full_outboxes("").await.unwrap().is_empty());
    assert_eq!(store.load(&key).await.unwrap().unwrap().write_id(), id(1));
}

/// Room that was set aside is given back, whatever becomes of it.
#[tokio::test]
async fn all_that_comes_and_goes_leaves_as_much_room_as_before() {
    let (store, clock) = store(3);
    let key = place("transfer");
    for round in 0..10 {
        assert_eq!(replace(&store, &key, None, &entry(1, LIVE), None).await.unwrap(), Replaced::Applied, "{round}");
        assert!(matches!(replace(&store, &key, None, &entry(2, LIVE), None).await.unwrap(), Replaced::Found(_)));
        assert_eq!(replace(&store, &key, Some(3), &entry(2, LIVE), None).await.unwrap(), {
            Replaced::Found(store.load(&key).await.unwrap().unwrap())
        });
        assert_eq!(replace(&store, &key, Some(1), &entry(2, LIVE), None).await.unwrap(), Replaced::Applied);
        let past = outgoing(1);
        assert_eq!(replace(&store, &key, Some(2), &entry(3, ENDED), Some(&past)).await.unwrap(), Replaced::Applied);
        store.sent("", 7, &[past.id]).await.unwrap();
        assert!(has_room(&store).await, "{round}");
        clock.advance(KEPT.max(Marker::KEPT));
    }
}

/// Of two at once who both find nothing there, one begins; and the other gives back the room that was set aside for it.
#[test]
fn of_two_threads_that_go_in_step_one_begins() {
    const ROUNDS: u16 = 5000;
    let (store, start) = (store(usize::from(ROUNDS) + 1).0, Barrier::new(2));
    let begins = &|thread: u16| {
        let mut begun = 0;
        for round in 0..ROUNDS {
            let (key, entry) = (place(&round.to_string()), entry(thread, LIVE));
            start.wait();
            begun += u16::from(at_once(replace(&store, &key, None, &entry, None)).unwrap() == Replaced::Applied);
        }
        begun
    };
    let begun: u16 = std::thread::scope(|scope| {
        let threads = [1, 2].map(|thread| scope.spawn(move || begins(thread)));
        threads.map(|thread| thread.join().unwrap()).into_iter().sum()
    });
    assert_eq!(begun, ROUNDS);
    for (kind, has_room) in [("one more", true), ("too many", false)] {
        assert_eq!(at_once(replace(&store, &place(kind), None, &entry(3, LIVE), None)).is_ok(), has_room, "{kind}");
    }
}

/// To the millisecond, by a clock that stands still.
#[tokio::test]
async fn it_lives_until_its_idle_limit_or_its_deadline_and_no_longer() {
    let (store, clock) = store(10);
    let key = place("transfer");
    let replaced = async |expected, new: &Entry, standing| {
        let (asked_by, outgoing, look_in) = (None, None, None);
        let replacement = Replacement { asked_by, expected, standing, entry: new, keep_for: KEPT, outgoing, look_in };
        store.replace(&key, &replacement).await.unwrap()
    };
    let millisecond = Duration::from_millis(1);
    assert_eq!(replaced(None, &entry(1, LIVE), Standing::Any).await, Replaced::Applied);
    clock.advance(IDLE - millisecond);
    let untimely = Replaced::Untimely(clock.now());
    assert_eq!(replaced(Some(id(1)), &entry(2, LIVE), Standing::Lapsed(IDLE)).await, untimely);
    assert_eq!(replaced(Some(id(1)), &entry(2, LIVE), Standing::Lives(IDLE)).await, Replaced::Applied);
    clock.advance(IDLE);
    let (touched, untimely) = (store.load(&key).await.unwrap().unwrap().touched(), Replaced::Untimely(clock.now()));
    assert!(!store.renew(&key, touched, IDLE, KEPT).await.unwrap());
    assert_eq!(replaced(Some(id(2)), &entry(3, LIVE), Standing::Lives(IDLE)).await, untimely);
    assert!(store.renew(&key, touched, IDLE + millisecond, KEPT).await.unwrap());

    // And with a deadline.
    let deadline = at(clock.now().as_millis() + 1000);
    let brief = parts(4).with_deadline(deadline).entry();
    assert_eq!(replaced(Some(id(2)), &brief, Standing::Lives(IDLE)).await, Replaced::Applied);
    clock.advance(Duration::from_millis(999));
    let touched = store.load(&key).await.unwrap().unwrap().touched();
    assert!(store.renew(&key, touched, IDLE, KEPT).await.unwrap());
    clock.advance(millisecond);
    assert!(!store.renew(&key, clock.now(), IDLE, KEPT).await.unwrap());
    let untimely = Replaced::Untimely(deadline);
    assert_eq!(replaced(Some(id(4)), &entry(5, LIVE), Standing::Lives(IDLE)).await, untimely);
    assert_eq!(replaced(Some(id(4)), &entry(5, LIVE), Standing::Lapsed(IDLE)).await, Replaced::Applied);
}

fn ended(number: u8) -> EndedSession {
    let (id, user, kind) = (Uuid::from_bytes([number; 16]), Some(UserId::new("ada").unwrap()), "transfer".into());
    let (began, ended, payload) = (at(1), at(2), "{}".into());
    EndedSession { id, user, kind, reason: EndReason::Completed, began, ended, updates: 1, payload }
}

const ANY: Quota = Quota::rolling(100, Duration::from_secs(86_400));

#[tokio::test]
async fn a_full_archive_refuses_and_drops_nothing() {
    let store = MemoryStore::new().with_archive_limit(3);
    store.add("", &[ended(1)]).await.unwrap();
    // All or none, over all layers.
    let three = [ended(2), ended(3), ended(4)];
    assert!(!store.add("admin", &three).await.unwrap_err().maybe_applied());
    assert_eq!(store.history("admin", &ended(1).user.unwrap(), &HistoryPage::of(10)).await.unwrap(), []);
    store.add("admin", &three[..1]).await.unwrap();
    assert_eq!(store.complete("", &ended(5), &id(1), ANY).await.unwrap(), Completion::Completed);

    assert!(!store.complete("", &ended(6), &id(2), ANY).await.unwrap_err().maybe_applied());
    assert!(store.add("", &[ended(1), ended(6)]).await.is_err());
    // What is there already needs no room.
    store.add("", &[ended(1), ended(5)]).await.unwrap();
    assert_eq!(store.complete("", &ended(5), &id(1), ANY).await.unwrap(), Completion::Completed);
    let refused = store.complete("", &ended(6), &id(3), Quota::rolling(0, KEPT)).await.unwrap();
    assert!(matches!(refused, Completion::Exceeded { .. }), "the quota comes first: {refused:?}");
    assert_eq!(store.history("", &ended(1).user.unwrap(), &HistoryPage::of(10)).await.unwrap().len(), 2);
}

#[tokio::test]
async fn settled_attempts_are_bounded_and_forgotten_after_a_day() {
    let clock = Clock::manual();
    let store = MemoryStore::new().with_archive_limit(2).with_clock(clock.clone());
    for number in [1, 2] {
        for _ in 0..3 {
            assert!(!store.settle("", &ended(1), Some(&id(number))).await.unwrap());
        }
    }
    assert!(!store.settle("", &ended(1), Some(&id(3))).await.unwrap_err().maybe_applied());
    clock.advance(Duration::from_secs(86_400));
    assert!(!store.settle("", &ended(1), Some(&id(3))).await.unwrap());
    assert_eq!(store.complete("", &ended(1), &id(3), ANY).await.unwrap(), Completion::Settled);
    assert_eq!(store.complete("", &ended(1), &id(1), ANY).await.unwrap(), Completion::Completed);
}
