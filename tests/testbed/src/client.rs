//! A browser for a router in this process: keeps cookies, sends requests.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use std::collections::BTreeMap;
use tower::ServiceExt as _;

/// A browser with a cookie jar, for one router. A clone is another browser with the same cookies.
#[derive(Clone, Debug)]
pub struct Client {
    app: Router,
    /// Names and values of the cookies that it sends.
    pub cookies: BTreeMap<String, String>,
    /// Headers that it sends with each request.
    pub headers: HeaderMap,
}

/// A response, received whole.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Client {
    /// A browser that has never been here.
    pub fn new(app: Router) -> Self {
        Self { app, cookies: BTreeMap::new(), headers: HeaderMap::new() }
    }

    /// The same cookies, for another router: a second server behind the same name.
    pub fn at(&self, app: Router) -> Self {
        Self { app, ..self.clone() }
    }

    /// Sends a GET request and takes in the cookies of its response.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path).await
    }

    /// Sends an empty POST request and takes in the cookies of its response.
    pub async fn post(&mut self, path: &str) -> Answer {
        self.send(Method::POST, path).await
    }

    /// Sends an empty request and takes in the cookies of its response.
    pub async fn send(&mut self, method: Method, path: &str) -> Answer {
        let answer = self.ask(method, path).await;
        self.take(&answer);
        answer
    }

    /// Sends an empty request and leaves the cookies as they are.
    pub async fn ask(&self, method: Method, path: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !self.cookies.is_empty() {
            request = request.header(header::COOKIE, self.cookie_header());
        }
        let mut request = request.body(Body::empty()).expect("the request is well formed");
        request.headers_mut().extend(self.headers.clone());
        let response = self.app.clone().oneshot(request).await.expect("a router does not fail");
        let (head, body) = response.into_parts();
        let body = body.collect().await.expect("the body arrives").to_bytes();
        Answer { status: head.status, headers: head.headers, body }
    }

    /// Takes in the cookies of a response, as a browser would.
    pub fn take(&mut self, answer: &Answer) {
        for cookie in answer.set_cookies() {
            let pair = cookie.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a Set-Cookie has a name and a value");
            if cookie.contains("; Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// The `Cookie` header that it sends.
    pub fn cookie_header(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }

    /// The values of all `Set-Cookie` headers.
    pub fn set_cookies(&self) -> Vec<&str> {
        let values = self.headers.get_all(header::SET_COOKIE).iter();
        values.map(|value| value.to_str().expect("a Set-Cookie is visible ASCII")).collect()
    }

    /// The value of a header, if there is exactly one of it.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?.to_str().expect("the header is text");
        values.next().is_none().then_some(first)
    }
}
