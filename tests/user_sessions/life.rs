//! Beginning, changing, ending, and the next one.

use super::{Transfer, Visit, ada, is, step, user};
use thin_session::testing::Browser;
use thin_session::{EndReason, HistoryPage, Keyring, MemoryStore, SessionErrorKind, SessionLayer, UserSession};

#[tokio::test]
async fn reading_begins_none_and_a_change_of_nothing_neither() {
    let ada = ada();
    let mut transfer = ada.user_session::<Transfer>();
    assert_eq!(*transfer, Transfer::default());
    assert_eq!(UserSession::id(&transfer), None);
    transfer.update(|_| ()).await.unwrap();
    let refused: Result<(), &str> = transfer
        .try_update(|transfer| {
            transfer.cents = 7;
            Err("not today")
        })
        .await
        .unwrap();
    assert_eq!(refused, Err("not today"));
    assert_eq!(*transfer, Transfer::default());
    assert_eq!(UserSession::id(&ada.user_session::<Transfer>()), None);
}

#[tokio::test]
async fn the_first_change_begins_one_and_the_next_go_on_with_it() {
    let ada = ada();
    let mut transfer = ada.user_session::<Transfer>();
    step(&mut transfer, 1).await;
    let id = UserSession::id(&transfer).expect("one has begun");
    assert_eq!(id.get_version_num(), 7);
    step(&mut transfer, 2).await;
    assert_eq!(UserSession::id(&transfer), Some(id));
    let seen = ada.user_session::<Transfer>();
    assert_eq!((UserSession::id(&seen), seen.steps.clone()), (Some(id), vec![1, 2]));
}

#[tokio::test]
async fn kinds_and_users_are_apart() {
    let ada = ada();
    let bob = ada.another().signed_in(user("bob"));
    step(&mut ada.user_session(), 1).await;
    assert_eq!(ada.user_session::<Visit>().pages, 0);
    assert_eq!(bob.user_session::<Transfer>().steps, [0; 0]);
    step(&mut bob.user_session(), 2).await;
    assert_eq!(ada.user_session::<Transfer>().steps, [1]);
}

#[tokio::test]
async fn whoever_is_not_signed_in_has_none() {
    let stranger = Browser::new();
    is(stranger.try_user_session::<Transfer>(), &SessionErrorKind::SignedOut);
    let ada = ada();
    ada.visitor().sign_out().await.unwrap();
    is(ada.try_user_session::<Transfer>(), &SessionErrorKind::SignedOut);
}

#[tokio::test]
async fn what_was_seen_is_completed_and_the_next_begins_empty() {
    let ada = ada();
    let mut transfer = ada.user_session::<Transfer>();
    is(transfer.complete().await, &SessionErrorKind::Ended);
    step(&mut transfer, 1).await;
    let first = UserSession::id(&transfer).unwrap();
    transfer.complete().await.unwrap();
    assert_eq!(transfer.steps, [1], "what was completed can still be read");
    assert_eq!(UserSession::id(&transfer), None);
    is(transfer.complete().await, &SessionErrorKind::Ended);
    assert_eq!(UserSession::id(&ada.user_session::<Transfer>()), None);

    step(&mut transfer, 2).await;
    assert_eq!(transfer.steps, [2]);
    let second = UserSession::id(&transfer).unwrap();
    assert!(second > first, "ids rise");
    let history = ada.sessions().history(&user("ada"), &HistoryPage::of(10)).await.unwrap();
    let [active, past] = &history[..] else { panic!("{history:?}") };
    assert_eq!((active.id, active.reason()), (second, None));
    let told = (past.id, past.reason(), past.updates, &*past.kind);
    assert_eq!(told, (first, Some(EndReason::Completed), 1, "transfer"));
    assert_eq!(past.decode::<Transfer>().unwrap().steps, [1]);
}

#[tokio::test]
async fn what_is_given_up_is_abandoned() {
    let ada = ada();
    let mut transfer = ada.user_session::<Transfer>();
    step(&mut transfer, 1).await;
    step(&mut transfer, 2).await;
    transfer.abandon().await.unwrap();
    let history = ada.sessions().history(&user("ada"), &HistoryPage::of(10)).await.unwrap();
    assert_eq!(
        history.iter().map(|past| (past.reason(), past.updates)).collect::<Vec<_>>(),
        [(Some(EndReason::Abandoned), 2)]
    );
    assert_eq!(ada.user_session::<Transfer>().steps, [0; 0]);
}

/// A deploy that lowers the budget meets records that were within the old one.
#[tokio::test]
async fn one_over_its_budget_can_still_be_made_smaller_and_nothing_else() {
    let layer = SessionLayer::with_user_sessions(MemoryStore::new(), Keyring::generate());
    let mut transfer: UserSession<Transfer> = layer.sessions().user_session(&user("ada")).await.unwrap();
    transfer.update(|transfer| transfer.steps = vec![1; 2000]).await.unwrap();

    let lowered = layer.budget(1000).unwrap().sessions();
    let mut transfer: UserSession<Transfer> = lowered.user_session(&user("ada")).await.unwrap();
    for (steps, fits) in [(vec![2; 2000], false), (vec![1; 2001], false), (vec![1; 1999], true), (vec![1; 1998], true)]
    {
        match transfer.update(|transfer| transfer.steps.clone_from(&steps)).await {
            Ok(()) => assert!(fits, "{} steps are refused", steps.len()),
            Err(error) => {
                let SessionErrorKind::TooLarge { slot, size, limit } = *error.kind() else { panic!("{error}") };
                assert!(!fits && size > steps.len());
                assert_eq!((slot, limit), ("transfer", 1000));
            }
        }
    }
    assert_eq!(transfer.steps, [1; 1998]);
}
