//! One request after the other, of three browsers and two users, on two servers, while time passes across every limit: each answer
//! is the one that a simple model gives. What fails is shrunk to the few requests that it takes.
//!
//! | page | what it holds |
//! |---|---|
//! | [`step`] | what may happen |
//! | [`rules`] | the model: what has to come of it |
//! | [`run`] | both beside each other |
//! | [`time`] | how time passes, on a store with a clock of its own as well |
//! | [`stores`] | on all stores, and on some that have a bug |

mod rules;
mod run;
mod step;
mod stores;
mod time;
