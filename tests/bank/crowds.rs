//! Many requests of one user at once, from two devices on two servers.

use crate::gate::{Op, Step};
use crate::rounds;
use crate::shop::{Shop, ok, on_each_store, see};
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

fn steps(text: &str) -> Vec<usize> {
    text.split_whitespace().map(|step| step.parse().expect("a number")).collect()
}

/// Some begin it, and the others join.
async fn concurrent_steps_lose_nothing(shop: Shop) {
    let devices = devices(&shop).await;
    for round in 0..rounds(3, 50) {
        for (_, answer) in crowd(&devices, 0).await {
            ok(answer);
        }
        let found = steps(&see(&devices[0], "/transfer").await);
        assert_eq!(found.len(), CROWD, "round {round}: {found:?}");
        assert_eq!(found.iter().copied().collect::<BTreeSet<_>>(), (0..CROWD).collect());
        ok(devices[round % 2].ask(Method::POST, "/complete").await);
    }
    let history = see(&devices[0], "/history").await;
    assert_eq!(history.matches("completed").count(), rounds(3, 50), "one each time");
}

/// With replies and requests that are lost: what was acknowledged is there once, and what is there twice is nothing.
async fn with_lost_replies_each_step_is_taken_once_or_not_acknowledged(shop: Shop) {
    let luck = Mutex::new(StdRng::seed_from_u64(7));
    shop.gate.rule(move |op| match (op, luck.lock().expect("nobody panics with it").random_range(0..20)) {
        (Op::Replace, 0) => Step::LoseReply,
        (Op::Replace, 1) => Step::LoseRequest,
        _ => Step::Pass,
    });
    let devices = devices(&shop).await;
    for round in 0..rounds(3, 50) {
        let answers = crowd(&devices, 0).await;
        let found = steps(&see(&devices[0], "/transfer").await);
        let distinct: BTreeSet<_> = found.iter().copied().collect();
        assert_eq!(distinct.len(), found.len(), "round {round}: a step was taken twice: {found:?}");
        for (step, answer) in answers {
            let kind = answer.header("kind").unwrap_or_default();
            match answer.status {
                StatusCode::OK => assert!(distinct.contains(&step), "round {round}: {step} was lost"),
                _ if kind == "Unknown" => {}
                status => panic!("{status}, {kind}"),
            }
        }
        // What is left of it ends, whatever is lost.
        while !see(&devices[0], "/transfer").await.is_empty() {
            devices[1].ask(Method::POST, "/abandon").await;
        }
    }
}

/// Each completes what it saw, or is told that it was changed, or has ended: nothing is completed twice, and no step that was
/// acknowledged is in none.
async fn steps_and_completions_at_once_lose_nothing(shop: Shop) {
    let devices = devices(&shop).await;
    for round in 0..rounds(3, 50) {
        let before = see(&devices[0], "/history").await;
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
        let (mut acknowledged, mut completed) = (BTreeSet::new(), 0);
        for (path, answer) in all.join_all().await {
            let kind = answer.header("kind").unwrap_or_default().to_owned();
            match (answer.status, path.strip_prefix("/transfer/")) {
                (StatusCode::OK, Some(step)) => drop(acknowledged.insert(step.parse::<usize>().expect("a number"))),
                (StatusCode::OK, None) => completed += 1,
                _ if ["Ended", "Changed", "Contended"].contains(&&*kind) => {}
                (status, _) => panic!("round {round}: {path}: {status}, {kind}"),
            }
        }
        let left = see(&devices[0], "/transfer").await;
        let history = see(&devices[0], "/history").await;
        let new = history.strip_prefix(&*before).expect("what has ended stays").trim_start_matches(", ");
        assert_eq!(new.matches("completed").count(), completed, "round {round}: {new}");
        let mut all = steps(&new.replace("completed", "").replace(',', ""));
        all.extend(steps(&left));
        let distinct: BTreeSet<_> = all.iter().copied().collect();
        assert_eq!(distinct.len(), all.len(), "round {round}: twice in {all:?}");
        assert_eq!(distinct, acknowledged, "round {round}");
        if !left.is_empty() {
            ok(devices[0].ask(Method::POST, "/complete").await);
        }
    }
}

on_each_store! {
    concurrent_steps_lose_nothing,
    with_lost_replies_each_step_is_taken_once_or_not_acknowledged,
    steps_and_completions_at_once_lose_nothing,
}
