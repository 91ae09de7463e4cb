//! The refusal of a completion.

use http::{HeaderValue, Response, StatusCode, header};
use std::error::Error;
use std::fmt;
use std::time::{Duration, SystemTime};

/// As many sessions of a kind were completed as the quota allows. Nothing was changed.
///
/// As a response it is a 429 with `Retry-After`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaExceeded {
    pub(super) kind: &'static str,
    pub(super) next: SystemTime,
}

impl QuotaExceeded {
    /// The kind of the session.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// When the next completion will be possible, if none of them is erased.
    pub fn next_at(&self) -> SystemTime {
        self.next
    }

    /// The response for a client, for services without axum. Its extensions hold this refusal.
    pub fn to_response(&self) -> Response<&'static str> {
        let mut response = Response::new("Too Many Requests");
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
        let wait = self.next.duration_since(SystemTime::now()).unwrap_or_default();
        // Rounded up: whoever comes then is not too early.
        let seconds = wait.saturating_add(Duration::from_nanos(999_999_999)).as_secs();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl fmt::Display for QuotaExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "as many sessions of kind {:?} were completed as the quota allows; nothing was changed", self.kind)
    }
}

impl Error for QuotaExceeded {}

#[cfg(feature = "axum")]
impl axum::response::IntoResponse for QuotaExceeded {
    fn into_response(self) -> axum::response::Response {
        self.to_response().map(axum::body::Body::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_told_when_to_come_again() {
        let refusal = |next| QuotaExceeded { kind: "transfer", next };
        let in_an_hour = refusal(SystemTime::now() + Duration::from_secs(3600)).to_response();
        assert_eq!(in_an_hour.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(in_an_hour.headers()[header::RETRY_AFTER], "3600");
        assert_eq!(refusal(SystemTime::UNIX_EPOCH).to_response().headers()[header::RETRY_AFTER], "1");
    }
}
