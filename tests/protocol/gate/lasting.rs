//! The calls that user sessions make, as they arrive at the gate. What moves the ended ones reads past it.

use super::{Call, Gate, Op, Step};
use std::time::Duration;
use thin_session::UserId;
use thin_session::archive::{Archive, Completion, EndedSession, HistoryPage, Quota};
use thin_session::store::{Answer, Entry, Key, LastingStore, Replaced, Replacement, Timestamp, WriteId};
use thin_session::testing::forward;
use uuid::Uuid;

impl LastingStore for Gate {
    async fn load_both(&self, session: &Key, user_session: &Key) -> Answer<[Option<Entry>; 2]> {
        let (inner, session, user_session) = (self.inner(), *session, *user_session);
        let call = Call { key: Some(user_session), ..Call::of(Op::LoadBoth) };
        self.carry(call, async move { inner.load_both(&session, &user_session).await }).await
    }

    async fn load_several(&self, keys: &[Key]) -> Answer<Vec<Option<Entry>>> {
        let (inner, keys) = (self.inner(), keys.to_vec());
        let call = Call::of(Op::LoadSeveral);
        self.carry(call, async move { inner.load_several(&keys).await }).await
    }

    async fn replace(&self, key: &Key, replacement: &Replacement<'_>) -> Answer<Replaced> {
        let (inner, key) = (self.inner(), *key);
        let Replacement { asked_by, expected, standing, keep_for, look_in, .. } = *replacement;
        let (entry, outgoing) = (replacement.entry.clone(), replacement.outgoing.cloned());
        let call = Call { key: Some(key), entry: Some(entry.clone()), ..Call::of(Op::Replace) };
        let request = async move {
            let (entry, outgoing) = (&entry, outgoing.as_ref());
            let replacement = Replacement { asked_by, expected, standing, entry, keep_for, outgoing, look_in };
            inner.replace(&key, &replacement).await
        };
        self.carry(call, request).await
    }

    async fn renew(&self, key: &Key, seen: Timestamp, idle: Duration, keep_for: Duration) -> Answer<bool> {
        let (inner, key) = (self.inner(), *key);
        let call = Call { key: Some(key), ..Call::of(Op::Renew) };
        self.carry(call, async move { inner.renew(&key, seen, idle, keep_for).await }).await
    }

    async fn due(&self, realm: &'static str, limit: usize) -> Answer<Vec<(Key, Entry)>> {
        let due = self.inner.due(realm, limit).await;
        *self.dues.lock().unwrap() += 1;
        due
    }

    async fn sent(&self, realm: &'static str, shard: u8, ids: &[Uuid]) -> Answer<()> {
        let (inner, ids) = (self.inner(), ids.to_vec());
        let call = Call::of(Op::Sent);
        self.carry(call, async move { inner.sent(realm, shard, &ids).await }).await
    }

    forward!(self => self.inner; outbox, full_outboxes, put_off, retire);
}

impl Archive for Gate {
    async fn add(&self, layer: &'static str, ended: &[EndedSession]) -> Answer<()> {
        let (inner, ended) = (self.inner(), ended.to_vec());
        let call = Call::of(Op::Add);
        self.carry(call, async move { inner.add(layer, &ended).await }).await
    }

    async fn complete(
        &self,
        layer: &'static str,
        ended: &EndedSession,
        attempt: &WriteId,
        quota: Quota,
    ) -> Answer<Completion> {
        let (inner, ended, attempt) = (self.inner(), ended.clone(), *attempt);
        let call = Call::of(Op::Complete);
        self.carry(call, async move { inner.complete(layer, &ended, &attempt, quota).await }).await
    }

    async fn settle(&self, layer: &'static str, ended: &EndedSession, attempt: Option<&WriteId>) -> Answer<bool> {
        let (inner, ended, attempt) = (self.inner(), ended.clone(), attempt.copied());
        let call = Call::of(Op::Settle);
        self.carry(call, async move { inner.settle(layer, &ended, attempt.as_ref()).await }).await
    }

    async fn history(&self, layer: &'static str, user: &UserId, page: &HistoryPage<'_>) -> Answer<Vec<EndedSession>> {
        // It cannot be kept for later: it is asked by what others own.
        if let Step::Before(work) = self.next_step(Op::History) {
            work.await;
        }
        self.inner.history(layer, user, page).await
    }

    forward!(self => self.inner; counts, add_dead, dead, remove_dead, forget, erase);
}
