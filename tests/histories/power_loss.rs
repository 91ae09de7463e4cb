//! The power fails: what Redis had acknowledged and not yet synced to its disk is gone. That is the one exception to the promises;
//! what they still say then is shown here.

use super::browser::{Ask, Browser, Held, content, server};
use super::campaign::{count, report};
use super::threads;
use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::sync::Arc;
use testbed::RedisServer;
use thin_session::Keyring;

/// What has been written to the append-only file.
fn written(server: &RedisServer) -> (PathBuf, u64) {
    let folder = server.command(&[b"CONFIG", b"GET", b"dir"]).items().remove(1).text();
    let folder = PathBuf::from(folder).join("appendonlydir");
    let files = fs::read_dir(folder).expect("it writes one").map(|entry| entry.expect("it can be read").path());
    let file = files.into_iter().find(|file| file.to_string_lossy().ends_with(".incr.aof")).expect("it writes one");
    let size = file.metadata().expect("it is there").len();
    (file, size)
}

/// All that was written after the last sync is lost with the power.
fn lose_power(server: &mut RedisServer, (file, size): &(PathBuf, u64)) {
    server.kill();
    OpenOptions::new().write(true).open(file).expect("it is there").set_len(*size).expect("it can be cut");
    server.restart();
}

/// Whoever has loaded what is lost then overwrites nothing that was written since: it is no later version of what is there.
#[test]
fn after_a_loss_of_power_nobody_overwrites_what_has_survived() {
    let rounds = count(2, 50);
    let mut redis = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "no"]);
    threads().block_on(async {
        let (keys, url) = (Keyring::generate(), redis.url());
        let app = server(&url, &keys).await;
        for _ in 0..rounds {
            let mut browser = Browser::new(&app);
            for token in 1..=3 {
                browser.ask(Ask::Update(token)).await.expect("Redis is up");
            }
            let synced = written(&redis);
            browser.ask(Ask::Update(4)).await.expect("Redis is up");
            browser.ask(Ask::Update(5)).await.expect("Redis is up");
            let held = Arc::<Held>::default();
            let mut slow = browser.at(app.clone());
            let slow = tokio::spawn({
                let held = Arc::clone(&held);
                async move { slow.ask(Ask::Hold(7, held)).await }
            });
            held.loaded.notified().await;
            lose_power(&mut redis, &synced);
            assert_eq!(browser.sees().await, content(&[1, 2, 3], false), "two updates are lost");
            assert_eq!(browser.ask(Ask::Update(6)).await, content(&[1, 2, 3, 6], false));
            held.goes_on.notify_one();
            assert_eq!(slow.await.expect("it does not panic"), content(&[1, 2, 3, 6, 7], false));
            assert_eq!(browser.ask(Ask::Read).await, content(&[1, 2, 3, 6, 7], false));
        }
    });
    report(&format!("| updates | {rounds} |"));
}

/// A sign-out that is lost is still known to the process that heard of it.
#[test]
fn after_a_loss_of_power_who_has_heard_of_an_ending_refuses_the_session() {
    let rounds = count(2, 50);
    let mut redis = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "no"]);
    threads().block_on(async {
        let (keys, url) = (Keyring::generate(), redis.url());
        let app = server(&url, &keys).await;
        for _ in 0..rounds {
            let mut browser = Browser::new(&app);
            browser.ask(Ask::Update(1)).await.expect("Redis is up");
            browser.ask(Ask::SignIn).await.expect("Redis is up");
            let mut copy = browser.at(app.clone());
            let synced = written(&redis);
            browser.ask(Ask::SignOut).await.expect("Redis is up");
            lose_power(&mut redis, &synced);
            assert_eq!(copy.sees().await, content(&[], false), "it is back in Redis, and refused");
            let refused = copy.ask(Ask::Update(2)).await;
            assert_eq!(refused.expect_err("it has ended"), "Ended");
        }
    });
    report(&format!("| sign-outs | {rounds} |"));
}
