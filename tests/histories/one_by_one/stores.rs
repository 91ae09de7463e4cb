//! On all stores, and on some that have a bug.

use super::super::campaign::{count, is_full, report};
use super::super::flaws::{Flaw, Flawed};
use super::super::shaken::Faults;
use super::super::site::Site;
use super::super::{memory, threads, turns};
use super::run::{Numbers, Place, find, follow, holds};
use super::step::{Asked, Step, What};
use super::time::Time;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use testbed::{PostgresServer, RedisServer};
use thin_session::archive::Archive;
use thin_session::store::LastingStore;
use thin_session::{Clock, MemoryStore, RedisStore, SqlStore};
use tokio::runtime::Runtime;

fn cases(brief: u64, full: u64) -> u32 {
    u32::try_from(count(brief, full)).expect("there are not so many")
}

fn place(
    store: impl LastingStore,
    archive: impl Archive + Clone,
    time: Time,
    runtime: Runtime,
    may_be_late: bool,
) -> Rc<Place> {
    let site = {
        let _inside = runtime.enter();
        Site::new(Arc::new(store), archive, time.clock(), Faults::default(), 0)
    };
    Rc::new(Place { site, time, runtime, may_be_late })
}

/// A store of its own for each.
fn in_memory<S: LastingStore>(store: impl Fn(MemoryStore) -> S) -> impl Fn() -> Rc<Place> {
    move || {
        let (memory, clock) = memory();
        let archive = Arc::new(MemoryStore::new().with_clock(clock.clone()));
        place(store(memory), archive, Time::Clock(clock), turns(), false)
    }
}

/// All that the limits are about has come to pass.
fn has_seen_all(numbers: &Numbers, absolute: bool) {
    let seen = &numbers.seen;
    assert!(seen.idled_out > 0 && seen.told_of_the_end > 0 && seen.completed > 0, "{numbers:?}");
    assert_eq!(seen.reached_the_end > 0, absolute, "{numbers:?}");
}

#[test]
fn in_memory_all_is_as_the_model_says() {
    has_seen_all(&holds("memory", cases(150, 100_000), in_memory(|memory| memory)), true);
}

#[test]
fn on_redis_all_is_as_the_model_says() {
    let (server, runtime) = (RedisServer::start(), threads());
    let store = runtime.block_on(RedisStore::connect(&server.url())).expect("Redis is up");
    let place = place(store, Arc::new(MemoryStore::new()), Time::Redis(server), runtime, true);
    has_seen_all(&holds("Redis", cases(20, 4_000), || Rc::clone(&place)), false);
}

fn on_sql(what: &str, cases: u32, runtime: Runtime, store: SqlStore) {
    let clock = Clock::manual();
    let store = store.with_clock(clock.clone()).with_timeout(Duration::from_secs(10));
    let place = place(store.clone(), store, Time::Clock(clock), runtime, true);
    has_seen_all(&holds(what, cases, || Rc::clone(&place)), true);
}

#[test]
fn on_sqlite_all_is_as_the_model_says() {
    let (folder, runtime) = (tempfile::tempdir().expect("a folder can be made"), threads());
    let store = runtime.block_on(SqlStore::sqlite(folder.path().join("store.db"))).expect("the file can be opened");
    on_sql("SQLite", cases(12, 1_500), runtime, store);
}

#[test]
fn on_postgres_all_is_as_the_model_says() {
    let (url, runtime) = (PostgresServer::shared().database(), threads());
    let store = runtime.block_on(SqlStore::postgres(&url)).expect("Postgres is up");
    on_sql("Postgres", cases(12, 1_500), runtime, store);
}

/// By then no marker leads from the old cookie to the session that it went on as; its handle does. Some time later nothing of it is
/// there, as of any that has ended.
#[test]
fn a_sign_out_with_an_old_cookie_ends_what_goes_on_in_the_store_as_well() {
    let ask = |with_the_cookie_before, what| Step::Ask(Asked { browser: 0, with_the_cookie_before, what });
    let steps = [
        ask(false, What::SignIn(1)),
        ask(false, What::SignIn(1)),
        Step::Pass(1),
        ask(false, What::Update),
        ask(true, What::SignOut),
        Step::Pass(1),
        ask(true, What::Update),
    ];
    follow(&steps, in_memory(|memory| memory)).unwrap();
}

/// It begins, the time of its idle limit passes, and it still is there: three steps tell it.
#[test]
fn a_store_where_nothing_expires_is_found_and_the_steps_are_few() {
    let found = find(5_000, in_memory(|memory| Flawed::new(memory, Flaw::ExpiryLost))).unwrap_err();
    let [Step::Ask(Asked { what, .. }), Step::Pass(3), Step::Ask(_)] = found.steps[..] else { panic!("{found:#?}") };
    assert!(matches!(what, What::Update | What::SignIn(_)), "a session begins: {found:#?}");
}

/// Those that one request after the other can show; briefly some of them.
#[test]
fn each_bug_that_needs_no_crowd_is_found() {
    let flaws = [
        Flaw::MarkerDropped,
        Flaw::PredecessorStays,
        Flaw::EndAllForgotten,
        Flaw::OutboxForgets,
        Flaw::CommitForgotten,
        Flaw::IndexForgetsOne,
        Flaw::StaleRead,
        Flaw::ReadOfAnother,
        Flaw::EndForgotten,
    ];
    for flaw in &flaws[..if is_full() { flaws.len() } else { 4 }] {
        match find(5_000, in_memory(|memory| Flawed::new(memory, *flaw))) {
            Ok(numbers) => panic!("{flaw:?} was not found: {numbers:?}"),
            Err(found) => report(&format!("| {flaw:?} | {} | {} |", found.steps.len(), found.told.replace('|', "/"))),
        }
    }
}
