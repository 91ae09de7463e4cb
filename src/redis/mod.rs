//! Sessions in Redis or Valkey.

mod archived;
mod archived_probe;
mod archived_scripts;
mod comparing;
mod connection;
mod due;
mod failure;
mod feed;
mod lasting;
mod lasting_probe;
mod lasting_scripts;
mod names;
mod news;
mod operations;
mod positions;
mod probe;
mod scripts;
mod user_probe;
mod user_scripts;
mod users;

use crate::store::{
    Admission, Admitted, Answer, Departure, Entry, Key, LastingStore, Marker, Member, Outcome, Outgoing, Owner,
    Replaced, Replacement, Revocation, Revocations, Store, StoreError, Sweep, Swept, Timestamp, WriteId, due_name,
    outbox_name,
};
use comparing::Comparing;
use connection::{Connection, LONGEST_WAIT};
use names::{Names, Places, Record};
use probe::Unfit;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use uuid::Uuid;

/// Sessions in Redis 6.2 or newer, or in Valkey: for several servers, and sessions that outlive them.
///
/// All requests share one connection. It is replaced after every error of it: whoever comes next connects, for all
/// others too, and after a failure the rest is refused for some tens of milliseconds. Connecting and commands have
/// 250 ms each. Each layer has one more, on which it waits for news of what has been revoked.
///
/// A change is one script, or where the server has that, as Valkey 8.1 and Redis 8.4 do, one `SET` with `IFEQ`: `connect` finds out.
///
/// # What Redis must be
///
/// * **The master**: a replica may lag behind, and "absent" would begin a second session.
/// * **`maxmemory-policy noeviction`**: any other may drop sessions that live, and is warned of. When the memory is
///   full, no session begins, and those that are there can still end.
/// * **Allowed to run** `GET`, `SET`, `GETRANGE`, `SETRANGE`, `PEXPIRE`, `PTTL`, `PERSIST`, `ZADD`, `ZCOUNT`, `ZRANGE`,
///   `ZRANGEBYSCORE`, `ZREM`, `ZREMRANGEBYSCORE`, `ZSCORE`, `XADD`, `XDEL`, `XRANGE`, `XREAD`, `HSET`, `HDEL`, `HLEN`, `HRANDFIELD`, `TIME`,
///   `EVAL` and `EVALSHA` on keys `ts*`. With `CONFIG GET` the policy can be checked.
///
/// Everything in it has an expiry, but for one mark of each layer, for the outboxes `ts*:o`: what has ended waits there until
/// the archive has it, however long that takes; and for `ts*:d` and `ts*:x`, 16 bytes of each user session, and of each browser's
/// session that goes to the archive, and when to look at it. Of the latter there is a copy, 90 days longer. Should that fill the memory, no session begins, and those that are there can
/// still end.
///
/// # What it promises
///
/// As much as Redis does: a write that was answered may be lost if the master fails before it is on disk or on the
/// replica that takes over. A session that ended within that window can come back; processes that heard of its end still
/// refuse it.
///
/// A store that was emptied is recognised, and is told again what the processes that are up know to be revoked.
///
/// Clones share the connection.
#[derive(Clone)]
pub struct RedisStore {
    connection: Arc<Connection>,
    comparing: Arc<Comparing>,
}

#[derive(Debug, Error)]
#[error("Redis at {address} cannot keep sessions")]
struct Unusable {
    address: String,
    source: Unfit,
}

impl RedisStore {
    /// Connects to `redis://[user:password@]host[:port][/database]`, and tries all that sessions need on a key of its
    /// own.
    ///
    /// # Errors
    ///
    /// If the URL is not valid, Redis is not reached, or it refuses something that will be needed. No error contains the
    /// password.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let connection = Connection::new(url).map_err(StoreError::not_applied)?;
        probe::probe(&connection)
            .await
            .map_err(|source| StoreError::not_applied(Unusable { address: connection.address(), source }))?;
        probe::check_policy(&connection).await;
        let comparing = Comparing::of_server(&connection).await;
        Ok(Self { connection: Arc::new(connection), comparing: Arc::new(comparing) })
    }
}

impl Store for RedisStore {
    fn longest_wait(&self) -> Option<Duration> {
        Some(LONGEST_WAIT)
    }

