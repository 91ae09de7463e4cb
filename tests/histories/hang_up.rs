//! A request is dropped at each of its awaits in turn, whatever it was about: no lock stays held, the next request goes on from what
//! was there or from what was asked for, and others notice nothing.

use super::campaign::{Broken, Tally, count, fail, report};
use super::client::interrupted;
use super::op::Act;
use super::shaken::Faults;
use super::site::Site;
use super::{memory, threads, turns};
use std::sync::Arc;
use testbed::RedisServer;
use thin_session::{MemoryStore, RedisStore};

/// What is dropped, by the number of the operation.
const ACTS: [fn(u8) -> Act; 9] = [
    |_| Act::Read,
    |number| Act::Update(number + 1),
    |_| Act::SignIn(1),
    |_| Act::SignOut,
    |_| Act::EndAll(1),
    |_| Act::EndOthers(1),
    |number| Act::JobUpdate(number + 1),
    |_| Act::JobComplete,
    |_| Act::History,
];

/// Drops requests of every kind at their first await, their second, and so on until they are done; over and over, until so many were.
async fn drop_many(site: Site, what: &'static str, first_seed: u64, most: u64) -> Result<u64, Broken> {
    let (site, tally) = (Arc::new(site), Tally::for_as_long_as_it_takes(what));
    let (mut dropped, mut seed) = (0, first_seed);
    while dropped < most {
        for act in ACTS {
            for signed_in in [false, true] {
                for polls in 1.. {
                    seed += 1;
                    if !interrupted(&site, seed, act, signed_in, polls, &tally).await? {
                        break;
                    }
                    dropped += 1;
                }
            }
        }
    }
    Ok(dropped)
}

#[test]
fn dropped_at_each_await_in_memory_a_request_harms_no_other() {
    let (most, mut dropped) = (count(300, 80_000), 0);
    while dropped < most {
        let ((store, clock), seed) = (memory(), dropped * 1000);
        let store = Arc::new(store);
        dropped += turns()
            .block_on(async {
                let site = Site::new(Arc::clone(&store), store, Some(clock), Faults::default(), seed);
                drop_many(site, "memory", seed, (most - dropped).min(1_000)).await
            })
            .unwrap_or_else(fail);
    }
    report(&format!("| memory | {dropped} |"));
}

#[test]
fn dropped_at_each_await_on_redis_a_request_harms_no_other() {
    let server = RedisServer::start();
    let dropped = threads().block_on(async {
        let store = RedisStore::connect(&server.url()).await.expect("Redis is up");
        let site = Site::new(Arc::new(store), Arc::new(MemoryStore::new()), None, Faults::default(), 0);
        drop_many(site, "Redis", 0, count(200, 20_000)).await
    });
    report(&format!("| Redis | {} |", dropped.unwrap_or_else(fail)));
}
