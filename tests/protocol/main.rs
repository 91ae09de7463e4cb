//! The interleavings that break a naive session store, forced one by one. Numbers are those of the protocol's notes:
//!
//! | module | entries | subject |
//! |---|---|---|
//! | `sign_in` | 1 | the anonymous session that gives way, and the one that takes its place |
//! | `one_step` | 1 | the same over a session of the same user |
//! | `hanging_up` | 1 | clients and processes that go away halfway |
//! | `late_writes` | 2 | a first write that comes late |
//! | `lost_replies` | 5 | a conflict or an error does not mean "not applied" |
//! | `releases` | 6 | two releases at once |
//! | `user_session` | 5, 7 | a user session, whose key is used again and again |
//! | `quota` | 8 | completing one, when the archive decides |
//! | `next_user` | 10 | what the next user of a browser finds |
//! | `sealing` | 11 | a write id belongs to one sealing |
//! | `crowds` | 15, 16 | sixty-four at once |
//! | `cookies` | 22, 23 | two cookies that open, and one that has expired |
//! | `memory` | 25 | a full store |
//! | `wire` | 1, 5 | a real Redis behind a proxy that cuts and delays |
//!
//! In all but the last two the store stands behind a [`gate`], where the test says what befalls each call, and each
//! scenario runs in memory and on a real Redis.

#[allow(dead_code, reason = "each test program uses its part")]
mod gate;
#[allow(dead_code, reason = "each test program uses its part")]
mod shop;

mod cookies;
mod crowds;
mod hanging_up;
mod late_writes;
mod lost_replies;
mod memory;
mod next_user;
mod one_step;
mod quota;
mod releases;
mod sealing;
mod sign_in;
mod transfer;
mod user_session;
mod wire;
