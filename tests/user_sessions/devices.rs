//! Two devices of one user, and signing out of one.

use super::{Transfer, ada, also_ada, is, step, user};
use thin_session::{HistoryPage, SessionErrorKind, UserSession};

#[tokio::test]
async fn it_goes_on_at_another_device_and_survives_a_sign_out() {
    let phone = ada();
    step(&mut phone.user_session(), 1).await;
    phone.visitor().sign_out().await.unwrap();
    let desktop = also_ada(&phone);
    step(&mut desktop.user_session(), 2).await;
    assert_eq!(desktop.user_session::<Transfer>().steps, [1, 2]);
}

#[tokio::test]
async fn two_devices_that_begin_at_once_share_one() {
    let phone = ada();
    let desktop = also_ada(&phone);
    let (mut here, mut there) = (phone.user_session(), desktop.user_session());
    step(&mut here, 1).await;
    step(&mut there, 2).await;
    assert_eq!(there.steps, [1, 2]);
    assert_eq!(UserSession::id(&here), UserSession::id(&there));
}

#[tokio::test]
async fn a_change_runs_again_on_what_the_other_device_wrote() {
    let phone = ada();
    let desktop = also_ada(&phone);
    step(&mut phone.user_session(), 1).await;
    let (mut here, mut there) = (phone.user_session(), desktop.user_session());
    step(&mut here, 2).await;
    step(&mut there, 3).await;
    step(&mut here, 4).await;
    assert_eq!(here.steps, [1, 2, 3, 4]);
}

#[tokio::test]
async fn protocol_7_a_change_never_runs_on_the_next_one() {
    let phone = ada();
    let desktop = also_ada(&phone);
    step(&mut phone.user_session(), 1).await;
    let (mut here, mut there) = (phone.user_session::<Transfer>(), desktop.user_session::<Transfer>());
    there.complete().await.unwrap();
    is(here.update(|transfer| transfer.steps.push(9)).await, &SessionErrorKind::Ended);
    step(&mut there, 2).await;
    is(here.update(|transfer| transfer.steps.push(9)).await, &SessionErrorKind::Ended);
    is(here.complete().await, &SessionErrorKind::Ended);
    assert_eq!(phone.user_session::<Transfer>().steps, [2]);
    here.reload().await.unwrap();
    step(&mut here, 3).await;
    assert_eq!(desktop.user_session::<Transfer>().steps, [2, 3]);
}

#[tokio::test]
async fn protocol_7_what_was_changed_meanwhile_is_not_completed() {
    let phone = ada();
    let desktop = also_ada(&phone);
    step(&mut phone.user_session(), 1).await;
    let (mut here, mut there) = (phone.user_session::<Transfer>(), desktop.user_session::<Transfer>());
    step(&mut there, 2).await;
    is(here.complete().await, &SessionErrorKind::Changed);
    is(here.abandon().await, &SessionErrorKind::Changed);
    here.reload().await.unwrap();
    here.complete().await.unwrap();
    assert_eq!(here.steps, [1, 2]);
}

#[tokio::test]
async fn protocol_7_a_device_that_was_signed_out_changes_nothing_more() {
    let phone = ada();
    let desktop = also_ada(&phone);
    step(&mut phone.user_session(), 1).await;
    let (mut here, there) = (phone.user_session::<Transfer>(), desktop.user_session::<Transfer>());
    desktop.sessions().end_all(&user("ada")).await.unwrap();
    is(here.update(|transfer| transfer.steps.push(9)).await, &SessionErrorKind::Ended);
    is(here.complete().await, &SessionErrorKind::Ended);
    is(here.abandon().await, &SessionErrorKind::Ended);
    drop(there);
    assert_eq!(also_ada(&phone).user_session::<Transfer>().steps, [1]);
}

/// A socket that is open on a stolen phone.
#[tokio::test]
async fn protocol_7_a_device_that_was_signed_out_sees_nothing_more() {
    let phone = ada();
    step(&mut phone.user_session(), 1).await;
    let mut here = phone.user_session::<Transfer>();
    phone.sessions().end_all(&user("ada")).await.unwrap();
    step(&mut also_ada(&phone).user_session(), 2).await;
    is(here.reload().await, &SessionErrorKind::Ended);
    assert_eq!(here.steps, [1]);
}

/// Nor what whoever signs in next at the same browser has.
#[tokio::test]
async fn who_was_signed_in_before_sees_nothing_of_the_next_user_nor_of_theirs() {
    let phone = ada();
    let mut visitor = phone.visitor();
    let mut adas = visitor.user_session::<Transfer>().await.unwrap();
    step(&mut adas, 1).await;
    visitor.sign_out().await.unwrap();
    is(adas.reload().await, &SessionErrorKind::Ended);
    visitor.sign_in(user("bob")).await.unwrap();
    is(adas.reload().await, &SessionErrorKind::Ended);
    is(adas.update(|transfer| transfer.steps.push(9)).await, &SessionErrorKind::Ended);
    is(adas.complete().await, &SessionErrorKind::Ended);
    let mut bobs = visitor.user_session::<Transfer>().await.unwrap();
    assert_eq!(bobs.steps, [0; 0]);
    step(&mut bobs, 2).await;
    assert_eq!(also_ada(&phone).user_session::<Transfer>().steps, [1]);
}

#[tokio::test]
async fn whoever_signs_in_finds_what_the_user_had() {
    let phone = ada();
    step(&mut phone.user_session(), 1).await;
    let desktop = phone.another();
    let mut visitor = desktop.visitor();
    is(visitor.user_session::<Transfer>().await, &SessionErrorKind::SignedOut);
    visitor.sign_in(user("ada")).await.unwrap();
    let mut transfer = visitor.user_session::<Transfer>().await.unwrap();
    step(&mut transfer, 2).await;
    assert_eq!(phone.user_session::<Transfer>().steps, [1, 2]);
}

#[tokio::test]
async fn a_job_needs_no_browser() {
    let phone = ada();
    step(&mut phone.user_session(), 1).await;
    phone.visitor().sign_out().await.unwrap();
    let mut transfer = phone.sessions().user_session::<Transfer>(&user("ada")).await.unwrap();
    step(&mut transfer, 2).await;
    transfer.complete().await.unwrap();
    assert_eq!(phone.sessions().history(&user("ada"), &HistoryPage::of(10)).await.unwrap().len(), 1);
}
