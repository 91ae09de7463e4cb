//! What is told, and to whom.

use super::{ADA, BOB, Follower, HOUR, User, later, until};
use crate::Clock;
use crate::store::{Admitted, Epoch, Outcome, Revocation, Revoked, Store};
use crate::testing::conformance::Bench;
use crate::testing::conformance::entries::at;
use crate::testing::{self, is_fresh};
use std::time::Duration;
use tokio::task::JoinSet;

/// That some session has ended.
fn session(number: u32) -> Revocation {
    let [a, b, c, d] = number.to_be_bytes();
    let owner = testing::owner("", [ADA; 16]);
    let handle = testing::member(&owner, [0; 16], [a, b, c, d, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]).handle;
    testing::revocation(Revoked::Session(handle), later())
}

pub(crate) async fn all_who_follow_hear_everything(bench: &impl Bench) {
    let (ada, bob) = (User::new(bench, ADA), User::new(bench, BOB));
    let early = Follower::of(bench, "");
    let mut news = vec![session(0)];
    bench.store().publish("", &session(0)).await.unwrap();
    for user in [&ada, &bob] {
        user.signs_in([1, 2]).await;
        assert_eq!(user.store.depart(&user.owner, &user.departure(1)).await.unwrap(), Outcome::Applied);
        let evicted = [user.departure(2)];
        assert_eq!(user.asks_with(3, None, &evicted, |_| ()).await, Admitted::Admitted);
        let swept = user.store.end_all(&user.owner, &user.sweep(None)).await.unwrap().expect("nobody was to be kept");
        news.extend([user.news(1), user.news(2), swept.news]);
    }
    early.hears(news.clone()).await;
    let late = Follower::of(bench, "");
    late.hears(news.clone()).await;
    bench.store().publish("", &session(1)).await.unwrap();
    news.push(session(1));
    for follower in [early, late] {
        follower.hears([session(1)]).await;
        assert_eq!(follower.all(), news.iter().copied().collect());
    }
}

pub(crate) async fn nothing_is_missed_at_the_beginning(bench: &impl Bench) {
    let mut publishers = JoinSet::new();
    for i in 0..4 {
        let store = bench.store().clone();
        publishers.spawn(async move {
            for j in 0..50 {
                store.publish("", &session(100 * i + j)).await.unwrap();
            }
        });
    }
    // They begin as the news come in.
    let mut followers = Vec::new();
    for _ in 0..8 {
        followers.push(Follower::of(bench, ""));
        tokio::task::yield_now().await;
    }
    publishers.join_all().await;
    let news: Vec<_> = (0..4).flat_map(|i| (0..50).map(move |j| session(100 * i + j))).collect();
    for follower in followers {
        follower.hears(news.clone()).await;
        assert_eq!(follower.all().len(), 200);
    }
}

pub(crate) async fn each_kind_is_told(bench: &impl Bench) {
    let (ada, bob) = (User::new(bench, ADA), User::new(bench, BOB));
    let (epoch, kept) = (Epoch::from_u64(*super::BASE), bob.member(1).handle);
    let news = [
        Revoked::Session(ada.member(1).handle),
        Revoked::User(*ada.owner.user(), epoch, None),
        Revoked::User(*bob.owner.user(), epoch, Some(kept)),
        Revoked::Everybody(epoch),
    ];
    let news = news.map(|revoked| testing::revocation(revoked, later()));
    let follower = Follower::of(bench, "");
    for news in &news {
        bench.store().publish("", news).await.unwrap();
        // It is told as often as it is published.
        bench.store().publish("", news).await.unwrap();
    }
    follower.hears(news).await;
    assert_eq!(follower.all().len(), 4);
}

pub(crate) async fn what_has_run_out_takes_nothing_along(bench: &impl Bench) {
    let store = bench.store();
    let past = testing::revocation(session(1).revoked(), at(*super::BASE - HOUR));
    let soon = Duration::from_millis(300);
    let now = std::time::SystemTime::from(bench.clock().now());
    let short = testing::revocation(session(2).revoked(), (now + soon).into());
    for news in [past, short, session(3)] {
        store.publish("", &news).await.unwrap();
    }
    bench.wait(soon * 2).await;
    // Published after some have run out: they do not take along what has not.
    for number in 4..40 {
        store.publish("", &session(number)).await.unwrap();
    }
    let follower = Follower::of(bench, "");
    follower.hears((3..40).map(session)).await;
    assert_eq!(follower.all().len(), 37);
}

pub(crate) async fn the_store_is_heard_again_and_again(bench: &impl Bench) {
    let clock = Clock::manual();
    let follower = Follower::by(bench, "", &clock);
    assert!(!is_fresh(&testing::revocations(&clock)), "one who does not follow hears nothing");
    for _ in 0..3 {
        until("the store to be heard", || is_fresh(&follower.known)).await;
        clock.advance(Duration::from_secs(11));
    }
}

pub(crate) async fn layers_of_other_names_hear_nothing(bench: &impl Bench) {
    let realms = ["", "admin", "shop"];
    let followers = realms.map(|realm| Follower::of(bench, realm));
    let mut news = Vec::new();
    for (number, realm) in (1..).zip(realms) {
        let user = User::in_realm(bench, realm, ADA);
        user.signs_in([number]).await;
        assert_eq!(user.store.depart(&user.owner, &user.departure(number)).await.unwrap(), Outcome::Applied);
        let last = session(u32::from(number));
        user.store.publish(realm, &last).await.unwrap();
        news.push([user.news(number), last]);
    }
    for ((realm, follower), news) in realms.into_iter().zip(followers).zip(news) {
        follower.hears(news).await;
        assert_eq!(follower.all(), news.into(), "{realm:?}");
        let late = Follower::of(bench, realm);
        late.hears(news).await;
        assert_eq!(late.all(), news.into(), "{realm:?}");
    }
}

pub(crate) async fn layers_of_other_names_have_users_of_their_own(bench: &impl Bench) {
    let users = ["", "admin"].map(|realm| User::in_realm(bench, realm, ADA));
    let [ada, admin] = &users;
    assert_eq!(ada.owner.user(), admin.owner.user());
    ada.signs_in([1, 2]).await;
    admin.has([]).await;
    admin.signs_in([1, 3]).await;
    ada.has([1, 2]).await;
    admin.has([1, 3]).await;
    let before = admin.sight().await;
    assert!(ada.store.end_all(&ada.owner, &ada.sweep(Some(1))).await.unwrap().is_some_and(|swept| swept.ended == 1));
    assert_eq!(ada.store.depart(&ada.owner, &ada.departure(1)).await.unwrap(), Outcome::Applied);
    assert_eq!(admin.sight().await, before);
    assert_eq!(admin.asks(4, |admission| admission.limit = 3).await, Admitted::Admitted);
}
