//! A task that goes on beside the requests, and ends with its owner.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

/// Runs from the first time that this is asked for in a runtime. Ends with the layer that owns it.
#[derive(Debug, Default)]
pub(crate) struct Background {
    is_running: Arc<AtomicBool>,
    task: Mutex<Option<AbortHandle>>,
}

/// Has the next who asks begin again, after the runtime of the task has gone.
struct Running(Arc<AtomicBool>);

impl Background {
    /// Begins the work, unless it has begun. Outside of a runtime nothing happens.
    pub(super) fn begin<F>(&self, work: impl FnOnce() -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        if self.is_running.load(Ordering::Relaxed) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        if self.is_running.swap(true, Ordering::Relaxed) {
            return;
        }
        let (running, work) = (Running(Arc::clone(&self.is_running)), work());
        let task = runtime.spawn(async move {
            let _running = running;
            work.await;
        });
        *self.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.abort_handle());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // What panics would do so again at every request.
        if !std::thread::panicking() {
            self.0.store(false, Ordering::Relaxed);
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(task) = self.task.get_mut().unwrap_or_else(PoisonError::into_inner) {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use tokio::task::yield_now;

    /// Has work begun three times, each time after what was begun before has come to its end, and answers how often it was.
    async fn begun_of_three(work: fn()) -> usize {
        let (task, begun) = (Background::default(), Arc::new(AtomicUsize::new(0)));
        for _ in 0..3 {
            task.begin(|| {
                let begun = Arc::clone(&begun);
                async move {
                    begun.fetch_add(1, Ordering::Relaxed);
                    work();
                }
            });
            yield_now().await;
        }
        begun.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn what_has_ended_begins_again() {
        assert_eq!(begun_of_three(|| ()).await, 3);
    }

    #[tokio::test]
    async fn what_has_panicked_does_not() {
        assert_eq!(begun_of_three(|| panic!("as it would each time")).await, 1);
    }

    #[tokio::test]
    async fn what_goes_on_is_not_begun_twice_and_ends_with_its_owner() {
        let (task, alive) = (Background::default(), Arc::new(()));
        for _ in 0..2 {
            let alive = Arc::clone(&alive);
            task.begin(|| async move {
                let _alive = alive;
                std::future::pending::<()>().await;
            });
            yield_now().await;
        }
        assert_eq!(Arc::strong_count(&alive), 2);
        drop(task);
        yield_now().await;
        assert_eq!(Arc::strong_count(&alive), 1);
    }
}
