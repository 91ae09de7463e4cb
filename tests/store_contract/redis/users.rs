//! Sessions of users: what is in Redis afterwards, and what is refused.

use super::people::{
    admission, admit, departure, entry, epoch_of, later, member, members_in_index, owner, stream, sweep, told,
};
use super::{Wired, told as said};
use crate::bench::{connect, ttl};
use crate::entries::KEPT;
use crate::markers::ended;
use testbed::{Fault, RedisServer};
use thin_session::store::{Admitted, Epoch, Outcome, Revoked, Store};
use thin_session::testing::revocation;

fn set(server: &RedisServer, setting: &str, value: &str) {
    assert_eq!(server.command(&[b"CONFIG", b"SET", setting.as_bytes(), value.as_bytes()]).text(), "OK");
}

#[tokio::test]
async fn every_operation_is_one_request_or_two() {
    let wired = Wired::start().await;
    admit(&wired.store, 0, 1).await;
    assert_eq!(wired.proxy.commands(), ["EVALSHA"]);
    wired.proxy.reset();
    assert_eq!(wired.store.members(&owner(0)).await.unwrap().len(), 1);
    assert_eq!(wired.proxy.commands(), ["ZRANGE", "GET"]);
    wired.proxy.reset();
    let _ = wired.store.depart(&owner(0), &departure(0, 1)).await.unwrap();
    assert_eq!(wired.proxy.commands(), ["EVALSHA"]);
    wired.proxy.reset();
    wired.store.end_all(&owner(0), &sweep()).await.unwrap();
    assert_eq!(wired.proxy.commands(), ["ZRANGE", "GET", "TIME", "EVALSHA"]);
    assert_eq!(wired.connections(), 1);
}

#[tokio::test]
async fn all_that_is_written_goes_in_time_and_not_before() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    // Less the time that the tests have run.
    let (hour, day) = (3_600_000 - 120_000, 86_400_000);
    let index = owner(7).to_string();
    admit(&store, 7, 1).await;
    let kept = ttl(&server, index.as_bytes());
    assert!((hour..hour + 200_000).contains(&kept), "{kept}");
    // One that ends sooner does not take the index along.
    let brief = crate::entries::parts(2).with_deadline(std::time::SystemTime::now().into()).entry();
    assert_eq!(store.admit(&owner(7), &admission(member(7, 2), &brief)).await.unwrap(), Admitted::Admitted);
    assert!(ttl(&server, index.as_bytes()) > hour);

    let _ = store.depart(&owner(7), &departure(7, 1)).await.unwrap();
    let stream = stream(&member(7, 1).key);
    assert!(ttl(&server, stream.as_bytes()) > hour + day);
    let mut brief = departure(7, 2);
    let handle = brief.member.handle;
    brief.news = Some(revocation(Revoked::Session(handle), std::time::SystemTime::now().into()));
    let _ = store.depart(&owner(7), &brief).await.unwrap();
    assert!(ttl(&server, stream.as_bytes()) > hour + day, "never sooner than was said");
    assert_eq!(told(&server, &stream).len(), 2);
    assert!(store.end_all(&owner(7), &sweep()).await.unwrap().is_some());
    assert!(epoch_of(&server, &owner(7)).is_some());
    for key in server.keys() {
        assert!(ttl(&server, &key) > 0, "{} never goes", String::from_utf8_lossy(&key));
    }
}

/// However far apart the times are that they matter for.
#[tokio::test]
async fn a_stream_forgets_what_is_past_and_nothing_else() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    let now = std::time::SystemTime::now();
    let session =
        |number: u8, until: std::time::SystemTime| revocation(Revoked::Session(member(0, number).handle), until.into());
    let (stream, day) = (stream(&member(0, 1).key), std::time::Duration::from_secs(86_400));
    let (past, lately) = (session(0, now - 2 * day), session(0, now - day / 2));
    // As if told a month ago.
    for (id, news) in [("1-1", &past), ("1-2", &past), ("1-3", &lately), ("1-4", &past)] {
        let id = id.as_bytes();
        assert_eq!(server.command(&[b"XADD", stream.as_bytes(), id, b"r", &news.to_bytes()]).bytes(), id);
    }
    let brief = session(0, now + std::time::Duration::from_secs(1));
    store.publish("", &brief).await.unwrap();
    assert_eq!(told(&server, &stream), [lately, past, brief]);
}

