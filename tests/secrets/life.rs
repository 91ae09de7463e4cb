//! A session's whole life, with everything going wrong in it that can.

use super::evidence::{note, note_answer, note_error, note_kind};
use super::site::{CAP, Site};
use super::witness::Mode;
use axum::extract::{Extension, Request};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::map_response;
use axum::routing::post;
use axum::{Router, routing::get};
use serde::{Deserialize, Serialize, Serializer};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testbed::Client;
use thin_session::store::LastingStore;
use thin_session::{
    Cost, HistoryPage, IfUndecodable, LazySession, Old, Peek, Quota, RecentAuth, Session, SessionData, SessionError,
    SessionLayer, Sessions, SignedIn, UserId, UserSession, UserSessionData, Visitor,
};
use tokio::sync::Barrier;

pub(crate) const USER: &str = "canary-user-4711";
pub(crate) const CONTENT: &str = "canary-content-0815";
pub(crate) const LABEL: &str = "canary-label-1234";

#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Diary(pub(crate) String);

impl SessionData for Diary {
    const NAME: &'static str = "diary";
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Talkative(pub(crate) String);

impl SessionData for Talkative {
    const NAME: &'static str = "talkative";
}

/// What its user goes on with elsewhere.
#[derive(Default, Serialize, Deserialize)]
struct Journey(String);

impl UserSessionData for Journey {
    const KIND: &'static str = "journey";
    // The store goes by a clock of its own.
    const IDLE: Duration = Duration::from_secs(20 * 86_400);
}

/// Read by the next release as something else, and started over.
#[derive(Default, Serialize, Deserialize)]
struct Mood(String);

impl SessionData for Mood {
    const NAME: &'static str = "mood";
}

/// Read by the next release in version 2.
#[derive(Default, Serialize, Deserialize)]
struct Plan(String);

impl SessionData for Plan {
    const NAME: &'static str = "plan";
}

/// Writes what it does not read, so that nothing of it can be stored.
#[derive(Default, Deserialize)]
enum Broken {
    #[default]
    Whole,
    #[serde(skip_deserializing)]
    InTwo,
}

impl Serialize for Broken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if matches!(self, Self::Whole) { "Whole" } else { CONTENT })
    }
}

impl SessionData for Broken {
    const NAME: &'static str = "broken";
}

/// The same slots as another release knows them.
mod next {
    use super::{Deserialize, IfUndecodable, Old, Serialize, SessionData, note};

    /// Of a variant that it does not know serde's own message tells the name.
    #[derive(Default, Serialize, Deserialize)]
    pub(super) enum Diary {
        #[default]
        Empty,
    }

    impl SessionData for Diary {
        const NAME: &'static str = "diary";
    }

    /// So it does of a value that it did not expect.
    #[derive(Default, Serialize, Deserialize)]
    #[serde(from = "Weather")]
    pub(super) struct Mood;

    #[derive(Deserialize)]
    #[serde(tag = "kind")]
    enum Weather {
        Fair,
    }

    impl From<Weather> for Mood {
        fn from(_: Weather) -> Self {
            Self
        }
    }

    impl SessionData for Mood {
        const NAME: &'static str = "mood";
        const IF_UNDECODABLE: IfUndecodable = IfUndecodable::StartOver;
    }

    #[derive(Default, Serialize, Deserialize)]
    pub(super) struct Plan(pub(super) String);

    impl SessionData for Plan {
        const NAME: &'static str = "plan";
        const VERSION: u32 = 2;

        fn migrate(old: Old<'_>) -> Option<Self> {
            note(&old);
            assert!(old.decode::<String>().is_some(), "it could");
            None
        }
    }
}

/// Collects an error on its way to the client.
fn noted<T>(result: Result<T, SessionError>) -> Result<(), SessionError> {
    result.map(drop).inspect_err(|error| note_error(error))
}

