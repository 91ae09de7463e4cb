//! Browsers' sessions that go to the archive: whoever ends one, it goes out, once, as it stood.

use crate::EndReason;
use crate::store::{
    Admission, Admitted, Departure, Entry, Epoch, Key, LastingStore, Member, Outcome, Outgoing, Owner, Store, Sweep,
    Timestamp,
};
use crate::testing;
use crate::testing::conformance::LastingBench;
use crate::testing::conformance::entries::{KEPT, at, parts};
use crate::testing::conformance::markers::{ended, moved};
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};
use tokio::task::JoinSet;
use uuid::Uuid;

const ADA: u8 = 0xad;
/// Long enough for what a test does meanwhile, and not to be waited for.
const SHORT: Duration = Duration::from_millis(400);

/// When all of them end, long after any test.
static DEADLINE: LazyLock<Timestamp> = LazyLock::new(|| (SystemTime::now() + 10 * KEPT).into());

/// One whose earlier writes have left something in its header.
fn entry(number: u16, uuid: u8) -> Entry {
    parts(number).with_deadline(*DEADLINE).archived([uuid; 16]).entry()
}

/// Ada's sessions in a store.
struct User<'a, B: LastingBench> {
    bench: &'a B,
    owner: Owner,
}

impl<'a, B: LastingBench> User<'a, B> {
    fn ada(bench: &'a B) -> Self {
        Self { bench, owner: testing::owner("", [ADA; 16]) }
    }

    fn member(&self, number: u8) -> Member {
        testing::member(&self.owner, [number; 16], [number; 16])
    }

    fn key(&self, number: u8) -> Key {
        self.member(number).key
    }

    fn departure(&self, number: u8) -> Departure {
        Departure { member: self.member(number), expected: None, marker: ended().clone(), news: None }
    }

    async fn creates(&self, number: u8, entry: &Entry, keep_for: Duration) {
        let created = self.bench.store().create(&self.key(number), entry, keep_for).await.unwrap();
        assert_eq!(created, Outcome::Applied);
    }

    async fn admits(&self, number: u8, change: impl for<'b> FnOnce(&mut Admission<'b>)) -> Admitted {
        let entry = entry(number.into(), number);
        self.admits_with(number, &entry, change).await
    }

    async fn admits_with<'b>(&self, number: u8, entry: &'b Entry, change: impl FnOnce(&mut Admission<'b>)) -> Admitted {
        let (member, epoch, epoch_until) = (self.member(number), Epoch::default(), entry.deadline());
        let (predecessor, evicted) = (None, &[][..]);
        let mut admission =
            Admission { member, entry, keep_for: KEPT, epoch, epoch_until, limit: 10, predecessor, evicted };
        change(&mut admission);
        self.bench.store().admit(&self.owner, &admission).await.unwrap()
    }

    /// What waits, by id.
    async fn outbox(&self) -> Vec<Outgoing> {
        let mut waiting = self.bench.store().outbox("", ADA, 1000).await.unwrap();
        waiting.sort_by_key(|outgoing| outgoing.id);
        waiting
    }

    /// Has what has expired go out, and waits until so many have.
    async fn retires(&self, count: usize) {
        self.bench.retire("").await;
        let until = Instant::now() + crate::testing::conformance::LIMIT;
        while self.outbox().await.len() < count {
            assert!(Instant::now() < until, "what has expired does not go out");
            // Some look one after the other, and do not begin while they look.
            let _ = self.bench.store().retire("", 100).await.unwrap();
            tokio::task::yield_now().await;
        }
    }

    /// Asserts that these, by their numbers, are all that has gone out, and for this reason.
    async fn has_sent(&self, sent: &[(u8, &Entry)], reason: EndReason) {
        let waiting = self.outbox().await;
        let ids: Vec<_> = waiting.iter().map(|outgoing| outgoing.id).collect();
        assert_eq!(ids, sent.iter().map(|(number, _)| Uuid::from_bytes([*number; 16])).collect::<Vec<_>>());
        for (outgoing, (number, entry)) in waiting.iter().zip(sent) {
            let (why, when, was) = testing::sent_out(outgoing, &self.key(*number)).expect("a session under this key");
            assert_eq!((why, was.as_bytes()), (reason, entry.as_bytes()));
            // Some benches advance a minute until what has expired is looked for.
            let ago = self.bench.clock().now().as_millis().checked_sub(when.as_millis()).expect("it has ended");
            assert!(ago < 130_000, "{ago}");
        }
    }
}

pub(crate) async fn an_ending_sends_it_out_as_it_stood(bench: &impl LastingBench) {
    let ada = User::ada(bench);
    let [first, second] = [entry(1, 1), entry(2, 1)];
    ada.creates(1, &first, KEPT).await;
    let committed = bench.store().commit(&ada.key(1), first.write_id(), &second, KEPT).await.unwrap();
    assert_eq!(committed, Outcome::Applied);
    assert_eq!(bench.store().end(&ada.key(1), None, ended()).await.unwrap(), Outcome::Applied);
    assert_eq!(bench.store().load(&ada.key(1)).await.unwrap(), Some(second.ended(ended())));
    ada.has_sent(&[(1, &second)], EndReason::SignedOut).await;
    assert_eq!(bench.store().full_outboxes("").await.unwrap(), [(ADA, 1)]);
}

