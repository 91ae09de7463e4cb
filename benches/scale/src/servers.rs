//! The Postgres and the Redis of a run, and the databases in them.

use crate::plan::Plan;
use std::sync::atomic::{AtomicUsize, Ordering};
use testbed::{PostgresServer, RedisServer};
use tokio::task::block_in_place;

/// What the testbed has otherwise for tests, and a server in use has not.
const IN_USE: [&str; 2] = ["shared_buffers=512MB", "full_page_writes=on"];

/// Servers of a run's own, which go with it.
#[derive(Debug)]
pub(crate) struct Servers {
    pub(crate) postgres: PostgresServer,
    pub(crate) redis: RedisServer,
    copies: AtomicUsize,
}

impl Servers {
    pub(crate) fn start(plan: &Plan) -> Self {
        let mut settings = IN_USE.to_vec();
        settings.push(if plan.durable { "fsync=on" } else { "fsync=off" });
        if plan.notes_statements {
            settings.push("shared_preload_libraries=pg_stat_statements");
        }
        block_in_place(|| Self {
            postgres: PostgresServer::start_with(&settings),
            redis: RedisServer::start(),
            copies: AtomicUsize::new(0),
        })
    }

    pub(crate) fn database(&self) -> String {
        block_in_place(|| self.postgres.database())
    }

    /// Another database with all that is in this one, from which everybody is sent away.
    pub(crate) fn copy(&self, url: &str) -> String {
        let (server, name) = url.rsplit_once('/').expect("a URL ends with the name of a database");
        let copy = format!("copy_{}", self.copies.fetch_add(1, Ordering::Relaxed));
        let others = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        self.command(&self.postgres.url(), &others);
        self.command(&self.postgres.url(), &format!("CREATE DATABASE {copy} TEMPLATE {name}"));
        format!("{server}/{copy}")
    }

    pub(crate) fn command(&self, url: &str, command: &str) -> String {
        block_in_place(|| self.postgres.command(url, command))
    }

    /// One of the sixteen databases of a Redis.
    pub(crate) fn redis_database(&self, number: usize) -> String {
        format!("{}{number}", self.redis.url())
    }

    /// In which statements Postgres spent its time: how often each ran, for how many milliseconds in all and on average, and how
    /// many pages it looked at each time.
    pub(crate) fn statements(&self) -> String {
        self.command(&self.postgres.url(), "CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
        let most =
            "SELECT datname, calls, round(total_exec_time::numeric) AS ms, round(mean_exec_time::numeric, 3) AS mean,
                round((shared_blks_hit + shared_blks_read)::numeric / calls, 1) AS pages,
                left(regexp_replace(query, '[[:space:]]+', ' ', 'g'), 120) AS statement
            FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid ORDER BY total_exec_time DESC LIMIT 40";
        self.command(&self.postgres.url(), most)
    }

    /// The versions, as people name them.
    pub(crate) fn versions(&self) -> [String; 2] {
        let postgres = self.command(&self.postgres.url(), "SHOW server_version");
        let postgres = postgres.split(['.', ' ']).next().unwrap_or_default().to_owned();
        let info = block_in_place(|| self.redis.command(&[b"INFO", b"server"])).text().to_owned();
        let redis = info.lines().find_map(|line| line.strip_prefix("redis_version:")).unwrap_or_default();
        let redis = redis.split('.').take(2).collect::<Vec<_>>().join(".");
        [postgres, redis]
    }
}