#[tokio::test]
async fn without_memory_nobody_signs_in_and_everybody_can_sign_out() {
    for flush in [false, true] {
        let wired = Wired::start().await;
        let store = &wired.store;
        for number in 1..=3 {
            admit(store, 0, number).await;
        }
        let scripts = || {
            if flush {
                drop(wired.server.command(&[b"SCRIPT", b"FLUSH"]));
            }
        };
        set(&wired.server, "maxmemory", "1");
        scripts();
        let (new, old) = (entry(9), departure(0, 1));
        let with_predecessor =
            thin_session::store::Admission { predecessor: Some(&old), ..admission(member(0, 9), &new) };
        let error = store.admit(&owner(0), &with_predecessor).await.unwrap_err();
        assert!(!error.maybe_applied(), "{}", said(&error));
        assert_eq!(store.members(&owner(0)).await.unwrap().len(), 3, "nothing has changed");
        assert!(told(&wired.server, &stream(&member(0, 1).key)).is_empty());

        scripts();
        assert_eq!(store.depart(&owner(0), &departure(0, 1)).await.unwrap(), Outcome::Applied);
        scripts();
        assert_eq!(store.depart(&owner(0), &departure(0, 8)).await.unwrap(), Outcome::Absent);
        scripts();
        let swept = store.end_all(&owner(0), &sweep()).await.unwrap().unwrap();
        assert_eq!(swept.ended, 2);
        scripts();
        // With an index that is empty too.
        let again = store.end_all(&owner(0), &sweep()).await.unwrap().unwrap();
        assert_eq!(again.ended, 0);
        scripts();
        let everybody = revocation(Revoked::Everybody(Epoch::from_u64(1)), later());
        store.publish("", &everybody).await.unwrap();

        let ended_ones = [1, 8].map(|number| departure(0, number).news.unwrap());
        let heard = told(&wired.server, &stream(&member(0, 1).key));
        assert_eq!(heard, [&ended_ones[..], &[swept.news, again.news, everybody]].concat());
        assert!(members_in_index(&wired.server, &owner(0)).is_empty());
        for number in 1..=3 {
            let left = store.load(&member(0, number).key).await.unwrap().unwrap();
            assert_eq!(left, left.ended(ended()), "{number}");
            assert!(!left.is_live());
        }
        assert_eq!(wired.connections(), 1);
    }
}

#[tokio::test]
async fn a_server_that_wants_replicas_changes_nothing() {
    let wired = Wired::start().await;
    admit(&wired.store, 0, 1).await;
    let before = wired.server.dump();
    set(&wired.server, "min-replicas-to-write", "1");
    let new = entry(2);
    let store = &wired.store;
    let news = departure(0, 1).news.unwrap();
    let errors = [
        store.admit(&owner(0), &admission(member(0, 2), &new)).await.unwrap_err(),
        store.depart(&owner(0), &departure(0, 1)).await.unwrap_err(),
        store.depart(&owner(0), &departure(0, 8)).await.unwrap_err(),
        store.end_all(&owner(0), &sweep()).await.unwrap_err(),
        store.publish("", &news).await.unwrap_err(),
    ];
    for error in errors {
        assert!(!error.maybe_applied() && said(&error).contains("NOREPLICAS"), "{}", said(&error));
    }
    assert_eq!(wired.server.dump(), before);
}

