//! The power fails: what Redis had acknowledged and not yet synced to its disk is gone. That is the one exception to the promises;
//! what they still say then is shown here.

use super::campaign::{count, report};
use super::threads;
use axum::http::{Request, Response, header};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::fs::{self, OpenOptions};
use std::path::PathBuf;
use std::sync::Arc;
use testbed::RedisServer;
use thin_session::{Keyring, RedisStore, Session, SessionData, SessionError, SessionLayer, SignedIn, UserId, Visitor};
use tokio::sync::Notify;
use tower::util::BoxCloneSyncService;
use tower::{Layer as _, ServiceExt as _, service_fn};

#[derive(Default, Serialize, Deserialize)]
struct Log(Vec<u8>);

impl SessionData for Log {
    const NAME: &'static str = "log";
}

type Server = BoxCloneSyncService<Request<()>, Response<()>, Infallible>;

/// What a request is for.
#[derive(Clone)]
enum Ask {
    Read,
    Update(u8),
    /// The same, long after it has loaded the session.
    Hold(u8, Arc<Held>),
    SignIn,
    SignOut,
}

#[derive(Default)]
struct Held {
    loaded: Notify,
    goes_on: Notify,
}

/// What is in the session then, and who is signed in.
type Told = Result<(Vec<u8>, bool), String>;

async fn server(url: &str, keys: &Keyring) -> Server {
    let store = RedisStore::connect(url).await.expect("Redis is up");
    BoxCloneSyncService::new(SessionLayer::new(store, keys.clone()).layer(service_fn(async |request: Request<()>| {
        let ask = request.extensions().get::<Ask>().cloned().expect("it is for something");
        let mut response = Response::new(());
        let told: Told = answer(&request, ask).await.map_err(|error| format!("{:?}", error.kind()));
        response.extensions_mut().insert(told);
        Ok::<_, Infallible>(response)
    })))
}

async fn answer(request: &Request<()>, ask: Ask) -> Result<(Vec<u8>, bool), SessionError> {
    match &ask {
        Ask::SignIn => drop(Visitor::of(request).await?.sign_in(UserId::new("ada")?).await?),
        Ask::SignOut => Visitor::of(request).await?.sign_out().await?,
        Ask::Read | Ask::Update(_) | Ask::Hold(..) => {}
    }
    let mut log = Session::<Log>::of(request).await?;
    if let Ask::Hold(_, held) = &ask {
        held.loaded.notify_one();
        held.goes_on.notified().await;
    }
    if let Ask::Update(token) | Ask::Hold(token, _) = ask {
        log.update(|log| log.0.push(token)).await?;
    }
    Ok((log.0.clone(), SignedIn::of(request).await.is_ok()))
}

struct Browser {
    server: Server,
    cookies: Vec<String>,
}

impl Browser {
    async fn ask(&mut self, ask: Ask) -> Told {
        let mut request = Request::new(());
        let cookies = self.cookies.join("; ").parse().expect("they were sent");
        request.headers_mut().insert(header::COOKIE, cookies);
        request.extensions_mut().insert(ask);
        let Ok(response) = self.server.clone().oneshot(request).await;
        for line in response.headers().get_all(header::SET_COOKIE) {
            let line = line.to_str().expect("a Set-Cookie is visible ASCII");
            let (pair, _) = line.split_once(';').expect("it has attributes");
            let (name, _) = pair.split_once('=').expect("it has a value");
            self.cookies.retain(|other| !other.starts_with(&format!("{name}=")));
            if !line.contains("; Max-Age=0") {
                self.cookies.push(pair.to_owned());
            }
        }
        response.extensions().get::<Told>().cloned().expect("it was told")
    }

    /// The same browser, whose requests come to another server.
    fn at(&self, server: Server) -> Self {
        Self { server, cookies: self.cookies.clone() }
    }
}

