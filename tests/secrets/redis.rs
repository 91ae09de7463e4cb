//! The same with a real Redis: what it keeps, what its errors say, and that a dump of it opens nothing.

use super::canary::Canaries;
use super::evidence::{begin_to_log, note, note_error};
use super::life::{app, live};
use super::site::{COOKIES, Site};
use axum::http::{HeaderValue, Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::BTreeSet;
use testbed::{Client, RedisServer};
use thin_session::{Cost, RedisStore, Session, SessionError};

async fn site(server: &RedisServer) -> Site<RedisStore> {
    let store = RedisStore::connect(&server.url()).await.expect("Redis answers");
    note(&store);
    Site::new(store)
}

#[tokio::test]
async fn a_life_in_redis_leaves_no_trace() {
    begin_to_log();
    let mut server = RedisServer::start();
    let site = site(&server).await;
    live(&site).await;
    let dump = server.dump();
    assert!(server.keys().len() > 3 && dump.len() > 1000, "there is something to look at");
    site.assert_absent("what Redis keeps", &dump);

    corrupt(&site, &server).await;
    server.kill();
    let mut browser = Client::new(app(&site.layer));
    for path in ["/write", "/sign-in"] {
        assert_eq!(site.send(&mut browser, Method::POST, path).await.status, 503);
    }
    site.assert_nothing_leaked();
}

/// Puts under a session's key what does not belong there, and asks for the session.
async fn corrupt(site: &Site<RedisStore>, server: &RedisServer) {
    let mut browser = Client::new(app(&site.layer));
    let others = server.keys();
    assert_eq!(site.send(&mut browser, Method::POST, "/write").await.status, 200);
    let own = server.keys().into_iter().find(|key| !others.contains(key)).expect("a session has begun");
    let commands: [&[&[u8]]; 4] = [
        &[b"SET", &own, b"no record"],
        &[b"SET", &own, &[1, 0]],
        &[b"COPY", &others[0], &own, b"REPLACE"],
        &[b"LPUSH", &own, b"no string"],
    ];
    for command in commands {
        let _ = server.command(&[b"DEL", &own]);
        let _ = server.command(command);
        for (method, path) in [(Method::GET, "/diary"), (Method::POST, "/write"), (Method::POST, "/sign-out")] {
            site.send(&mut browser.clone(), method, path).await;
        }
    }
}

#[tokio::test]
async fn a_password_is_in_no_error() {
    begin_to_log();
    let password = "canary-password";
    let server = RedisServer::start();
    let mut canaries = Canaries::default();
    canaries.add("the password", password.as_bytes());
    let here = server.addr();
    for url in [
        format!("redis://user:{password}@{here}/"),
        format!("redis://:{password}@{here}/"),
        format!("redis://user:{password}@127.0.0.1:1/"),
        format!("redis://user:{password}@{here}/no-number"),
        format!("redis://user:{password}@:{password}"),
        format!("redis://user:{password}@host name/"),
        format!("redis+unix:///{password}?db=x&pass={password}"),
        format!("http://user:{password}@{here}/"),
        format!("{password}@{here}"),
    ] {
        let error = RedisStore::connect(&url).await.expect_err("this cannot work");
        note_error(&error);
        note(&error);
    }
    canaries.assert_absent("what anybody can read", &super::evidence());
}

/// Whoever reads the store cannot act as anybody: no string in it, in any form in which it could be a cookie, opens
/// anything, or is even looked up.
#[tokio::test]
async fn nothing_in_a_dump_opens_a_session() {
    async fn look(cost: Cost, session: Result<Session<super::life::Diary>, SessionError>) -> String {
        session.map_or("error".into(), |session| format!("{} {}", cost.store_calls(), session.0))
    }

    begin_to_log();
    let server = RedisServer::start();
    let site = site(&server).await;
    live(&site).await;
    let before = site.store.calls();
    let found = candidates(&server);
    assert!(found.len() > 1000);
    let page = axum::Router::new().route("/", axum::routing::get(look)).layer(site.layer.clone());
    // Of one name, four are looked at in each request.
    for four in found.into_iter().collect::<Vec<_>>().chunks(4) {
        let mut thief = Client::new(page.clone());
        for (name, _) in COOKIES {
            for value in four {
                let cookie = [name.as_bytes(), b"=", value].concat();
                thief.headers.append(header::COOKIE, HeaderValue::from_bytes(&cookie).expect("checked before"));
            }
        }
        assert_eq!(thief.ask(Method::GET, "/").await.text(), "0 ");
    }
    assert_eq!(site.store.calls(), before);
}

/// All that a dump holds which could be the value of a cookie.
fn candidates(server: &RedisServer) -> BTreeSet<Vec<u8>> {
    let mut found = BTreeSet::new();
    let dump = server.dump();
    for length in [16, 24, 64, 69, 92, 132, 176] {
        for window in dump.windows(length) {
            found.insert(window.to_vec());
            found.insert(URL_SAFE_NO_PAD.encode(window).into_bytes());
        }
    }
    for key in server.keys() {
        let digest = key.rsplit(|byte| *byte == b':').next().expect("there is a last part").to_vec();
        found.insert(STANDARD_NO_PAD.encode(&digest).into_bytes());
        found.insert(digest);
        found.insert(key);
    }
    found.retain(|value| HeaderValue::from_bytes(value).is_ok() && !value.contains(&b';'));
    found
}