/// A right is taken away while the server runs, or a name is taken by something else.
#[tokio::test]
async fn what_stops_half_way_is_unknown_and_what_never_began_is_not_applied() {
    let server = RedisServer::start();
    let user = |rule: &[u8]| {
        let reply = server.command(&[b"ACL", b"SETUSER", b"app", b"on", b">secret", b"~*", rule]);
        assert_eq!(reply.text(), "OK");
    };
    user(b"+@all");
    let store = connect(&server.url().replace("//", "//app:secret@")).await;
    admit(&store, 0, 1).await;
    let (new, news) = (entry(2), departure(0, 1).news.unwrap());

    user(b"-xadd");
    for error in [
        store.depart(&owner(0), &departure(0, 1)).await.unwrap_err(),
        store.depart(&owner(0), &departure(0, 8)).await.unwrap_err(),
        store.end_all(&owner(0), &sweep()).await.unwrap_err(),
        store.publish("", &news).await.unwrap_err(),
    ] {
        assert!(error.maybe_applied() && said(&error).contains("HALFDONE"), "{}", said(&error));
    }
    user(b"-zadd");
    let error = store.admit(&owner(1), &admission(member(1, 2), &new)).await.unwrap_err();
    assert!(error.maybe_applied(), "{}", said(&error));
    assert_eq!(store.load(&member(1, 2).key).await.unwrap(), Some(new), "Redis takes nothing back");

    user(b"+@all");
    let index = owner(5).to_string();
    let _ = server.command(&[b"SET", index.as_bytes(), b"no index"]);
    let new = entry(3);
    for error in [
        store.admit(&owner(5), &admission(member(5, 3), &new)).await.unwrap_err(),
        store.end_all(&owner(5), &sweep()).await.unwrap_err(),
        store.members(&owner(5)).await.unwrap_err(),
    ] {
        assert!(!error.maybe_applied() && said(&error).contains("WRONGTYPE"), "{}", said(&error));
    }
    assert_eq!(store.load(&member(5, 3).key).await.unwrap(), None);

    let epoch = owner(6).to_string().replace(":u:", ":e:");
    let _ = server.command(&[b"SET", epoch.as_bytes(), b"no number"]);
    for error in [
        store.admit(&owner(6), &admission(member(6, 3), &new)).await.unwrap_err(),
        store.end_all(&owner(6), &sweep()).await.unwrap_err(),
    ] {
        assert!(!error.maybe_applied(), "{}", said(&error));
    }
    assert_eq!(store.load(&member(6, 3).key).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_no_entry_is_neither_ended_nor_absent() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    for number in 1..=2 {
        admit(&store, 0, number).await;
    }
    let name = member(0, 1).key.to_string();
    for value in [&b""[..], b"\x01\x00short"] {
        let _ = server.command(&[b"SET", name.as_bytes(), value, b"PX", b"100000"]);
        let before = server.dump();
        for error in
            [store.depart(&owner(0), &departure(0, 1)).await.unwrap_err(), store.members(&owner(0)).await.unwrap_err()]
        {
            assert!(!error.maybe_applied(), "{}", said(&error));
        }
        assert_eq!(server.dump(), before);
    }
    let short = store.end_all(&owner(0), &sweep()).await.unwrap_err();
    assert!(!short.maybe_applied(), "{}", said(&short));
    assert!(store.load(&member(0, 2).key).await.unwrap().unwrap().is_live(), "all or nothing");
}

/// Another session begins between the look at the index and the script that ends all that were seen.
#[tokio::test]
async fn end_all_looks_again_when_others_come_and_go() {
    let wired = Wired::start().await;
    admit(&wired.store, 0, 1).await;
    let second = connect(&wired.server.url()).await;
    // The script that follows the first look waits with the proxy.
    wired.proxy.reset();
    let first_script = |request: &testbed::Request| request.name() == "EVALSHA" && request.number == 4;
    wired.proxy.on_request(move |request| if first_script(request) { Fault::Hold } else { Fault::Pass });
    let store = wired.store.clone();
    let ending = tokio::spawn(async move { store.end_all(&owner(0), &sweep()).await });
    wired.proxy.wait_held().await;
    admit(&second, 0, 2).await;
    wired.proxy.release();
    let swept = ending.await.unwrap().unwrap().unwrap();
    assert_eq!(swept.ended, 2);
    assert_eq!(wired.proxy.commands(), ["ZRANGE", "GET", "TIME", "EVALSHA"].repeat(2));
    assert!(second.members(&owner(0)).await.unwrap().is_empty());
    assert_eq!(told(&wired.server, &stream(&member(0, 1).key)), [swept.news]);
}

#[tokio::test]
async fn end_all_that_never_gets_on_gives_up_having_done_nothing() {
    let wired = Wired::start().await;
    admit(&wired.store, 0, 1).await;
    let index = owner(0).to_string();
    let (addr, number) = (wired.server.addr(), std::sync::atomic::AtomicU8::new(0));
    let helper = std::sync::Mutex::new(std::net::TcpStream::connect(addr).unwrap());
    // Each time that a script is about to come, somebody else is faster.
    wired.proxy.on_request(move |request| {
        if request.name() == "EVALSHA" {
            use std::io::{Read, Write};
            let number = number.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let mut helper = helper.lock().unwrap();
            write!(helper, "ZADD {index} {}9999999999999 {:032}\r\n", number % 10, number).unwrap();
            let _ = helper.read(&mut [0; 64]).unwrap();
        }
        Fault::Pass
    });
    let error = wired.store.end_all(&owner(0), &sweep()).await.unwrap_err();
    assert!(!error.maybe_applied() && said(&error).contains("change"), "{}", said(&error));
    wired.proxy.no_faults();
    assert!(wired.store.load(&member(0, 1).key).await.unwrap().unwrap().is_live());
    assert_eq!(epoch_of(&wired.server, &owner(0)), None);
}

#[tokio::test]
async fn members_beyond_one_batch_are_listed_and_those_that_are_gone_are_healed() {
    let server = RedisServer::start();
    let store = connect(&server.url()).await;
    for number in 0..=250 {
        let new = entry(number);
        let admission = thin_session::store::Admission { limit: 1000, ..admission(member(0, number), &new) };
        assert_eq!(store.admit(&owner(0), &admission).await.unwrap(), Admitted::Admitted);
    }
    for number in [0, 99, 100, 201, 250] {
        let _ = server.command(&[b"DEL", member(0, number).key.to_string().as_bytes()]);
    }
    let listed = store.members(&owner(0)).await.unwrap();
    assert_eq!(listed.len(), 246);
    assert!(listed.iter().all(|(member, entry)| entry.write_id() == self::entry(member_number(member)).write_id()));
    assert_eq!(members_in_index(&server, &owner(0)).len(), 246);
    assert_eq!(store.end_all(&owner(0), &sweep()).await.unwrap().unwrap().ended, 246);
}

fn member_number(of: &thin_session::store::Member) -> u8 {
    (0..=255).find(|number| member(0, *number).handle == of.handle).unwrap()
}

/// RESP3 has other replies for some of it.
#[tokio::test]
async fn resp3_will_do() {
    let server = RedisServer::start();
    let store = connect(&format!("{}?protocol=resp3", server.url())).await;
    let first = admit(&store, 0, 1).await;
    assert_eq!(store.members(&owner(0)).await.unwrap(), [(member(0, 1), first)]);
    let swept = store.end_all(&owner(0), &sweep()).await.unwrap().unwrap();
    let new = entry(2);
    let outdated = store.admit(&owner(0), &admission(member(0, 2), &new)).await.unwrap();
    let Revoked::User(_, now, None) = swept.news.revoked() else { panic!("{swept:?}") };
    assert!(matches!(outdated, Admitted::Outdated { epoch, .. } if epoch == now), "{outdated:?}");
    assert_eq!(store.depart(&owner(0), &departure(0, 3)).await.unwrap(), Outcome::Absent);
    assert_eq!(store.create(&member(0, 5).key, &new, KEPT).await.unwrap(), Outcome::Applied);
}
