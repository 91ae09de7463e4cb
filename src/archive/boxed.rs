//! [`Archive`] with its futures boxed, so that the layer has no type parameter.

use super::{Answer, Archive, Completion, EndedSession, Quota, WriteId};
use crate::id::UserId;
use std::future::Future;
use std::pin::Pin;
use uuid::Uuid;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = Answer<T>> + Send + 'a>>;

pub(super) trait BoxedArchive: Send + Sync {
    fn add<'a>(&'a self, layer: &'static str, ended: &'a [EndedSession]) -> Boxed<'a, ()>;
    fn complete<'a>(
        &'a self,
        layer: &'static str,
        ended: &'a EndedSession,
        attempt: &'a WriteId,
        quota: Quota,
    ) -> Boxed<'a, Completion>;
    fn settle<'a>(
        &'a self,
        layer: &'static str,
        ended: &'a EndedSession,
        attempt: Option<&'a WriteId>,
    ) -> Boxed<'a, bool>;
    fn history<'a>(
        &'a self,
        layer: &'static str,
        user: &'a UserId,
        before: Option<Uuid>,
        limit: usize,
    ) -> Boxed<'a, Vec<EndedSession>>;
}

impl<A: Archive> BoxedArchive for A {
    fn add<'a>(&'a self, layer: &'static str, ended: &'a [EndedSession]) -> Boxed<'a, ()> {
        Box::pin(Archive::add(self, layer, ended))
    }

    fn complete<'a>(
        &'a self,
        layer: &'static str,
        ended: &'a EndedSession,
        attempt: &'a WriteId,
        quota: Quota,
    ) -> Boxed<'a, Completion> {
        Box::pin(Archive::complete(self, layer, ended, attempt, quota))
    }

    fn settle<'a>(
        &'a self,
        layer: &'static str,
        ended: &'a EndedSession,
        attempt: Option<&'a WriteId>,
    ) -> Boxed<'a, bool> {
        Box::pin(Archive::settle(self, layer, ended, attempt))
    }

    fn history<'a>(
        &'a self,
        layer: &'static str,
        user: &'a UserId,
        before: Option<Uuid>,
        limit: usize,
    ) -> Boxed<'a, Vec<EndedSession>> {
        Box::pin(Archive::history(self, layer, user, before, limit))
    }
}
