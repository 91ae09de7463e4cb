//! Two releases of an application on one store: types that change, slots that one of them does not know, keys that rotate.

mod common;

use axum::handler::Handler;
use axum::http::StatusCode;
use common::{Call, Recording, newcomer, visit};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use testbed::{Answer, Client};
use thin_session::{
    AtSignIn, Clock, IfUndecodable, Keyring, LazySession, Old, Peek, Secret, Session, SessionData, SessionError,
    SessionErrorKind, SessionLayer, SignedIn, UserId, Visitor,
};

/// Declares a type of a release: its slot, its version, and what else differs from the default.
macro_rules! slot {
    ($type:ty, $name:literal, $version:literal $(, $more:item)*) => {
        impl SessionData for $type {
            const NAME: &'static str = $name;
            const VERSION: u32 = $version;
            $($more)*
        }
    };
}

mod v1 {
    use super::*;

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Cart {
        pub(crate) items: Vec<String>,
    }
    slot!(Cart, "cart", 1);

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Note(pub(crate) String);
    slot!(Note, "note", 1);

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Hint(pub(crate) u32);
    slot!(Hint, "hint", 1);
}

/// One field more.
mod v1_1 {
    use super::*;

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Cart {
        pub(crate) items: Vec<String>,
        #[serde(default)]
        pub(crate) coupon: Option<String>,
    }
    slot!(Cart, "cart", 1);
}

/// Other shapes.
mod v2 {
    use super::*;

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Cart {
        pub(crate) counts: BTreeMap<String, u32>,
    }
    slot!(
        Cart,
        "cart",
        2,
        fn migrate(old: Old<'_>) -> Option<Self> {
            assert_eq!(old.version(), 1);
            assert_eq!(old.decode::<v1::Note>(), None, "it is not a note");
            let mut counts = BTreeMap::new();
            for item in old.decode::<v1::Cart>()?.items {
                *counts.entry(item).or_default() += 1;
            }
            Some(Self { counts })
        }
    );

    /// Nobody wrote a migration.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Note {
        pub(crate) lines: Vec<String>,
    }
    slot!(Note, "note", 2);

    /// Nobody would miss it.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Hint(pub(crate) String);
    slot!(Hint, "hint", 2, const IF_UNDECODABLE: IfUndecodable = IfUndecodable::StartOver;);
}

/// Other shapes, and nobody thought of raising the version.
mod careless {
    use super::*;

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Cart {
        pub(crate) items: BTreeMap<String, u32>,
    }
    slot!(Cart, "cart", 1);

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    pub(crate) struct Hint(pub(crate) String);
    slot!(Hint, "hint", 1, const IF_UNDECODABLE: IfUndecodable = IfUndecodable::StartOver;);
}

/// A store with a browser, and releases of an application that come and go.
struct World {
    store: Arc<Recording>,
    clock: Clock,
    browser: Client,
}

impl World {
    fn new() -> Self {
        let clock = Clock::manual();
        Self { store: Recording::new(&clock), clock, browser: newcomer() }
    }

    /// Processes of one release: they know each other's types and nobody else's.
    fn release(&self, keys: &Keyring) -> SessionLayer {
        SessionLayer::new(Arc::clone(&self.store), keys.clone()).clock(self.clock.clone())
    }

    /// Two releases with the same keys.
    fn two_releases(&self) -> [SessionLayer; 2] {
        let keys = Keyring::generate();
        [self.release(&keys), self.release(&keys)]
    }

    async fn ask<H: Handler<T, ()>, T: 'static>(&mut self, release: &SessionLayer, handler: H) -> Answer {
        visit(&mut self.browser, release, handler).await
    }

    /// Has a value stored by a release.
    async fn put<T: SessionData + Clone>(&mut self, release: &SessionLayer, value: T) {
        let answer = self.ask(release, async move |lazy: LazySession<T>| lazy.replace(value.clone()).await.map(drop));
        assert_eq!(answer.await.status, StatusCode::OK);
    }

    /// Checks what a release reads.
    async fn reads<T: SessionData + Clone + PartialEq + std::fmt::Debug>(
        &mut self,
        release: &SessionLayer,
        expected: T,
    ) {
        let check = async move |session: Session<T>| assert_eq!(*session, expected);
        assert_eq!(self.ask(release, check).await.status, StatusCode::OK);
    }

    async fn sign_in(&mut self, release: &SessionLayer, user: u32) {
        let sign_in = async move |mut visitor: Visitor| visitor.sign_in(UserId::new(user)?).await.map(drop);
        assert_eq!(self.ask(release, sign_in).await.status, StatusCode::OK);
    }

    /// Who is signed in, to a release.
    async fn who(&mut self, release: &SessionLayer) -> String {
        let who =
            async |who: Option<SignedIn>| who.map_or("nobody".to_owned(), |who| who.user_id().as_str().to_owned());
        self.ask(release, who).await.text().to_owned()
    }
}

