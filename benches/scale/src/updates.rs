//! Updates of active sessions at a rate, and how long each took.

use crate::statistics::millis;
use crate::system::Subject;
use rand::RngExt as _;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// What came of updates.
#[derive(Clone, Debug, Default)]
pub(crate) struct Updated {
    /// How many milliseconds each took, in no particular order.
    pub(crate) millis: Vec<f64>,
    /// Why others failed.
    pub(crate) failures: Vec<String>,
}

impl Updated {
    pub(crate) fn add(&mut self, other: Self) {
        self.millis.extend(other.millis);
        self.failures.extend(other.failures);
    }
}

/// Updates sessions of users by chance, for so long. Each begins at its time, whether or not those before have come to an end.
pub(crate) async fn update(subject: &Subject, users: usize, per_second: f64, window: Duration) -> Updated {
    let every = Duration::from_secs_f64(1.0 / per_second);
    // Some begin sooner than others, so that those who are measured at once do not come at once.
    let first = Instant::now() + every.mul_f64(rand::random_range(0.0..1.0));
    let many = (window.as_secs_f64() * per_second).round().max(1.0) as u32;
    let mut all = JoinSet::new();
    for number in 0..many {
        sleep_until(first + every * number).await;
        let subject = subject.clone();
        all.spawn(async move {
            let user = rand::rng().random_range(0..users);
            subject.update(user).await
        });
    }
    let mut updated = Updated::default();
    for answer in all.join_all().await {
        match answer {
            Ok(took) => updated.millis.push(millis(took)),
            Err(failure) => updated.failures.push(failure),
        }
    }
    updated
}
