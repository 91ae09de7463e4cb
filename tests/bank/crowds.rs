//! Many requests of one user at once, from two devices on two servers.

use crate::gate::{Op, Step};
use crate::rounds;
use crate::shop::{Shop, on_each_store};
use crate::transfer::{bank, device};
use axum::http::{Method, StatusCode};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::collections::BTreeSet;
use std::sync::Mutex;
use testbed::{Answer, Client};
use tokio::task::JoinSet;

const CROWD: usize = 64;

/// Two devices of one user, each at a server of its own.
async fn devices(shop: &Shop) -> [Client; 2] {
    [device(shop).await, device(shop).await.at(bank(shop))]
}

/// Each takes a step of its own, half of them at each device. Answers which steps were acknowledged, and what came instead.
async fn crowd(devices: &[Client; 2], first: usize) -> Vec<(usize, Answer)> {
    let mut all = JoinSet::new();
    for step in first..first + CROWD {
        let device = devices[step % 2].clone();
        all.spawn(async move { (step, device.ask(Method::POST, &format!("/transfer/{step}")).await) });
    }
    all.join_all().await
}

/// What a page says, asked for until it says something.
async fn look(browser: &Client, path: &str) -> String {
    loop {
        let answer = browser.ask(Method::GET, path).await;
        match answer.header("kind") {
            None => return answer.text().to_owned(),
            Some(kind) => assert!(kind.starts_with("Unavailable"), "{kind}"),
        }
    }
}

fn steps(text: &str) -> Vec<usize> {
    text.split_whitespace().map(|step| step.parse().expect("a number")).collect()
}

/// What was acknowledged is there once; of what is not known, nothing more than once; and nothing else. A real Redis on a busy
/// machine may miss its deadline, which is told.
#[track_caller]
fn fits(answers: &[(usize, Answer)], found: &[usize], context: &str) -> usize {
    let distinct: BTreeSet<_> = found.iter().copied().collect();
    assert_eq!(distinct.len(), found.len(), "{context}: a step was taken twice: {found:?}");
    let (mut acknowledged, mut left) = (0, distinct.clone());
    for (step, answer) in answers {
        let kind = answer.header("kind").unwrap_or_default();
        let was_taken = left.remove(step);
        match answer.status {
            StatusCode::OK => {
                assert!(was_taken, "{context}: {step} was lost");
                acknowledged += 1;
            }
            _ if kind == "Unknown" => {}
            _ if kind.starts_with("Unavailable") || kind == "Contended" => {
                assert!(!was_taken, "{context}: {step} was refused, and taken");
            }
            status => panic!("{context}: {status}, {kind}"),
        }
    }
    assert_eq!(left, BTreeSet::new(), "{context}: nobody took these");
    acknowledged
}

/// Ends what is left, whatever is lost on the way.
async fn is_cleared(devices: &[Client; 2]) {
    while !look(&devices[0], "/transfer").await.is_empty() {
        devices[1].ask(Method::POST, "/abandon").await;
    }
}

/// Some begin it, and the others join.
async fn concurrent_steps_lose_nothing(shop: Shop) {
    let devices = devices(&shop).await;
    let mut completed = 0;
    for round in 0..rounds(3, 50) {
        let answers = crowd(&devices, 0).await;
        let found = steps(&look(&devices[0], "/transfer").await);
        let acknowledged = fits(&answers, &found, &format!("round {round}"));
        assert!(acknowledged > CROWD / 2 || shop.is_on_redis(), "round {round}: {acknowledged} of them");
        completed += usize::from(devices[round % 2].ask(Method::POST, "/complete").await.status == StatusCode::OK);
        is_cleared(&devices).await;
    }
    let history = look(&devices[0], "/history").await;
    assert!(history.matches("completed").count() >= completed && completed > 0, "one each time");
}

/// With replies and requests that are lost.
async fn with_lost_replies_each_step_is_taken_once_or_not_acknowledged(shop: Shop) {
    let luck = Mutex::new(StdRng::seed_from_u64(7));
    shop.gate.rule(move |op| match (op, luck.lock().expect("nobody panics with it").random_range(0..20)) {
        (Op::Replace, 0) => Step::LoseReply,
        (Op::Replace, 1) => Step::LoseRequest,
        _ => Step::Pass,
    });
    let devices = devices(&shop).await;
    let mut acknowledged = 0;
    for round in 0..rounds(3, 50) {
        let answers = crowd(&devices, 0).await;
        let found = steps(&look(&devices[0], "/transfer").await);
        acknowledged += fits(&answers, &found, &format!("round {round}"));
        is_cleared(&devices).await;
    }
    assert!(acknowledged > CROWD, "{acknowledged} acknowledged: most were settled");
}

/// Each completes what it saw, or is told that it was changed, or has ended: nothing is completed twice, and no step that was
/// acknowledged is in none.
async fn steps_and_completions_at_once_lose_nothing(shop: Shop) {
    let devices = devices(&shop).await;
    for round in 0..rounds(3, 50) {
        let before = look(&devices[0], "/history").await;
        let mut all = JoinSet::new();
        for number in 0..CROWD {
            let device = devices[number % 2].clone();
            let path = match number % 8 {
                3 => "/complete".to_owned(),
                7 => "/send".to_owned(),
                _ => format!("/transfer/{number}"),
            };
            all.spawn(async move { (path.clone(), device.ask(Method::POST, &path).await) });
        }
        let (mut acknowledged, mut unknown) = (BTreeSet::new(), BTreeSet::new());
        let (mut completed, mut perhaps) = (0, 0);
        for (path, answer) in all.join_all().await {
            let kind = answer.header("kind").unwrap_or_default().to_owned();
            match (answer.status, path.strip_prefix("/transfer/")) {
                (StatusCode::OK, Some(step)) => drop(acknowledged.insert(step.parse::<usize>().expect("a number"))),
                (StatusCode::OK, None) => completed += 1,
                _ if ["Ended", "Changed", "Contended"].contains(&&*kind) || kind.starts_with("Unavailable") => {}
                (_, Some(step)) if kind == "Unknown" => drop(unknown.insert(step.parse::<usize>().expect("a number"))),
                (_, None) if kind == "Unknown" => perhaps += 1,
                (status, _) => panic!("round {round}: {path}: {status}, {kind}"),
            }
        }
        let left = look(&devices[0], "/transfer").await;
        let history = look(&devices[0], "/history").await;
        let new = history.strip_prefix(&*before).expect("what has ended stays").trim_start_matches(", ");
        let found = new.matches("completed").count();
        assert!((completed..=completed + perhaps).contains(&found), "round {round}: {new}");
        let mut all = steps(&new.replace("completed", "").replace(',', ""));
        all.extend(steps(&left));
        let distinct: BTreeSet<_> = all.iter().copied().collect();
        assert_eq!(distinct.len(), all.len(), "round {round}: twice in {all:?}");
        assert!(distinct.is_superset(&acknowledged), "round {round}: {acknowledged:?} of {distinct:?}");
        assert!(distinct.difference(&acknowledged).all(|step| unknown.contains(step)), "round {round}: {distinct:?}");
        is_cleared(&devices).await;
    }
}

on_each_store! {
    concurrent_steps_lose_nothing,
    with_lost_replies_each_step_is_taken_once_or_not_acknowledged,
    steps_and_completions_at_once_lose_nothing,
}
