//! axum alone, and the price of any layer.

use super::{BARE, Keeps, NO_OP, Subject};
use crate::cases::Case;
use axum::Router;
use axum::routing::get;
use http::Request;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll};
use tower::{Layer, Service};

pub async fn plain() -> &'static str {
    Case::Plain.text()
}

pub fn bare() -> Subject {
    let router = Router::new().route("/plain", get(plain));
    Subject { name: BARE, router, keeps: Keeps::Nothing, enters_by: None, knows_visitors: false }
}

pub fn no_op() -> Subject {
    let router = Router::new().route("/plain", get(plain)).layer(NoOp(()));
    Subject { name: NO_OP, router, keeps: Keeps::Nothing, enters_by: None, knows_visitors: false }
}

/// With a service and a named future of its own, as any middleware has them.
#[derive(Clone)]
struct NoOp<S>(S);

impl<S> Layer<S> for NoOp<()> {
    type Service = NoOp<S>;

    fn layer(&self, inner: S) -> NoOp<S> {
        NoOp(inner)
    }
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for NoOp<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = Passing<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Passing { inner: self.0.call(request) }
    }
}

pin_project! {
    struct Passing<F> {
        #[pin]
        inner: F,
    }
}

impl<F: Future> Future for Passing<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.project().inner.poll(cx)
    }
}