async fn write(mut all: Session<(Diary, Mood, Plan)>) -> Result<(), SessionError> {
    let result = all.update(|all| [&mut all.0.0, &mut all.1.0, &mut all.2.0].map(|text| text.push_str(CONTENT))).await;
    note(&all);
    noted(result)
}

#[expect(clippy::too_many_arguments, reason = "one of each")]
async fn look(
    visitor: Visitor,
    who: Option<SignedIn>,
    recent: Result<RecentAuth<60>, SessionError>,
    diary: Result<Session<Diary>, SessionError>,
    both: Result<Session<(Diary, Mood)>, SessionError>,
    peek: Result<Peek<Diary>, SessionError>,
    lazy: LazySession<Diary>,
    cost: Cost,
    request: Request,
) -> Result<(), SessionError> {
    note(&(&visitor, &who, &recent, &diary, &both));
    note(&(&peek, &lazy, &cost, request.extensions()));
    note(&visitor.user_id());
    if let Some(who) = who {
        note(&(who.user_id(), who.session(), who.authenticated_at()));
        noted(who.recheck().await)?;
    }
    noted(lazy.load().await)?;
    noted(recent).or(Ok(()))
}

async fn change_and_meet(
    mut diary: Session<Diary>,
    Extension(barrier): Extension<Arc<Barrier>>,
) -> Result<(), SessionError> {
    barrier.wait().await;
    noted(diary.update(|diary| diary.0.push('!')).await)
}

async fn misuse(mut diary: Session<Diary>, mut broken: Session<Broken>) -> Result<(), SessionError> {
    let too_large = diary.update(|diary| diary.0 = CONTENT.repeat(1000)).await;
    assert_eq!(noted(too_large).expect_err("it is too large").status(), 413);
    let unencodable = broken.update(|broken| *broken = Broken::InTwo).await;
    assert_eq!(noted(unencodable).expect_err("it does not come back").status(), 500);
    noted(UserId::new(USER.repeat(5)))
}

async fn sign_in(mut visitor: Visitor) -> Result<(), SessionError> {
    let user = UserId::new(USER)?;
    note(&user);
    let result = visitor.sign_in_labelled(user, LABEL).await;
    note(&result);
    noted(result)
}

async fn travel(journey: Result<UserSession<Journey>, SessionError>) -> Result<(), SessionError> {
    note(&journey);
    let mut journey = journey.inspect_err(|error| note_error(error))?;
    let result = journey.update(|journey| journey.0.push_str(CONTENT)).await;
    note(&journey);
    noted(result)
}

/// Completes one within a quota, unless that is used up; and what another request has changed meanwhile is not.
async fn arrive(mut journey: UserSession<Journey>, request: Request) -> Result<(), SessionError> {
    const ONE: Quota = Quota::rolling(1, Duration::from_secs(3600));
    let mut seen_before = UserSession::<Journey>::of(&request).await?;
    noted(travel(UserSession::of(&request).await).await)?;
    noted(seen_before.complete().await).expect_err("it was changed");
    journey.reload().await?;
    match journey.complete_within(ONE).await.inspect_err(|error| note_error(error))? {
        Ok(()) => Ok(()),
        Err(refusal) => {
            note(&refusal);
            note_error(&refusal);
            noted(journey.abandon().await)
        }
    }
}

async fn history(sessions: Sessions) -> Result<String, SessionError> {
    let history =
        sessions.history(&UserId::new(USER)?, &HistoryPage::of(100)).await.inspect_err(|error| note_error(error))?;
    note(&history);
    assert!(history.iter().all(|past| past.payload.contains(CONTENT)));
    Ok(history.len().to_string())
}

async fn devices(sessions: Sessions) -> Result<String, SessionError> {
    let listed = sessions.list(&UserId::new(USER)?).await.inspect_err(|error| note_error(error))?;
    note(&sessions);
    note(&listed);
    for info in &listed {
        assert_eq!(info.label(), Some(LABEL));
        note(&(info.handle(), info.created(), info.last_seen()));
    }
    Ok(listed.len().to_string())
}