fn items(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

fn counts(counts: &[(&str, u32)]) -> BTreeMap<String, u32> {
    counts.iter().map(|(item, count)| ((*item).to_owned(), *count)).collect()
}

#[track_caller]
fn assert_newer(answer: &Answer, what: &str) {
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{what}");
    assert_eq!(answer.header("retry-after"), Some("1"), "{what}");
}

#[track_caller]
fn assert_undecodable(answer: &Answer, what: &str) {
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{what}");
    assert_eq!(answer.text(), "Internal Server Error", "{what}");
}

#[tokio::test]
async fn a_new_field_with_a_default_reads_what_was_stored_without_it() {
    let mut world = World::new();
    let [old, new] = world.two_releases();
    world.put(&old, v1::Cart { items: items(&["tea"]) }).await;
    world.reads(&new, v1_1::Cart { items: items(&["tea"]), coupon: None }).await;
    let redeem = async |mut cart: Session<v1_1::Cart>| cart.update(|cart| cart.coupon = Some("7%".to_owned())).await;
    assert_eq!(world.ask(&new, redeem).await.status, StatusCode::OK);

    world.reads(&old, v1::Cart { items: items(&["tea"]) }).await;
    world.reads(&new, v1_1::Cart { items: items(&["tea"]), coupon: Some("7%".to_owned()) }).await;
    let leave = async |mut cart: Session<v1::Cart>| cart.update(|cart| cart.items.len()).await.map(drop);
    assert_eq!(world.ask(&old, leave).await.status, StatusCode::OK);
    world.reads(&new, v1_1::Cart { items: items(&["tea"]), coupon: Some("7%".to_owned()) }).await;

    // As documented: what an old process does write lacks the field that it does not know.
    let add = async |mut cart: Session<v1::Cart>| cart.update(|cart| cart.items.push("pot".to_owned())).await;
    assert_eq!(world.ask(&old, add).await.status, StatusCode::OK);
    world.reads(&new, v1_1::Cart { items: items(&["tea", "pot"]), coupon: None }).await;
}

#[tokio::test]
async fn a_raised_version_migrates_when_read_and_is_stored_when_changed() {
    let mut world = World::new();
    let [old, new] = world.two_releases();
    world.put(&old, v1::Cart { items: items(&["tea", "pot", "tea"]) }).await;
    let before = world.store.only().await;
    world.reads(&new, v2::Cart { counts: counts(&[("pot", 1), ("tea", 2)]) }).await;
    let leave = async |mut cart: Session<v2::Cart>| cart.update(|cart| cart.counts.len()).await.map(drop);
    assert_eq!(world.ask(&new, leave).await.status, StatusCode::OK);
    assert_eq!(world.store.only().await, before, "reading does not write");
    world.reads(&old, v1::Cart { items: items(&["tea", "pot", "tea"]) }).await;

    let add =
        async |mut cart: Session<v2::Cart>| cart.update(|cart| cart.counts.insert("jug".to_owned(), 1)).await.map(drop);
    assert_eq!(world.ask(&new, add).await.status, StatusCode::OK);
    world.reads(&new, v2::Cart { counts: counts(&[("jug", 1), ("pot", 1), ("tea", 2)]) }).await;
    assert_newer(&world.ask(&old, async |_: Session<v1::Cart>| ()).await, "the old release");
}

#[tokio::test]
async fn a_newer_version_is_an_error_to_the_old_release_and_never_overwritten() {
    let mut world = World::new();
    let [old, new] = world.two_releases();
    let cart = v2::Cart { counts: counts(&[("tea", 2)]) };
    world.put(&new, cart.clone()).await;
    world.put(&new, v2::Hint("new".to_owned())).await;
    let before = world.store.only().await;

    let load = async |lazy: LazySession<v1::Cart>| lazy.load().await.map(drop);
    let replace = async |lazy: LazySession<v1::Cart>| lazy.replace(v1::Cart::default()).await.map(drop);
    let replace_tuple =
        async |lazy: LazySession<(v1::Note, v1::Cart)>| lazy.replace(Default::default()).await.map(drop);
    assert_newer(&world.ask(&old, async |_: Session<v1::Cart>| ()).await, "session");
    assert_newer(&world.ask(&old, async |_: Option<Session<v1::Cart>>| ()).await, "optional session");
    assert_newer(&world.ask(&old, async |_: Peek<v1::Cart>| ()).await, "peek");
    assert_newer(&world.ask(&old, async |_: Option<Peek<v1::Cart>>| ()).await, "optional peek");
    assert_newer(&world.ask(&old, async |_: Session<(v1::Note, v1::Cart)>| ()).await, "tuple");
    assert_newer(&world.ask(&old, load).await, "lazy");
    assert_newer(&world.ask(&old, replace).await, "replace");
    assert_newer(&world.ask(&old, replace_tuple).await, "replace of a tuple");
    assert_newer(&world.ask(&old, async |_: Session<careless::Hint>| ()).await, "one that would start over");
    assert_eq!(world.store.only().await, before);
    world.reads(&new, cart).await;
}

#[tokio::test]
async fn a_newer_version_that_comes_while_an_old_process_is_at_work_is_not_overwritten() {
    let mut world = World::new();
    for way in ["update", "take", "replace", "reload"] {
        let [old, new] = world.two_releases();
        world.browser = newcomer();
        world.put(&old, v1::Cart { items: items(&["tea"]) }).await;
        let elsewhere = world.browser.clone();
        let upgrade = async |mut cart: Session<v2::Cart>| {
            cart.update(|cart| cart.counts.insert("jug".to_owned(), 1)).await.map(drop)
        };
        let next = new.clone();
        let answer = world.ask(&old, async move |mut cart: Session<v1::Cart>| {
            visit(&mut elsewhere.clone(), &next, upgrade).await;
            let result = match way {
                "update" => cart.update(|cart| cart.items.clear()).await,
                "take" => cart.take().await.map(drop),
                "replace" => cart.replace(v1::Cart::default()).await,
                _ => cart.reload().await,
            };
            assert_eq!(cart.items, items(&["tea"]), "{way}: the handle keeps its view");
            result
        });
        assert_newer(&answer.await, way);
        world.reads(&new, v2::Cart { counts: counts(&[("jug", 1), ("tea", 1)]) }).await;
    }
}

#[tokio::test]
async fn what_does_not_decode_is_an_error_that_only_replace_overwrites() {
    let mut world = World::new();
    let [old, new] = world.two_releases();
    world.put(&old, v1::Cart { items: items(&["tea"]) }).await;
    world.put(&old, v1::Note("hello".to_owned())).await;
    let before = world.store.only().await;

    // Of the same version, and of an older one without a migration.
    assert_undecodable(&world.ask(&new, async |_: Session<careless::Cart>| ()).await, "session");
    assert_undecodable(&world.ask(&new, async |_: Option<Session<careless::Cart>>| ()).await, "optional session");
    assert_undecodable(&world.ask(&new, async |_: Option<Peek<careless::Cart>>| ()).await, "optional peek");
    assert_undecodable(&world.ask(&new, async |_: Session<v2::Note>| ()).await, "no migration");
    assert_undecodable(&world.ask(&new, async |_: Session<(v2::Note, v1::Hint)>| ()).await, "tuple");
    let kind = async |cart: Result<Session<careless::Cart>, SessionError>| {
        let error = cart.expect_err("it does not decode");
        assert_eq!(*error.kind(), SessionErrorKind::Undecodable { slot: "cart" });
    };
    assert_eq!(world.ask(&new, kind).await.status, StatusCode::OK);
    assert_eq!(world.store.only().await, before);
    world.reads(&old, v1::Cart { items: items(&["tea"]) }).await;

    world.put(&new, careless::Cart { items: counts(&[("tea", 1)]) }).await;
    world.reads(&new, careless::Cart { items: counts(&[("tea", 1)]) }).await;
    world.put(&new, v2::Note { lines: items(&["hello"]) }).await;
    world.reads(&new, v2::Note { lines: items(&["hello"]) }).await;
}

#[tokio::test]
async fn what_stops_decoding_while_a_process_is_at_work_is_overwritten_by_replace_only() {
    let mut world = World::new();
    for way in ["update", "take", "replace"] {
        let [old, new] = world.two_releases();
        world.browser = newcomer();
        world.put(&old, v1::Cart { items: items(&["tea"]) }).await;
        let elsewhere = world.browser.clone();
        let spoil = async |lazy: LazySession<careless::Cart>| {
            lazy.replace(careless::Cart { items: counts(&[("jug", 1)]) }).await.map(drop)
        };
        let next = new.clone();
        let answer = world.ask(&old, async move |mut cart: Session<v1::Cart>| {
            visit(&mut elsewhere.clone(), &next, spoil).await;
            match way {
                "update" => cart.update(|cart| cart.items.clear()).await,
                "take" => cart.take().await.map(drop),
                _ => cart.replace(v1::Cart::default()).await,
            }
        });
        let answer = answer.await;
        if way == "replace" {
            assert_eq!(answer.status, StatusCode::OK);
            world.reads(&old, v1::Cart::default()).await;
        } else {
            assert_undecodable(&answer, way);
            world.reads(&new, careless::Cart { items: counts(&[("jug", 1)]) }).await;
        }
    }
}

#[tokio::test]
async fn a_type_that_starts_over_takes_what_does_not_decode_as_absent() {
    let mut world = World::new();
    let keys = Keyring::generate();
    let [old, careless, new] = std::array::from_fn(|_| world.release(&keys));
    world.put(&old, v1::Hint(7)).await;
    let before = world.store.only().await;
    let of_its_version = async |hint: Option<Session<careless::Hint>>| assert!(hint.is_none());
    let of_an_older_one = async |hint: Option<Peek<v2::Hint>>| assert!(hint.is_none());
    assert_eq!(world.ask(&careless, of_its_version).await.status, StatusCode::OK);
    assert_eq!(world.ask(&new, of_an_older_one).await.status, StatusCode::OK);
    assert_eq!(world.store.only().await, before, "reading does not write");
    world.reads(&old, v1::Hint(7)).await;

    let update = async |mut hint: Session<v2::Hint>| {
        assert_eq!(hint.0, "");
        hint.update(|hint| hint.0.push_str("anew")).await
    };
    assert_eq!(world.ask(&new, update).await.status, StatusCode::OK);
    world.reads(&new, v2::Hint("anew".to_owned())).await;
}

#[tokio::test]
async fn slots_that_a_release_does_not_know_are_carried_over_untouched() {
    let mut world = World::new();
    let [old, new] = world.two_releases();
    let (cart, hint) = (v2::Cart { counts: counts(&[("tea", 2)]) }, v2::Hint("new".to_owned()));
    world.put(&new, cart.clone()).await;
    world.put(&new, hint.clone()).await;

    let write = async |mut note: Session<v1::Note>| note.update(|note| note.0.push('x')).await;
    let take = async |mut note: Session<v1::Note>| note.take().await.map(drop);
    assert_eq!(world.ask(&old, write).await.status, StatusCode::OK);
    assert_eq!(world.ask(&old, take).await.status, StatusCode::OK);
    assert_eq!(world.ask(&old, write).await.status, StatusCode::OK);
    world.reads(&new, cart.clone()).await;

    world.sign_in(&old, 7).await;
    world.reads(&new, cart.clone()).await;
    let prove = async |mut visitor: Visitor| visitor.reauthenticated().await.map(drop);
    assert_eq!(world.ask(&old, prove).await.status, StatusCode::OK);
    world.reads(&new, cart).await;
    world.reads(&new, hint).await;
    world.reads(&old, v1::Note("x".to_owned())).await;
}

/// Where an order goes: planted by somebody else it would do harm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Address(String);

slot!(Address, "address", 1, const AT_SIGN_IN: AtSignIn = AtSignIn::Drop;);

#[tokio::test]
async fn a_slot_to_be_dropped_at_sign_in_is_dropped_by_a_release_that_does_not_know_it_either() {
    let mut world = World::new();
    let [old, new] = world.two_releases();
    world.put(&new, Address("1 Bad Lane".to_owned())).await;
    world.put(&new, v1::Note("stays".to_owned())).await;
    world.sign_in(&old, 7).await;
    world.reads(&new, Address::default()).await;
    world.reads(&new, v1::Note("stays".to_owned())).await;

    // What the user has written since is not an anonymous visitor's any more.
    world.put(&new, Address("2 Good Street".to_owned())).await;
    world.sign_in(&old, 7).await;
    world.reads(&new, Address("2 Good Street".to_owned())).await;
}

#[tokio::test]
async fn two_releases_that_write_by_turns_lose_nothing() {
    let mut world = World::new();
    let [old, new] = world.two_releases();
    for _ in 0..20 {
        let write = async |mut note: Session<v1::Note>| note.update(|note| note.0.push('x')).await;
        let add = async |mut cart: Session<v2::Cart>| {
            cart.update(|cart| *cart.counts.entry("tea".to_owned()).or_default() += 1).await
        };
        assert_eq!(world.ask(&old, write).await.status, StatusCode::OK);
        assert_eq!(world.ask(&new, add).await.status, StatusCode::OK);
    }
    world.reads(&old, v1::Note("x".repeat(20))).await;
    world.reads(&new, v2::Cart { counts: counts(&[("tea", 20)]) }).await;
}

/// A key ring with this current secret that opens what the others sealed.
fn ring(lasting: &Secret, current: &Secret, others: &[&Secret]) -> Keyring {
    let ring = Keyring::new(lasting.clone(), current.clone()).expect("two secrets");
    others.iter().fold(ring, |ring, other| ring.also_opening((*other).clone()).expect("another secret"))
}

#[tokio::test]
async fn a_rotation_of_keys_keeps_everybody_signed_in() {
    let [lasting, old, next] = std::array::from_fn(|_| Secret::generate());
    let mut world = World::new();
    let releases = [
        world.release(&ring(&lasting, &old, &[])),
        world.release(&ring(&lasting, &old, &[&next])),
        world.release(&ring(&lasting, &next, &[&old])),
    ];
    let last = world.release(&ring(&lasting, &next, &[]));

    // In each phase processes of the one before are still there: a session of either works at both.
    let mut browsers = Vec::new();
    for (phase, both) in releases.windows(2).enumerate() {
        for (begun_at, release) in both.iter().enumerate() {
            world.browser = newcomer();
            world.put(release, v1::Note("kept".to_owned())).await;
            world.sign_in(release, 7).await;
            for step in 0..4 {
                let turn = &both[step % 2];
                assert_eq!(world.who(turn).await, "7", "phase {phase}, begun at {begun_at}, step {step}");
                world.reads(turn, v1::Note("kept".to_owned())).await;
                let write = async move |mut hint: Session<v1::Hint>| hint.update(|hint| hint.0 += 1).await;
                assert_eq!(world.ask(turn, write).await.status, StatusCode::OK);
            }
            browsers.push(world.browser.clone());
        }
    }
    for browser in browsers {
        world.browser = browser;
        world.reads(&releases[2], v1::Hint(4)).await;
        let recognised = async |visitor: Visitor| visitor.user_id().is_some().to_string();
        assert_eq!(world.ask(&releases[2], recognised).await.text(), "true");
    }

    // Once the old key is gone, its cookies are nobody's, and no error.
    world.browser = newcomer();
    world.sign_in(&releases[0], 7).await;
    assert_eq!(world.who(&last).await, "nobody");
    world.browser = newcomer();
    world.sign_in(&releases[2], 7).await;
    assert_eq!(world.who(&last).await, "7");
}

/// A browser whose cookie one key sealed and whose record another, and the release that knows the first alone.
async fn sealed_by_a_newer_release(world: &mut World) -> [SessionLayer; 2] {
    let [lasting, old, next] = std::array::from_fn(|_| Secret::generate());
    let (before, after) = (world.release(&ring(&lasting, &old, &[])), world.release(&ring(&lasting, &next, &[&old])));
    world.put(&before, v1::Note("kept".to_owned())).await;
    world.put(&after, v1::Hint(7)).await;
    [before, after]
}

#[tokio::test]
async fn a_record_under_an_unknown_key_is_an_error_and_stays() {
    let mut world = World::new();
    let [before, after] = sealed_by_a_newer_release(&mut world).await;
    let record = world.store.only().await;
    world.store.calls();

    let replace = async |lazy: LazySession<v1::Note>| lazy.replace(v1::Note::default()).await.map(drop);
    let sign_in = async |mut visitor: Visitor| visitor.sign_in(UserId::new(7)?).await.map(drop);
    assert_newer(&world.ask(&before, async |_: Session<v1::Note>| ()).await, "session");
    assert_newer(&world.ask(&before, async |_: Option<Peek<v1::Note>>| ()).await, "optional peek");
    assert_newer(&world.ask(&before, async |_: Option<SignedIn>| ()).await, "optional proof");
    assert_newer(&world.ask(&before, replace).await, "replace");
    assert_newer(&world.ask(&before, sign_in).await, "sign-in");
    assert_eq!(world.ask(&before, async |_: Visitor| ()).await.status, StatusCode::OK, "needs no session");
    assert!(world.store.calls().iter().all(|call| *call == Call::Load), "nothing is written");
    assert_eq!(world.store.only().await, record);
    world.reads(&after, v1::Note("kept".to_owned())).await;

    let sign_out = async |mut visitor: Visitor| visitor.sign_out().await;
    assert_eq!(world.ask(&before, sign_out).await.status, StatusCode::OK, "ending needs no key");
    assert!(world.store.live().await.is_empty());
}

#[tokio::test]
async fn a_record_under_a_refused_key_has_ended() {
    let [lasting, good, leaked] = std::array::from_fn(|_| Secret::generate());
    let mut world = World::new();
    let before = world.release(&ring(&lasting, &good, &[]));
    let careless = world.release(&ring(&lasting, &leaked, &[&good]));
    let after = world.release(&ring(&lasting, &good, &[]).refusing(leaked).expect("another secret"));
    for signs_in in [false, true] {
        world.browser = newcomer();
        world.put(&before, v1::Note("forged?".to_owned())).await;
        world.put(&careless, v1::Hint(7)).await;
        world.reads(&after, v1::Note::default()).await;
        assert_eq!(world.who(&after).await, "nobody");
        if signs_in {
            world.sign_in(&after, 7).await;
            assert_eq!(world.who(&after).await, "7");
        } else {
            let begin = async |mut hint: Session<v1::Hint>| hint.update(|hint| hint.0 += 1).await;
            let answer = world.ask(&after, begin).await;
            assert_eq!((answer.status, answer.set_cookies().len()), (StatusCode::OK, 1), "a new session begins");
            world.reads(&after, v1::Hint(1)).await;
        }
        world.reads(&after, v1::Note::default()).await;
    }
}

#[tokio::test]
async fn a_cookie_under_a_refused_key_is_nobodys() {
    let [lasting, good, leaked] = std::array::from_fn(|_| Secret::generate());
    let mut world = World::new();
    let before = world.release(&ring(&lasting, &leaked, &[&good]));
    let after = world.release(&ring(&lasting, &good, &[]).refusing(leaked).expect("another secret"));
    world.sign_in(&before, 7).await;
    assert_eq!(world.who(&after).await, "nobody");
    let recognised = async |visitor: Visitor| visitor.user_id().is_some().to_string();
    assert_eq!(world.ask(&after, recognised).await.text(), "false");
}

#[tokio::test]
async fn limits_that_a_new_release_lowers_hold_for_sessions_that_are_there() {
    let mut world = World::new();
    let [old, new] = world.two_releases();
    let hour = Duration::from_secs(3600);
    let new = new.anonymous_limits(thin_session::Limits::new(hour, hour).expect("limits that can work"));
    world.put(&old, v1::Hint(7)).await;
    world.clock.advance(hour - Duration::from_secs(1));
    world.reads(&new, v1::Hint(7)).await;
    world.clock.advance(Duration::from_secs(1));
    world.reads(&new, v1::Hint(0)).await;
}
