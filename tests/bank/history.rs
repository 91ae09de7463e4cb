//! A user's sessions page by page: each once, wherever it is, and while it moves.

use crate::gate::{Op, Step};
use crate::shop::{Shop, elsewhere, ok, on_each_store};
use crate::transfer::{Transfer, device_with};
use crate::until;
use axum::http::Method;
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use testbed::Client;
use thin_session::archive::Archive as _;
use thin_session::store::LastingStore as _;
use thin_session::{EndReason, HistoryEntry, HistoryPage, Sessions, UserId, UserSessionData};
use uuid::Uuid;

const IDLE: Duration = Duration::from_secs(3600);

/// Pages that were looked at.
#[derive(Default, Serialize, Deserialize)]
struct Visit(u32);

impl UserSessionData for Visit {
    const KIND: &'static str = "visit";
    const IDLE: Duration = Duration::from_secs(100 * 3600);
}

const ALL: HistoryPage<'static> = HistoryPage::of(1000);

fn ada() -> UserId {
    UserId::new("ada").expect("it is an id")
}

async fn history(sessions: &Sessions, page: &HistoryPage<'_>) -> Vec<HistoryEntry> {
    sessions.history(&ada(), page).await.expect("it can be read")
}

fn told(entry: &HistoryEntry) -> String {
    let how = entry.reason().map_or("active", |reason| reason.as_str());
    format!("{how} {} {}", entry.kind, entry.payload)
}

async fn page(sessions: &Sessions, page: &HistoryPage<'_>) -> Vec<String> {
    history(sessions, page).await.iter().map(told).collect()
}

/// From now on nothing comes into the archive.
fn hold_back(shop: &Shop) {
    shop.gate.rule(|op| if op == Op::Add { Step::Refuse } else { Step::Pass });
}

/// Lets all that waits come into the archive.
fn let_go(shop: &Shop) -> impl Future<Output = ()> + Send + use<> {
    let gate = Arc::clone(&shop.gate);
    async move {
        gate.no_rule();
        let is_empty = async {
            while !gate.inner().full_outboxes("").await.expect("the store answers").is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), is_empty).await.expect("it is moved");
    }
}

async fn post(browser: &Client, path: &str) {
    ok(browser.ask(Method::POST, path).await);
}

/// A transfer that is archived, one that waits, an active one, and a visit that began before them all.
async fn with_some_everywhere(shop: &Shop) -> Client {
    let mut visit = shop.sessions().user_session::<Visit>(&ada()).await.expect("it can be loaded");
    visit.update(|visit| visit.0 = 7).await.expect("it begins");
    shop.let_time_pass().await;
    let phone = device_with(shop, "1").await;
    post(&phone, "/complete").await;
    let_go(shop).await;
    hold_back(shop);
    post(&phone, "/transfer/2").await;
    post(&phone, "/abandon").await;
    post(&phone, "/transfer/3").await;
    phone
}

const EVERYWHERE: [&str; 4] =
    ["active transfer [\"3\"]", "abandoned transfer [\"2\"]", "completed transfer [\"1\"]", "active visit 7"];

fn only(numbers: &[usize]) -> Vec<&'static str> {
    numbers.iter().map(|number| EVERYWHERE[*number]).collect()
}

async fn a_page_has_what_is_active_what_waits_and_what_is_archived(shop: Shop) {
    let _phone = with_some_everywhere(&shop).await;
    let sessions = shop.sessions_with::<Transfer>();
    assert_eq!(page(&sessions, &ALL).await, only(&[0, 1, 2]), "visits are not known here");
    assert_eq!(page(&sessions, &ALL.of_kind("visit")).await, only(&[3]), "unless they are asked for");
    let _ = sessions.user_session::<Visit>(&ada()).await.expect("it can be loaded");
    assert_eq!(page(&sessions, &ALL).await, only(&[0, 1, 2, 3]), "they are by now");
    let active = sessions.active(&ada()).await.expect("it can be read");
    assert_eq!(active.iter().map(told).collect::<Vec<_>>(), only(&[0, 3]));
    assert_eq!((active[0].updates, active[0].ended()), (1, None));

    for limit in 1..=5 {
        let (mut down, mut next) = (Vec::new(), HistoryPage::of(limit));
        while let some = history(&sessions, &next).await
            && let Some(last) = some.last()
        {
            assert!(some.len() <= limit);
            next = next.before(last.id);
            down.extend(some);
        }
        let (mut up, mut next) = (Vec::new(), HistoryPage::of(limit).after(Uuid::nil()));
        while let some = history(&sessions, &next).await
            && let Some(first) = some.first()
        {
            assert!(some.len() <= limit);
            next = next.after(first.id);
            up.splice(0..0, some);
        }
        assert_eq!(down.iter().map(told).collect::<Vec<_>>(), EVERYWHERE, "{limit} at once");
        assert_eq!(up, down, "{limit} at once");
    }
    let_go(&shop).await;
    assert_eq!(page(&sessions, &ALL).await, EVERYWHERE, "wherever it is");
}