pub(crate) async fn only_an_end_of_what_was_expected_does(bench: &impl LastingBench) {
    let ada = User::ada(bench);
    let there = entry(1, 1);
    ada.creates(1, &there, KEPT).await;
    let other = Some(entry(2, 1).write_id());
    let refused = bench.store().end(&ada.key(1), other, ended()).await.unwrap();
    assert_eq!(refused, Outcome::Found(there.clone()));
    let departure = Departure { expected: other, ..ada.departure(1) };
    assert_eq!(bench.store().depart(&ada.owner, &departure).await.unwrap(), Outcome::Found(there.clone()));
    assert_eq!(bench.store().end(&ada.key(2), None, ended()).await.unwrap(), Outcome::Absent);
    ada.has_sent(&[], EndReason::SignedOut).await;
    let expected = Some(there.write_id());
    assert_eq!(bench.store().end(&ada.key(1), expected, ended()).await.unwrap(), Outcome::Applied);
    let again = bench.store().end(&ada.key(1), expected, ended()).await.unwrap();
    assert_eq!(again, Outcome::Found(there.ended(ended())));
    ada.has_sent(&[(1, &there)], EndReason::SignedOut).await;
}

pub(crate) async fn what_moves_goes_on_and_is_not_sent(bench: &impl LastingBench) {
    let ada = User::ada(bench);
    ada.creates(1, &entry(1, 1), SHORT).await;
    let moved = bench.store().end(&ada.key(1), None, moved()).await.unwrap();
    assert_eq!(moved, Outcome::Applied);
    bench.wait(SHORT).await;
    // Another one shows when all was looked at.
    let other = entry(2, 2);
    ada.creates(2, &other, KEPT).await;
    bench.retire("").await;
    assert_eq!(bench.store().end(&ada.key(2), None, ended()).await.unwrap(), Outcome::Applied);
    ada.has_sent(&[(2, &other)], EndReason::SignedOut).await;
}

pub(crate) async fn what_is_not_marked_never_goes_out(bench: &impl LastingBench) {
    let ada = User::ada(bench);
    ada.creates(1, &parts(1).entry(), KEPT).await;
    ada.creates(2, &parts(2).entry(), SHORT).await;
    assert_eq!(bench.store().end(&ada.key(1), None, ended()).await.unwrap(), Outcome::Applied);
    bench.wait(SHORT).await;
    let shown = entry(3, 3);
    ada.creates(3, &shown, Duration::from_millis(1)).await;
    bench.wait(Duration::from_millis(2)).await;
    ada.retires(1).await;
    ada.has_sent(&[(3, &shown)], EndReason::Expired).await;
}

pub(crate) async fn a_departure_sends_it_out(bench: &impl LastingBench) {
    let ada = User::ada(bench);
    assert_eq!(ada.admits(1, |_| {}).await, Admitted::Admitted);
    assert_eq!(ada.admits(2, |_| {}).await, Admitted::Admitted);
    assert_eq!(bench.store().depart(&ada.owner, &ada.departure(1)).await.unwrap(), Outcome::Applied);
    assert_eq!(bench.store().depart(&ada.owner, &ada.departure(3)).await.unwrap(), Outcome::Absent);
    ada.has_sent(&[(1, &entry(1, 1))], EndReason::SignedOut).await;
}

pub(crate) async fn an_admission_sends_out_who_makes_room_but_not_its_predecessor(bench: &impl LastingBench) {
    let ada = User::ada(bench);
    for number in 1..=3 {
        assert_eq!(ada.admits(number, |_| {}).await, Admitted::Admitted);
    }
    let predecessor = Departure { marker: moved().clone(), ..ada.departure(1) };
    // One that has gone already has gone.
    let evicted = [2, 7, 3].map(|number| ada.departure(number));
    let next = entry(4, 1);
    let full = ada.admits_with(4, &next, |admission| {
        (admission.predecessor, admission.evicted, admission.limit) = (Some(&predecessor), &[], 2);
    });
    assert_eq!(full.await, Admitted::Full);
    ada.has_sent(&[], EndReason::SignedOut).await;
    let admitted = ada.admits_with(4, &next, |admission| {
        (admission.predecessor, admission.evicted, admission.limit) = (Some(&predecessor), &evicted, 1);
    });
    assert_eq!(admitted.await, Admitted::Admitted);
    ada.has_sent(&[(2, &entry(2, 2)), (3, &entry(3, 3))], EndReason::SignedOut).await;
    // It goes on under the id of the one before.
    assert_eq!(bench.store().depart(&ada.owner, &ada.departure(4)).await.unwrap(), Outcome::Applied);
    assert_eq!(ada.outbox().await.len(), 3);
    let went = testing::sent_out(&ada.outbox().await[0], &ada.key(4)).unwrap();
    assert_eq!((went.0, went.2), (EndReason::SignedOut, next));
}

