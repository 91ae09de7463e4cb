//! How long an update of an active session takes while a thousand others end each second, beside nothing, a hundred thousand and
//! a million that ended before: where the archive is apart, and where one table holds all.
//!
//! | page | what it holds |
//! |---|---|
//! | `plan` | how much of everything there is, and for how long it is measured |
//! | `forms` | what sessions hold |
//! | `servers` | the Postgres and the Redis, and the databases in them |
//! | `site` | an application with sessions of users in a store, whose archive counts what comes |
//! | `counted` | that archive |
//! | `one_table` | the same as a first attempt would have it: active and old in one table |
//! | `system` | any of them, to be updated and to have sessions end |
//! | `prepare` | signs users in, and fills what is to be full |
//! | `endings` | the sessions that end all the while |
//! | `updates` | updates at a rate, and how long each took |
//! | `beside` | those beside endings, round by round |
//! | `at_rates` | those at the rate of the seed, and at multiples of it |
//! | `run` | the whole |
//! | `statistics` | medians, quantiles and ratios |
//! | `sizes` | how large tables and indexes are |
//! | `progress` | the bar |
//! | `report` | what was found, as a table, JSON and a plot |

mod at_rates;
mod beside;
mod counted;
mod endings;
mod forms;
mod one_table;
mod plan;
mod prepare;
mod progress;
mod report;
mod run;
mod servers;
mod site;
mod sizes;
mod statistics;
mod system;
mod updates;

pub use plan::{Plan, Rate};
pub use report::{Beside, Machine, Paced, Report, TARGET, write};
pub use run::run;
pub use sizes::{Relation, Sizes};
pub use statistics::Latency;
pub use system::System;
