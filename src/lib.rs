//! Sessions for tower and axum that cost nothing until a handler asks for one.
//!
//! A handler's signature says what it pays:
//!
//! | a handler that asks for | pays | good for |
//! |---|---|---|
//! | nothing | next to nothing: no cookie parsed, no store call, response untouched | most pages |
//! | [`Visitor`] | one decryption, in process | who this browser belongs to: greeting, recommendations |
//! | [`Session<T>`](Session) | one round trip to the store | cart, checkout, anything the user must not forge |
//! | [`SignedIn`] | the same one round trip | proof of who is signed in, and since when |
//! | [`UserSession<T>`](UserSession) | the same one, if named first or alone; one more after another load | work that a signed-in user continues on another device |
//! | [`Sessions`] | nothing until it is used | a user's devices: to list, and to end one, all, or all but this |
//!
#![cfg_attr(feature = "axum", doc = "```no_run")]
#![cfg_attr(not(feature = "axum"), doc = "```ignore")]
#![doc = include_str!("../examples/quickstart.rs")]
//! ```
//!
//! # The promises
//!
#![doc = include_str!("docs/promises.md")]
//!
//! # What it leaves to others
//!
//! * **TLS.** Cookies are `Secure`: a proxy that ends TLS is enough. `localhost` counts as secure in Chromium and Firefox.
//! * **Forgery of requests.** Cookies are `SameSite=Lax`, and a request from another site begins no anonymous session; but a form
//!   of another site can still be sent. Add tower-http's `csrf` layer, or tokens: [how](guide::cross_site).
//! * **Floods.** Whoever may write can begin sessions: limit the rate of strangers' writes, and of attempts to sign in.
//! * **Clocks.** Servers that share sessions agree on the time within a minute; the store's own clock decides idleness.
//! * **A runtime.** Stores that wait need tokio with its `time` driver, as axum has it.
//!
//! # Guides
//!
//! * [Leading visitors to the sign-in page](guide::sign_in_page), when a handler answers 401
//! * [Revocation](guide::revocation): what ends at once, what within a second, and how to change a password
//! * [Requests from other sites](guide::cross_site)
//! * [Events and numbers](guide::metrics)
//! * [What it costs](guide::performance), beside others and beside handlers written by hand
//! * [OWASP ASVS 5.0](guide::asvs), clause by clause
//! * [Which store for whom](guide::stores)
//! * [Sessions that belong to a user](guide::user_sessions), quotas, and what is kept when they have ended
//! * [The archive](guide::archive): what analysts find there, and for how long it is kept
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `axum` (default) | extractors for axum 0.8 |
//! | `metrics` | [counters and histograms](guide::metrics), through the `metrics` facade |
//! | `postgres` | [`SqlStore`](https://docs.rs/thin-session/latest/thin_session/struct.SqlStore.html) on Postgres 13 or newer: sessions shared by several servers; needs Rust 1.94 |
//! | `redis` | [`RedisStore`](https://docs.rs/thin-session/latest/thin_session/struct.RedisStore.html): sessions shared by several servers; Redis 6.2 or newer, or Valkey |
//! | `sqlite` | `SqlStore` on a file: sessions of one server that outlive it; needs Rust 1.94 |
//! | `testing` | [`testing`](https://docs.rs/thin-session/latest/thin_session/testing/): sessions without HTTP, for unit tests of handlers; and the contract of stores as checks |
//!
//! Without axum, the `of` of each extractor reads it from a request: `Session::<Cart>::of(&request)`.

#![cfg_attr(docsrs, feature(doc_cfg))]

// The floors, from the bottom up. Imports point down, never sideways; `tests/floors.rs` holds that.
mod clock;
mod telemetry;

mod error;

mod id;

mod record;

mod keyring;
mod lifetime;
mod revocation;

mod cookie;
mod data;

pub mod store;

pub mod archive;
mod sealing;

mod memory;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql;

mod exchange;

mod session;
mod user_session;

mod visitor;

mod sessions;

mod layer;

#[cfg(feature = "testing")]
pub mod testing;

pub mod guide;

pub use archive::{EndReason, EndedSession, HistoryEntry, HistoryPage, Quota};
pub use clock::Clock;
pub use cookie::SameSite;
pub use data::{AtSignIn, IfUndecodable, Old, SessionData, Slots, UserSessionData};
pub use error::{ConfigError, SessionError, SessionErrorKind};
pub use id::{InvalidHandle, SessionHandle, UserId};
pub use keyring::{KeyError, Keyring, Secret};
pub use layer::{ResponseFuture, SessionLayer, SessionService};
pub use lifetime::Limits;
pub use memory::MemoryStore;
#[cfg(feature = "redis")]
pub use redis::RedisStore;
pub use session::{Cost, LazySession, Peek, Session};
pub use sessions::{SessionInfo, Sessions};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use sql::SqlStore;
pub use user_session::{QuotaExceeded, UserSession};
pub use visitor::{RecentAuth, SignedIn, Visitor};