/// Ends all that are not the one that asks, one by one; and one that there is not.
async fn end_each(sessions: Sessions) -> Result<(), SessionError> {
    let user = UserId::new(USER)?;
    for info in sessions.list(&user).await?.iter().filter(|info| !info.is_current()) {
        let ended = sessions.end(&user, info.handle()).await;
        note(&ended);
        assert!(ended.inspect_err(|error| note_error(error))?);
    }
    let nobodys = "0123456789abcdef0123456789abcdef".parse().expect("it could be one");
    noted(sessions.end(&user, &nobodys).await)
}

async fn end_others(keep: SignedIn, sessions: Sessions) -> Result<(), SessionError> {
    noted(sessions.end_others(&keep).await)
}

async fn end_all(sessions: Sessions) -> Result<(), SessionError> {
    noted(sessions.end_all(&UserId::new(USER)?).await)
}

fn pages() -> Router {
    Router::new()
        .route("/write", post(write))
        .route("/look", get(look))
        .route("/meet", post(change_and_meet))
        .route("/misuse", post(misuse))
        .route("/take", post(async |mut diary: Session<Diary>| noted(diary.take().await)))
        .route("/diary", get(async |diary: Result<Session<Diary>, SessionError>| noted(diary)))
        .route("/plan", get(async |plan: Result<Session<Plan>, SessionError>| noted(plan)))
        .route("/proof", get(async |who: Result<SignedIn, SessionError>| noted(who)))
        .route("/recent", get(async |who: Result<RecentAuth<60>, SessionError>| noted(who)))
        .route("/sign-in", post(sign_in))
        .route("/prove", post(async |mut visitor: Visitor| noted(visitor.reauthenticated().await)))
        .route("/travel", post(travel))
        .route("/arrive", post(arrive))
        .route("/history", get(history))
        .route("/devices", get(devices))
        .route("/end-each", post(end_each))
        .route("/end-others", post(end_others))
        .route("/end-all", post(end_all))
        .route("/end-everything", post(async |sessions: Sessions| noted(sessions.end_everything().await)))
        .route("/sign-out", post(async |mut visitor: Visitor| noted(visitor.sign_out().await)))
        .route("/forget-me-not", post(async |mut visitor: Visitor| noted(visitor.sign_out_remembering().await)))
        .layer(Extension(Arc::new(Barrier::new(2))))
}

fn pages_of_the_next_release() -> Router {
    Router::new()
        .route("/diary", get(async |diary: Result<Session<next::Diary>, SessionError>| noted(diary)))
        .route("/mood", get(async |mood: Result<Session<next::Mood>, SessionError>| noted(mood)))
        .route("/plan", get(async |plan: Result<Session<next::Plan>, SessionError>| noted(plan)))
        .route(
            "/replace",
            post(async |plan: LazySession<next::Plan>| noted(plan.replace(next::Plan(CONTENT.into())).await)),
        )
}

pub(crate) fn served(pages: Router, layer: &SessionLayer) -> Router {
    pages.layer(layer.clone()).layer(map_response(note_kind))
}

pub(crate) fn app(layer: &SessionLayer) -> Router {
    served(pages(), layer)
}

/// Sends requests of one browser; each has the status that is given with it.
async fn visit<S: LastingStore>(site: &Site<S>, browser: &mut Client, requests: &[(Method, &str, u16)]) {
    for (method, path, status) in requests {
        let answer = site.send(browser, method.clone(), path).await;
        assert_eq!(answer.status.as_u16(), *status, "{method} {path}");
    }
}

