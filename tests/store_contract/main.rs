//! The contract of [`thin_session::store::Store`], of [`thin_session::store::LastingStore`], and of
//! [`thin_session::archive::Archive`], for every store and archive of this crate.
//!
//! | page | what it holds |
//! |---|---|
//! | [`conformance`] | the exported checks, one for each sentence of the contract, on all stores; and stores that break one each |
//! | [`archive`] | one test for each sentence of the contract of archives |
//! | [`bench`] | a store and its time, to run them on |
//! | [`memory`] | what is peculiar to `MemoryStore` |
//! | [`memory_lasting`] | the same as the place of user sessions, and as an archive |
//! | [`redis`] | what is peculiar to `RedisStore` |
//! | [`sql`] | what is peculiar to `SqlStore` |

mod archive;
mod bench;
mod conformance;
mod memory;
mod memory_lasting;
mod redis;
mod sql;

use thin_session::testing::conformance::{entries, markers};
