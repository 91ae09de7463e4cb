//! One session at a time: [`load`](crate::store::Store::load), `create`, `commit`, `touch` and `end`.

pub(super) mod commit;
pub(super) mod create;
pub(super) mod end;
pub(super) mod keys;
pub(super) mod touch;