/// Lives through everything. At the end a session of each kind, and markers of others, are still in the store.
pub(crate) async fn live<S: LastingStore>(site: &Site<S>) {
    let (get, post) = (Method::GET, Method::POST);
    let (get, post) = (|path, status| (get.clone(), path, status), |path, status| (post.clone(), path, status));
    let mut browser = Client::new(app(&site.layer));

    visit(site, &mut browser, &[get("/look", 200), get("/proof", 401), post("/prove", 401)]).await;
    visit(site, &mut browser, &[post("/write", 200), get("/look", 200), post("/write", 200)]).await;
    visit(site, &mut browser, &[post("/misuse", 500)]).await;
    site.clock.advance(Duration::from_secs(3 * 3600));
    visit(site, &mut browser, &[get("/look", 200)]).await;
    conflict(&browser).await;

    let anonymous = browser.clone();
    visit(site, &mut browser, &[post("/sign-in", 200), get("/look", 200), get("/recent", 200)]).await;
    site.clock.advance(Duration::from_secs(200));
    visit(site, &mut browser, &[get("/recent", 401), get("/look", 200), post("/prove", 200), post("/write", 200)])
        .await;
    visit(site, &mut anonymous.clone(), &[post("/write", 409), post("/travel", 401)]).await;
    travels(site, &mut browser).await;

    two_releases(site, &mut browser).await;
    misconfigure(site);
    refusals(site, &browser).await;
    outage(site, &mut browser).await;
    after_the_response(site).await;

    visit(site, &mut browser, &[post("/take", 200), post("/forget-me-not", 200), get("/look", 200)]).await;
    visit(site, &mut browser, &[post("/sign-in", 200), post("/write", 200), post("/sign-out", 200)]).await;
    visit(site, &mut browser, &[post("/write", 200)]).await;
    many_devices(site).await;
    let mut other = Client::new(app(&site.layer));
    visit(site, &mut other, &[post("/sign-in", 200), post("/write", 200), get("/look", 200)]).await;
}

/// Everything that lists and ends sessions, and one more than there may be. Two of them, and nothing else, are left.
async fn many_devices<S: LastingStore>(site: &Site<S>) {
    let (get, post) = (|path, status| (Method::GET, path, status), |path, status| (Method::POST, path, status));
    let mut device = Client::new(app(&site.layer));
    for end in ["/end-each", "/end-others", "/end-all", "/end-everything"] {
        for _ in 0..=CAP {
            site.clock.advance(Duration::from_secs(2));
            device = Client::new(app(&site.layer));
            visit(site, &mut device, &[post("/sign-in", 200)]).await;
        }
        assert_eq!(site.send(&mut device, Method::GET, "/devices").await.text(), CAP.to_string());
        visit(site, &mut device, &[post(end, 200)]).await;
        let (kept, status) = if ["/end-each", "/end-others"].contains(&end) { ("1", 200) } else { ("0", 401) };
        assert_eq!(site.send(&mut device, Method::GET, "/devices").await.text(), kept, "{end}");
        visit(site, &mut device, &[get("/proof", status)]).await;
        // Later by all clocks than what was ended.
        site.clock.advance(Duration::from_secs(120));
    }
}

/// One that is completed, one that its quota refuses, one that runs out, and one that is under way at the end.
async fn travels<S: LastingStore>(site: &Site<S>, browser: &mut Client) {
    let (get, post) = (|path, status| (Method::GET, path, status), |path, status| (Method::POST, path, status));
    for _ in 0..2 {
        visit(site, browser, &[post("/travel", 200), post("/travel", 200), post("/arrive", 200)]).await;
    }
    assert_eq!(site.send(browser, Method::GET, "/history").await.text(), "2");
    visit(site, browser, &[post("/travel", 200), get("/look", 200)]).await;
}

/// Both have read when the first of them writes.
async fn conflict(browser: &Client) {
    let one = || browser.ask(Method::POST, "/meet");
    let (first, second) = tokio::join!(one(), one());
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (200, 200));
}

async fn two_releases<S: LastingStore>(site: &Site<S>, browser: &mut Client) {
    let mut next = browser.at(served(pages_of_the_next_release(), &site.another_layer()));
    for (method, path, status) in [
        (Method::GET, "/diary", 500),
        (Method::GET, "/mood", 200),
        (Method::GET, "/plan", 500),
        (Method::POST, "/replace", 200),
    ] {
        assert_eq!(site.send(&mut next, method, path).await.status.as_u16(), status, "{path}");
    }
    assert_eq!(site.send(browser, Method::GET, "/plan").await.status, 503);
}

