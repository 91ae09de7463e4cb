//! The same with a real Redis: what it keeps, what its errors say, and that a dump of it opens nothing.

use super::canary::Canaries;
use super::evidence::{begin_to_log, note, note_error};
use super::life::{Diary, app, live};
use super::site::{COOKIES, Site, digest};
use axum::http::{HeaderValue, Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::BTreeSet;
use testbed::{Client, RedisServer, Reply};
use thin_session::{Cost, RedisStore, Session, SessionError, Visitor};

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
    assert!(dump.len() > 1000, "there is something to look at");
    // Sessions, the index and the epoch of their user, news, and the mark of the store.
    // A user session, and those that have ended.
    for kind in ["}:s:", "}:u:", "}:e:", "}:n\n", "}:mark\n", "}:l:", "}:o\n"] {
        assert!(dump.windows(kind.len()).any(|part| part == kind.as_bytes()), "{kind} is in the dump");
    }
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

/// Whoever reads the store cannot act as anybody: nothing in it, in any form in which it could be a cookie, opens anything,
/// or is even looked up; and none of it is what a session's id would be.
#[tokio::test]
async fn nothing_in_a_dump_opens_a_session() {
    async fn look(cost: Cost, visitor: Visitor, session: Result<Session<Diary>, SessionError>) -> String {
        let session = session.map_or("error".into(), |session| session.0.clone());
        format!("{} {} {session}", cost.store_calls(), visitor.user_id().is_some())
    }

    begin_to_log();
    let server = RedisServer::start();
    let site = site(&server).await;
    live(&site).await;
    let (before, found) = (site.store.calls(), Found::in_dump(&server));
    for kind in ["s", "u", "e", "n", "mark", "l", "o"] {
        assert!(found.strings.contains(kind.as_bytes()), "the part {kind:?} of a key is among the strings");
    }
    assert!(found.strings.len() > 30 && found.windows.len() > 10_000);

    let cookies: BTreeSet<_> = found.cookies().collect();
    assert!(cookies.len() > 30_000, "{} of them could be cookies", cookies.len());
    let page = axum::Router::new().route("/", axum::routing::get(look)).layer(site.layer.clone());
    // Of one name, four are looked at in each request.
    for four in cookies.into_iter().collect::<Vec<_>>().chunks(4) {
        let mut thief = Client::new(page.clone());
        for (name, _) in COOKIES {
            for value in four {
                let cookie = [name.as_bytes(), b"=", value].concat();
                thief.headers.append(header::COOKIE, HeaderValue::from_bytes(&cookie).expect("checked before"));
            }
        }
        assert_eq!(thief.ask(Method::GET, "/").await.text(), "0 false ");
    }
    assert_eq!(site.store.calls(), before);

    let decoded = |text: &Vec<u8>| [Some(text.clone()), URL_SAFE_NO_PAD.decode(text).ok(), from_hex(text)];
    let texts = found.windows.iter().chain(&found.strings).flat_map(decoded).flatten();
    let ids = texts.filter_map(|bytes| <[u8; 16]>::try_from(bytes).ok());
    let sessions: BTreeSet<_> = server.keys().iter().filter_map(|key| of_session(key)).collect();
    assert!(sessions.len() > 3);
    for id in ids.collect::<BTreeSet<_>>() {
        assert!(!sessions.contains(&digest(id)), "the id of a session is in the store");
    }
}

/// What the session of this key is known by.
fn of_session(key: &[u8]) -> Option<[u8; 16]> {
    let at = key.windows(3).position(|part| part == b":s:")?;
    URL_SAFE_NO_PAD.decode(&key[at + 3..]).ok()?.try_into().ok()
}

/// All that a dump holds.
struct Found {
    /// Keys, values, members, fields, and their parts between colons.
    strings: BTreeSet<Vec<u8>>,
    /// Every stretch that has the length of an id or of something twice as long, of a sealed cookie, or of either as text.
    windows: BTreeSet<Vec<u8>>,
}

impl Found {
    fn in_dump(server: &RedisServer) -> Self {
        let (mut strings, mut windows) = (BTreeSet::new(), BTreeSet::new());
        for key in server.keys() {
            let [zset, stream]: [&[&[u8]]; 2] = [&[b"ZRANGE", &key, b"0", b"-1"], &[b"XRANGE", &key, b"-", b"+"]];
            match &*server.command(&[b"TYPE", &key]).text() {
                "hash" => add(&mut strings, server.command(&[b"HGETALL", &key])),
                "string" => add(&mut strings, server.command(&[b"GET", &key])),
                "zset" => add(&mut strings, server.command(zset)),
                "stream" => add(&mut strings, server.command(stream)),
                other => panic!("nothing here is a {other}"),
            }
            strings.insert(key);
        }
        let parts: Vec<_> =
            strings.iter().flat_map(|text| text.split(|byte| *byte == b':')).map(<[u8]>::to_vec).collect();
        strings.extend(parts);
        let dump = server.dump();
        for length in [16, 22, 24, 32, 43, 69, 92, 99, 132, 162, 216] {
            windows.extend(dump.windows(length).map(<[u8]>::to_vec));
        }
        Self { strings, windows }
    }

    /// As they are, and spelled in each way that is of use in a cookie; those that a browser could send.
    fn cookies(&self) -> impl Iterator<Item = Vec<u8>> {
        let spelled = |bytes: &Vec<u8>| {
            let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            [bytes.clone(), URL_SAFE_NO_PAD.encode(bytes).into(), STANDARD_NO_PAD.encode(bytes).into(), hex.into()]
        };
        let can_be_sent = |value: &Vec<u8>| HeaderValue::from_bytes(value).is_ok() && !value.contains(&b';');
        self.strings.iter().chain(&self.windows).flat_map(spelled).filter(can_be_sent)
    }
}

/// Adds all texts of a reply.
fn add(strings: &mut BTreeSet<Vec<u8>>, reply: Reply) {
    match reply {
        Reply::Bytes(bytes) => drop(strings.insert(bytes)),
        Reply::Array(replies) => replies.into_iter().for_each(|reply| add(strings, reply)),
        _ => {}
    }
}

fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.iter().map(byte).collect()
}
