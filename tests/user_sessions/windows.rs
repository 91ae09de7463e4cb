//! Idle and absolute limits; visits.

use super::{Transfer, Visit, ada, also_ada, is, step, user};
use axum::Router;
use axum::routing::post;
use std::time::Duration;
use testbed::Client;
use thin_session::testing::Browser;
use thin_session::{
    Clock, Cost, EndReason, HistoryPage, Keyring, MemoryStore, Quota, SessionError, SessionErrorKind, SessionLayer,
    UserId, UserSession, Visitor,
};

const MINUTE: Duration = Duration::from_secs(60);

async fn page(browser: &Browser) -> u32 {
    let mut visit = browser.user_session::<Visit>();
    visit.update(|visit| visit.pages += 1).await.unwrap();
    visit.pages
}

#[tokio::test]
async fn an_hour_without_a_page_begins_a_new_visit_and_the_old_one_is_to_be_found() {
    let browser = ada();
    for pages in 1..=10 {
        assert_eq!(page(&browser).await, pages);
        browser.wait(20 * MINUTE);
    }
    let first = UserSession::id(&browser.user_session::<Visit>()).unwrap();
    // Looking was activity as well.
    browser.wait(60 * MINUTE);
    let browser = also_ada(&browser);
    assert_eq!(UserSession::id(&browser.user_session::<Visit>()), None);
    assert_eq!(page(&browser).await, 1);
    assert_ne!(UserSession::id(&browser.user_session::<Visit>()), Some(first));

    let history = browser.sessions().history(&user("ada"), &HistoryPage::of(10)).await.unwrap();
    let [now, past] = &history[..] else { panic!("{history:?}") };
    assert!(now.is_active());
    assert_eq!((past.id, past.reason(), past.updates), (first, Some(EndReason::Expired), 10));
    assert_eq!(past.decode::<Visit>().unwrap(), Visit { pages: 10 });
    let lasted = past.ended().unwrap().duration_since(past.began).unwrap();
    assert_eq!(lasted, 10 * 20 * MINUTE + 60 * MINUTE, "it ended an hour after the last look");
}

#[tokio::test]
async fn a_look_pushes_the_idle_limit_out() {
    let browser = ada();
    assert_eq!(page(&browser).await, 1);
    for _ in 0..5 {
        browser.wait(25 * MINUTE);
        assert_eq!(browser.user_session::<Visit>().pages, 1);
    }
    assert_eq!(page(&browser).await, 2);
}

#[tokio::test]
async fn a_handler_that_saw_one_run_out_is_told() {
    let browser = ada();
    page(&browser).await;
    let mut visit = browser.user_session::<Visit>();
    let mut of_others = [(); 2].map(|()| browser.user_session::<Visit>());
    browser.wait(60 * MINUTE);
    is(visit.update(|visit| visit.pages += 1).await, &SessionErrorKind::Ended);
    is(visit.complete().await, &SessionErrorKind::Ended);
    is(of_others[0].complete().await, &SessionErrorKind::Ended);
    is(of_others[1].complete_within(Quota::rolling(9, MINUTE)).await, &SessionErrorKind::Ended);
}

#[tokio::test]
async fn whatever_happens_it_ends_with_its_lifetime() {
    let mut browser = ada();
    step(&mut browser.user_session(), 1).await;
    for _ in 0..14 {
        browser.wait(Duration::from_secs(12 * 3600 - 1));
        browser = also_ada(&browser);
        assert_eq!(browser.user_session::<Transfer>().steps, [1]);
    }
    browser.wait(Duration::from_secs(14));
    assert_eq!(browser.user_session::<Transfer>().steps, [0; 0]);
}

/// The store decides, and is not asked again and again: it will not say otherwise.
#[tokio::test]
async fn a_server_whose_clock_is_behind_is_told_by_the_store_that_it_has_run_out() {
    async fn turn(mut visit: UserSession<Visit>, cost: Cost) -> Result<String, SessionError> {
        let updated = visit.update(|visit| visit.pages += 1).await;
        Ok(format!("{:?} after {} calls", updated.as_ref().map_err(SessionError::kind), cost.store_calls()))
    }
    let (stores, servers) = (Clock::manual(), Clock::manual());
    let store = MemoryStore::new().with_clock(stores.clone());
    let layer = SessionLayer::with_user_sessions(store, Keyring::generate()).archive(MemoryStore::new());
    let app = Router::new()
        .route("/sign-in", post(async |mut who: Visitor| who.sign_in(UserId::new("ada")?).await.map(drop)))
        .route("/turn", post(turn))
        .layer(layer.clock(servers.clone()));
    let mut browser = Client::new(app);
    browser.post("/sign-in").await;
    assert_eq!(browser.post("/turn").await.text(), "Ok(()) after 2 calls");
    stores.advance(60 * MINUTE);
    servers.advance(59 * MINUTE);
    browser.post("/sign-in").await;
    assert_eq!(browser.post("/turn").await.text(), "Err(Ended) after 3 calls");
}

/// One whose clock is ahead does not begin another over one that lives.
#[tokio::test]
async fn a_server_whose_clock_is_ahead_is_told_by_the_store_that_it_lives() {
    let (stores, servers) = (Clock::manual(), Clock::manual());
    let store = MemoryStore::new().with_clock(stores.clone());
    let layer = SessionLayer::with_user_sessions(store, Keyring::generate()).archive(MemoryStore::new());
    let sessions = layer.clock(servers.clone()).sessions();
    let mut visit = sessions.user_session::<Visit>(&user("ada")).await.unwrap();
    visit.update(|visit| visit.pages += 1).await.unwrap();
    stores.advance(59 * MINUTE);
    servers.advance(60 * MINUTE);
    let mut visit = sessions.user_session::<Visit>(&user("ada")).await.unwrap();
    visit.update(|visit| visit.pages += 1).await.unwrap();
    assert_eq!(visit.pages, 2);
}
