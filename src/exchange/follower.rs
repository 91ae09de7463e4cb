//! The task that keeps a process up to date on revocations.

use crate::revocation::Revocations;
use crate::store::PatientStore;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

/// Follows what the store publishes, from the first time that this is asked for in a runtime. Ends with the layer that owns
/// it.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    is_running: Arc<AtomicBool>,
    task: Mutex<Option<AbortHandle>>,
}

/// Has the next who asks begin again, after the runtime of the task has gone.
struct Running(Arc<AtomicBool>);

impl Follower {
    /// Begins, unless it has. Outside of a runtime nothing happens.
    pub(super) fn begin(&self, store: &PatientStore, realm: &'static str, known: &Revocations) {
        if self.is_running.load(Ordering::Relaxed) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        if self.is_running.swap(true, Ordering::Relaxed) {
            return;
        }
        let (store, known, running) = (store.clone(), known.clone(), Running(Arc::clone(&self.is_running)));
        let task = runtime.spawn(async move {
            let _running = running;
            store.follow(realm, &known).await;
        });
        *self.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.abort_handle());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A store that panics would do so again at every request.
        if !std::thread::panicking() {
            self.0.store(false, Ordering::Relaxed);
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        if let Some(task) = self.task.get_mut().unwrap_or_else(PoisonError::into_inner) {
            task.abort();
        }
    }
}
