//! What a handler does with a session: `update`, `try_update`, `take`, `replace`, `reload`, tuples, and what is refused.

mod common;

use axum::handler::Handler;
use axum::http::{Request, StatusCode};
use common::{Call, Recording, newcomer, visit};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use testbed::{Answer, Client};
use thin_session::{
    Clock, Keyring, LazySession, Limits, Peek, Session, SessionData, SessionError, SessionErrorKind, SessionLayer,
    UserId, Visitor,
};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Cart(Vec<u32>);

impl SessionData for Cart {
    const NAME: &'static str = "cart";
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Note(String);

impl SessionData for Note {
    const NAME: &'static str = "note";
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Prices(HashMap<String, u32>);

impl SessionData for Prices {
    const NAME: &'static str = "prices";
}

/// A site, and a tab of a browser that is there. A clone is another tab of the same browser.
#[derive(Clone)]
struct Tab {
    store: Arc<Recording>,
    clock: Clock,
    layer: SessionLayer,
    browser: Client,
}

impl Tab {
    fn new() -> Self {
        let clock = Clock::manual();
        let store = Recording::new(&clock);
        let layer = SessionLayer::new(Arc::clone(&store), Keyring::generate()).clock(clock.clone());
        Self { store, clock, layer, browser: newcomer() }
    }

    /// A tab with these in the cart, and a store that has forgotten its calls.
    async fn with_cart(items: &[u32]) -> Self {
        let mut tab = Self::new();
        let items = Cart(items.to_vec());
        tab.ask(async move |mut cart: Session<Cart>| cart.replace(items.clone()).await).await;
        tab.store.calls();
        tab
    }

    /// Has a handler answer a request.
    async fn ask<H: Handler<T, ()>, T: 'static>(&mut self, handler: H) -> Answer {
        visit(&mut self.browser, &self.layer, handler).await
    }

    /// Adds to the cart.
    async fn push(&mut self, item: u32) {
        let answer = self.ask(async move |mut cart: Session<Cart>| cart.update(|cart| cart.0.push(item)).await).await;
        assert_eq!(answer.status, StatusCode::OK);
    }

    async fn sign_out(&mut self) {
        let answer = self.ask(async |mut visitor: Visitor| visitor.sign_out().await).await;
        assert_eq!(answer.status, StatusCode::OK);
    }

    /// What is in the cart; none if no cart is stored.
    async fn cart(&self) -> Option<Vec<u32>> {
        let show = async |cart: Option<Peek<Cart>>| format!("{:?}", cart.map(|cart| cart.into_inner().0));
        let shown = self.clone().ask(show).await;
        assert_eq!(shown.status, StatusCode::OK);
        match shown.text() {
            "None" => None,
            some => {
                let list = some.trim_start_matches("Some([").trim_end_matches("])").split(", ");
                Some(list.filter(|item| !item.is_empty()).map(|item| item.parse().expect("a number")).collect())
            }
        }
    }

