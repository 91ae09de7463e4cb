//! Two servers of one application on one store, and what they do when they are asked.

use super::op::{Act, Tokens, Told};
use super::shaken::{Faults, Shaken};
use axum::http::{Request, Response, header};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use thin_session::archive::Archive;
use thin_session::store::LastingStore;
use thin_session::{
    Clock, EndReason, HistoryPage, Keyring, Limits, Session, SessionData, SessionError, SessionErrorKind, SessionLayer,
    Sessions, SignedIn, UserId, UserSession, UserSessionData, Visitor,
};
use tower::util::BoxCloneSyncService;
use tower::{Layer as _, ServiceExt as _, service_fn};

/// What is in a session: which operations have written to it.
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
    const IDLE: Duration = IDLE;
    const LIFETIME: Duration = LIFETIME;
}

/// Whatever lives idles out after this.
pub(crate) const IDLE: Duration = Duration::from_secs(3600);
/// A session ends after this, whatever happens.
pub(crate) const ABSOLUTE: Duration = Duration::from_secs(2 * 3600);
/// A user session does after this.
pub(crate) const LIFETIME: Duration = Duration::from_secs(100 * 60);

/// How long calls of the store may take in all.
const DEADLINE: Duration = Duration::from_secs(5);

type Server = BoxCloneSyncService<Request<()>, Response<()>, Infallible>;

pub(crate) struct Site {
    servers: [Server; 2],
    /// What somebody does who is no browser.
    sessions: Sessions,
    /// None where the store has a clock of its own.
    clock: Option<Clock>,
    faults: bool,
}

/// A cookie as a browser sends it.
pub(crate) type Cookie = Arc<str>;

/// What a browser was sent.
pub(crate) struct Received {
    pub(crate) told: Told,
    /// A new session's cookie; none inside if it is to be removed.
    pub(crate) cookie: Option<Option<Cookie>>,
}

impl Site {
    /// `clock` is the store's, if it goes by one that can be moved.
    pub(crate) fn new(
        store: Arc<impl LastingStore>,
        archive: impl Archive + Clone,
        clock: Option<Clock>,
        faults: Faults,
        seed: u64,
    ) -> Self {
        let (keys, shaken) = (Keyring::generate(), Arc::new(Shaken::new(store, faults, seed)));
        let limits = Limits::new(IDLE, ABSOLUTE).expect("they are in order");
        let layer = || {
            SessionLayer::with_user_sessions(Arc::clone(&shaken), keys.clone())
                .archive(archive.clone())
                .anonymous_limits(limits)
                .signed_in_limits(limits)
                .clock(clock.clone().unwrap_or_default())
                .store_deadline(DEADLINE)
                .expect("it is in bounds")
        };
        let layers = [layer(), layer()];
        let sessions = layers[0].sessions();
        let servers = layers.map(|layer| BoxCloneSyncService::new(layer.layer(service_fn(handle))));
        Self { servers, sessions, clock, faults: faults.any() }
    }

    /// How often what is asked for once can be sent, as its answer may be lost.
    pub(crate) fn most(&self) -> u8 {
        if self.faults { 4 } else { 1 }
    }

    pub(crate) fn can_wait(&self) -> bool {
        self.clock.is_some()
    }

    /// Lets whatever lives idle out, before any other limit has passed. By then nothing is on its way any more: a network holds
    /// nothing back for an hour.
    pub(crate) async fn wait(&self) {
        if self.faults {
            tokio::time::sleep(2 * DEADLINE).await;
        }
        self.clock.iter().for_each(|clock| clock.advance(IDLE + IDLE / 4));
    }

    pub(crate) fn faulty(mut self) -> Self {
        self.faults = true;
        self
    }

    /// How many sessions a user has; none is told if the store does not answer.
    pub(crate) async fn devices(&self, user: &UserId) -> Option<usize> {
        self.sessions.list(user).await.ok().map(|sessions| sessions.len())
    }

