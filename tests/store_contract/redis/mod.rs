//! What is peculiar to `RedisStore`.
//!
//! | page | what it holds |
//! |---|---|
//! | [`wire`] | how many requests an operation takes, and of which kind |
//! | [`faults`] | lost and delayed requests, and what is known after them |
//! | [`archived`] | browsers' sessions that go to the archive: copies, when to look, and what is refused |
//! | [`comparing`] | a commit by one command, where the server has one |
//! | [`connection`] | what becomes of the connection |
//! | [`refusals`] | what Redis refuses, memory first |
//! | [`start`] | what `connect` finds out |
//! | [`users`] | sessions of users: what is in Redis afterwards, and what is refused |
//! | [`lasting`] | user sessions: what is on the wire and in Redis, and what is refused |
//! | [`feed`] | following news, through cuts, restarts and a store that was emptied |
//! | [`people`] | a user and their sessions, to try operations on |

mod archived;
mod comparing;
mod connection;
mod faults;
mod feed;
mod lasting;
mod people;
mod refusals;
mod start;
mod users;
mod wire;

use crate::bench::connect;
use crate::entries::{KEPT, TOUCHED, at, id, live};
use crate::markers::ended;
use testbed::{Proxy, RedisServer};
use thin_session::RedisStore;
use thin_session::store::{Answer, Key, Outcome, Store, StoreError};

/// A store that reaches its server through a proxy.
struct Wired {
    // First, since fields go in this order.
    store: RedisStore,
    proxy: Proxy,
    server: RedisServer,
    /// How many connections there had been when the store was connected, before its own.
    earlier: u64,
}

impl Wired {
    async fn start() -> Self {
        Self::of(RedisServer::start()).await
    }

    async fn of(server: RedisServer) -> Self {
        let proxy = Proxy::start(server.addr());
        let store = connect(&proxy.url()).await;
        proxy.reset();
        let earlier = proxy.connections() - 1;
        Self { store, proxy, server, earlier }
    }

    /// How many connections the store has made; the first is 1.
    fn connections(&self) -> u64 {
        self.proxy.connections() - self.earlier
    }

    async fn create(&self, key: &Key) {
        assert_eq!(self.store.create(key, &live(1), KEPT).await.unwrap(), Outcome::Applied);
        self.proxy.reset();
    }
}

/// An operation, and whether it was one that writes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Operation {
    Load,
    Create,
    Commit,
    Touch,
    End,
}

impl Operation {
    const ALL: [Self; 5] = [Self::Load, Self::Create, Self::Commit, Self::Touch, Self::End];

    /// Carries it out on what [`Wired::create`] has made, or, for a create, on nothing.
    async fn on(self, store: &RedisStore, key: &Key) -> Answer<()> {
        let expected = match self {
            Self::Load => return store.load(key).await.map(drop),
            Self::Touch => return store.touch(key, at(TOUCHED), at(TOUCHED + 1), KEPT).await.map(drop),
            Self::Create => store.create(key, &live(1), KEPT).await,
            Self::Commit => store.commit(key, id(1), &live(2), KEPT).await,
            Self::End => store.end(key, None, ended()).await,
        };
        expected.map(|outcome| assert_eq!(outcome, Outcome::Applied))
    }
}

/// An error and all its causes, as logs and panics would show them.
fn told(error: &StoreError) -> String {
    let mut told = format!("{error:?} {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        told += &format!(": {error}");
        cause = error.source();
    }
    told
}
