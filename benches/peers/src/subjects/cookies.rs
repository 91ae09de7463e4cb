//! Who a visitor is by an encrypted cookie, without a session: the `cookie` crate by hand, and axum-extra's jar.

use super::bare::plain;
use super::{Keeps, Subject};
use crate::cases::Case;
use axum::Router;
use axum::extract::{FromRef, State};
use axum::routing::{get, post};
use axum_extra::extract::PrivateCookieJar;
use axum_extra::extract::cookie::{Cookie, Key};
use http::HeaderMap;
use http::header::COOKIE;

const NAME: &str = "visitor";

#[derive(Clone)]
struct Keys(Key);

impl FromRef<Keys> for Key {
    fn from_ref(keys: &Keys) -> Key {
        keys.0.clone()
    }
}

async fn sign_in(jar: PrivateCookieJar) -> (PrivateCookieJar, &'static str) {
    (jar.add(Cookie::new(NAME, Case::Visitor.text())), Case::SignIn.text())
}

async fn by_jar(jar: PrivateCookieJar) -> String {
    jar.get(NAME).map_or_else(String::new, |cookie| cookie.value().to_owned())
}

/// One pass over the header, one decryption.
async fn by_hand(State(keys): State<Keys>, headers: HeaderMap) -> String {
    let sealed = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| Cookie::split_parse_encoded(header.to_owned()))
        .find_map(|cookie| cookie.ok().filter(|cookie| cookie.name() == NAME));
    let opened = sealed.and_then(|cookie| cookie::CookieJar::new().private(&keys.0).decrypt(cookie));
    opened.map_or_else(String::new, |cookie| cookie.value().to_owned())
}

fn subject(name: &'static str, visitor: axum::routing::MethodRouter<Keys>) -> Subject {
    let routes = Router::new().route("/plain", get(plain)).route("/visitor", visitor).route("/in", post(sign_in));
    let router = routes.with_state(Keys(Key::generate()));
    Subject { name, router, keeps: Keeps::Nothing, enters_by: Some(Case::SignIn), knows_visitors: true }
}

pub fn open() -> Subject {
    subject("cookie, one open by hand", get(by_hand))
}

pub fn private_jar() -> Subject {
    subject("PrivateCookieJar", get(by_jar))
}
