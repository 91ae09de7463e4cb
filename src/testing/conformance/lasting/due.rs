//! When it is time to look at one.

use super::{ADA, Transfers, entry, id, of};
use crate::store::{Entry, Key, LastingStore, Replaced, Replacement, Standing, Store, WriteId};
use crate::testing;
use crate::testing::conformance::LastingBench;
use crate::testing::conformance::entries::{ENDED, KEPT, at};
use std::time::Duration;
use tokio::task::{JoinSet, yield_now};

const NOW: Option<Duration> = Some(Duration::ZERO);
const LATER: Duration = Duration::from_secs(1000);

impl<S: LastingStore + Clone> Transfers<S> {
    /// The keys of those that are due in Ada's layer, and what is there.
    async fn due(&self) -> Vec<(Key, Entry)> {
        self.store.due(self.owner.realm(), 1000).await.unwrap()
    }

    async fn is_due(&self) -> bool {
        self.due().await.iter().any(|(key, _)| *key == self.key)
    }

    /// Puts an entry there that is to be looked at.
    async fn puts(&self, expected: Option<WriteId>, entry: &Entry, look_in: Option<Duration>) {
        let put = self.asks(entry, |asked| (asked.expected, asked.look_in) = (expected, look_in)).await;
        assert_eq!(put, Replaced::Applied);
    }
}

fn marker(number: u16) -> Entry {
    of(number).with_state(ENDED).entry()
}

pub(crate) async fn nothing_is_due_at_first(bench: &impl LastingBench) {
    assert_eq!(bench.store().due("", 10).await.unwrap(), []);
    let ada = Transfers::of_ada(bench).await;
    ada.store.put_off(&ada.key, Duration::ZERO).await.unwrap();
    assert_eq!(ada.due().await, []);
}

pub(crate) async fn it_is_due_when_its_time_has_come_and_not_before(bench: &impl LastingBench) {
    let [ada, bob] = [Transfers::of_ada(bench).await, Transfers::of_user(bench, 1).await];
    let soon = Duration::from_millis(300);
    let before = bench.clock().now();
    ada.puts(None, &entry(1), Some(soon)).await;
    bob.puts(None, &entry(1), Some(LATER)).await;
    while !ada.is_due().await {
        bench.wait(Duration::from_millis(1)).await;
        yield_now().await;
    }
    assert!(bench.clock().now() >= at(before.as_millis() + 300), "it is not due before");
    assert!(ada.is_due().await, "it stays so until it is put off");
    assert!(!bob.is_due().await);
}

pub(crate) async fn it_is_named_with_what_is_there(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    ada.puts(None, &entry(1), NOW).await;
    let there = ada.loads().await.unwrap();
    assert_eq!(ada.due().await, [(ada.key, there)]);
    ada.puts(Some(id(1)), &entry(2), None).await;
    let there = ada.loads().await.unwrap();
    assert_eq!(there.write_id(), id(2));
    assert_eq!(ada.due().await, [(ada.key, there)]);
}

pub(crate) async fn one_that_is_not_to_be_looked_at_is_not_due(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    ada.puts(None, &entry(1), None).await;
    assert_eq!(ada.due().await, []);
    // Until somebody wants to know.
    ada.puts(Some(id(1)), &entry(2), NOW).await;
    assert!(ada.is_due().await);
}

pub(crate) async fn activity_leaves_the_time_as_it_is(bench: &impl LastingBench) {
    let [ada, bob] = [Transfers::of_ada(bench).await, Transfers::of_user(bench, 1).await];
    for (user, look_in) in [(&ada, Duration::ZERO), (&bob, LATER)] {
        user.puts(None, &entry(1), Some(look_in)).await;
        let touched = user.loads().await.unwrap().touched();
        assert!(user.store.renew(&user.key, touched, KEPT, KEPT).await.unwrap());
        for (number, other) in (1..).zip([Some(LATER), NOW, None]) {
            user.puts(Some(id(number)), &entry(number + 1), other).await;
        }
    }
    assert!(ada.is_due().await);
    assert!(!bob.is_due().await);
}

