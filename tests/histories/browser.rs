//! Browsers whose requests come one after the other, as somebody asks for them who then looks at what is left.

use axum::http::{Request, Response, header};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use thin_session::{
    EndReason, HistoryPage, Keyring, MemoryStore, RedisStore, Session, SessionData, SessionError, SessionLayer,
    Sessions, SignedIn, UserId, UserSession, UserSessionData, Visitor,
};
use tokio::sync::Notify;
use tower::util::BoxCloneSyncService;
use tower::{Layer as _, ServiceExt as _, service_fn};

#[derive(Default, Serialize, Deserialize)]
struct Log(Vec<u8>);

impl SessionData for Log {
    const NAME: &'static str = "log";
}

/// What is in a user session.
#[derive(Default, Serialize, Deserialize)]
struct Job(Vec<u8>);

impl UserSessionData for Job {
    const KIND: &'static str = "job";
    const IDLE: Duration = Duration::from_secs(3600);
}

pub(super) type Server = BoxCloneSyncService<Request<()>, Response<()>, Infallible>;

/// What a request is for.
#[derive(Clone)]
pub(super) enum Ask {
    Read,
    Update(u8),
    /// The same, long after it has loaded the session.
    Hold(u8, Arc<Held>),
    SignIn,
    SignOut,
    /// Ends all sessions of the user.
    EndAll,
    /// Changes the user session, and answers what is in that then.
    Job(u8),
    Complete,
    /// What has been completed, one after the other.
    History,
}

#[derive(Default)]
pub(super) struct Held {
    pub(super) loaded: Notify,
    pub(super) goes_on: Notify,
}

/// What is in the session then, and who is signed in.
pub(super) type Told = Result<(Vec<u8>, bool), String>;

pub(super) async fn server(url: &str, keys: &Keyring) -> Server {
    let store = RedisStore::connect(url).await.expect("Redis is up");
    let layer = SessionLayer::with_user_sessions(store, keys.clone()).archive(MemoryStore::new());
    // On a machine that is busy an answer may be late.
    let layer = layer.store_deadline(Duration::from_secs(5)).expect("it is in bounds");
    BoxCloneSyncService::new(layer.layer(service_fn(async |request: Request<()>| {
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
        Ask::EndAll => drop(Sessions::of(request).await?.end_all(&UserId::new("ada")?).await?),
        Ask::Job(token) => {
            let mut job = UserSession::<Job>::of(request).await?;
            job.update(|job| job.0.push(*token)).await?;
            return Ok((job.0.clone(), true));
        }
        Ask::Complete => {
            let mut job = UserSession::<Job>::of(request).await?;
            job.complete().await?;
            return Ok((job.0.clone(), true));
        }
        Ask::History => {
            let page = HistoryPage::of(100).because(EndReason::Completed);
            let ended = Sessions::of(request).await?.history(&UserId::new("ada")?, &page).await?;
            let each = ended.iter().map(|ended| ended.decode::<Job>().expect("it is one").0);
            return Ok((each.collect::<Vec<_>>().concat(), true));
        }
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

pub(super) struct Browser {
    server: Server,
    cookies: Vec<String>,
}

impl Browser {
    /// One that has never been here.
    pub(super) fn new(server: &Server) -> Self {
        Self { server: server.clone(), cookies: Vec::new() }
    }

    pub(super) async fn ask(&mut self, ask: Ask) -> Told {
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
    pub(super) fn at(&self, server: Server) -> Self {
        Self { server, cookies: self.cookies.clone() }
    }

    /// Reads until the store is back: the connection has to be made anew.
    pub(super) async fn sees(&mut self) -> Told {
        for _ in 0..100 {
            match self.ask(Ask::Read).await {
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                told => return told,
            }
        }
        panic!("the store does not come back");
    }
}

pub(super) fn content(tokens: &[u8], signed_in: bool) -> Told {
    Ok((tokens.to_vec(), signed_in))
}
