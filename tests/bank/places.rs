//! Where the sessions of an application live and where they go, as an operator sees it.

use crate::site::Site;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;
use testbed::{PostgresServer, RedisServer};
use thin_session::UserId;
use thin_session::archive::{Archive as _, EndedSession, HistoryPage};

/// The servers of a site, which live as long as this.
pub(crate) struct Place {
    pub(crate) site: Site,
    redis: Option<RedisServer>,
    postgres: Option<Mutex<PostgresServer>>,
    _folder: Option<TempDir>,
}

impl Place {
    /// In a file of SQLite.
    pub(crate) fn sqlite() -> Self {
        let (folder, file) = file();
        Self { site: Site::new(&file, &file), redis: None, postgres: None, _folder: Some(folder) }
    }

    /// In a Postgres of its own.
    pub(crate) fn postgres() -> Self {
        let server = PostgresServer::start();
        let site = Site::new(&server.url(), &server.url());
        Self { site, redis: None, postgres: Some(Mutex::new(server)), _folder: None }
    }

    /// In Redis, and then in a file of SQLite.
    pub(crate) fn redis_and_sqlite() -> Self {
        let ((folder, file), redis) = (file(), RedisServer::start());
        Self { site: Site::new(&redis.url(), &file), redis: Some(redis), postgres: None, _folder: Some(folder) }
    }

    /// In Redis, and then in a Postgres of its own.
    pub(crate) fn redis_and_postgres() -> Self {
        let (redis, server) = (RedisServer::start(), PostgresServer::start());
        let site = Site::new(&redis.url(), &server.url());
        Self { site, redis: Some(redis), postgres: Some(Mutex::new(server)), _folder: None }
    }

    pub(crate) fn has_sql_server(&self) -> bool {
        self.postgres.is_some()
    }

    /// Kills the SQL server, if there is one.
    pub(crate) async fn stop_sql(self: &Arc<Self>) {
        self.of_sql(PostgresServer::kill).await;
    }

    /// Starts it again.
    pub(crate) async fn start_sql(self: &Arc<Self>) {
        self.of_sql(PostgresServer::restart).await;
    }

    async fn of_sql(self: &Arc<Self>, does: impl FnOnce(&mut PostgresServer) + Send + 'static) {
        let place = Arc::clone(self);
        let work = move || {
            let server = place.postgres.as_ref();
            server.map(|server| does(&mut server.lock().expect("nobody panics with it")))
        };
        tokio::task::spawn_blocking(work).await.expect("it does");
    }

    /// Has all user sessions that live been used last so long ago, by the clock of their store.
    pub(crate) async fn idles(&self, time: Duration) {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is past 1970");
        let then = u64::try_from((now - time).as_millis()).expect("it is long until then");
        match &self.redis {
            Some(redis) => {
                let [_, _, touched @ ..] = then.to_be_bytes();
                let told = redis.command(&[b"EVAL", IDLE.as_bytes(), b"0", &touched, then.to_string().as_bytes()]);
                assert_eq!(told.text(), "OK");
            }
            None => {
                let touched = match self.postgres {
                    Some(_) => format!("substr(entry, 1, 20) || '\\x{then:012x}'::bytea || substr(entry, 27)"),
                    None => format!("CAST(substr(entry, 1, 20) || x'{then:012x}' || substr(entry, 27) AS BLOB)"),
                };
                let named = "EXISTS (SELECT 1 FROM thin_due d WHERE d.realm = thin_session.realm AND d.name = thin_session.name)";
                self.say(&self.site.store, &format!("UPDATE thin_session SET entry = {touched} WHERE {named}")).await;
                self.say(&self.site.store, &format!("UPDATE thin_due SET due = {then}")).await;
            }
        }
    }

    /// What the archive has of a user, the first in front.
    pub(crate) async fn archived(&self, user: &str) -> Vec<EndedSession> {
        let (archive, user) = (crate::site::sql(&self.site.archive).await, UserId::new(user).expect("it is an id"));
        let page = HistoryPage::of(1000).of_kind(crate::forms::KIND);
        let mut ended = archive.history("", &user, &page).await.expect("the archive answers");
        ended.reverse();
        ended
    }

    /// How many forms are in the archive.
    pub(crate) async fn count(&self) -> i64 {
        self.counts().await[0]
    }

    /// How many are in the archive: forms, browsers' sessions that were signed out, and others of browsers.
    pub(crate) async fn counts(&self) -> [i64; 3] {
        let of = async |which: &str| {
            self.ask(&self.site.archive, &format!("SELECT count(*) FROM thin_archive WHERE {which}")).await
        };
        let signed_out = "kind = 'browser' AND reason = 'signed out'";
        let others = "kind = 'browser' AND reason = 'revoked'";
        let [forms, signed_out, others] = [of("kind <> 'browser'").await, of(signed_out).await, of(others).await];
        assert_eq!(of("true").await, forms + signed_out + others, "no browser's session ends in any other way");
        [forms, signed_out, others]
    }