    async fn load(&self, key: &Key) -> Answer<Option<Entry>> {
        Ok(operations::load(&self.connection, &key.name()).await?)
    }

    async fn create(&self, key: &Key, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        Ok(operations::create(&self.connection, &Record::of(key), entry, keep_for).await?)
    }

    async fn commit(&self, key: &Key, expected: WriteId, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        Ok(operations::commit(&self.connection, &Record::of(key), expected, entry, keep_for).await?)
    }

    async fn commit_over(&self, key: &Key, base: &Entry, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        Ok(self.comparing.commit_over(&self.connection, &Record::of(key), base, entry, keep_for).await?)
    }

    async fn touch(&self, key: &Key, seen: Timestamp, now: Timestamp, keep_for: Duration) -> Answer<bool> {
        Ok(operations::touch(&self.connection, &Record::of(key), seen, now, keep_for).await?)
    }

    async fn end(&self, key: &Key, expected: Option<WriteId>, marker: &Marker) -> Answer<Outcome> {
        Ok(operations::end(&self.connection, &Record::of(key), expected, marker).await?)
    }

    async fn admit(&self, owner: &Owner, admission: &Admission<'_>) -> Answer<Admitted> {
        Ok(users::admit(&self.connection, &Names::of(owner), admission).await?)
    }

    async fn depart(&self, owner: &Owner, departure: &Departure) -> Answer<Outcome> {
        Ok(users::depart(&self.connection, &Names::of(owner), departure).await?)
    }

    async fn members(&self, owner: &Owner) -> Answer<Vec<(Member, Entry)>> {
        Ok(users::members(&self.connection, &Names::of(owner)).await?)
    }

    async fn end_all(&self, owner: &Owner, sweep: &Sweep) -> Answer<Option<Swept>> {
        Ok(users::end_all(&self.connection, &Names::of(owner), sweep).await?)
    }

    async fn publish(&self, realm: &'static str, news: &Revocation) -> Answer<()> {
        Ok(news::publish(&*self.connection, realm, news).await?)
    }

    async fn follow(&self, realm: &'static str, known: &Revocations) {
        feed::follow(&self.connection, realm, known).await;
    }
}

impl LastingStore for RedisStore {
    async fn load_both(&self, session: &Key, user_session: &Key) -> Answer<[Option<Entry>; 2]> {
        let [session, user_session] = [session, user_session].map(Key::name);
        Ok(lasting::load_both(&self.connection, [&session, &user_session]).await?)
    }

    async fn load_several(&self, keys: &[Key]) -> Answer<Vec<Option<Entry>>> {
        Ok(lasting::load_several(&self.connection, keys.iter().map(Key::to_string)).await?)
    }

    async fn replace(&self, key: &Key, replacement: &Replacement<'_>) -> Answer<Replaced> {
        Ok(lasting::replace(&self.connection, key, &Places::of(key), replacement).await?)
    }

    async fn renew(&self, key: &Key, seen: Timestamp, idle: Duration, keep_for: Duration) -> Answer<bool> {
        Ok(lasting::renew(&self.connection, &key.name(), seen, idle, keep_for).await?)
    }

    async fn outbox(&self, realm: &'static str, shard: u8, limit: usize) -> Answer<Vec<Outgoing>> {
        Ok(lasting::outbox(&self.connection, &outbox_name(realm, shard), limit).await?)
    }

    async fn full_outboxes(&self, realm: &'static str) -> Answer<Vec<(u8, usize)>> {
        Ok(lasting::full_outboxes(&self.connection, realm).await?)
    }

    async fn due(&self, realm: &'static str, limit: usize) -> Answer<Vec<(Key, Entry)>> {
        Ok(due::due(&self.connection, realm, limit).await?)
    }

    async fn put_off(&self, key: &Key, look_in: Duration) -> Answer<()> {
        Ok(due::put_off(&self.connection, &due_name(key.realm(), key.shard()), key, look_in).await?)
    }

    async fn retire(&self, realm: &'static str, limit: usize) -> Answer<bool> {
        Ok(archived::retire(&self.connection, realm, limit).await?)
    }

    async fn sent(&self, realm: &'static str, shard: u8, ids: &[Uuid]) -> Answer<()> {
        Ok(lasting::sent(&self.connection, &outbox_name(realm, shard), ids).await?)
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").finish_non_exhaustive()
    }
}
