//! How long a call of a store may take, and how often it is sent.

use super::meter::Meter;
use super::{Answer, StoreError};
use crate::error::{SessionError, SessionErrorKind};
use crate::telemetry;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::Instant;

/// What changes nothing: a lost reply is no worse there than a refusal.
const READS: [&str; 10] =
    ["load", "load_both", "load_several", "members", "outbox", "full_outboxes", "due", "history", "counts", "dead"];

/// The time that an operation has, and what counts its calls.
#[derive(Clone, Debug)]
pub(crate) struct Patience {
    time: Duration,
    /// For how long a call may wait before it looks at the time by itself.
    longest_wait: Option<Duration>,
    meter: Arc<Meter>,
}

/// The tries of one operation.
pub(crate) struct Tries {
    until: Instant,
    made: u32,
    /// Whether one of them had no reply, so that it may have been applied.
    silent: bool,
}

impl Patience {
    pub(crate) fn new(time: Duration, longest_wait: Option<Duration>) -> Self {
        Self { time, longest_wait, meter: Arc::default() }
    }

    pub(crate) fn time(&self) -> Duration {
        self.time
    }

    pub(crate) fn with_time(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    /// The same, counting calls elsewhere.
    pub(crate) fn counting(self, meter: Arc<Meter>) -> Self {
        Self { meter, ..self }
    }

    /// When an operation that begins now must have ended.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.time
    }

    /// Whether a further try is worth beginning: one that is cut off in its course would end as unknown.
    pub(crate) fn has_time(&self, until: Instant) -> bool {
        Instant::now() + self.time / 4 < until
    }

    /// Calls until there is an answer, or there is no time for another try.
    pub(crate) async fn answered<T, F>(&self, operation: &'static str, call: impl Fn() -> F) -> Result<T, SessionError>
    where
        F: Future<Output = Answer<T>>,
    {
        let mut tries = Tries::until(self.deadline());
        loop {
            match self.within(operation, tries.until, call()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => tries.again(error).await?,
            }
        }
    }

    /// The answer, or "unknown" when the time is up.
    pub(crate) async fn within<T>(
        &self,
        operation: &'static str,
        until: Instant,
        call: impl Future<Output = Answer<T>>,
    ) -> Answer<T> {
        let counted = telemetry::StoreCall::begin(operation);
        let is_read = READS.contains(&operation);
        let answer = self.in_time(until, call).await.map_err(|error| if is_read { error.of_read() } else { error });
        counted.end(match &answer {
            Ok(_) => "answered",
            Err(error) if error.maybe_applied() => "unknown",
            Err(_) => "refused",
        });
        answer
    }

    async fn in_time<T>(&self, until: Instant, call: impl Future<Output = Answer<T>>) -> Answer<T> {
        self.meter.count();
        let mut call = pin!(call);
        // A store in memory answers at once; it needs no timer, and so no runtime. Of one with timers of its own each wait ends in
        // time but for the last.
        let wait = poll_fn(|cx| match call.as_mut().poll(cx) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending if self.longest_wait.is_some_and(|longest| Instant::now() + longest < until) => Poll::Pending,
            Poll::Pending => Poll::Ready(None),
        });
        if let Some(answer) = wait.await {
            return answer;
        }
        // Apart, since it is rare, or else but a small part of what the call takes.
        match Box::pin(tokio::time::timeout_at(until, call)).await {
            Ok(answer) => answer,
            Err(elapsed) => Err(StoreError::unknown(elapsed)),
        }
    }
}

impl Tries {
    /// Tries of a write that surely was not applied. More would only keep a client waiting for its 503.
    const MAX: u32 = 3;

    pub(crate) fn until(until: Instant) -> Self {
        Self { until, made: 0, silent: false }
    }

    /// When the last of them must have ended.
    pub(crate) fn deadline(&self) -> Instant {
        self.until
    }

    /// Whether one of them had no reply, so that it may have been applied.
    pub(crate) fn were_silent(&self) -> bool {
        self.silent
    }

    /// Waits before the next try.
    ///
    /// # Errors
    ///
    /// That there is none: unknown if some try had no reply, else unavailable.
    pub(crate) async fn again(&mut self, error: StoreError) -> Result<(), SessionError> {
        self.made += 1;
        self.silent |= error.maybe_applied();
        let pause = Duration::from_millis(rand::random_range(5..25 << self.made.min(4)));
        let in_vain = error.is_for_good() || self.made >= Self::MAX;
        // Where no runtime runs there is nothing to wait with.
        let no_time = Instant::now() + pause >= self.until || Handle::try_current().is_err();
        let give_up = no_time || (!self.silent && in_vain);
        if give_up {
            let kind = if self.silent {
                telemetry::unknown_outcome();
                SessionErrorKind::Unknown
            } else {
                SessionErrorKind::unavailable()
            };
            return Err(SessionError::with_source(kind, error));
        }
        telemetry::store_retry(&error);
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

pub(crate) fn unknown() -> SessionError {
    telemetry::unknown_outcome();
    SessionErrorKind::Unknown.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    /// A call that never ends, and looks at the time by itself every so often.
    async fn for_ever(step: Duration) -> Answer<()> {
        loop {
            sleep(step).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_holds_whatever_a_store_says_of_its_own_timers() {
        let longest = Duration::from_millis(250);
        for (longest_wait, step) in [(None, 3600), (Some(longest), 250), (Some(longest), 240), (Some(longest), 1)] {
            let patience = Patience::new(Duration::from_secs(1), longest_wait);
            let (began, step) = (Instant::now(), Duration::from_millis(step));
            let answer = patience.within("commit", patience.deadline(), for_ever(step)).await;
            assert!(answer.unwrap_err().maybe_applied());
            assert_eq!(began.elapsed(), Duration::from_secs(1), "every {step:?}");
        }
    }
}