/// Also the next one that begins where one has lapsed, and work outside of requests.
pub(crate) async fn one_that_takes_its_place_leaves_the_time_as_it_is(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    ada.puts(None, &entry(1), NOW).await;
    let (nobody, lapsed) = (None, Standing::Lapsed(Duration::ZERO));
    let next = |asked: &mut Replacement<'_>| {
        (asked.asked_by, asked.standing, asked.expected, asked.look_in) = (nobody, lapsed, Some(id(1)), Some(LATER));
    };
    assert_eq!(ada.asks(&entry(2), next).await, Replaced::Applied);
    assert!(ada.is_due().await);
}

pub(crate) async fn it_can_be_put_off(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    ada.puts(None, &entry(1), NOW).await;
    assert!(ada.is_due().await);
    ada.store.put_off(&ada.key, LATER).await.unwrap();
    assert!(!ada.is_due().await);
    let soon = Duration::from_millis(300);
    let before = bench.clock().now();
    ada.store.put_off(&ada.key, soon).await.unwrap();
    while !ada.is_due().await {
        bench.wait(Duration::from_millis(1)).await;
        yield_now().await;
    }
    assert!(bench.clock().now() >= at(before.as_millis() + 300), "it was put off");
}

pub(crate) async fn what_is_not_due_any_more_is_not_put_off(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    ada.puts(None, &entry(1), NOW).await;
    ada.puts(Some(id(1)), &marker(2), None).await;
    ada.store.put_off(&ada.key, LATER).await.unwrap();
    // It is not named, and so the next one is named anew.
    ada.puts(Some(id(2)), &entry(3), NOW).await;
    assert!(ada.is_due().await);
}

/// Whatever it says of when to look.
pub(crate) async fn a_marker_has_it_forgotten(bench: &impl LastingBench) {
    for (user, look_in) in [(1, None), (2, NOW), (3, Some(LATER))] {
        let user = Transfers::of_user(bench, user).await;
        user.puts(None, &entry(1), NOW).await;
        user.puts(Some(id(1)), &marker(2), look_in).await;
        assert!(!user.is_due().await);
        user.puts(Some(id(2)), &entry(3), Some(LATER)).await;
        assert!(!user.is_due().await, "the time of the one before it is forgotten");
        user.puts(Some(id(3)), &marker(4), look_in).await;
        user.puts(Some(id(4)), &entry(5), NOW).await;
        assert!(user.is_due().await);
    }
}

pub(crate) async fn what_was_ended_otherwise_is_not_named(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    ada.puts(None, &entry(1), NOW).await;
    let _ = ada.store.end(&ada.key, None, crate::testing::conformance::markers::ended()).await.unwrap();
    assert_eq!(ada.due().await, []);
}

pub(crate) async fn what_has_gone_is_not_named_and_stands_in_nobodys_way(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    ada.puts(None, &entry(1), NOW).await;
    bench.passes(&ada.key, KEPT).await;
    // Of another shard, or of the same.
    for bob in [Transfers::of_user(bench, 255).await, ada.clone()] {
        let bob = Transfers { key: testing::user_session_key(&bob.owner, "visits"), ..bob };
        bob.lives_on().await;
        bob.puts(None, &entry(2), NOW).await;
        let found: Vec<_> = ada.store.due("", 1).await.unwrap().into_iter().map(|(key, _)| key).collect();
        assert_eq!(found, [bob.key]);
        bob.store.put_off(&bob.key, LATER).await.unwrap();
    }
    // Nor does it come back with another.
    ada.lives_on().await;
    ada.puts(None, &entry(3), Some(LATER)).await;
    assert_eq!(ada.due().await, []);
}

/// Before anybody has looked.
pub(crate) async fn one_that_begins_where_another_has_gone_is_due(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    ada.puts(None, &entry(1), NOW).await;
    bench.passes(&ada.key, KEPT).await;
    ada.lives_on().await;
    ada.puts(None, &entry(2), Some(LATER)).await;
    assert!(ada.is_due().await, "as it was named");
}

pub(crate) async fn at_most_so_many_are_named_and_in_the_end_all(bench: &impl LastingBench) {
    for user in 0..20 {
        // Several to a shard.
        let owner = testing::owner("", std::array::from_fn(|i| if i == 0 { user % 7 } else { user }));
        let user = Transfers::of(bench, owner).await;
        user.puts(None, &entry(1), NOW).await;
    }
    let store = bench.store();
    assert_eq!(store.due("", 0).await.unwrap(), []);
    for left in [20_usize, 17, 14, 11, 8, 5, 2] {
        let some = store.due("", 3).await.unwrap();
        assert_eq!(some.len(), left.min(3));
        for (key, _) in some {
            store.put_off(&key, LATER).await.unwrap();
        }
    }
    assert_eq!(store.due("", 3).await.unwrap(), []);
}

