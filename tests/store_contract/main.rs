//! The contract of [`thin_session::store::Store`], for every store of this crate.
//!
//! | page | what it holds |
//! |---|---|
//! | [`contract`] | one test for each sentence of the contract, on all stores |
//! | [`bench`] | a store and its time, to run them on |
//! | [`entries`] | entries by their bytes |
//! | [`markers`] | markers as the crate makes them |
//! | [`memory`] | what is peculiar to `MemoryStore` |
//! | [`redis`] | what is peculiar to `RedisStore` |

mod bench;
mod contract;
mod entries;
mod markers;
mod memory;
mod redis;