/// Two types of one name, found when the layer is built.
fn misconfigure<S: LastingStore>(site: &Site<S>) {
    note(&site.another_layer().slots::<Diary>().slots::<next::Diary>());
}

async fn refusals<S: LastingStore>(site: &Site<S>, browser: &Client) {
    let mut stranger = Client::new(app(&site.layer));
    assert_eq!(site.send(&mut stranger, Method::POST, "/write").await.status, 200);
    let mut another = Client::new(app(&site.layer));
    assert_eq!(site.send(&mut another, Method::POST, "/write").await.status, 200);
    let mut two = Client::new(app(&site.layer));
    two.headers.append(header::COOKIE, HeaderValue::try_from(stranger.cookie_header()).expect("it is a header"));
    two.headers.append(header::COOKIE, HeaderValue::try_from(another.cookie_header()).expect("it is a header"));
    note_answer(&two.ask(Method::POST, "/write").await);

    let mut garbled = browser.clone();
    garbled.cookies.values_mut().for_each(|value| *value = value.chars().rev().collect());
    note_answer(&garbled.ask(Method::GET, "/look").await);

    let mut elsewhere = Client::new(app(&site.layer));
    elsewhere.headers.insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
    assert_eq!(site.send(&mut elsewhere, Method::POST, "/write").await.status, 403);

    for misconfigured in
        [pages(), pages().layer(site.layer.clone()).layer(site.layer.clone().same_site(Default::default()))]
    {
        let answer = browser.at(misconfigured).ask(Method::GET, "/diary").await;
        assert_eq!(answer.status, 500);
        note_answer(&answer);
    }
}

async fn outage<S: LastingStore>(site: &Site<S>, browser: &mut Client) {
    let impatient = site.layer.clone().store_deadline(Duration::from_millis(50)).expect("it is in bounds");
    let mut client = browser.at(app(&impatient));
    for mode in [Mode::Down, Mode::Silent] {
        site.store.set_mode(mode);
        for (method, path) in [
            (Method::GET, "/diary"),
            (Method::POST, "/write"),
            (Method::POST, "/travel"),
            (Method::GET, "/history"),
            (Method::POST, "/sign-in"),
            (Method::POST, "/sign-out"),
            (Method::GET, "/proof"),
            (Method::GET, "/devices"),
            (Method::POST, "/end-each"),
            (Method::POST, "/end-others"),
            (Method::POST, "/end-all"),
            (Method::POST, "/end-everything"),
        ] {
            assert_eq!(site.send(&mut client, method, path).await.status, 503, "{path}");
        }
        let mut newcomer = Client::new(app(&impatient));
        assert_eq!(site.send(&mut newcomer, Method::POST, "/write").await.status, 503);
        assert_eq!(site.send(&mut newcomer, Method::POST, "/sign-in").await.status, 503);
    }
    site.store.set_mode(Mode::Up);
}

async fn after_the_response<S: LastingStore>(site: &Site<S>) {
    type Kept = Arc<Mutex<Option<Session<Diary>>>>;

    async fn keep(diary: Session<Diary>, Extension(kept): Extension<Kept>) {
        *kept.lock().expect("nobody panics with it") = Some(diary);
    }

    let kept = Kept::default();
    let pages = Router::new().route("/", get(keep)).layer(Extension(Arc::clone(&kept)));
    site.send(&mut Client::new(served(pages, &site.layer)), Method::GET, "/").await;
    let mut diary = kept.lock().expect("nobody panics with it").take().expect("it was kept");
    let late = diary.update(|diary| diary.0.push_str(CONTENT)).await;
    assert_eq!(noted(late).expect_err("no cookie can be set").status(), 500);
}
