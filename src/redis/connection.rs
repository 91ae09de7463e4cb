//! The connection to Redis: one for all requests, replaced after every error of it, and one for each that waits for news.
//!
//! What differs between a single server, Sentinel and Cluster stays in this file.

use super::failure::Failure;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, Pipeline, RedisError, RedisResult, ServerError, Value};
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};

/// How long connecting may take, and how long to wait while somebody else connects.
const CONNECT: Duration = Duration::from_millis(250);
/// How long to wait for a reply.
const COMMAND: Duration = Duration::from_millis(250);
/// The longest of these.
pub(super) const LONGEST_WAIT: Duration = if CONNECT.as_millis() > COMMAND.as_millis() { CONNECT } else { COMMAND };
/// For how many milliseconds nobody connects after a failure. Random, so that servers do not come back in step.
const PAUSE: std::ops::Range<u64> = 20..100;

/// What carries commands: the connection that all share, or one of somebody's own.
pub(super) trait Carrier: Sync {
    /// Sends `command` once, and reads its reply with `read`; `None` says that it is no reply to this command.
    ///
    /// It may be dropped at any point: replies are told apart by their order on the connection, which counts those
    /// that nobody waits for any more.
    fn run<T>(
        &self,
        command: &Cmd,
        read: impl FnOnce(Value) -> Option<T> + Send,
    ) -> impl Future<Output = Result<T, Failure>> + Send;
}

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

    /// Sends `commands` in one go, and answers their replies. They may be carried out with others in between.
    pub(super) async fn run_all(&self, commands: &Pipeline) -> Result<Vec<Value>, Failure> {
        let link = self.link().await?;
        let mut connection = MultiplexedConnection::clone(&link);
        let replies = timeout(COMMAND, connection.send_packed_commands(commands, 0, commands.len())).await;
        let replies = replies.map(|replies| replies.map(Value::Array));
        let read = |replies| match replies {
            Value::Array(replies) if replies.len() == commands.len() => Some(replies),
            _ => None,
        };
        let answer = answer(replies, COMMAND, read);
        self.give_up_after(&link, answer)
    }

    /// A connection for somebody who waits for replies, which would hold up all others on the one that is shared.
    pub(super) async fn own(&self) -> Result<OwnConnection, Failure> {
        self.connect().await.map(OwnConnection).map_err(Failure::Unreachable)
    }

    /// The connection, made if there is none. Making it is kept apart: it would be most of what each command's future is made of.
    async fn link(&self) -> Result<Arc<MultiplexedConnection>, Failure> {
        if let Some(link) = self.state().link()? {
            return Ok(link);
        }
        Box::pin(self.new_link()).await
    }

    async fn new_link(&self) -> Result<Arc<MultiplexedConnection>, Failure> {
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

    fn give_up_after<T>(&self, link: &Arc<MultiplexedConnection>, answer: Result<T, Failure>) -> Result<T, Failure> {
        answer.inspect_err(|failure| self.give_up(link, failure))
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

impl Carrier for Connection {
    async fn run<T>(&self, command: &Cmd, read: impl FnOnce(Value) -> Option<T> + Send) -> Result<T, Failure> {
        let link = self.link().await?;
        let mut connection = MultiplexedConnection::clone(&link);
        let reply = timeout(COMMAND, connection.send_packed_command(command)).await;
        self.give_up_after(&link, answer(reply, COMMAND, read))
    }
}

/// A connection that nobody else uses. After a failure that is no refusal it must be dropped.
pub(super) struct OwnConnection(MultiplexedConnection);

impl OwnConnection {
    /// Runs a command that waits in Redis for up to `wait`.
    pub(super) async fn wait<T>(
        &self,
        command: &Cmd,
        wait: Duration,
        read: impl FnOnce(Value) -> Option<T> + Send,
    ) -> Result<T, Failure> {
        let within = wait + COMMAND;
        let reply = timeout(within, self.0.clone().send_packed_command(command)).await;
        answer(reply, within, read)
    }
}

impl Carrier for OwnConnection {
    async fn run<T>(&self, command: &Cmd, read: impl FnOnce(Value) -> Option<T> + Send) -> Result<T, Failure> {
        self.wait(command, Duration::ZERO, read).await
    }
}

/// What came back within the time, if anything did.
fn answer<T>(
    reply: Result<RedisResult<Value>, Elapsed>,
    within: Duration,
    read: impl FnOnce(Value) -> Option<T>,
) -> Result<T, Failure> {
    match reply.map(|reply| reply.and_then(Value::extract_error)) {
        Ok(Ok(value)) => read(value).ok_or(Failure::Reply),
        Ok(Err(error)) => Err(ServerError::try_from(error).map_or_else(Failure::Lost, Failure::Refused)),
        Err(_) => Err(Failure::Silent(within)),
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