async fn what_is_asked_about_the_end_leaves_out_what_is_active(shop: Shop) {
    let before: SystemTime = shop.clock.now().into();
    let _phone = with_some_everywhere(&shop).await;
    let sessions = shop.sessions_with::<Visit>();
    let _ = sessions.user_session::<Transfer>(&ada()).await.expect("it can be loaded");
    assert_eq!(page(&sessions, &ALL).await, EVERYWHERE);
    assert_eq!(page(&sessions, &ALL.only_ended()).await, only(&[1, 2]));
    assert_eq!(page(&sessions, &ALL.because(EndReason::Abandoned)).await, only(&[1]));
    assert_eq!(page(&sessions, &ALL.because(EndReason::Expired)).await, only(&[]));
    let after: SystemTime = shop.clock.now().into();
    let moment = Duration::from_millis(1);
    assert_eq!(page(&sessions, &ALL.ended_between(before, after + moment)).await, only(&[1, 2]));
    assert_eq!(page(&sessions, &ALL.ended_between(after + moment, after + IDLE)).await, only(&[]));
    assert_eq!(page(&sessions, &ALL.of_kind("transfer")).await, only(&[0, 1, 2]));
    let other = UserId::new("bob").expect("it is an id");
    assert_eq!(sessions.history(&other, &ALL).await.expect("it can be read"), []);
}

/// It is active when the first part of a page is read, and somewhere else when the next is: each time it is on the page once, as it is
/// in the end.
async fn what_moves_while_a_page_is_read_is_on_it_once(shop: Shop) {
    let phone = device_with(&shop, "1").await;
    let sessions = shop.sessions_with::<Transfer>();
    let ended = ["completed transfer [\"1\"]"];

    // It ends and waits, and then is moved.
    hold_back(&shop);
    shop.gate.plan(Op::LoadSeveral, [Step::after(elsewhere(&phone, "/complete"))]);
    shop.gate.plan(Op::History, [Step::before(let_go(&shop))]);
    assert_eq!(page(&sessions, &ALL).await, ended);
    assert_eq!(page(&sessions, &ALL).await, ended);

    // It ends and waits.
    hold_back(&shop);
    post(&phone, "/transfer/2").await;
    shop.gate.plan(Op::LoadSeveral, [Step::after(elsewhere(&phone, "/abandon"))]);
    let ended = ["abandoned transfer [\"2\"]", ended[0]];
    assert_eq!(page(&sessions, &ALL).await, ended);

    // It waits when what waits is read, and is moved then.
    shop.gate.plan(Op::History, [Step::before(let_go(&shop))]);
    assert_eq!(page(&sessions, &ALL).await, ended);

    // It ends and is moved at once.
    post(&phone, "/transfer/3").await;
    let (complete, moved) = (elsewhere(&phone, "/send"), let_go(&shop));
    let both = async move {
        complete.await;
        moved.await;
    };
    shop.gate.plan(Op::LoadSeveral, [Step::after(both)]);
    let ended = ["completed transfer [\"3\"]", ended[0], ended[1]];
    assert_eq!(page(&sessions, &ALL).await, ended);

    // It ends, and the next begins in its place: that is on the next page that is asked for.
    post(&phone, "/transfer/4").await;
    shop.gate.plan(Op::LoadSeveral, [Step::after(elsewhere(&phone, "/next/5"))]);
    let [third, second, first] = ended;
    assert_eq!(page(&sessions, &ALL).await, ["completed transfer [\"4\"]", third, second, first]);
    let all = ["active transfer [\"5\"]", "completed transfer [\"4\"]", third, second, first];
    assert_eq!(page(&sessions, &ALL).await, all);

    // What was seen as active and is asked for as ended is there as well.
    shop.gate.plan(Op::LoadSeveral, [Step::after(elsewhere(&phone, "/abandon"))]);
    let all = ["abandoned transfer [\"5\"]", "completed transfer [\"4\"]", third, second, first];
    assert_eq!(page(&sessions, &ALL.only_ended()).await, all);
}

/// Whether or not anybody has swept since.
async fn what_has_run_out_is_on_it_as_expired(shop: Shop) {
    let phone = device_with(&shop, "1").await;
    let id = history(&shop.sessions(), &ALL.of_kind("transfer")).await[0].id;
    hold_back(&shop);
    let idled = shop.idles(2 * IDLE);
    let sessions = shop.sessions_with::<Transfer>();
    for page in [ALL, ALL.only_ended(), ALL.because(EndReason::Expired)] {
        let found = history(&sessions, &page).await;
        assert_eq!(
            found.iter().map(|entry| (entry.id, entry.reason())).collect::<Vec<_>>(),
            [(id, Some(EndReason::Expired))]
        );
        // Where the clock cannot be moved it is as if it had been used that much earlier.
        let ended = found[0].ended().expect("it has ended") + idled;
        let lasted = ended.duration_since(found[0].began).expect("in order");
        assert!(lasted >= IDLE && lasted < IDLE + Duration::from_secs(60), "{lasted:?}");
    }
    assert_eq!(sessions.active(&ada()).await.expect("it can be read"), []);
    assert_eq!(page(&sessions, &ALL.because(EndReason::Completed)).await, [""; 0]);
    let seen = history(&sessions, &ALL).await;
    shop.gate.no_rule();
    drop(phone);
    until("it is swept, and moved", async || {
        let archive = shop.gate.inner();
        !archive.history("", &ada(), &ALL).await.expect("the archive answers").is_empty()
    })
    .await;
    assert_eq!(history(&sessions, &ALL).await, seen, "as the sweep has it");
}

on_each_store! {
    a_page_has_what_is_active_what_waits_and_what_is_archived,
    what_is_asked_about_the_end_leaves_out_what_is_active,
    what_moves_while_a_page_is_read_is_on_it_once,
    what_has_run_out_is_on_it_as_expired,
}