pub(crate) async fn layers_and_shards_have_their_own(bench: &impl LastingBench) {
    let of = async |realm, shard| Transfers::of(bench, testing::owner(realm, [shard; 16])).await;
    let users = [of("", 0).await, of("", 255).await, of("admin", 0).await, of("admin", 7).await];
    for user in &users {
        user.puts(None, &entry(1), NOW).await;
    }
    let due = async |realm| {
        let mut keys: Vec<_> = bench.store().due(realm, 10).await.unwrap().into_iter().map(|(key, _)| key).collect();
        keys.sort_unstable_by_key(Key::shard);
        keys
    };
    assert_eq!(due("").await, [users[0].key, users[1].key]);
    assert_eq!(due("admin").await, [users[2].key, users[3].key]);
    assert_eq!(due("other").await, []);
    users[0].store.put_off(&users[0].key, LATER).await.unwrap();
    assert_eq!(due("").await, [users[1].key]);
    users[2].puts(Some(id(1)), &marker(2), None).await;
    assert_eq!(due("admin").await, [users[3].key]);
    assert_eq!(due("").await, [users[1].key]);
}

pub(crate) async fn a_refused_replacement_names_none(bench: &impl LastingBench) {
    let ada = Transfers::of_ada(bench).await;
    let absent = |asked: &mut Replacement<'_>| (asked.expected, asked.look_in) = (Some(id(9)), NOW);
    assert_eq!(ada.asks(&entry(1), absent).await, Replaced::Absent);
    let unasked = |asked: &mut Replacement<'_>| {
        (asked.asked_by, asked.look_in) = (Some(crate::testing::conformance::entries::key(ADA)), NOW)
    };
    assert_eq!(ada.asks(&entry(1), unasked).await, Replaced::Unasked);
    ada.puts(None, &entry(1), None).await;
    assert!(matches!(ada.asks(&entry(2), |asked| asked.look_in = NOW).await, Replaced::Found(_)));
    let lapsed = Standing::Lapsed(LATER);
    let untimely = |asked: &mut Replacement<'_>| {
        (asked.expected, asked.standing, asked.look_in) = (Some(id(1)), lapsed, NOW);
    };
    assert!(matches!(ada.asks(&entry(2), untimely).await, Replaced::Untimely(_)));
    assert_eq!(ada.due().await, []);
    // Nor does a refused marker forget any.
    ada.puts(Some(id(1)), &entry(2), NOW).await;
    assert!(matches!(ada.asks(&marker(3), |asked| asked.expected = Some(id(1))).await, Replaced::Found(_)));
    assert!(ada.is_due().await);
}

/// One that begins where another has gone is still named after somebody has found the other gone.
pub(crate) async fn of_many_that_begin_and_end_while_others_look_none_is_missed(bench: &impl LastingBench) {
    let users: Vec<_> = {
        let mut users = Vec::new();
        for number in 0..8 {
            users.push(Transfers::of_user(bench, number).await);
        }
        users
    };
    for round in 0..20_u16 {
        // What is not forgotten with a marker: it was ended otherwise, and is found to have gone.
        let (first, next) = (2 * round + 1, 2 * round + 2);
        for user in &users {
            user.puts(user.loads().await.map(|there| there.write_id()), &entry(first), NOW).await;
            let _ = user.store.end(&user.key, None, crate::testing::conformance::markers::ended()).await.unwrap();
        }
        let mut all = JoinSet::new();
        for user in users.clone() {
            let looking = user.clone();
            all.spawn(async move { drop(looking.store.due("", 1000).await.unwrap()) });
            all.spawn(async move { user.puts(Some(id(first)), &entry(next), NOW).await });
        }
        all.join_all().await;
        for user in &users {
            assert!(user.is_due().await, "round {round}");
            user.puts(Some(id(next)), &marker(next), NOW).await;
            assert!(!user.is_due().await, "round {round}");
        }
    }
}