    /// What Redis has of browsers' sessions for the archive.
    pub(crate) async fn copies(&self) -> i64 {
        let Some(redis) = &self.redis else { return 0 };
        redis.command(&[b"EVAL", COPIES.as_bytes(), b"0"]).text().parse().expect("a number")
    }

    /// What the store still has to see to: how many wait in outboxes or are to be looked at one day.
    pub(crate) async fn left_to_do(&self) -> i64 {
        match &self.redis {
            Some(redis) => redis.command(&[b"EVAL", LEFT_TO_DO.as_bytes(), b"0"]).text().parse().expect("a number"),
            None => {
                let all = "SELECT (SELECT count(*) FROM thin_outbox) + (SELECT count(*) FROM thin_due)";
                self.ask(&self.site.store, all).await
            }
        }
    }

    /// How many sessions live in the store, or are there without an end: browsers' and users'.
    pub(crate) async fn live(&self) -> i64 {
        match &self.redis {
            Some(redis) => redis.command(&[b"EVAL", LIVE.as_bytes(), b"0"]).text().parse().expect("a number"),
            None => {
                let none = if self.postgres.is_some() { "'\\x00'::bytea" } else { "x'00'" };
                let live = format!("SELECT count(*) FROM thin_session WHERE substr(entry, 2, 1) = {none}");
                self.ask(&self.site.store, &live).await
            }
        }
    }

    async fn say(&self, database: &str, command: &str) {
        let command = AssertSqlSafe(command.to_owned());
        if self.postgres.is_some() {
            let mut link = PgConnection::connect(database).await.expect("Postgres is up");
            sqlx::query(command).execute(&mut link).await.expect("it is carried out");
        } else {
            let mut link = SqliteConnection::connect(database).await.expect("the file can be opened");
            sqlx::query(command).execute(&mut link).await.expect("it is carried out");
        }
    }

    async fn ask(&self, database: &str, question: &str) -> i64 {
        let question = AssertSqlSafe(question.to_owned());
        if self.postgres.is_some() {
            let mut link = PgConnection::connect(database).await.expect("Postgres is up");
            sqlx::query_scalar(question).fetch_one(&mut link).await.expect("a number")
        } else {
            let mut link = SqliteConnection::connect(database).await.expect("the file can be opened");
            sqlx::query_scalar(question).fetch_one(&mut link).await.expect("a number")
        }
    }
}

fn file() -> (TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("bank.db").display().to_string();
    (folder, file)
}

/// The time of the last touch stands in the bytes from 20 on, see `src/docs/record.md`.
const IDLE: &str = "
for _, key in ipairs(redis.call('KEYS', '*')) do
  if key:find(':l:', 1, true) then
    redis.call('SETRANGE', key, 20, ARGV[1])
  elseif key:sub(-2) == ':d' then
    for _, name in ipairs(redis.call('ZRANGE', key, 0, -1)) do redis.call('ZADD', key, ARGV[2], name) end
  end
end
return 'OK'";

const LEFT_TO_DO: &str = "
local left = 0
for _, key in ipairs(redis.call('KEYS', '*')) do
  if key:sub(-2) == ':d' then left = left + redis.call('ZCARD', key) end
  if key:sub(-2) == ':o' then left = left + redis.call('HLEN', key) end
end
return tostring(left)";

const COPIES: &str = "
local copies = 0
for _, key in ipairs(redis.call('KEYS', '*')) do
  if key:sub(-2) == ':x' then copies = copies + redis.call('ZCARD', key) end
  if key:find(':c:', 1, true) then copies = copies + 1 end
end
return tostring(copies)";

const LIVE: &str = "
local live = 0
for _, key in ipairs(redis.call('KEYS', '*')) do
  if key:find(':[ls]:') then
    local is_live = redis.call('GETRANGE', key, 1, 1) == string.char(0)
    if is_live or redis.call('PTTL', key) < 0 then live = live + 1 end
  end
end
return tostring(live)";

/// Runs each of these scenarios as a test in each place.
macro_rules! in_each_place {
    ($($scenario:ident,)+) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $scenario() {
                super::$scenario(crate::places::Place::sqlite()).await;
            })+
        }

        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $scenario() {
                super::$scenario(crate::places::Place::postgres()).await;
            })+
        }

        mod on_redis_and_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $scenario() {
                super::$scenario(crate::places::Place::redis_and_sqlite()).await;
            })+
        }

        mod on_redis_and_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $scenario() {
                super::$scenario(crate::places::Place::redis_and_postgres()).await;
            })+
        }
    };
}

pub(crate) use in_each_place;
