//! How many may be completed.

use super::{Transfer, ada, also_ada, is, step, user};
use std::time::{Duration, SystemTime};
use thin_session::testing::Browser;
use thin_session::{EndReason, HistoryEntry, HistoryPage, Quota, QuotaExceeded, SessionErrorKind, UserSession};

const DAY: Duration = Duration::from_secs(86_400);
const TWO_A_MONTH: Quota = Quota::rolling(2, Duration::from_secs(30 * 86_400));

async fn send(browser: &Browser) -> Result<(), QuotaExceeded> {
    let mut transfer = browser.user_session::<Transfer>();
    step(&mut transfer, 1).await;
    transfer.complete_within(TWO_A_MONTH).await.unwrap()
}

#[tokio::test]
async fn the_third_is_refused_until_the_first_is_a_month_old() {
    let mut browser = ada();
    send(&browser).await.unwrap();
    let first = browser.sessions().history(&user("ada"), &HistoryPage::of(1)).await.unwrap()[0].ended().unwrap();
    browser.wait(10 * DAY);
    browser = also_ada(&browser);
    send(&browser).await.unwrap();
    browser.wait(10 * DAY);
    browser = also_ada(&browser);

    let mut transfer = browser.user_session::<Transfer>();
    step(&mut transfer, 7).await;
    let refusal = transfer.complete_within(TWO_A_MONTH).await.unwrap().unwrap_err();
    assert_eq!(refusal.kind(), "transfer");
    assert_eq!(refusal.next_at(), first + 30 * DAY);
    // What was refused goes on, here and elsewhere.
    assert_eq!(transfer.steps, [7]);
    assert!(UserSession::id(&transfer).is_some());
    step(&mut transfer, 8).await;
    step(&mut browser.user_session(), 9).await;
    assert_eq!(transfer.complete().await.unwrap_err().kind(), &SessionErrorKind::Changed);

    browser.wait(10 * DAY - Duration::from_millis(1));
    let browser = also_ada(&browser);
    // Its own time had run out.
    let mut transfer = browser.user_session::<Transfer>();
    step(&mut transfer, 10).await;
    assert!(transfer.complete_within(TWO_A_MONTH).await.unwrap().is_err());
    browser.wait(Duration::from_millis(1));
    transfer.complete_within(TWO_A_MONTH).await.unwrap().unwrap();
    let history = browser.sessions().history(&user("ada"), &HistoryPage::of(10)).await.unwrap();
    let reasons: Vec<_> = history.iter().filter_map(HistoryEntry::reason).collect();
    assert_eq!(reasons, [EndReason::Completed, EndReason::Expired, EndReason::Completed, EndReason::Completed]);
    assert!(refusal.next_at() > SystemTime::UNIX_EPOCH);
}

#[tokio::test]
async fn what_was_changed_meanwhile_is_not_completed() {
    let phone = ada();
    let desktop = also_ada(&phone);
    step(&mut phone.user_session(), 1).await;
    let (mut here, mut there) = (phone.user_session::<Transfer>(), desktop.user_session::<Transfer>());
    step(&mut there, 2).await;
    is(here.complete_within(TWO_A_MONTH).await, &SessionErrorKind::Changed);
    there.complete_within(TWO_A_MONTH).await.unwrap().unwrap();
    here.reload().await.unwrap();
    is(here.complete_within(TWO_A_MONTH).await, &SessionErrorKind::Ended);
    assert_eq!(phone.sessions().history(&user("ada"), &HistoryPage::of(10)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn another_users_do_not_count() {
    let ada = ada();
    send(&ada).await.unwrap();
    send(&ada).await.unwrap();
    assert!(send(&ada).await.is_err());
    send(&ada.another().signed_in(user("bob"))).await.unwrap();
}
