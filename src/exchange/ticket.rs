//! What the layer leaves in a request: enough for an extractor to begin, and nothing more.

use super::presented::Presented;
use super::realm::Realm;
use super::state::{Began, Exchange};
use crate::error::SessionError;
use http::{Extensions, HeaderMap, Method, Request};
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Arc, OnceLock};

/// Leads from a request to its exchange, which begins when an extractor first asks.
#[derive(Clone, Debug)]
pub(crate) struct Ticket(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    realm: Arc<Realm>,
    /// Another layer with the same cookies is around this one.
    clash: bool,
    began: Began,
    /// Of the layer around this one.
    outer: Option<Ticket>,
    exchange: OnceLock<Arc<Exchange>>,
    closed: AtomicBool,
}

impl Ticket {
    /// Leaves a ticket in a request's extensions, over one of a layer further out: the innermost wins.
    ///
    /// None if that is the same layer, applied twice, which then does its work once.
    pub(crate) fn issue(realm: &Arc<Realm>, extensions: &mut Extensions) -> Option<Self> {
        let began = Began { moment: realm.clock.moment(), known: realm.revoked.as_of_now() };
        let ticket = Self::new(realm, began, false, None);
        match extensions.insert(ticket.clone()) {
            None => Some(ticket),
            Some(outer) => Self::issue_within(outer, realm, began, extensions),
        }
    }

    /// The same under another layer, whose ticket was there.
    #[cold]
    fn issue_within(outer: Self, realm: &Arc<Realm>, began: Began, extensions: &mut Extensions) -> Option<Self> {
        let around = || std::iter::successors(Some(&outer), |ticket| ticket.0.outer.as_ref());
        if let Some(same) = around().find(|ticket| Arc::ptr_eq(&ticket.0.realm, realm)) {
            extensions.insert(same.clone());
            return None;
        }
        let clash = around().any(|ticket| ticket.0.realm.cookies.names() == realm.cookies.names());
        let ticket = Self::new(realm, began, clash, Some(outer));
        extensions.insert(ticket.clone());
        Some(ticket)
    }

    fn new(realm: &Arc<Realm>, began: Began, clash: bool, outer: Option<Self>) -> Self {
        let (realm, exchange, closed) = (Arc::clone(realm), OnceLock::new(), AtomicBool::new(false));
        Self(Arc::new(Inner { realm, clash, began, outer, exchange, closed }))
    }

    /// The exchange of a request, begun if this is the first to ask for it.
    ///
    /// # Errors
    ///
    /// Misconfigured, if no layer was there or two of one name.
    pub(crate) fn of_request<B>(request: &Request<B>) -> Result<Arc<Exchange>, SessionError> {
        Self::exchange(request.method(), request.headers(), request.extensions())
    }

    /// The same, of a request taken apart.
    #[cfg(feature = "axum")]
    pub(crate) fn of_parts(parts: &http::request::Parts) -> Result<Arc<Exchange>, SessionError> {
        Self::exchange(&parts.method, &parts.headers, &parts.extensions)
    }

    fn exchange(method: &Method, headers: &HeaderMap, extensions: &Extensions) -> Result<Arc<Exchange>, SessionError> {
        let ticket = extensions.get::<Self>().ok_or_else(missing_layer)?;
        let Inner { realm, clash, began, exchange, closed, .. } = &*ticket.0;
        if *clash {
            return Err(SessionError::misconfigured(
                "two SessionLayers with the same cookie names are nested; call .named(\"…\") on one of them",
            ));
        }
        let begin = || Arc::new(Exchange::new(Arc::clone(realm), Presented::read(method, headers, realm), *began));
        let exchange = exchange.get_or_init(begin);
        // Asked for by something that outlived the response: then no cookie can go out any more. With the fence in
        // `close`, either this sees that it is closed or `close` sees the exchange.
        fence(Ordering::SeqCst);
        if closed.load(Ordering::SeqCst) {
            exchange.reply().close();
        }
        Ok(Arc::clone(exchange))
    }

    /// Ends the exchange, with the head of the response if there is one: from here on no cookie can be set. Answers the
    /// exchange, if anybody asked for it.
    pub(crate) fn close(&self, head: Option<&mut HeaderMap>) -> Option<&Arc<Exchange>> {
        if Arc::strong_count(&self.0) == 1 {
            // The request has gone, and nobody else can ask any more. Whoever did has let go before.
            fence(Ordering::Acquire);
        } else {
            self.0.closed.store(true, Ordering::SeqCst);
            fence(Ordering::SeqCst);
        }
        let exchange = self.0.exchange.get()?;
        let cookies = exchange.reply().close();
        if let Some(headers) = head {
            cookies.write(headers);
        }
        Some(exchange)
    }
}

fn missing_layer() -> SessionError {
    SessionError::misconfigured(
        "no SessionLayer around this handler; add .layer(sessions) to the Router after the last .route(…), since routes \
         added later are not covered. Middleware that uses sessions itself must be inside: on a Router add it before the \
         SessionLayer, in a ServiceBuilder after it",
    )
}
