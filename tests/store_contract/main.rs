//! The contract of [`thin_session::store::Store`], for every store of this crate.
//!
//! | page | what it holds |
//! |---|---|
//! | [`contract`] | one test for each sentence of the contract, on all stores |
//! | [`users`] | the same for the sessions of a user, and for the news |
//! | [`bench`] | a store and its time, to run them on |
//! | [`entries`] | entries by their bytes |
//! | [`markers`] | what sessions leave |
//! | [`memory`] | what is peculiar to `MemoryStore` |
//! | [`redis`] | what is peculiar to `RedisStore` |
//! | [`sql`] | what is peculiar to `SqlStore` |

mod bench;
mod contract;
mod entries;
mod markers;
mod memory;
mod redis;
mod sql;
mod users;
