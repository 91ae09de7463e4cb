//! The sessions of users: what must be seen before anybody believes that "signed out everywhere" is true.
//!
//! | module | subject |
//! |---|---|
//! | `sweeps` | ending all sessions, while others are updated and begun |
//! | `overtaken` | sign-ins that verified the old password |
//! | `carts` | what is put into the cart while its visitor signs in |
//! | `fixation` | cookies that were planted before |
//! | `forgotten` | signing out with what is left of a session |
//! | `kills` | processes that die at each step of a sign-in |
//! | `revoked` | visitor cookies that were copied |
//! | `feed` | processes that cannot hear |
//! | `emptied` | a store that has lost everything |
//! | `cap` | how many sessions a user may have |
//! | `swapped` | cookies between names, layers, purposes, keys and users |
//! | `index` | hours of touches |
//! | `latency` | four processes that hear of revocations, and when |
//!
//! Each scenario runs in memory and on a real Redis. What is a matter of luck runs some rounds, and with
//! `THIN_SESSION_FULL` in the environment as many as `scripts/campaign` wants.

mod child;
#[allow(dead_code, reason = "each test program uses its part")]
#[path = "../protocol/gate/mod.rs"]
mod gate;
#[allow(dead_code, unused_imports, unused_macros, reason = "each test program uses its part")]
#[path = "../protocol/shop.rs"]
mod shop;
mod site;

mod cap;
mod carts;
mod emptied;
mod feed;
mod fixation;
mod forgotten;
mod index;
mod kills;
mod latency;
mod overtaken;
mod revoked;
mod swapped;
mod sweeps;
