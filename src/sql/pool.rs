//! Connections that are ready, and how many there may be.
//!
//! Not the pool of `sqlx`: that takes back what was dropped in the middle of something and asks the database after each use
//! whether it is still in order. Here a connection comes back only by [`Lease::give_back`], after all that was asked of it
//! was answered; any other is closed.

use super::failure::{Cause, Failure};
use super::link::{Link, Target, WAIT};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

pub(super) struct Pool {
    target: Target,
    idle: Mutex<Vec<Link>>,
    permits: Semaphore,
    most: usize,
    /// How long anybody waits for a connection, a new one included.
    pub(super) wait: Duration,
}

/// A connection that is somebody's for now. Dropped, it is closed.
pub(super) struct Lease<'a> {
    pub(super) link: Link,
    pool: &'a Pool,
    _permit: SemaphorePermit<'a>,
}

impl Pool {
    pub(super) fn new(target: Target, most: usize) -> Self {
        Self { target, idle: Mutex::default(), permits: Semaphore::new(most), most, wait: WAIT }
    }

    /// The same with connections of its own, for which one waits for so long, and on which the database waits for others.
    pub(super) fn with_wait(&self, wait: Duration) -> Self {
        Self { wait, ..Self::new(self.target.clone().giving_up_after(wait), self.most) }
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Those who come first are served first.
    pub(super) async fn lease(&self) -> Result<Lease<'_>, Failure> {
        let taken = async {
            // It is never closed.
            let permit = self.permits.acquire().await.map_err(|_| Cause::AllTaken(self.wait))?;
            let ready = self.idle().pop();
            let link = match ready {
                Some(link) => link,
                None => self.connect().await?,
            };
            Ok(Lease { link, pool: self, _permit: permit })
        };
        timeout(self.wait, taken).await.unwrap_or(Err(Cause::AllTaken(self.wait).into()))
    }

    /// A connection beside those of the pool.
    pub(super) async fn connect(&self) -> Result<Link, Failure> {
        let connected = timeout(self.wait, self.target.connect()).await;
        Ok(connected.unwrap_or(Err(Cause::NotLetIn(self.wait)))?)
    }

    /// Closes those that are ready: what has ended one has most likely ended them.
    pub(super) fn clear(&self) {
        let ended = std::mem::take(&mut *self.idle());
        drop(ended);
    }

    /// The list is never half changed, so that a panic of another thread does no harm.
    fn idle(&self) -> MutexGuard<'_, Vec<Link>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease<'_> {
    /// Ready for the next, since all that was asked of it was answered.
    pub(super) fn give_back(self) {
        // Before the permit goes, so that whoever gets that finds it.
        self.pool.idle().push(self.link);
    }

    /// Tells whoever shares the pool what became of this one.
    pub(super) fn close(self, failure: &Failure) {
        if failure.is_of_all() {
            self.pool.clear();
        }
    }
}
