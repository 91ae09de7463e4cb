//! The service that the layer puts around another.

use super::future::ResponseFuture;
use crate::exchange::{Realm, Ticket};
use http::{Request, Response};
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower::Service;

/// What [`SessionLayer`](super::SessionLayer) puts around a service: leaves a ticket for the extractors and, if one of
/// them was used, completes the head of the response.
#[derive(Clone)]
pub struct SessionService<S> {
    inner: S,
    realm: Arc<Realm>,
}

impl<S> SessionService<S> {
    pub(super) fn new(inner: S, realm: Arc<Realm>) -> Self {
        Self { inner, realm }
    }
}

impl<S, B, R> Service<Request<B>> for SessionService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let ticket = Ticket::issue(&self.realm, request.extensions_mut());
        ResponseFuture::new(self.inner.call(request), ticket)
    }
}

impl<S> fmt::Debug for SessionService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService").finish_non_exhaustive()
    }
}
