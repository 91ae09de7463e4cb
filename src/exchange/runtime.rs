//! Work that goes on when the request that began it is dropped.

use crate::error::{SessionError, SessionErrorKind};
use std::future::Future;
use tokio::runtime::Handle;
use tracing::Instrument as _;

/// Runs `work` to its end, also if the caller is dropped meanwhile: whoever hangs up in mid-sign-in must not leave half
/// of it. Outside of a runtime, where nothing can be dropped in between, it runs in place.
pub(super) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, SessionError>> + Send + 'static,
) -> Result<T, SessionError> {
    if Handle::try_current().is_err() {
        return work.await;
    }
    match tokio::spawn(work.in_current_span()).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down.
            Err(cancelled) => Err(SessionError::with_source(SessionErrorKind::Unknown, cancelled)),
        },
    }
}
