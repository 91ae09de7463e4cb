//! Two releases at once, and values that cannot be kept: PROTOCOL 6 for user sessions.

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use testbed::{Answer, Client};
use thin_session::{
    HistoryPage, IfUndecodable, Keyring, MemoryStore, Old, SessionError, SessionErrorKind, SessionLayer, Sessions,
    UserId, UserSession, UserSessionData, Visitor,
};

/// What the first release knows.
#[derive(Default, Serialize, Deserialize)]
struct Plan {
    days: Vec<u32>,
}

impl UserSessionData for Plan {
    const KIND: &'static str = "plan";
}

/// The next release: another shape, of a later version, that reads the old one.
mod next {
    use super::{Deserialize, Old, Serialize, UserSessionData};

    #[derive(Default, Serialize, Deserialize)]
    pub(super) struct Plan {
        pub(super) total: u32,
    }

    impl UserSessionData for Plan {
        const KIND: &'static str = "plan";
        const VERSION: u32 = 2;

        fn migrate(old: Old<'_>) -> Option<Self> {
            let old: super::Plan = old.decode()?;
            Some(Self { total: old.days.iter().sum() })
        }
    }
}

/// A release that forgot the version.
#[derive(Default, Serialize, Deserialize)]
enum Careless {
    #[default]
    Nothing,
}

impl UserSessionData for Careless {
    const KIND: &'static str = "plan";
}

/// The same, of which nobody would miss a value.
#[derive(Default, Serialize, Deserialize)]
enum Carefree {
    #[default]
    Nothing,
    Something,
}

impl UserSessionData for Carefree {
    const KIND: &'static str = "plan";
    const IF_UNDECODABLE: IfUndecodable = IfUndecodable::StartOver;
}

async fn tell_kind(mut response: Response) -> Response {
    if let Some(kind) = response.extensions().get::<SessionErrorKind>() {
        let kind = format!("{kind:?}").parse().expect("the name of a kind fits a header");
        response.headers_mut().insert("kind", kind);
    }
    response
}

struct Site {
    store: Arc<MemoryStore>,
    keys: Keyring,
    browser: Client,
}

impl Site {
    /// Ada is signed in, and the first release has begun a plan.
    async fn new() -> Self {
        let (store, keys) = (Arc::new(MemoryStore::new()), Keyring::generate());
        let site = Self { store, keys, browser: Client::new(Router::new()) };
        let first = site.release(
            Router::new()
                .route("/sign-in", post(async |mut who: Visitor| who.sign_in(UserId::new("ada")?).await.map(drop)))
                .route("/plan", post(async |mut plan: UserSession<Plan>| plan.update(|plan| plan.days.push(7)).await)),
        );
        let mut browser = Client::new(first);
        assert_eq!(browser.post("/sign-in").await.status, 200);
        assert_eq!(browser.post("/plan").await.status, 200);
        Self { browser, ..site }
    }

    fn release(&self, pages: Router) -> Router {
        let layer = SessionLayer::with_user_sessions(Arc::clone(&self.store), self.keys.clone());
        pages.layer(layer.archive(Arc::clone(&self.store))).layer(map_response(tell_kind))
    }

    async fn asks(&self, pages: Router, method: Method) -> Answer {
        self.browser.at(self.release(pages)).ask(method, "/").await
    }
}

fn reads<T: UserSessionData>(show: fn(&T) -> u32) -> Router {
    Router::new().route("/", get(async move |plan: UserSession<T>| show(&plan).to_string()))
}

#[track_caller]
fn is(answer: &Answer, status: StatusCode, kind: &str) {
    assert_eq!((answer.status, answer.header("kind").unwrap_or_default().split(' ').next()), (status, Some(kind)));
}

