//! The exported checks, on the stores of this crate.
//!
//! | page | what it holds |
//! |---|---|
//! | [`broken`] | stores that break a promise each, and the check that says so |
//! | [`flawed`] | what is wrong with them |
//! | [`sentences`] | each check is about a sentence that the contract has |

mod broken;
mod flawed;
mod sentences;

/// A test of each check on a store.
macro_rules! on {
    ($($name:ident: $bench:ident)+) => {
        $(mod $name {
            thin_session::testing::conformance::lasting_tests! {
                #[tokio::test(flavor = "multi_thread")]
                crate::bench::$bench
            }
        })+
    };
}

on! {
    memory: Memory
    sqlite: Sqlite
    postgres: Postgres
    redis: Redis
}
