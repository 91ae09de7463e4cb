//! Many at once: on one session, and before a Redis that comes back.

use crate::cases::Case;
use crate::client::Browser;
use crate::engine::Engine;
use crate::report::{Crowd, quartiles};
use crate::subjects::ours;
use std::time::{Duration, Instant};
use testbed::RedisServer;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

const CONTENDERS: usize = 64;
const WAITING: usize = 10_000;

pub async fn run(rounds: usize) -> Vec<Crowd> {
    let mut all = Vec::new();
    for store in ["memory", "Redis"] {
        let server = RedisServer::start();
        let router = match store {
            "memory" => ours::memory().router,
            _ => ours::redis(&server.url()).await.router,
        };
        let (mut alone, mut together) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            alone.push(contend(&router, CONTENDERS).await);
            together.push(contend(&router, 1).await);
        }
        let what = |sessions| format!("{store}: {CONTENDERS} updates at once, of {sessions}");
        all.push(Crowd { what: what("a session each"), millis: quartiles(alone) });
        all.push(Crowd { what: what("one session, none lost"), millis: quartiles(together) });
    }
    let mut after = Vec::new();
    for _ in 0..rounds {
        after.push(come_back().await);
    }
    all.push(Crowd {
        what: format!("{WAITING} reads at once, when Redis has just come back"),
        millis: quartiles(after),
    });
    all
}

/// Milliseconds for one update of each contender, who share so many sessions.
async fn contend(router: &axum::Router, sessions: usize) -> f64 {
    let engine = Engine::Here(router.clone());
    let fresh = vec![vec![Browser::default()]; sessions];
    let browsers: Vec<_> = engine.run(Case::Create, fresh, 1).await.into_iter().flatten().collect();
    let mut tasks = JoinSet::new();
    let began = Instant::now();
    for i in 0..CONTENDERS {
        let update = browsers[i % sessions].request(Case::Update);
        let router = router.clone();
        tasks.spawn(async move { router.oneshot(update).await.expect("a router never fails").status() });
    }
    let answers = tasks.join_all().await;
    let took = began.elapsed();
    assert!(answers.iter().all(|status| status.is_success()), "{answers:?}");
    for mut browser in browsers {
        browser.expect_additions(u32::try_from(CONTENDERS / sessions).expect("few"));
        browser.visit(&mut router.clone(), Case::Read).await;
    }
    took.as_secs_f64() * 1e3
}

/// Redis is stopped, which the application notices; then it is there again, and all come at once. Milliseconds until all have what they
/// asked for.
async fn come_back() -> f64 {
    let server = RedisServer::start();
    let mut router = ours::redis(&server.url()).await.router;
    let mut browser = Browser::default();
    browser.visit(&mut router, Case::Create).await;
    server.freeze();
    let refused = router.clone().oneshot(browser.request(Case::Read)).await.expect("a router never fails");
    assert!(refused.status().is_server_error(), "Redis is away");
    server.thaw();
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..WAITING {
        let (mut router, mut browser) = (router.clone(), browser.clone());
        tasks.spawn(async move {
            // For some tens of milliseconds whoever comes is refused at once.
            while !router
                .clone()
                .oneshot(browser.request(Case::Read))
                .await
                .expect("a router never fails")
                .status()
                .is_success()
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            browser.visit(&mut router, Case::Read).await;
        });
    }
    tasks.join_all().await;
    began.elapsed().as_secs_f64() * 1e3
}