    /// Whether a note is stored.
    async fn has_note(&self) -> bool {
        let mut tab = self.clone();
        tab.ask(async |note: Option<Peek<Note>>| note.is_some().to_string()).await.text() == "true"
    }
}

fn kind(error: &SessionError) -> SessionErrorKind {
    error.kind().clone()
}

#[tokio::test]
async fn an_update_is_committed_before_the_handler_goes_on() {
    let mut tab = Tab::with_cart(&[1]).await;
    let elsewhere = tab.clone();
    let answer = tab.ask(async move |mut cart: Session<Cart>| {
        let count = cart.update(|cart| {
            cart.0.push(2);
            cart.0.len()
        });
        assert_eq!(count.await?, 2, "the result comes out");
        assert_eq!(cart.0, [1, 2], "the handle shows what was committed");
        assert_eq!(elsewhere.cart().await, Some(vec![1, 2]));
        Err::<(), _>(SessionError::from(SessionErrorKind::SignedOut))
    });
    assert_eq!(answer.await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(tab.cart().await, Some(vec![1, 2]), "and stays, whatever the handler answers");
}

#[tokio::test]
async fn an_update_runs_again_on_what_others_wrote() {
    let mut tab = Tab::with_cart(&[1]).await;
    let other = tab.clone();
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let answer = tab.ask(async move |mut cart: Session<Cart>| {
        other.clone().push(2).await;
        other.clone().push(3).await;
        let seen = cart.update(|cart| {
            counted.fetch_add(1, Ordering::SeqCst);
            cart.0.push(4);
            cart.0.len()
        });
        assert_eq!(seen.await.expect("it is applied"), 4);
        assert_eq!(cart.0, [1, 2, 3, 4]);
    });
    answer.await;
    assert_eq!(runs.load(Ordering::SeqCst), 2, "once for what was loaded and once for what was there");
    assert_eq!(tab.cart().await, Some(vec![1, 2, 3, 4]));
}

#[tokio::test]
async fn a_refusal_leaves_the_store_untouched() {
    let mut tab = Tab::with_cart(&[1]).await;
    let before = tab.store.only().await;
    let answer = tab.ask(async |mut cart: Session<Cart>| {
        let refused = cart.try_update(|cart| {
            cart.0.push(2);
            Err::<(), _>("sold out")
        });
        assert_eq!(refused.await?, Err("sold out"));
        assert_eq!(cart.0, [1], "the handle shows what is stored, not what was tried");
        let wanted = cart.try_update(|cart| if cart.0.len() == 1 { Ok("one") } else { Err("more") });
        assert_eq!(wanted.await?, Ok("one"));
        Ok::<_, SessionError>(())
    });
    assert_eq!(answer.await.status, StatusCode::OK);
    assert_eq!(tab.store.calls(), [Call::Load]);
    assert_eq!(tab.store.only().await, before);
}

#[tokio::test]
async fn a_refusal_of_what_others_wrote_shows_what_they_wrote() {
    let mut tab = Tab::with_cart(&[1]).await;
    let other = tab.clone();
    let answer = tab.ask(async move |mut cart: Session<Cart>| {
        other.clone().push(2).await;
        let refused = cart.try_update(|cart| {
            cart.0.push(3);
            if cart.0.len() > 2 { Err("full") } else { Ok(()) }
        });
        assert_eq!(refused.await.expect("it is decided"), Err("full"));
        assert_eq!(cart.0, [1, 2]);
    });
    answer.await;
    assert_eq!(tab.cart().await, Some(vec![1, 2]));
}

#[tokio::test]
async fn taking_removes_the_slot_and_answers_what_it_held() {
    let mut tab = Tab::with_cart(&[1, 2]).await;
    tab.ask(async |mut note: Session<Note>| note.replace(Note("hello".to_owned())).await).await;
    tab.store.calls();
    let answer = tab.ask(async |mut cart: Session<Cart>| {
        assert_eq!(cart.take().await?, Cart(vec![1, 2]));
        assert_eq!(*cart, Cart::default());
        assert_eq!(cart.take().await?, Cart::default(), "nothing is left to take");
        Ok::<_, SessionError>(())
    });
    assert_eq!(answer.await.status, StatusCode::OK);
    assert_eq!(tab.store.calls(), [Call::Load, Call::Commit]);
    assert_eq!(tab.cart().await, None);
    assert!(tab.has_note().await, "other slots stay");
}

#[tokio::test]
async fn taking_takes_what_others_wrote_meanwhile() {
    let mut tab = Tab::with_cart(&[1]).await;
    let other = tab.clone();
    let answer = tab.ask(async move |mut cart: Session<Cart>| {
        other.clone().push(2).await;
        format!("{:?}", cart.take().await.expect("it is taken").0)
    });
    assert_eq!(answer.await.text(), "[1, 2]");
}

#[tokio::test]
async fn replacing_stores_the_value_also_if_it_is_the_default() {
    let mut tab = Tab::new();
    let replace = async |mut cart: Session<Cart>| {
        cart.replace(Cart::default()).await?;
        assert_eq!(*cart, Cart::default());
        Ok::<_, SessionError>(())
    };
    tab.ask(replace).await;
    assert_eq!(tab.store.calls(), [Call::Create]);
    assert_eq!(tab.cart().await, Some(vec![]), "an empty cart is a cart");
    tab.store.calls();
    tab.ask(replace).await;
    assert_eq!(tab.store.calls(), [Call::Load], "the same again writes nothing");
    tab.ask(async |lazy: LazySession<Cart>| lazy.replace(Cart(vec![5])).await.map(|cart| assert_eq!(cart.0, [5])))
        .await;
    assert_eq!(tab.cart().await, Some(vec![5]));
}

#[tokio::test]
async fn a_handle_keeps_its_view_until_its_own_update_or_reload() {
    let mut tab = Tab::with_cart(&[1]).await;
    let other = tab.clone();
    let answer = tab.ask(async move |lazy: LazySession<Cart>, mut a: Session<Cart>, mut b: Session<Cart>| {
        a.update(|cart| cart.0.push(2)).await?;
        assert_eq!((&a.0[..], &b.0[..]), (&[1, 2][..], &[1][..]));
        assert_eq!(lazy.load().await?.0, [1, 2], "who comes later sees what was committed");
        b.update(|cart| cart.0.push(3)).await?;
        assert_eq!((&a.0[..], &b.0[..]), (&[1, 2][..], &[1, 2, 3][..]));
        other.clone().push(4).await;
        a.reload().await?;
        assert_eq!(a.0, [1, 2, 3, 4], "reading anew shows what others wrote");
        assert_eq!(b.0, [1, 2, 3]);
        b.reload().await?;
        assert_eq!(b.0, [1, 2, 3, 4]);
        Ok::<_, SessionError>(())
    });
    assert_eq!(answer.await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_tuple_changes_in_one_commit() {
    let mut tab = Tab::with_cart(&[1]).await;
    let answer = tab.ask(async |mut both: Session<(Cart, Note)>| {
        both.update(|(cart, note)| {
            note.0 = format!("ordered {}", cart.0.len());
            cart.0.clear();
        })
        .await?;
        assert_eq!(*both, (Cart(vec![]), Note("ordered 1".to_owned())));
        Ok::<_, SessionError>(())
    });
    assert_eq!(answer.await.status, StatusCode::OK);
    assert_eq!(tab.store.calls(), [Call::Load, Call::Commit]);
    assert_eq!(tab.cart().await, Some(vec![]));
    assert!(tab.has_note().await);
}

#[tokio::test]
async fn a_tuple_of_three_is_begun_in_one_create_and_taken_in_one_commit() {
    let mut tab = Tab::new();
    let begin = async |mut all: Session<(Cart, Note, Prices)>| {
        all.update(|(cart, note, prices)| {
            cart.0.push(1);
            note.0.push('x');
            prices.0.insert("tea".to_owned(), 3);
        })
        .await
    };
    tab.ask(begin).await;
    assert_eq!(tab.store.calls(), [Call::Create]);
    tab.ask(async |mut all: Session<(Cart, Note, Prices)>| {
        let (cart, note, prices) = all.take().await?;
        assert_eq!((cart.0.len(), note.0.len(), prices.0.len()), (1, 1, 1));
        Ok::<_, SessionError>(())
    })
    .await;
    assert_eq!(tab.store.calls(), [Call::Load, Call::Commit]);
    assert_eq!(tab.cart().await, None);
    assert!(!tab.has_note().await);
}

#[tokio::test]
async fn a_tuple_stores_only_those_of_its_types_that_were_changed() {
    let mut tab = Tab::with_cart(&[1]).await;
    tab.ask(async |mut both: Session<(Cart, Note)>| both.update(|(cart, _)| cart.0.push(2)).await).await;
    assert_eq!(tab.cart().await, Some(vec![1, 2]));
    assert!(!tab.has_note().await, "nobody has written a note");
}

#[tokio::test]
async fn a_refusal_of_a_tuple_changes_neither() {
    let mut tab = Tab::with_cart(&[1]).await;
    tab.ask(async |mut both: Session<(Cart, Note)>| {
        let refused = both.try_update(|(cart, note)| {
            cart.0.clear();
            note.0.push('x');
            Err::<(), _>(())
        });
        assert_eq!(refused.await?, Err(()));
        assert_eq!(*both, (Cart(vec![1]), Note::default()));
        Ok::<_, SessionError>(())
    })
    .await;
    assert_eq!(tab.store.calls(), [Call::Load]);
}

#[tokio::test]
async fn two_first_updates_of_one_request_make_one_session() {
    let mut tab = Tab::new();
    let answer = tab.ask(async |mut cart: Session<Cart>, mut again: Session<Cart>, mut note: Session<Note>| {
        let all = tokio::join!(
            cart.update(|cart| cart.0.push(1)),
            again.update(|cart| cart.0.push(2)),
            note.update(|note| note.0.push('x')),
        );
        for result in [all.0, all.1, all.2] {
            result?;
        }
        Ok::<_, SessionError>(())
    });
    let answer = answer.await;
    assert_eq!((answer.status, answer.set_cookies().len()), (StatusCode::OK, 1));
    assert_eq!(tab.store.calls(), [Call::Create, Call::Commit, Call::Commit]);
    assert_eq!(tab.store.live().await.len(), 1);
    assert_eq!(tab.cart().await, Some(vec![1, 2]));
    assert!(tab.has_note().await);
}

#[tokio::test]
async fn an_update_after_the_requests_own_sign_out_begins_a_new_anonymous_session() {
    let mut tab = Tab::with_cart(&[1]).await;
    tab.ask(async |mut visitor: Visitor| visitor.sign_in(UserId::new(7)?).await.map(drop)).await;
    let old = tab.clone();
    let answer = tab.ask(async |mut visitor: Visitor, mut cart: Session<Cart>, mut note: Session<Note>| {
        visitor.sign_out().await?;
        note.update(|note| note.0.push_str("you have signed out")).await?;
        cart.update(|cart| cart.0.push(9)).await?;
        assert_eq!(cart.0, [9], "nothing of the old session is left");
        Ok::<_, SessionError>(())
    });
    assert_eq!(answer.await.status, StatusCode::OK);
    assert_eq!(tab.browser.cookies.keys().collect::<Vec<_>>(), ["__Host-Http-session"]);
    assert_eq!(tab.cart().await, Some(vec![9]));
    assert!(tab.has_note().await);
    assert_eq!(old.cart().await, None);
    assert_eq!(tab.store.live().await.len(), 1);
}

#[tokio::test]
async fn a_visitor_who_is_asked_for_later_in_a_request_is_the_one_it_signed_in_or_out() {
    async fn later(request: &Request<()>) -> Option<String> {
        let visitor = Visitor::of(request).await.expect("the layer is there");
        visitor.user_id().map(|user| user.as_str().to_owned())
    }
    let mut tab = Tab::new();
    let answer = tab.ask(async |request: axum::extract::Request| {
        let request = request.map(drop);
        let mut visitor = Visitor::of(&request).await?;
        assert_eq!(later(&request).await, None);
        visitor.sign_in(UserId::new(7)?).await?;
        assert_eq!(later(&request).await.as_deref(), Some("7"));
        visitor.sign_out_remembering().await?;
        assert_eq!(later(&request).await.as_deref(), Some("7"));
        visitor.sign_out().await?;
        assert_eq!(later(&request).await, None);
        Ok::<_, SessionError>(())
    });
    assert_eq!(answer.await.status, StatusCode::OK);
}

/// What happens between a request's first look and its update.
#[derive(Clone, Copy, Debug)]
enum Meanwhile {
    SignedOut,
    SignedOutAndForgotten,
    Expired,
}

#[tokio::test]
async fn nothing_is_begun_in_the_place_of_a_session_that_ended_meanwhile() {
    let minute = Duration::from_secs(60);
    for meanwhile in [Meanwhile::SignedOut, Meanwhile::SignedOutAndForgotten, Meanwhile::Expired] {
        for reloads in 0..3 {
            let mut tab = Tab::with_cart(&[1]).await;
            tab.layer = tab.layer.anonymous_limits(Limits::new(minute, minute).expect("limits that can work"));
            tab.clock.advance(minute - Duration::from_secs(1));
            let other = tab.clone();
            let answer = tab.ask(async move |mut cart: Session<Cart>| {
                match meanwhile {
                    Meanwhile::SignedOut => other.clone().sign_out().await,
                    Meanwhile::SignedOutAndForgotten => {
                        other.clone().sign_out().await;
                        other.clock.advance(Duration::from_secs(121));
                    }
                    Meanwhile::Expired => other.clock.advance(Duration::from_secs(1)),
                }
                for _ in 0..reloads {
                    // Whether it says so or shows an empty cart, what was there does not come back.
                    if cart.reload().await.is_ok() {
                        assert_eq!(cart.0, [0; 0]);
                    }
                }
                cart.update(|cart| cart.0.push(2)).await
            });
            let answer = answer.await;
            assert_eq!(answer.status, StatusCode::CONFLICT, "{meanwhile:?}, {reloads} reloads");
            assert_eq!(answer.set_cookies(), [""; 0]);
            assert!(tab.store.live().await.is_empty());
        }
    }
}

#[tokio::test]
async fn a_map_that_is_not_changed_is_not_written() {
    let mut tab = Tab::new();
    let fill = async |mut prices: Session<Prices>| {
        prices.update(|prices| prices.0.extend((0..50).map(|i| (format!("item {i}"), i)))).await
    };
    assert_eq!(tab.ask(fill).await.status, StatusCode::OK);
    let before = tab.store.only().await;
    tab.store.calls();
    for _ in 0..20 {
        let leave = async |mut prices: Session<Prices>| {
            prices.update(|prices| prices.0.insert("item 7".to_owned(), 7)).await.map(drop)
        };
        assert_eq!(tab.ask(leave).await.status, StatusCode::OK);
        assert_eq!(tab.store.calls(), [Call::Load]);
    }
    assert_eq!(tab.store.only().await, before);
}

/// Sets the note to so many bytes.
async fn note_of(bytes: usize, mut note: Session<Note>) -> Result<(), SessionError> {
    note.replace(Note("x".repeat(bytes))).await
}

#[tokio::test]
async fn what_would_exceed_the_budget_is_refused_and_what_is_stored_stays() {
    for budget in [None, Some(1000)] {
        let mut tab = Tab::with_cart(&[1]).await;
        if let Some(bytes) = budget {
            tab.layer = tab.layer.budget(bytes).expect("a budget");
        }
        let expected = budget.unwrap_or(4096);
        assert_eq!(tab.ask(move |note: Session<Note>| note_of(expected / 2, note)).await.status, StatusCode::OK);
        let before = tab.store.only().await;
        tab.store.calls();
        let answer = tab.ask(async move |mut both: Session<(Cart, Note)>| {
            let refused = both.update(|(cart, note)| {
                cart.0.push(2);
                note.0.push_str(&"y".repeat(expected));
            });
            let error = refused.await.expect_err("it does not fit");
            let SessionErrorKind::TooLarge { slot, size, limit } = kind(&error) else { panic!("{error}") };
            assert_eq!((slot, limit), ("note", expected));
            assert!((expected * 3 / 2..expected * 3 / 2 + 200).contains(&size), "{size} bytes of {expected}");
            assert_eq!((both.0.0.len(), both.1.0.len()), (1, expected / 2), "the handle shows what is stored");
            error
        });
        assert_eq!(answer.await.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(tab.store.calls(), [Call::Load], "nothing too large is sent");
        assert_eq!(tab.store.only().await, before);
    }
}

#[tokio::test]
async fn a_first_write_over_the_budget_begins_no_session() {
    let mut tab = Tab::new();
    let answer = tab.ask(|note: Session<Note>| note_of(4096, note)).await;
    assert_eq!((answer.status, answer.set_cookies().len()), (StatusCode::PAYLOAD_TOO_LARGE, 0));
    assert_eq!(tab.store.calls(), []);
}

#[tokio::test]
async fn the_budget_is_the_size_of_the_record() {
    let mut tab = Tab::new();
    tab.layer = tab.layer.budget(1000).expect("a budget");
    tab.ask(|note: Session<Note>| note_of(500, note)).await;
    let overhead = tab.store.only().await.as_bytes().len() - 500;
    let mut tab = Tab { browser: newcomer(), ..tab };
    assert_eq!(tab.clone().ask(move |note: Session<Note>| note_of(1001 - overhead, note)).await.status, 413);
    assert_eq!(tab.ask(move |note: Session<Note>| note_of(1000 - overhead, note)).await.status, 200);
}

#[tokio::test]
async fn a_record_over_its_budget_can_still_be_made_smaller() {
    // A deploy that lowers the budget meets records that were within the old one.
    let mut tab = Tab::with_cart(&[1, 2, 3]).await;
    tab.ask(|note: Session<Note>| note_of(2000, note)).await;
    tab.layer = tab.layer.budget(1000).expect("a budget");
    let shrink = async |mut cart: Session<Cart>| cart.update(|cart| cart.0.clear()).await;
    assert_eq!(tab.ask(shrink).await.status, StatusCode::OK);
    let take = async |mut cart: Session<Cart>| cart.take().await.map(drop);
    assert_eq!(tab.ask(take).await.status, StatusCode::OK);
    assert_eq!(tab.cart().await, None);
    assert!(tab.has_note().await);
    let grow = async |mut cart: Session<Cart>| cart.update(|cart| cart.0.push(1)).await;
    assert_eq!(tab.ask(grow).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let swap = async |mut note: Session<Note>| note.replace(Note("y".repeat(2000))).await;
    assert_eq!(tab.ask(swap).await.status, StatusCode::PAYLOAD_TOO_LARGE, "as large as before is not smaller");
}

#[tokio::test]
async fn how_fast_one_writes_does_not_count_against_the_budget() {
    let mut tab = Tab::new();
    tab.layer = tab.layer.budget(1000).expect("a budget");
    tab.ask(|note: Session<Note>| note_of(500, note)).await;
    let overhead = tab.store.only().await.as_bytes().len() - 500;
    // Room for the one earlier write id that every changed record carries.
    let fits = 1000 - overhead - 6;
    for length in (0..20).map(|i| fits - i % 2) {
        assert_eq!(tab.ask(move |note: Session<Note>| note_of(length, note)).await.status, StatusCode::OK);
    }
}

/// Comes back only where it is not zero.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Lossy {
    #[serde(skip_serializing_if = "is_zero")]
    count: u32,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl SessionData for Lossy {
    const NAME: &'static str = "lossy";
}

#[tokio::test]
async fn a_value_that_does_not_survive_its_own_encoding_is_refused_and_what_is_stored_stays() {
    let mut tab = Tab::new();
    let set = |count| async move |mut lossy: Session<Lossy>| lossy.update(|lossy| lossy.count = count).await;
    assert_eq!(tab.ask(set(5)).await.status, StatusCode::OK);
    let before = tab.store.only().await;
    for replaces in [false, true] {
        let answer = tab.ask(async move |mut lossy: Session<Lossy>| {
            let refused = if replaces {
                lossy.replace(Lossy { count: 0 }).await
            } else {
                lossy.update(|lossy| lossy.count = 0).await
            };
            let error = refused.expect_err("it would not come back");
            assert_eq!(kind(&error), SessionErrorKind::Encode { slot: "lossy" });
            assert_eq!(lossy.count, 5);
            error
        });
        assert_eq!(answer.await.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(tab.store.only().await, before);
    }
    let answer = tab.ask(async |lossy: Session<Lossy>| lossy.count.to_string()).await;
    assert_eq!(answer.text(), "5");
}

/// Does not serialize when it is negative.
#[derive(Debug, Default, PartialEq, Deserialize)]
struct Unwritable(i32);

impl Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 < 0 { Err(serde::ser::Error::custom("negative")) } else { serializer.serialize_i32(self.0) }
    }
}

impl SessionData for Unwritable {
    const NAME: &'static str = "unwritable";
}

#[tokio::test]
async fn a_value_that_does_not_serialize_is_refused_and_what_is_stored_stays() {
    let mut tab = Tab::new();
    let set = |value| async move |mut session: Session<Unwritable>| session.update(|slot| slot.0 = value).await;
    assert_eq!(tab.ask(set(5)).await.status, StatusCode::OK);
    let before = tab.store.only().await;
    let answer = tab.ask(set(-1)).await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(tab.store.only().await, before);
}

/// The shapes that serde buffers before it reads them, with contents that have a compact form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step")]
enum Step {
    Begun,
    Addressed { from: IpAddr, at: std::time::SystemTime },
    Paid(Payment),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Payment {
    amount: u64,
    #[serde(flatten)]
    origin: Origin,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Origin {
    proxy: IpAddr,
    #[serde(flatten)]
    more: HashMap<String, Either>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Either {
    Address(IpAddr),
    Number(i64),
    Pair(Option<f64>, char),
    Text(String),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Checkout {
    steps: Vec<Step>,
}

impl SessionData for Checkout {
    const NAME: &'static str = "checkout";
}

#[tokio::test]
async fn tagged_flattened_and_untagged_values_come_back() {
    let address: IpAddr = "2001:db8::1".parse().expect("an address");
    let more = [
        ("client", Either::Address("192.0.2.1".parse().expect("an address"))),
        ("most", Either::Number(i64::MAX)),
        ("least", Either::Number(i64::MIN)),
        ("pair", Either::Pair(Some(0.1), 'ß')),
        ("none", Either::Pair(None, '☃')),
        ("text", Either::Text("192.0.2.1 is not all of it".to_owned())),
    ];
    let more = more.map(|(name, value)| (name.to_owned(), value)).into();
    let steps = vec![
        Step::Begun,
        Step::Addressed { from: address, at: std::time::SystemTime::UNIX_EPOCH + Duration::from_nanos(1) },
        Step::Paid(Payment { amount: u64::MAX, origin: Origin { proxy: address, more } }),
    ];
    let checkout = Checkout { steps };
    let expected = checkout.clone();
    let mut tab = Tab::new();
    let store = async move |mut session: Session<Checkout>| session.replace(checkout.clone()).await;
    assert_eq!(tab.ask(store).await.status, StatusCode::OK);
    let compare = async move |session: Session<Checkout>| assert_eq!(*session, expected);
    assert_eq!(tab.ask(compare).await.status, StatusCode::OK);
}
