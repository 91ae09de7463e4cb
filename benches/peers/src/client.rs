//! A browser that calls a router in this process, and looks at what it answers.

use crate::cart::Cart;
use crate::cases::Case;
use axum::Router;
use axum::body::Body;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use tower::Service as _;

/// A visitor with one session.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    jar: Vec<(String, String)>,
    /// The jar as a header.
    cookies: Option<HeaderValue>,
    additions: u32,
}

impl Browser {
    /// Sends the request of a case, and panics unless its answer is right.
    pub async fn visit(&mut self, router: &mut Router, case: Case) {
        let response = router.call(self.request(case)).await.expect("a router never fails");
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("the body is in memory").to_bytes();
        assert_eq!(head.status, StatusCode::OK, "{case:?}: {}", String::from_utf8_lossy(&body));
        if case == Case::Update {
            self.additions += 1;
        }
        match case {
            Case::Create | Case::Read | Case::Update => {
                assert_eq!(body, Cart::text_after(self.additions), "{case:?}");
            }
            other => assert_eq!(body, other.text(), "{case:?}"),
        }
        if matches!(case, Case::Create | Case::SignOut | Case::SignIn) {
            self.take_cookies(&head.headers);
        }
    }

    /// The request of a case.
    pub fn request(&self, case: Case) -> Request<Body> {
        let (method, path) = case.route();
        let mut request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a valid request");
        if let Some(cookies) = &self.cookies {
            request.headers_mut().insert(COOKIE, cookies.clone());
        }
        request
    }

    /// So many were made by others.
    pub fn expect_additions(&mut self, count: u32) {
        self.additions += count;
    }

    pub fn has_cookies(&self) -> bool {
        self.cookies.is_some()
    }

    fn take_cookies(&mut self, headers: &HeaderMap) {
        for header in headers.get_all(SET_COOKIE) {
            let text = header.to_str().expect("cookies are ASCII");
            let (name, rest) = text.split_once('=').expect("a cookie has a name");
            let value = rest.split(';').next().unwrap_or_default();
            self.jar.retain(|(known, _)| known != name);
            if !value.is_empty() && !rest.contains("Max-Age=0") {
                self.jar.push((name.to_owned(), value.to_owned()));
            }
        }
        let all: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.cookies = (!all.is_empty()).then(|| HeaderValue::from_str(&all.join("; ")).expect("cookies are ASCII"));
    }
}

impl Case {
    fn route(self) -> (Method, &'static str) {
        match self {
            Self::Plain | Self::PlainWithCookies => (Method::GET, "/plain"),
            Self::Visitor => (Method::GET, "/visitor"),
            Self::Read => (Method::GET, "/read"),
            Self::Update => (Method::POST, "/update"),
            Self::Create => (Method::POST, "/create"),
            Self::SignOut => (Method::POST, "/out"),
            Self::SignIn => (Method::POST, "/in"),
        }
    }

    /// What is answered where no cart is.
    pub fn text(self) -> &'static str {
        match self {
            Self::Visitor => "421337",
            Self::SignOut => "signed out",
            Self::SignIn => "signed in",
            _ => "plain",
        }
    }
}
