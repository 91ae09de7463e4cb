//! The calls of a store as they arrive at the gate.

use super::{Call, Gate, Op};
use std::time::Duration;
use thin_session::store::{
    Admission, Admitted, Answer, Departure, Entry, Key, Marker, Member, Outcome, Owner, Revocation, Store, Sweep,
    Swept, Timestamp, WriteId,
};
use thin_session::testing::forward;

impl Store for Gate {
    async fn load(&self, key: &Key) -> Answer<Option<Entry>> {
        let (inner, key) = (self.inner(), *key);
        let call = Call { key: Some(key), ..Call::of(Op::Load) };
        self.carry(call, async move { inner.load(&key).await }).await
    }

    async fn create(&self, key: &Key, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        let (inner, key, entry) = (self.inner(), *key, entry.clone());
        let call = Call { key: Some(key), entry: Some(entry.clone()), ..Call::of(Op::Create) };
        self.carry(call, async move { inner.create(&key, &entry, keep_for).await }).await
    }

    async fn commit(&self, key: &Key, expected: WriteId, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        let (inner, key, entry) = (self.inner(), *key, entry.clone());
        let call = Call { key: Some(key), entry: Some(entry.clone()), ..Call::of(Op::Commit) };
        self.carry(call, async move { inner.commit(&key, expected, &entry, keep_for).await }).await
    }

    async fn touch(&self, key: &Key, seen: Timestamp, now: Timestamp, keep_for: Duration) -> Answer<bool> {
        let (inner, key) = (self.inner(), *key);
        let call = Call { key: Some(key), ..Call::of(Op::Touch) };
        let wrote = self.carry(call, async move { inner.touch(&key, seen, now, keep_for).await }).await?;
        *self.touches.lock().unwrap() += usize::from(wrote);
        Ok(wrote)
    }

    async fn end(&self, key: &Key, expected: Option<WriteId>, marker: &Marker) -> Answer<Outcome> {
        let (inner, key, marker) = (self.inner(), *key, marker.clone());
        let call = Call { key: Some(key), markers: vec![marker.clone()], ..Call::of(Op::End) };
        self.carry(call, async move { inner.end(&key, expected, &marker).await }).await
    }

    async fn admit(&self, owner: &Owner, admission: &Admission<'_>) -> Answer<Admitted> {
        let (inner, owner) = (self.inner(), *owner);
        let Admission { member, keep_for, epoch, epoch_until, limit, .. } = *admission;
        let entry = admission.entry.clone();
        let (predecessor, evicted) = (admission.predecessor.cloned(), admission.evicted.to_vec());
        let markers = predecessor.iter().chain(&evicted).map(|departure| departure.marker.clone()).collect();
        let call = Call { op: Op::Admit, key: Some(member.key), entry: Some(entry.clone()), markers };
        let request = async move {
            let (entry, predecessor, evicted) = (&entry, predecessor.as_ref(), &evicted[..]);
            let admission = Admission { member, entry, keep_for, epoch, epoch_until, limit, predecessor, evicted };
            inner.admit(&owner, &admission).await
        };
        self.carry(call, request).await
    }

    async fn depart(&self, owner: &Owner, departure: &Departure) -> Answer<Outcome> {
        let (inner, owner, departure) = (self.inner(), *owner, departure.clone());
        let (key, marker) = (departure.member.key, departure.marker.clone());
        let call = Call { key: Some(key), markers: vec![marker], ..Call::of(Op::Depart) };
        self.carry(call, async move { inner.depart(&owner, &departure).await }).await
    }

    async fn members(&self, owner: &Owner) -> Answer<Vec<(Member, Entry)>> {
        let (inner, owner) = (self.inner(), *owner);
        let call = Call::of(Op::Members);
        self.carry(call, async move { inner.members(&owner).await }).await
    }

    async fn end_all(&self, owner: &Owner, sweep: &Sweep) -> Answer<Option<Swept>> {
        let (inner, owner, sweep) = (self.inner(), *owner, sweep.clone());
        let call = Call { markers: vec![sweep.marker.clone()], ..Call::of(Op::EndAll) };
        self.carry(call, async move { inner.end_all(&owner, &sweep).await }).await
    }

    async fn publish(&self, realm: &'static str, news: &Revocation) -> Answer<()> {
        let (inner, news) = (self.inner(), *news);
        let call = Call::of(Op::Publish);
        self.carry(call, async move { inner.publish(realm, &news).await }).await
    }

    forward!(self => self.inner; follow);
}