#[tokio::test]
async fn what_an_older_release_wrote_is_migrated_and_what_a_newer_one_wrote_is_left_alone() {
    let site = Site::new().await;
    assert_eq!(site.asks(reads::<next::Plan>(|plan| plan.total), Method::GET).await.text(), "7");
    let add = async |mut plan: UserSession<next::Plan>| plan.update(|plan| plan.total += 1).await;
    assert_eq!(site.asks(Router::new().route("/", post(add)), Method::POST).await.status, 200);

    let old = site.asks(reads::<Plan>(|plan| plan.days[0]), Method::GET).await;
    is(&old, StatusCode::SERVICE_UNAVAILABLE, "Newer");
    assert_eq!(site.asks(reads::<next::Plan>(|plan| plan.total), Method::GET).await.text(), "8");
}

/// An error, and never an empty one: what is stored stays, until somebody ends it who need not read it.
#[tokio::test]
async fn what_does_not_decode_is_an_error_and_can_be_abandoned_unread() {
    let site = Site::new().await;
    let careless = || reads::<Careless>(|_| 0);
    is(&site.asks(careless(), Method::GET).await, StatusCode::INTERNAL_SERVER_ERROR, "Undecodable");
    assert_eq!(site.asks(reads::<Plan>(|plan| plan.days[0]), Method::GET).await.text(), "7");

    let ada = || UserId::new("ada").expect("it is an id");
    let abandon = async move |sessions: Sessions| -> Result<String, SessionError> {
        Ok(sessions.abandon::<Careless>(&ada()).await?.to_string())
    };
    let pages = || careless().route("/", post(abandon));
    assert_eq!(site.asks(pages(), Method::POST).await.text(), "true");
    assert_eq!(site.asks(pages(), Method::POST).await.text(), "false", "there is none any more");
    assert_eq!(site.asks(careless(), Method::GET).await.status, 200);
    let history = async move |sessions: Sessions| -> Result<String, SessionError> {
        Ok(sessions.history(&ada(), &HistoryPage::of(10)).await?.iter().map(|past| past.payload.clone()).collect())
    };
    let told = site.asks(Router::new().route("/", get(history)), Method::GET).await;
    assert_eq!(told.text(), r#"{"days":[7]}"#, "it is kept as it was");
}

#[tokio::test]
async fn what_nobody_would_miss_is_started_over() {
    let site = Site::new().await;
    let number = |plan: &Carefree| u32::from(matches!(plan, Carefree::Something));
    assert_eq!(site.asks(reads::<Carefree>(number), Method::GET).await.text(), "0");
    let set = async |mut plan: UserSession<Carefree>| plan.update(|plan| *plan = Carefree::Something).await;
    assert_eq!(site.asks(Router::new().route("/", post(set)), Method::POST).await.status, 200);
    assert_eq!(site.asks(reads::<Carefree>(number), Method::GET).await.text(), "1");
}

/// As deep as one likes.
#[derive(Default, Serialize, Deserialize)]
struct Deep(Vec<Deep>);

impl UserSessionData for Deep {
    const KIND: &'static str = "deep";
}

fn levels<T: DeserializeOwned>(count: usize) -> T {
    let text = "[".repeat(count) + &"]".repeat(count);
    let mut deserializer = serde_json::Deserializer::from_str(&text);
    T::deserialize(&mut deserializer).expect("so many levels can be read")
}

#[tokio::test]
async fn what_is_too_deep_is_refused_before_it_is_stored() {
    let site = Site::new().await;
    let dig = async |mut deep: UserSession<Deep>| {
        deep.update(|deep| {
            // From the inside out, since what reads JSON goes no deeper than 128 levels.
            *deep = levels(1);
            for _ in 0..700 {
                let inner = std::mem::take(deep);
                deep.0.push(inner);
            }
        })
        .await
    };
    let answer = site.asks(Router::new().route("/", post(dig)), Method::POST).await;
    is(&answer, StatusCode::INTERNAL_SERVER_ERROR, "Encode");
    let shallow = async |mut deep: UserSession<Deep>| deep.update(|deep| *deep = levels(100)).await;
    assert_eq!(site.asks(Router::new().route("/", post(shallow)), Method::POST).await.status, 200);
}