/// What has been written to the append-only file.
fn written(server: &RedisServer) -> (PathBuf, u64) {
    let folder = server.command(&[b"CONFIG", b"GET", b"dir"]).items().remove(1).text();
    let folder = PathBuf::from(folder).join("appendonlydir");
    let files = fs::read_dir(folder).expect("it writes one").map(|entry| entry.expect("it can be read").path());
    let file = files.into_iter().find(|file| file.to_string_lossy().ends_with(".incr.aof")).expect("it writes one");
    let size = file.metadata().expect("it is there").len();
    (file, size)
}

/// All that was written after the last sync is lost with the power.
fn lose_power(server: &mut RedisServer, (file, size): &(PathBuf, u64)) {
    server.kill();
    OpenOptions::new().write(true).open(file).expect("it is there").set_len(*size).expect("it can be cut");
    server.restart();
}

async fn seen(browser: &mut Browser) -> Told {
    // The connection has to be made anew.
    for _ in 0..100 {
        match browser.ask(Ask::Read).await {
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            told => return told,
        }
    }
    panic!("the store does not come back");
}

fn content(tokens: &[u8], signed_in: bool) -> Told {
    Ok((tokens.to_vec(), signed_in))
}

/// Whoever has loaded what is lost then overwrites nothing that was written since: it is no later version of what is there.
#[test]
fn after_a_loss_of_power_nobody_overwrites_what_has_survived() {
    let rounds = count(2, 50);
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "no"]);
    threads().block_on(async {
        let (keys, url) = (Keyring::generate(), server.url());
        let app = self::server(&url, &keys).await;
        for _ in 0..rounds {
            let mut browser = Browser { server: app.clone(), cookies: Vec::new() };
            for token in 1..=3 {
                browser.ask(Ask::Update(token)).await.expect("Redis is up");
            }
            let synced = written(&server);
            browser.ask(Ask::Update(4)).await.expect("Redis is up");
            browser.ask(Ask::Update(5)).await.expect("Redis is up");
            let held = Arc::<Held>::default();
            let mut slow = browser.at(app.clone());
            let slow = tokio::spawn({
                let held = Arc::clone(&held);
                async move { slow.ask(Ask::Hold(7, held)).await }
            });
            held.loaded.notified().await;
            lose_power(&mut server, &synced);
            assert_eq!(seen(&mut browser).await, content(&[1, 2, 3], false), "two updates are lost");
            assert_eq!(browser.ask(Ask::Update(6)).await, content(&[1, 2, 3, 6], false));
            held.goes_on.notify_one();
            assert_eq!(slow.await.expect("it does not panic"), content(&[1, 2, 3, 6, 7], false));
            assert_eq!(browser.ask(Ask::Read).await, content(&[1, 2, 3, 6, 7], false));
        }
    });
    report(&format!("| updates | {rounds} |"));
}

/// A sign-out that is lost is still known to the process that heard of it.
#[test]
fn after_a_loss_of_power_who_has_heard_of_an_ending_refuses_the_session() {
    let rounds = count(2, 50);
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "no"]);
    threads().block_on(async {
        let (keys, url) = (Keyring::generate(), server.url());
        let app = self::server(&url, &keys).await;
        for _ in 0..rounds {
            let mut browser = Browser { server: app.clone(), cookies: Vec::new() };
            browser.ask(Ask::Update(1)).await.expect("Redis is up");
            browser.ask(Ask::SignIn).await.expect("Redis is up");
            let mut copy = browser.at(app.clone());
            let synced = written(&server);
            browser.ask(Ask::SignOut).await.expect("Redis is up");
            lose_power(&mut server, &synced);
            assert_eq!(seen(&mut copy).await, content(&[], false), "it is back in Redis, and refused");
            let refused = copy.ask(Ask::Update(2)).await;
            assert_eq!(refused.expect_err("it has ended"), "Ended");
        }
    });
    report(&format!("| sign-outs | {rounds} |"));
}
