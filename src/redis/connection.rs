//! The connection to Redis: one for all requests, replaced after every error of it.
//!
//! What differs between a single server, Sentinel and Cluster stays in this file.

use super::failure::Failure;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, RedisError, ServerError, Value};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How long connecting may take, and how long to wait while somebody else connects.
const CONNECT: Duration = Duration::from_millis(250);
/// How long to wait for a reply.
const COMMAND: Duration = Duration::from_millis(250);
/// For how many milliseconds nobody connects after a failure. Random, so that servers do not come back in step.
const PAUSE: std::ops::Range<u64> = 20..100;

pub(super) struct Connection {
    client: Client,
    state: Mutex<State>,
    /// Held while connecting, so that one connects for all who wait. A request that is dropped hands the turn on.
    turn: tokio::sync::Mutex<()>,
}

enum State {
    /// To be connected by the next who comes.
    Idle,
    Up(Arc<MultiplexedConnection>),
    /// Not to be tried before `until`.
    Down {
        until: Instant,
        why: RedisError,
    },
}

impl Connection {
    /// Does not connect yet.
    pub(super) fn new(url: &str) -> Result<Self, Failure> {
        let client = Client::open(url).map_err(Failure::Url)?;
        Ok(Self { client, state: Mutex::new(State::Idle), turn: tokio::sync::Mutex::default() })
    }

    /// Where Redis is, without user and password.
    pub(super) fn address(&self) -> String {
        self.client.get_connection_info().addr().to_string()
    }

    /// Sends `command` once, and reads its reply with `read`; `None` says that it is no reply to this command.
    ///
    /// It may be dropped at any point: replies are told apart by their order on the connection, which counts those
    /// that nobody waits for any more.
    pub(super) async fn run<T>(&self, command: &Cmd, read: impl FnOnce(Value) -> Option<T>) -> Result<T, Failure> {
        let link = self.link().await?;
        let mut connection = MultiplexedConnection::clone(&link);
        let reply = timeout(COMMAND, connection.send_packed_command(command)).await;
        let failure = match reply.map(|reply| reply.and_then(Value::extract_error)) {
            Ok(Ok(value)) => match read(value) {
                Some(answer) => return Ok(answer),
                None => Failure::Reply,
            },
            Ok(Err(error)) => ServerError::try_from(error).map_or_else(Failure::Lost, Failure::Refused),
            Err(_) => Failure::Silent(COMMAND),
        };
        self.give_up(&link, &failure);
        Err(failure)
    }

    /// The connection, made if there is none.
    async fn link(&self) -> Result<Arc<MultiplexedConnection>, Failure> {
        if let Some(link) = self.state().link()? {
            return Ok(link);
        }
        let _turn = timeout(CONNECT, self.turn.lock()).await.map_err(|_| Failure::Unreachable(not_in_time()))?;
        // Whoever had the turn before has connected, or failed, for all.
        if let Some(link) = self.state().link()? {
            return Ok(link);
        }
        match self.connect().await {
            Ok(link) => {
                let link = Arc::new(link);
                *self.state() = State::Up(link.clone());
                Ok(link)
            }
            Err(why) => {
                *self.state() = State::down(why.clone());
                Err(Failure::Unreachable(why))
            }
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        // The limits of time are ours, so that they hold for all of it.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
        timeout(CONNECT, connecting).await.unwrap_or_else(|_| Err(not_in_time()))
    }

    /// Lets nobody use `link` again if its next reply may be another's, or it leads to the wrong server.
    ///
    /// Only if it is still the one in use: a late failure must not take a newer connection along.
    fn give_up(&self, link: &Arc<MultiplexedConnection>, failure: &Failure) {
        let next = match failure {
            Failure::Refused(error) if is_of_replica(error) => State::down(error.clone().into()),
            Failure::Refused(_) => return,
            _ => State::Idle,
        };
        let mut state = self.state();
        if matches!(&*state, State::Up(current) if Arc::ptr_eq(current, link)) {
            *state = next;
        }
    }

    /// The state is replaced whole, so that a panic of another thread while it held the lock does no harm.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn down(why: RedisError) -> Self {
        let pause = Duration::from_millis(rand::random_range(PAUSE));
        Self::Down { until: Instant::now() + pause, why }
    }

    /// The connection; none if it is to be made now.
    fn link(&self) -> Result<Option<Arc<MultiplexedConnection>>, Failure> {
        match self {
            Self::Up(link) => Ok(Some(link.clone())),
            Self::Down { until, why } if Instant::now() < *until => Err(Failure::Pausing(why.clone())),
            Self::Down { .. } | Self::Idle => Ok(None),
        }
    }
}

fn not_in_time() -> RedisError {
    io::Error::from(io::ErrorKind::TimedOut).into()
}

/// Whether a server says that it is not, or no longer, the master. Where its name leads to the new one by now,
/// connecting again helps.
fn is_of_replica(error: &ServerError) -> bool {
    matches!(error.code(), "READONLY" | "MASTERDOWN")
}
