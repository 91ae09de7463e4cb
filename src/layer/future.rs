//! The response on its way out.

use crate::exchange::Ticket;
use crate::session::Cost;
use http::Response;
use pin_project_lite::pin_project;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

pin_project! {
    /// The response of a [`SessionService`](super::SessionService), with the cookies that its handler set.
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        ticket: Option<Ticket>,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            // Dropped before its response: the client has gone, and no cookie will reach it.
            if let Some(ticket) = this.project().ticket.take() {
                ticket.close(None);
            }
        }
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, ticket: Option<Ticket>) -> Self {
        Self { inner, ticket }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut result = ready!(this.inner.poll(cx));
        if let Some(ticket) = this.ticket.take() {
            let exchange = ticket.close(result.as_mut().ok().map(Response::headers_mut));
            if let (Some(exchange), Ok(response)) = (exchange, &mut result) {
                response.extensions_mut().insert(Cost::new(Arc::clone(exchange)));
            }
        }
        Poll::Ready(result)
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
