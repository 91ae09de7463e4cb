//! An application with sessions of users, as a server would have it: each step is a request of a browser that is signed in.

use crate::counted::Counted;
use crate::forms::{Form, Payment, Transfer, user};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Request, Response};
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use thin_session::store::LastingStore;
use thin_session::{Keyring, SessionError, SessionLayer, SessionService, SqlStore, UserSession, Visitor};
use tower::util::ServiceFn;
use tower::{Layer as _, ServiceExt as _, service_fn};

/// Longer than anybody waits by default: on a machine that is busy a number is large then, and not missing.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// What a request wants.
#[derive(Debug)]
pub(crate) enum Wish {
    /// To sign in this user.
    SignIn(usize),
    /// To put this into the user's active session, and begin it where there is none.
    Update(Form),
    /// To begin a session with this, and complete it.
    End(Form),
}

/// How long it took to carry out what is measured.
type Answer = Result<Duration, SessionError>;
type Handler = ServiceFn<fn(Request<Wish>) -> Handled>;
type Handled = Pin<Box<dyn Future<Output = Result<Response<Answer>, Infallible>> + Send>>;

/// A layer around a handler, the browsers of its users, and its archive.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    service: SessionService<Handler>,
    /// The `Cookie` header of each user. Shared, since each request has a clone of this.
    cookies: Arc<Vec<HeaderValue>>,
    pub(crate) archive: Counted,
}

impl Site {
    pub(crate) fn new(store: impl LastingStore, archive: SqlStore, keys: Keyring) -> Self {
        let archive = Counted::new(archive);
        let layer = SessionLayer::with_user_sessions(store, keys).archive(archive.clone());
        let layer = layer.store_deadline(PATIENCE).expect("it is neither too short nor too long");
        Self { service: layer.layer(service_fn(handle)), cookies: Arc::default(), archive }
    }

    /// The same with browsers of users who have signed in.
    pub(crate) fn with_cookies(self, cookies: Vec<HeaderValue>) -> Self {
        Self { cookies: cookies.into(), ..self }
    }

    /// Signs a user in, who begins a session then. Answers the browser's cookies.
    pub(crate) async fn welcome(&self, number: usize) -> Result<HeaderValue, SessionError> {
        let response = self.ask(None, Wish::SignIn(number)).await;
        let cookies = cookies(response.headers());
        response.into_body()?;
        self.ask(Some(&cookies), Wish::Update(Form::any())).await.into_body()?;
        Ok(cookies)
    }

    /// Carries out a wish of a user.
    pub(crate) async fn carry_out(&self, user: usize, wish: Wish) -> Answer {
        self.ask(Some(&self.cookies[user]), wish).await.into_body()
    }

    async fn ask(&self, cookies: Option<&HeaderValue>, wish: Wish) -> Response<Answer> {
        let mut request = Request::new(wish);
        if let Some(cookies) = cookies {
            request.headers_mut().insert(COOKIE, cookies.clone());
        }
        let Ok(response) = self.service.clone().oneshot(request).await;
        response
    }
}

fn handle(request: Request<Wish>) -> Handled {
    Box::pin(async move {
        let (parts, wish) = request.into_parts();
        Ok(Response::new(carry_out(&Request::from_parts(parts, ()), wish).await))
    })
}

async fn carry_out(request: &Request<()>, wish: Wish) -> Answer {
    match wish {
        Wish::SignIn(number) => {
            let began = Instant::now();
            Visitor::of(request).await?.sign_in(user(number)).await?;
            Ok(began.elapsed())
        }
        Wish::Update(form) => {
            let mut transfer = UserSession::<Transfer>::of(request).await?;
            let began = Instant::now();
            transfer.update(|transfer| transfer.0 = form.clone()).await?;
            Ok(began.elapsed())
        }
        Wish::End(form) => {
            let mut payment = UserSession::<Payment>::of(request).await?;
            let began = Instant::now();
            payment.update(|payment| payment.0 = form.clone()).await?;
            payment.complete().await?;
            Ok(began.elapsed())
        }
    }
}

/// What a browser sends back of what it was given.
fn cookies(headers: &HeaderMap) -> HeaderValue {
    let given = headers.get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
    HeaderValue::try_from(given.collect::<Vec<_>>().join("; ")).expect("cookies are visible ASCII")
}
