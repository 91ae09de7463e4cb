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
