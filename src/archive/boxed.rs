//! [`Archive`] with its futures boxed, so that the layer has no type parameter.

use super::{
    Answer, Archive, Completion, Count, DeadLetter, EndedSession, HistoryPage, Quota, Steps, Timestamp, WriteId,
};
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
        page: &'a HistoryPage<'a>,
    ) -> Boxed<'a, Vec<EndedSession>>;
    fn counts<'a>(&'a self, layer: &'static str, kind: Option<&'a str>, steps: Steps) -> Boxed<'a, Vec<Count>>;
    fn add_dead<'a>(&'a self, layer: &'static str, letters: &'a [DeadLetter]) -> Boxed<'a, ()>;
    fn dead<'a>(&'a self, layer: &'static str, from: Uuid, limit: usize) -> Boxed<'a, Vec<DeadLetter>>;
    fn remove_dead<'a>(&'a self, layer: &'static str, ids: &'a [Uuid]) -> Boxed<'a, ()>;
    fn forget<'a>(&'a self, layer: &'static str, before: Timestamp, limit: usize) -> Boxed<'a, u64>;
    fn erase<'a>(&'a self, layer: &'static str, user: &'a UserId, limit: usize) -> Boxed<'a, u64>;
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
        page: &'a HistoryPage<'a>,
    ) -> Boxed<'a, Vec<EndedSession>> {
        Box::pin(Archive::history(self, layer, user, page))
    }

    fn counts<'a>(&'a self, layer: &'static str, kind: Option<&'a str>, steps: Steps) -> Boxed<'a, Vec<Count>> {
        Box::pin(Archive::counts(self, layer, kind, steps))
    }

    fn add_dead<'a>(&'a self, layer: &'static str, letters: &'a [DeadLetter]) -> Boxed<'a, ()> {
        Box::pin(Archive::add_dead(self, layer, letters))
    }

    fn dead<'a>(&'a self, layer: &'static str, from: Uuid, limit: usize) -> Boxed<'a, Vec<DeadLetter>> {
        Box::pin(Archive::dead(self, layer, from, limit))
    }

    fn remove_dead<'a>(&'a self, layer: &'static str, ids: &'a [Uuid]) -> Boxed<'a, ()> {
        Box::pin(Archive::remove_dead(self, layer, ids))
    }

    fn forget<'a>(&'a self, layer: &'static str, before: Timestamp, limit: usize) -> Boxed<'a, u64> {
        Box::pin(Archive::forget(self, layer, before, limit))
    }

    fn erase<'a>(&'a self, layer: &'static str, user: &'a UserId, limit: usize) -> Boxed<'a, u64> {
        Box::pin(Archive::erase(self, layer, user, limit))
    }
}
