//! What has been revoked, for all who follow it.

use crate::store::{Revocation, Revocations, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The news of each layer, by its name.
#[derive(Default)]
pub(super) struct News(Mutex<HashMap<&'static str, Log>>);

#[derive(Default)]
struct Log {
    /// With their numbers, which rise by one.
    told: Vec<(u64, Revocation)>,
    /// How many there must be before it is worth looking for those that have run out.
    prune_at: usize,
    /// The number of the latest.
    latest: watch::Sender<u64>,
}

impl News {
    pub(super) fn tell(&self, realm: &'static str, news: impl IntoIterator<Item = Revocation>, now: Timestamp) {
        let mut news = news.into_iter().filter(|news| news.until() > now).peekable();
        if news.peek().is_some() {
            self.lock().entry(realm).or_default().tell(news, now);
        }
    }

    pub(super) async fn follow(&self, realm: &'static str, known: &Revocations) {
        let (mut seen, mut latest) = (0, self.lock().entry(realm).or_default().latest.subscribe());
        loop {
            // Noted before the look, so that what is told after it ends the wait.
            latest.mark_unchanged();
            for (number, news) in self.since(realm, seen) {
                known.learn(&news);
                seen = number;
            }
            known.heard_for_good();
            // While the store lives, so does the sender.
            if latest.changed().await.is_err() {
                return;
            }
        }
    }

    fn since(&self, realm: &'static str, seen: u64) -> Vec<(u64, Revocation)> {
        self.lock().get(realm).map_or_else(Vec::new, |log| log.since(seen).to_vec())
    }

    /// No log is ever half changed, so that a panic of another thread does no harm.
    fn lock(&self) -> MutexGuard<'_, HashMap<&'static str, Log>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    /// News that are kept for those who begin to follow later, at most: about 60 MiB.
    const LIMIT: usize = 1_000_000;
    /// Up to here it is not worth looking for any that have run out.
    const FEW: usize = 64;

    fn tell(&mut self, news: impl Iterator<Item = Revocation>, now: Timestamp) {
        let mut number = *self.latest.borrow();
        for news in news {
            number += 1;
            self.told.push((number, news));
        }
        self.latest.send_replace(number);
        if self.told.len() > self.prune_at.max(Self::FEW) {
            self.prune(now, Self::LIMIT);
        }
    }

    /// Forgets what has run out; and if that leaves too many, what was told first.
    fn prune(&mut self, now: Timestamp, limit: usize) {
        self.told.retain(|(_, news)| news.until() > now);
        self.told.drain(..self.told.len().saturating_sub(limit / 2));
        // Twice as many, so that each is looked at a few times in all.
        self.prune_at = 2 * self.told.len();
    }

    fn since(&self, seen: u64) -> &[(u64, Revocation)] {
        &self.told[self.told.partition_point(|(number, _)| *number <= seen)..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::store::{Epoch, Revoked};
    use std::time::Duration;

    const HOUR: Duration = Duration::from_secs(3600);

    fn news(number: u64, until: Timestamp) -> Revocation {
        Revocation { revoked: Revoked::Everybody(Epoch::from_u64(number)), until }
    }

    #[test]
    fn what_has_run_out_is_forgotten_before_it_piles_up() {
        let (mut log, clock) = (Log::default(), Clock::manual());
        for number in 0..10_000 {
            let now = clock.now();
            log.tell([news(number, now.plus(HOUR))].into_iter(), now);
            clock.advance(Duration::from_secs(60));
            assert!(log.told.len() <= 2 * 60 + Log::FEW, "60 have not run out");
        }
        let lasting = log.told.iter().filter(|(_, news)| news.until > clock.now()).count();
        assert_eq!(lasting, 59);
        assert_eq!(log.since(9_998).iter().map(|(number, _)| *number).collect::<Vec<_>>(), [9_999, 10_000]);
    }

    #[test]
    fn of_too_many_the_first_go() {
        let (mut log, now) = (Log::default(), Clock::manual().now());
        for number in 0..60 {
            log.tell([news(number, now.plus(HOUR))].into_iter(), now);
        }
        log.prune(now, 100);
        assert_eq!(log.told.iter().map(|(number, _)| *number).collect::<Vec<_>>(), (11..=60).collect::<Vec<_>>());
        assert_eq!(log.since(0).len(), 50);
        assert_eq!(log.since(59).len(), 1);
        assert_eq!(log.since(60).len(), 0);
    }
}
