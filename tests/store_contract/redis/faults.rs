//! Lost and delayed requests, and what is known after them.

use super::{Operation, Wired};
use crate::entries::{KEPT, TOUCHED, at, id, key, live};
use crate::markers::ended;
use std::sync::Arc;
use testbed::Fault;
use thin_session::store::{Outcome, Store};
use tokio::time::{Duration, Instant};

#[tokio::test]
async fn after_a_lost_reply_or_request_it_is_unknown() {
    let wired = Wired::start().await;
    for (i, operation) in (0..).zip(Operation::ALL) {
        for (j, fault) in (0..).zip([Fault::LoseReply, Fault::LoseRequest]) {
            let key = key(2 * i + j);
            if operation != Operation::Create {
                wired.create(&key).await;
            }
            let before = wired.store.load(&key).await.unwrap();
            wired.proxy.on_request(move |_| fault);
            assert!(operation.on(&wired.store, &key).await.unwrap_err().maybe_applied(), "{operation:?} {fault:?}");
            wired.proxy.no_faults();
            // What comes next connects anew.
            let applied = wired.store.load(&key).await.unwrap() != before;
            assert_eq!(applied, fault == Fault::LoseReply && operation != Operation::Load, "{operation:?} {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_write_is_never_sent_twice_by_itself() {
    let wired = Wired::start().await;
    wired.create(&key(0)).await;
    wired.proxy.on_request(|_| Fault::LoseReply);
    assert!(wired.store.commit(&key(0), id(1), &live(2), KEPT).await.is_err());
    assert_eq!(wired.proxy.requests(), 1);
}

#[tokio::test]
async fn a_resent_write_finds_itself() {
    let wired = Wired::start().await;
    let store = &wired.store;
    let lose_next = || wired.proxy.on_request(|_| Fault::LoseReply);

    lose_next();
    assert!(store.create(&key(0), &live(1), KEPT).await.is_err());
    wired.proxy.no_faults();
    assert_eq!(store.create(&key(0), &live(1), KEPT).await.unwrap(), Outcome::Found(live(1)));

    lose_next();
    assert!(store.commit(&key(0), id(1), &live(2), KEPT).await.is_err());
    wired.proxy.no_faults();
    assert_eq!(store.commit(&key(0), id(1), &live(2), KEPT).await.unwrap(), Outcome::Found(live(2)));

    lose_next();
    assert!(store.end(&key(0), Some(id(2)), ended()).await.is_err());
    wired.proxy.no_faults();
    let there = Outcome::Found(live(2).ended(ended()));
    assert_eq!(store.end(&key(0), Some(id(2)), ended()).await.unwrap(), there);
}

#[tokio::test]
async fn a_request_that_arrives_late_changes_nothing_newer() {
    let wired = Wired::start().await;
    wired.create(&key(0)).await;
    wired.proxy.on_request(|request| if request.name() == "EVALSHA" { Fault::Hold } else { Fault::Pass });
    assert!(wired.store.commit(&key(0), id(1), &live(2), KEPT).await.unwrap_err().maybe_applied());
    wired.proxy.no_faults();
    assert_eq!(wired.store.commit(&key(0), id(1), &live(3), KEPT).await.unwrap(), Outcome::Applied);

    let executed = || {
        let stats = wired.server.command(&[b"INFO", b"commandstats"]).text();
        let calls = stats.split_once("cmdstat_evalsha:calls=").and_then(|(_, rest)| rest.split(',').next());
        calls.expect("some were").parse::<u64>().unwrap()
    };
    let before = executed();
    wired.proxy.release();
    let give_up = Instant::now() + Duration::from_secs(10);
    while executed() == before {
        assert!(Instant::now() < give_up, "it never arrives");
        tokio::task::yield_now().await;
    }
    assert_eq!(wired.store.load(&key(0)).await.unwrap(), Some(live(3)));
}

#[tokio::test]
async fn a_refused_create_whose_reading_is_lost_was_refused() {
    let wired = Wired::start().await;
    wired.create(&key(0)).await;
    wired.proxy.on_request(|request| if request.name() == "GET" { Fault::LoseReply } else { Fault::Pass });
    assert!(!wired.store.create(&key(0), &live(2), KEPT).await.unwrap_err().maybe_applied());
}

#[tokio::test]
async fn a_server_that_is_down_changes_nothing() {
    let mut wired = Wired::start().await;
    wired.create(&key(0)).await;
    wired.server.kill();
    // The first may find out only by sending.
    assert!(wired.store.load(&key(0)).await.is_err());
    for operation in Operation::ALL {
        assert!(!operation.on(&wired.store, &key(0)).await.unwrap_err().maybe_applied(), "{operation:?}");
    }
}

#[tokio::test]
async fn a_frozen_server_is_given_up_in_time() {
    let wired = Wired::start().await;
    wired.create(&key(0)).await;
    wired.server.freeze();
    let begin = Instant::now();
    let first = wired.store.commit(&key(0), id(1), &live(2), KEPT).await.unwrap_err();
    assert!(first.maybe_applied());
    assert!(begin.elapsed() < Duration::from_millis(600), "{:?}", begin.elapsed());

    let begin = Instant::now();
    for operation in Operation::ALL {
        assert!(!operation.on(&wired.store, &key(0)).await.unwrap_err().maybe_applied(), "{operation:?}");
        assert!(begin.elapsed() < Duration::from_millis(600) * (operation as u32 + 1), "{:?}", begin.elapsed());
    }

    wired.server.thaw();
    let give_up = Instant::now() + Duration::from_secs(10);
    while wired.store.touch(&key(0), at(TOUCHED), at(TOUCHED), KEPT).await.is_err() {
        assert!(Instant::now() < give_up, "it never comes back");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_request_that_is_dropped_harms_no_other() {
    let wired = Arc::new(Wired::start().await);
    for shard in 0..20 {
        wired.create(&key(shard)).await;
    }
    let connections = wired.connections();
    wired.proxy.on_request(|request| if request.number == 1 { Fault::Hold } else { Fault::Pass });
    // The first is on its way when its caller goes, the next wait behind it.
    let load = |shard| {
        let wired = wired.clone();
        tokio::spawn(async move { wired.store.load(&key(shard)).await })
    };
    let first = load(0);
    wired.proxy.wait_held().await;
    first.abort();
    let dropped: Vec<_> = (1..10).map(load).collect();
    let kept: Vec<_> = (10..20).map(|shard| (shard, load(shard))).collect();
    tokio::task::yield_now().await;
    dropped.iter().for_each(tokio::task::JoinHandle::abort);
    wired.proxy.release();
    for (shard, load) in kept {
        let found = load.await.unwrap().unwrap();
        assert_eq!(found, Some(live(1)), "{shard}");
    }
    assert_eq!(wired.connections(), connections);
}
