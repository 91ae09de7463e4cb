//! What has ended, until the archive has it.

use super::{ADA, Transfers, entry, id, of, outgoing};
use crate::store::{LastingStore, Outgoing, Replaced};
use crate::testing;
use crate::testing::conformance::LastingBench;
use crate::testing::conformance::entries::{ENDED, KEPT};
use std::collections::BTreeSet;
use uuid::Uuid;

/// One begins and ends, and goes out.
async fn goes_out<S: LastingStore + Clone>(of_user: &Transfers<S>, past: &Outgoing) {
    of_user.lives_on().await;
    let (marker, expected) = (of(2).with_state(ENDED).entry(), of_user.loads().await.map(|there| there.write_id()));
    assert_eq!(of_user.asks(&entry(1), |asked| asked.expected = expected).await, Replaced::Applied);
    let ends = of_user.asks(&marker, |asked| (asked.expected, asked.outgoing) = (Some(id(1)), Some(past))).await;
    assert_eq!(ends, Replaced::Applied);
}

pub(crate) async fn nothing_waits_at_first(bench: &impl LastingBench) {
    let store = bench.store();
    assert!(store.full_outboxes("").await.unwrap().is_empty());
    for shard in [0, ADA, 255] {
        assert_eq!(store.outbox("", shard, 10).await.unwrap(), []);
    }
}

pub(crate) async fn it_waits_until_it_is_taken_out(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    goes_out(&ada, &outgoing(1)).await;
    // Longer than what it was.
    bench.passes(&ada.key, KEPT).await;
    for _ in 0..2 {
        assert_eq!(ada.store.outbox("", ADA, 10).await.unwrap(), [outgoing(1)]);
        assert_eq!(ada.store.full_outboxes("").await.unwrap(), [(ADA, 1)]);
    }
    ada.store.sent("", ADA, &[outgoing(1).id]).await.unwrap();
    assert_eq!(ada.waiting().await, []);
    assert!(ada.store.full_outboxes("").await.unwrap().is_empty());
}

pub(crate) async fn the_same_is_there_once(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    let [first, again] = [outgoing(1), Outgoing { sealed: b"again".to_vec(), ..outgoing(1) }];
    for past in [&first, &outgoing(2), &again] {
        goes_out(&ada, past).await;
    }
    let waiting = ada.waiting().await;
    assert_eq!(waiting.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2].map(|n| Uuid::from_bytes([n; 16])));
    ada.store.sent("", ADA, &[again.id]).await.unwrap();
    assert_eq!(ada.waiting().await, [(outgoing(2).id, outgoing(2).sealed)]);
}

pub(crate) async fn layers_and_shards_have_one_each(bench: &impl LastingBench) {
    let of = async |realm, shard| Transfers::of(bench, testing::owner(realm, [shard; 16])).await;
    let users = [of("", 0).await, of("", 255).await, of("admin", 0).await, of("admin", 7).await];
    for (number, user) in (1..).zip(&users) {
        goes_out(user, &outgoing(number)).await;
    }
    let store = bench.store();
    assert_eq!(store.full_outboxes("").await.unwrap(), [(0, 1), (255, 1)]);
    assert_eq!(store.full_outboxes("admin").await.unwrap(), [(0, 1), (7, 1)]);
    assert!(store.full_outboxes("other").await.unwrap().is_empty());
    // Whatever is said to have been sent in another.
    let all = [1, 2, 3, 4].map(|number| outgoing(number).id);
    store.sent("", 7, &all).await.unwrap();
    store.sent("other", 0, &all).await.unwrap();
    for (number, user) in (1..).zip(&users) {
        assert_eq!(user.waiting().await, [(outgoing(number).id, outgoing(number).sealed)]);
    }
    store.sent("", 0, &all).await.unwrap();
    assert_eq!((store.full_outboxes("").await.unwrap(), users[2].waiting().await.len()), (vec![(255, 1)], 1));
}

pub(crate) async fn some_of_it_is_named_and_in_the_end_all(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    for number in 1..=20 {
        goes_out(&ada, &outgoing(number)).await;
    }
    assert_eq!(ada.store.full_outboxes("").await.unwrap(), [(ADA, 20)]);
    let mut all = BTreeSet::new();
    for left in [20_usize, 17, 14, 11, 8, 5, 2] {
        let some = ada.store.outbox("", ADA, 3).await.unwrap();
        assert_eq!(some.len(), left.min(3));
        for past in &some {
            let [number, ..] = past.id.into_bytes();
            assert_eq!(*past, outgoing(number));
            assert!(all.insert(number), "{number} was taken out");
        }
        ada.store.sent("", ADA, &some.iter().map(|past| past.id).collect::<Vec<_>>()).await.unwrap();
    }
    assert_eq!(all.len(), 20);
    assert_eq!(ada.store.outbox("", ADA, 3).await.unwrap(), []);
}

pub(crate) async fn names_that_are_not_there_are_passed_over(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    ada.store.sent("", ADA, &[outgoing(1).id]).await.unwrap();
    goes_out(&ada, &outgoing(1)).await;
    goes_out(&ada, &outgoing(2)).await;
    ada.store.sent("", ADA, &[]).await.unwrap();
    ada.store.sent("", ADA, &[outgoing(3).id, outgoing(1).id, outgoing(1).id]).await.unwrap();
    assert_eq!(ada.waiting().await, [(outgoing(2).id, outgoing(2).sealed)]);
    ada.store.sent("", ADA, &[outgoing(1).id]).await.unwrap();
    assert_eq!(ada.waiting().await.len(), 1);
    assert_eq!(ada.store.outbox("", ADA, 0).await.unwrap(), []);
}

pub(crate) async fn what_is_taken_out_while_more_comes_in_is_all_of_it(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    let coming = tokio::spawn({
        let ada = ada.clone();
        async move {
            for number in 1..=100 {
                goes_out(&ada, &outgoing(number)).await;
            }
        }
    });
    let mut taken = BTreeSet::new();
    while taken.len() < 100 {
        let some = ada.store.outbox("", ADA, 7).await.unwrap();
        let ids: Vec<_> = some.iter().map(|past| past.id).collect();
        ada.store.sent("", ADA, &ids).await.unwrap();
        taken.extend(ids);
        tokio::task::yield_now().await;
        assert!(!coming.is_finished() || taken.len() == 100 || !ada.waiting().await.is_empty(), "some was lost");
    }
    coming.await.unwrap();
    assert_eq!(ada.waiting().await, []);
}

pub(crate) async fn any_bytes_will_do(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    for (number, sealed) in (1..).zip([Vec::new(), (0..=255).collect(), vec![0; 100_000]]) {
        let id = Uuid::from_bytes(std::array::from_fn(|i| [b'\r', b'\n', 0, number][i % 4]));
        let past = Outgoing { id, sealed };
        goes_out(&ada, &past).await;
        assert_eq!(ada.store.outbox("", ADA, 10).await.unwrap(), [past]);
        ada.store.sent("", ADA, &[id]).await.unwrap();
    }
}
