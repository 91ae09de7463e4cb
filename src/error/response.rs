//! The error as a response: a status, `Retry-After` where it helps, and no word about the inside.

use super::{SessionError, SessionErrorKind};
use crate::telemetry;
use http::{HeaderValue, Response, StatusCode, header};

impl SessionError {
    /// The status that a client sees.
    pub fn status(&self) -> StatusCode {
        self.kind().status()
    }

    /// The response for a client, for services without axum. Its extensions hold the
    /// [`SessionErrorKind`].
    ///
    /// Logs it: here the cause is still known. Errors of the server (5xx) as errors, a record over its budget as a warning, the
    /// rest at `debug`.
    pub fn to_response(&self) -> Response<&'static str> {
        let status = self.status();
        match self.kind() {
            _ if status.is_server_error() => telemetry::answered_with_error(self),
            SessionErrorKind::TooLarge { .. } => telemetry::refused_as_too_large(self),
            _ => telemetry::refused(self),
        }
        let mut response = Response::new(status.canonical_reason().unwrap_or_default());
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        // Nothing about one visitor's session is for a shared cache, also not where no layer adds this.
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
        if let Some(wait) = self.kind().retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        response.extensions_mut().insert(self.kind().clone());
        response
    }
}

#[cfg(feature = "axum")]
impl axum::response::IntoResponse for SessionError {
    fn into_response(self) -> axum::response::Response {
        self.to_response().map(axum::body::Body::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_sees_a_status_and_no_internals() {
        let source = std::io::Error::other("10.0.0.7:6379 refused");
        let error = SessionError::with_source(SessionErrorKind::unavailable(), source);
        let response = error.to_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        assert_eq!(*response.body(), "Service Unavailable");
        assert_eq!(response.extensions().get(), Some(&SessionErrorKind::unavailable()));
    }

    #[test]
    fn misconfiguration_is_not_told_to_the_client() {
        let response = SessionError::misconfigured("add .layer(sessions)").to_response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(*response.body(), "Internal Server Error");
    }
}
