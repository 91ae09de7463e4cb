//! What the tests over HTTP share: a store that writes down what is asked of it, requests to one handler, and the log.

#![allow(dead_code, unused_imports, reason = "each test uses a part of it")]

mod log;
mod recording;
mod visit;

pub(crate) use log::{log, log_of_this_thread};
pub(crate) use recording::{Call, Gate, Recording};
pub(crate) use visit::{in_time, newcomer, visit};
