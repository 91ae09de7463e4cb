//! Following news: one who listens to the streams of all shards, and tells a store again what it has lost.

use super::connection::{Connection, OwnConnection};
use super::failure::Failure;
use super::news::{give_back, home};
use super::operations::found;
use super::positions::Positions;
use super::user_scripts::{Call, MARK};
use crate::clock::Clock;
use crate::id::nonce;
use crate::store::{Revocation, Revocations, mark_name};
use crate::telemetry;
use redis::Value;
use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;
use std::ops::Range;
use std::time::Duration;
use tokio::time::sleep;

/// How long Redis waits for news before it says that there are none. Less than the second in which a process wants to hear
/// of it.
const WAIT: Duration = Duration::from_millis(900);
/// For how many milliseconds news are let gather once some came: a flood is not read one by one.
const GATHER: Range<u64> = 5..10;
/// For how many milliseconds nobody connects after the first failure, and at most how often that is doubled.
const PAUSE: Range<u64> = 20..100;
const DOUBLED: u32 = 4;
/// How many news are told again by one script, and by how many scripts before the next look.
const CHUNK: usize = 100;
const CHUNKS: usize = 20;

struct Feed<'a> {
    realm: &'static str,
    known: &'a Revocations,
    positions: Positions,
    mark: Option<Vec<u8>>,
    /// Whether what comes is new, and not read again.
    is_level: bool,
    /// What is known and was not read since the mark has changed, by the shards in which it will be told again.
    missing: BTreeMap<u8, HashSet<Revocation>>,
}

/// Goes on over every failure.
pub(super) async fn follow(redis: &Connection, realm: &'static str, known: &Revocations) {
    let positions = Positions::new(realm);
    let mut feed = Feed { realm, known, positions, mark: None, is_level: false, missing: BTreeMap::new() };
    let mut failures = 0;
    loop {
        let Err(failure) = feed.listen(redis, &mut failures).await;
        // Once for an outage, not for each try.
        if failures == 0 {
            telemetry::follow_failed(&failure);
        }
        sleep(Duration::from_millis(rand::random_range(PAUSE) << failures.min(DOUBLED))).await;
        failures = failures.saturating_add(1);
        feed.positions.look_back();
        feed.is_level = false;
    }
}

impl Feed<'_> {
    /// Listens on one connection for as long as it lasts. Sets `failures` back when all has been heard.
    async fn listen(&mut self, redis: &Connection, failures: &mut u32) -> Result<Infallible, Failure> {
        let redis = redis.own().await?;
        loop {
            self.check_mark(&redis).await?;
            let command = self.positions.command(WAIT);
            let batch = redis.wait(&command, WAIT, |reply| self.positions.advance(reply)).await?;
            for (told, bytes) in &batch.news {
                // What does not parse is of a kind that a newer release knows.
                let Ok(news) = Revocation::from_bytes(bytes) else { continue };
                if self.known.learn(&news) && self.is_level {
                    telemetry::revocation_heard(Clock::system().now().since(*told));
                }
                self.found_again(&news);
            }
            self.is_level = !batch.more;
            if batch.more {
                continue;
            }
            self.known.heard();
            self.tell_again(&redis).await?;
            *failures = 0;
            if !batch.news.is_empty() {
                sleep(Duration::from_millis(rand::random_range(GATHER))).await;
            }
        }
    }

    /// A store with another mark than before has lost everything, or is another one.
    async fn check_mark(&mut self, redis: &OwnConnection) -> Result<(), Failure> {
        let mut call = Call::on([&mark_name(self.realm)]);
        call.bytes(nonce::<16>());
        let mark = match call.run(&MARK, redis, mark).await {
            Ok(mark) => mark,
            // It can be listened to all the same.
            Err(failure) if failure.takes_nothing_in() => return Ok(()),
            Err(failure) => return Err(failure),
        };
        if self.mark.as_ref() != Some(&mark) {
            self.mark = Some(mark);
            self.positions.begin_again();
            self.is_level = false;
            self.missing.clear();
            for news in self.known.all() {
                self.missing.entry(home(&news)).or_default().insert(news);
            }
        }
        Ok(())
    }

    /// Of any shard: processes that notice at the same moment then tell different things first, and hear the rest of each other.
    fn some_missing(&self) -> Option<(&u8, &HashSet<Revocation>)> {
        let from = rand::random::<u8>();
        self.missing.range(from..).next().or_else(|| self.missing.first_key_value())
    }

    fn found_again(&mut self, news: &Revocation) {
        if let Some(missing) = self.missing.get_mut(&home(news)) {
            missing.remove(news);
        }
    }

    /// Tells some of what is missing. Several processes may do so at once: what is heard twice is heard once.
    async fn tell_again(&mut self, redis: &OwnConnection) -> Result<(), Failure> {
        for _ in 0..CHUNKS {
            self.missing.retain(|_, missing| !missing.is_empty());
            let Some((shard, missing)) = self.some_missing() else { return Ok(()) };
            let lost: Vec<_> = missing.iter().take(CHUNK).copied().collect();
            match give_back(redis, self.realm, *shard, &lost).await {
                Ok(()) => {}
                // With the next look.
                Err(failure) if failure.takes_nothing_in() => return Ok(()),
                Err(failure) => return Err(failure),
            }
            for news in &lost {
                self.found_again(news);
            }
        }
        Ok(())
    }
}

pub(super) fn mark(reply: Value) -> Option<Vec<u8>> {
    found(reply)?
}
