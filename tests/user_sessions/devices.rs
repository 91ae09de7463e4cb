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
