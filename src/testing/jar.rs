//! The cookies of a browser.

use cookie::Cookie;
use http::HeaderValue;
use std::collections::BTreeMap;

/// Names and values, as far as tests need them: one host, one path, no time.
#[derive(Default)]
pub(super) struct Jar(BTreeMap<String, String>);

impl Jar {
    /// Takes in a `Set-Cookie`.
    pub(super) fn take(&mut self, set_cookie: &HeaderValue) {
        let text = set_cookie.to_str().expect("the layer writes visible ASCII");
        let cookie = Cookie::parse(text).expect("the layer writes cookies");
        if cookie.max_age().is_some_and(|age| age.is_zero()) {
            self.0.remove(cookie.name());
        } else {
            self.0.insert(cookie.name().to_owned(), cookie.value().to_owned());
        }
    }

    /// The `Cookie` header of the next request.
    pub(super) fn header(&self) -> HeaderValue {
        let pairs: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        HeaderValue::try_from(pairs.join("; ")).expect("the layer writes visible ASCII")
    }
}