pub(crate) async fn the_end_of_all_sends_out_all_but_the_kept_one(bench: &impl LastingBench) {
    let ada = User::ada(bench);
    for number in 1..=4 {
        assert_eq!(ada.admits(number, |_| {}).await, Admitted::Admitted);
    }
    // Somebody else's, in the same shard.
    ada.creates(9, &entry(9, 9), KEPT).await;
    let sweep = |except| Sweep { except, marker: ended().clone(), until: entry(1, 1).deadline() };
    let nobody = bench.store().end_all(&ada.owner, &sweep(Some(ada.member(8).handle))).await.unwrap();
    assert!(nobody.is_none());
    ada.has_sent(&[], EndReason::SignedOut).await;
    let swept = bench.store().end_all(&ada.owner, &sweep(Some(ada.member(2).handle))).await.unwrap();
    assert_eq!(swept.unwrap().ended, 3);
    let sent = [1, 3, 4].map(|number| entry(number, u8::try_from(number).unwrap()));
    ada.has_sent(&[(1, &sent[0]), (3, &sent[1]), (4, &sent[2])], EndReason::SignedOut).await;
}

pub(crate) async fn what_has_expired_is_sent_with_what_it_held_last(bench: &impl LastingBench) {
    let ada = User::ada(bench);
    let [first, second, third] = [entry(1, 1), entry(2, 1), entry(3, 3)];
    ada.creates(1, &first, SHORT).await;
    let committed = bench.store().commit(&ada.key(1), first.write_id(), &second, SHORT).await.unwrap();
    assert_eq!(committed, Outcome::Applied);
    assert_eq!(ada.admits_with(3, &third, |admission| admission.keep_for = SHORT).await, Admitted::Admitted);
    bench.wait(SHORT).await;
    assert_eq!(bench.store().load(&ada.key(1)).await.unwrap(), None);
    assert_eq!(bench.store().members(&ada.owner).await.unwrap(), []);
    for _ in 0..2 {
        ada.retires(2).await;
        ada.has_sent(&[(1, &second), (3, &third)], EndReason::Expired).await;
    }
    // Nothing ends it any more.
    assert_eq!(bench.store().end(&ada.key(1), None, ended()).await.unwrap(), Outcome::Absent);
    ada.has_sent(&[(1, &second), (3, &third)], EndReason::Expired).await;
}

pub(crate) async fn what_was_touched_lives_on_and_is_sent_later(bench: &impl LastingBench) {
    let ada = User::ada(bench);
    let [touched, other] = [entry(1, 1), entry(2, 2)];
    for (number, entry) in [(1, &touched), (2, &other)] {
        ada.creates(number, entry, SHORT).await;
    }
    let (seen, now) = (touched.touched(), at(1_800_000_000_000));
    assert!(bench.store().touch(&ada.key(1), seen, now, KEPT).await.unwrap());
    bench.wait(SHORT).await;
    ada.retires(1).await;
    ada.has_sent(&[(2, &other)], EndReason::Expired).await;
    let lives = bench.store().load(&ada.key(1)).await.unwrap().expect("it lives on");
    assert_eq!(lives.touched(), now);
}

pub(crate) async fn what_has_ended_does_not_expire_as_well(bench: &impl LastingBench) {
    let ada = User::ada(bench);
    let [one, other] = [entry(1, 1), entry(2, 2)];
    ada.creates(1, &one, SHORT).await;
    ada.creates(2, &other, SHORT).await;
    assert_eq!(bench.store().end(&ada.key(1), None, ended()).await.unwrap(), Outcome::Applied);
    bench.store().sent("", ADA, &[Uuid::from_bytes([1; 16])]).await.unwrap();
    bench.wait(SHORT).await;
    ada.retires(1).await;
    ada.has_sent(&[(2, &other)], EndReason::Expired).await;
}

pub(crate) async fn endings_at_once_send_it_out_once(bench: &impl LastingBench) {
    let ada = User::ada(bench);
    assert_eq!(ada.admits(1, |_| {}).await, Admitted::Admitted);
    let mut departures = JoinSet::new();
    for _ in 0..3 {
        let (store, owner, departure) = (bench.store().clone(), ada.owner, ada.departure(1));
        departures.spawn(async move { store.depart(&owner, &departure).await.unwrap() == Outcome::Applied });
    }
    let ended = departures.join_all().await.into_iter().filter(|ended| *ended);
    assert_eq!(ended.count(), 1, "one of them has ended it");
    ada.has_sent(&[(1, &entry(1, 1))], EndReason::SignedOut).await;
}