    pub(crate) async fn ask(&self, server: usize, user: &UserId, act: Act, cookie: Option<&Cookie>) -> Received {
        let mut request = Request::new(());
        if let Some(cookie) = cookie {
            request.headers_mut().insert(header::COOKIE, cookie.parse().expect("it was sent"));
        }
        request.extensions_mut().insert((act, user.clone()));
        let Ok(response) = self.servers[server % 2].clone().oneshot(request).await;
        let mut received = Received { told: response.extensions().get().cloned().expect("it was told"), cookie: None };
        for line in response.headers().get_all(header::SET_COOKIE) {
            let line = line.to_str().expect("a Set-Cookie is visible ASCII");
            let pair = line.split(';').next().unwrap_or_default();
            let name = pair.split('=').next().unwrap_or_default();
            if name.ends_with("visitor") {
                continue;
            }
            if !line.contains("; Max-Age=0") {
                received.cookie = Some(Some(pair.into()));
            } else if received.cookie.is_none() {
                received.cookie = Some(None);
            }
        }
        received
    }
}

async fn handle(request: Request<()>) -> Result<Response<()>, Infallible> {
    let (act, user) = request.extensions().get::<(Act, UserId)>().cloned().expect("it was asked for something");
    let mut seen = None;
    let told = answer(&request, act, user, &mut seen).await.unwrap_or_else(|error| refusal(&error, seen));
    let mut response = Response::new(());
    response.extensions_mut().insert(told);
    Ok(response)
}

fn refusal(error: &SessionError, seen: Option<Tokens>) -> Told {
    match error.kind() {
        SessionErrorKind::Ended => Told::Ended { seen },
        SessionErrorKind::Changed => Told::Changed { seen },
        SessionErrorKind::SignedOut => Told::SignedOut,
        SessionErrorKind::Unavailable { .. } | SessionErrorKind::Contended => Told::NotApplied,
        SessionErrorKind::Unknown => Told::Unknown,
        _ => Told::Strange(format!("{error:?}")),
    }
}

fn done(tokens: &[u8], signed_in: bool) -> Told {
    match Tokens::of(tokens) {
        Some(seen) => Told::Done { seen, signed_in },
        None => Told::Strange(format!("{tokens:?} is nobody's here")),
    }
}

async fn answer(
    request: &Request<()>,
    act: Act,
    user: UserId,
    seen: &mut Option<Tokens>,
) -> Result<Told, SessionError> {
    Ok(match act {
        Act::Read => {
            let log = Session::<Log>::of(request).await?;
            let signed_in = match SignedIn::of(request).await {
                Ok(_) => true,
                Err(error) if error.is_signed_out() => false,
                Err(error) => return Err(error),
            };
            done(&log.0, signed_in)
        }
        Act::Update(token) => {
            let mut log = Session::<Log>::of(request).await?;
            let tokens = log.update(|log| {
                log.0.push(token);
                log.0.clone()
            });
            done(&tokens.await?, false)
        }
        Act::SignIn(_) => {
            Visitor::of(request).await?.sign_in(user).await?;
            done(&[], true)
        }
        Act::SignOut => {
            Visitor::of(request).await?.sign_out().await?;
            done(&[], false)
        }
        Act::EndAll(_) => {
            Sessions::of(request).await?.end_all(&user).await?;
            done(&[], false)
        }
        Act::EndOthers(_) => {
            let who = SignedIn::of(request).await?;
            Sessions::of(request).await?.end_others(&who).await?;
            done(&[], true)
        }
        Act::JobUpdate(token) => {
            let mut job = UserSession::<Job>::of(request).await?;
            *seen = Tokens::of(&job.0);
            let tokens = job.update(|job| {
                job.0.push(token);
                job.0.clone()
            });
            done(&tokens.await?, true)
        }
        Act::JobComplete => {
            let mut job = UserSession::<Job>::of(request).await?;
            *seen = Tokens::of(&job.0);
            job.complete().await?;
            done(&job.0, true)
        }
        Act::History => {
            let page = HistoryPage::of(100).because(EndReason::Completed);
            let ended = Sessions::of(request).await?.history(&user, &page).await?;
            let tokens = ended.iter().map(|ended| Tokens::of(&ended.decode::<Job>().ok()?.0));
            match tokens.collect::<Option<Vec<_>>>() {
                Some(mut all) => {
                    all.sort_unstable();
                    Told::Completed(all)
                }
                None => Told::Strange("somebody else's user session".to_owned()),
            }
        }
        Act::Wait => unreachable!("nobody is asked for it"),
    })
}
