//! Waiting for news: until somebody in this process has told some, or the database says that somebody has.

#[cfg(feature = "postgres")]
use super::failure::Cause;
use super::failure::Failure;
#[cfg(feature = "postgres")]
use super::link::WAIT;
#[cfg(feature = "postgres")]
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use std::time::Duration;
#[cfg(feature = "sqlite")]
use tokio::sync::watch;
use tokio::time::timeout;

pub(super) enum Ears {
    /// Other processes on the same file make no sound: they are looked for again and again.
    #[cfg(feature = "sqlite")]
    Signal(watch::Receiver<()>),
    #[cfg(feature = "postgres")]
    Listener(PgListener),
}

impl Ears {
    /// How long to wait for a sound before a look without one.
    fn patience(&self) -> Duration {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Signal(_) => Duration::from_millis(25),
            // A sound that is lost costs no more than this.
            #[cfg(feature = "postgres")]
            Self::Listener(_) => Duration::from_millis(900),
        }
    }

    #[cfg(feature = "postgres")]
    pub(super) async fn listen(options: &PgConnectOptions) -> Result<Self, Failure> {
        // Of one connection, which is the listener's own and is not replaced: a new one comes with a look at all there is.
        let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None).acquire_timeout(WAIT);
        let pool = pool.connect_lazy_with(options.clone());
        let mut listener = PgListener::connect_with(&pool).await.map_err(Cause::Unreachable)?;
        listener.ignore_pool_close_event(true);
        listener.eager_reconnect(false);
        timeout(WAIT, listener.listen("thin_news"))
            .await
            .unwrap_or(Err(sqlx::Error::PoolTimedOut))
            .map_err(Cause::Unreachable)?;
        Ok(Self::Listener(listener))
    }

    /// Returns when it is worth looking: at once, if there was a sound since the last time.
    pub(super) async fn wait(&mut self) -> Result<(), Failure> {
        let patience = self.patience();
        match self {
            // The sender lives as long as the store.
            #[cfg(feature = "sqlite")]
            Self::Signal(signal) => {
                let _ = timeout(patience, signal.changed()).await;
                Ok(())
            }
            #[cfg(feature = "postgres")]
            Self::Listener(listener) => match timeout(patience, listener.try_recv()).await {
                Ok(Ok(Some(_))) => {
                    // One look is enough for all that have come.
                    while listener.next_buffered().is_some() {}
                    Ok(())
                }
                Ok(Ok(None)) => Err(Cause::Lost(sqlx::Error::Io(std::io::ErrorKind::UnexpectedEof.into())).into()),
                Ok(Err(error)) => Err(Cause::Lost(error).into()),
                Err(_) => Ok(()),
            },
        }
    }
}
