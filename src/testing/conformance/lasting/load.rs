//! Two entries at once, and several.

use super::{Transfers, entry};
use crate::store::{LastingStore, Outcome, Store};
use crate::testing;
use crate::testing::conformance::LastingBench;
use crate::testing::conformance::entries::{ENDED, KEPT, key, live, parts};
use crate::testing::conformance::markers::ended;

pub(crate) async fn each_is_what_a_load_of_its_own_finds(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    let both = async || ada.store.load_both(&ada.session, &ada.key).await.unwrap();
    assert_eq!(both().await, [Some(live(900)), None]);
    ada.has(&entry(1)).await;
    assert_eq!(both().await, [Some(live(900)), Some(entry(1))]);
    assert_eq!(ada.store.end(&ada.session, None, ended()).await.unwrap(), Outcome::Applied);
    assert_eq!(both().await, [Some(live(900).ended(ended())), Some(entry(1))]);
    assert_eq!(ada.store.end(&ada.key, None, ended()).await.unwrap(), Outcome::Applied);
    assert_eq!(both().await, [Some(live(900).ended(ended())), Some(entry(1).ended(ended()))]);
}

pub(crate) async fn what_has_expired_is_absent(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    ada.has(&entry(1)).await;
    bench.passes(&ada.key, KEPT).await;
    let [_, user_session] = ada.store.load_both(&ada.session, &ada.key).await.unwrap();
    assert_eq!(user_session, None);
    let ada = Transfers { session: key(3), ..ada };
    assert_eq!(ada.store.create(&ada.session, &live(1), KEPT).await.unwrap(), Outcome::Applied);
    bench.passes(&ada.session, KEPT).await;
    assert_eq!(ada.store.load_both(&ada.session, &ada.key).await.unwrap(), [None, None]);
}

pub(crate) async fn they_may_be_in_different_shards(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    let marker = parts(2).with_state(ENDED).entry();
    assert_eq!(ada.store.create(&key(3), &marker, KEPT).await.unwrap(), Outcome::Applied);
    ada.has(&entry(1)).await;
    assert_eq!(ada.store.load_both(&key(3), &ada.key).await.unwrap(), [Some(marker), Some(entry(1))]);
    assert_eq!(ada.store.load_both(&key(4), &ada.key).await.unwrap(), [None, Some(entry(1))]);
}

pub(crate) async fn several_come_in_their_order(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    assert_eq!(ada.store.load_several(&[]).await.unwrap(), []);
    let [visits, orders] = ["visit", "order"].map(|kind| testing::user_session_key(&ada.owner, kind));
    assert_eq!(ada.store.load_several(&[visits, ada.key]).await.unwrap(), [None, None]);
    ada.has(&entry(1)).await;
    assert_eq!(ada.store.create(&visits, &entry(2), KEPT).await.unwrap(), Outcome::Applied);
    let found = [Some(entry(2)), None, Some(entry(1))];
    assert_eq!(ada.store.load_several(&[visits, orders, ada.key]).await.unwrap(), found);
    assert_eq!(ada.store.end(&visits, None, ended()).await.unwrap(), Outcome::Applied);
    let found = [Some(entry(1)), Some(entry(2).ended(ended())), Some(entry(1))];
    assert_eq!(ada.store.load_several(&[ada.key, visits, ada.key]).await.unwrap(), found);
    // Of another layer.
    let admin = testing::owner("admin", *ada.owner.user().as_bytes());
    assert_eq!(ada.store.load_several(&[testing::user_session_key(&admin, "visit")]).await.unwrap(), [None]);
}

pub(crate) async fn of_several_what_has_expired_is_absent(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    ada.has(&entry(1)).await;
    let visits = testing::user_session_key(&ada.owner, "visit");
    bench.passes(&ada.key, KEPT).await;
    assert_eq!(ada.store.create(&visits, &entry(2), KEPT).await.unwrap(), Outcome::Applied);
    assert_eq!(ada.store.load_several(&[ada.key, visits]).await.unwrap(), [None, Some(entry(2))]);
}
