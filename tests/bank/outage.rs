//! A Postgres that is killed or frozen, while sessions live in Redis: only what the archive decides has to wait.

use crate::shop::{self, ok, refused, see, tell_kind};
use crate::transfer;
use axum::Router;
use axum::http::{Method, StatusCode};
use axum::middleware::map_response;
use std::time::{Duration, Instant};
use testbed::{Answer, Client, PostgresServer, RedisServer};
use thin_session::{Keyring, RedisStore, SessionLayer, SqlStore};
use tokio::time::sleep;

struct Bank {
    redis: RedisServer,
    postgres: PostgresServer,
    device: Client,
}

impl Bank {
    /// With the deadlines that there are unless configured, and somebody signed in who has begun a transfer.
    async fn open() -> Self {
        let (redis, postgres) = tokio::task::block_in_place(|| (RedisServer::start(), PostgresServer::start()));
        let store = RedisStore::connect(&redis.url()).await.expect("Redis is up");
        let archive = SqlStore::postgres(&postgres.url()).await.expect("Postgres is up");
        let layer = SessionLayer::with_user_sessions(store, Keyring::generate()).archive(archive);
        let pages: Router = shop::routes().merge(transfer::pages());
        let mut device = Client::new(pages.layer(layer).layer(map_response(tell_kind)));
        ok(device.post("/sign-in/ada").await);
        ok(device.post("/transfer/1").await);
        Self { redis, postgres, device }
    }

    async fn post(&self, path: &str) -> Answer {
        self.device.ask(Method::POST, path).await
    }

    /// Asks again until it is done.
    async fn in_the_end(&self, what: &str, path: &str, done: impl Fn(&Answer) -> bool) {
        let give_up = Instant::now() + Duration::from_secs(30);
        loop {
            let method = if path == "/history" { Method::GET } else { Method::POST };
            let answer = self.device.ask(method, path).await;
            if done(&answer) {
                return;
            }
            assert!(Instant::now() < give_up, "{what}: {} {}", answer.status, answer.text());
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Within the deadlines of the store and the archive, and what a busy machine adds.
const BOUND: Duration = Duration::from_secs(4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_postgres_is_killed_nothing_is_completed_and_nothing_else_fails() {
    let mut bank = Bank::open().await;
    tokio::task::block_in_place(|| bank.postgres.kill());

    ok(bank.post("/transfer/2").await);
    let asked = Instant::now();
    let answer = refused(bank.post("/send").await, "Unavailable");
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.header("retry-after").is_some());
    assert!(asked.elapsed() < BOUND, "{:?}", asked.elapsed());
    assert_eq!(ok(bank.post("/transfer/3").await).text(), "1 2 3", "it was given back at once");
    ok(bank.post("/complete").await);
    ok(bank.post("/transfer/4").await);
    ok(bank.post("/abandon").await);
    ok(bank.post("/transfer/5").await);
    assert!(bank.redis.keys().iter().any(|key| key.ends_with(b"}:o")), "what has ended waits");

    tokio::task::block_in_place(|| bank.postgres.restart());
    let told = "completed 1 2 3, abandoned 4";
    bank.in_the_end("the archive has what has waited", "/history", |answer| answer.text() == told).await;
    bank.in_the_end("it is sent", "/send", |answer| answer.status == StatusCode::OK).await;
    assert_eq!(see(&bank.device, "/history").await, "completed 1 2 3, abandoned 4, completed 5");
    let outbox_is_empty = || !bank.redis.keys().iter().any(|key| key.ends_with(b"}:o"));
    shop::until("the backlog has drained", outbox_is_empty).await;
}

/// Whoever completes then is told that it is not known, or that it was not: and it is so once or not at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_postgres_is_frozen_a_completion_is_refused_in_time_and_settled_later() {
    let bank = Bank::open().await;
    bank.postgres.freeze();
    ok(bank.post("/transfer/2").await);
    let asked = Instant::now();
    let answer = bank.post("/send").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(asked.elapsed() < BOUND, "{:?}", asked.elapsed());
    bank.postgres.thaw();

    bank.in_the_end("it is sent", "/send", |answer| {
        answer.status == StatusCode::OK || answer.header("kind") == Some("Ended")
    })
    .await;
    assert_eq!(see(&bank.device, "/transfer").await, "");
    bank.in_the_end("it is there once", "/history", |answer| answer.text() == "completed 1 2").await;
}
