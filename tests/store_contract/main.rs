//! The contract of [`thin_session::store::Store`], of [`thin_session::store::LastingStore`], and of
//! [`thin_session::archive::Archive`], for every store and archive of this crate.
//!
//! | page | what it holds |
//! |---|---|
//! | [`contract`] | one test for each sentence of the contract, on all stores |
//! | [`users`] | the same for the sessions of a user, and for the news |
//! | [`lasting`] | the same for user sessions, and for the outbox |
//! | [`archive`] | the same for archives |
//! | [`archived`] | browsers' sessions that go to the archive, on all stores |
//! | [`bench`] | a store and its time, to run them on |
//! | [`entries`] | entries by their bytes |
//! | [`markers`] | what sessions leave |
//! | [`memory`] | what is peculiar to `MemoryStore` |
//! | [`memory_lasting`] | the same as the place of user sessions, and as an archive |
//! | [`redis`] | what is peculiar to `RedisStore` |
//! | [`sql`] | what is peculiar to `SqlStore` |

mod archive;
mod archived;
mod bench;
mod contract;
mod entries;
mod lasting;
mod markers;
mod memory;
mod memory_lasting;
mod redis;
mod sql;
mod users;
