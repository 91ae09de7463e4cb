//! A store in memory that is in order but for one thing. Which, is said where it starts: a type for each would have all checks
//! compiled once more.

use std::sync::Arc;
use std::time::Duration;
use thin_session::store::{
    Admission, Admitted, Answer, Departure, Entry, Epoch, Key, LastingStore, Marker, Outcome, Outgoing, Owner,
    Replaced, Replacement, Store, Sweep, Swept, WriteId,
};
use thin_session::testing::conformance::{Bench, LastingBench};
use thin_session::testing::{self, forward};
use thin_session::{Clock, MemoryStore};
use uuid::Uuid;

/// A mistake that is easily made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// None.
    Flawless,
    /// A commit does not compare the write id.
    CommitsBlindly,
    /// A commit creates where nothing is: a plain `SET`.
    CommitCreates,
    /// A commit forgets the expiry.
    CommitKeepsForEver,
    /// What moved has ended.
    EndForgetsWhere,
    /// The limit is not looked at.
    AdmitsAll,
    /// Nobody is told that a session has ended.
    DepartsInSilence,
    /// All are ended one by one: whoever comes meanwhile survives, and no epoch moves.
    EndsOneByOne,
    /// The browser's session is not looked at.
    ReplacesUnasked,
    /// What is read from the outbox is taken out, whether the archive has it or not.
    OutboxForgets,
}

tokio::task_local! {
    /// That of the stores that start here.
    pub(super) static FLAW: Flaw;
}

/// Longer than any check lets pass.
const FOR_EVER: Duration = Duration::from_secs(300 * 86_400);

#[derive(Clone)]
pub(super) struct Flawed {
    inner: Arc<MemoryStore>,
    flaw: Flaw,
}

impl Store for Flawed {
    forward!(self => self.inner; load, create, touch, members, publish, follow);

    async fn commit(&self, key: &Key, expected: WriteId, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        let keep_for = if self.flaw == Flaw::CommitKeepsForEver { FOR_EVER } else { keep_for };
        let expected = match self.inner.load(key).await? {
            Some(there) if self.flaw == Flaw::CommitsBlindly => there.write_id(),
            None if self.flaw == Flaw::CommitCreates => return self.inner.create(key, entry, keep_for).await,
            _ => expected,
        };
        self.inner.commit(key, expected, entry, keep_for).await
    }

    async fn end(&self, key: &Key, expected: Option<WriteId>, marker: &Marker) -> Answer<Outcome> {
        if self.flaw == Flaw::EndForgetsWhere {
            return self.inner.end(key, expected, &testing::ended_marker()).await;
        }
        self.inner.end(key, expected, marker).await
    }

    async fn admit(&self, owner: &Owner, admission: &Admission<'_>) -> Answer<Admitted> {
        let limit = if self.flaw == Flaw::AdmitsAll { usize::MAX } else { admission.limit };
        self.inner.admit(owner, &Admission { limit, ..*admission }).await
    }

    async fn depart(&self, owner: &Owner, departure: &Departure) -> Answer<Outcome> {
        let news = departure.news.filter(|_| self.flaw != Flaw::DepartsInSilence);
        self.inner.depart(owner, &Departure { news, ..departure.clone() }).await
    }

    async fn end_all(&self, owner: &Owner, sweep: &Sweep) -> Answer<Option<Swept>> {
        if self.flaw != Flaw::EndsOneByOne {
            return self.inner.end_all(owner, sweep).await;
        }
        let members = self.inner.members(owner).await?;
        if sweep.except.is_some_and(|kept| members.iter().all(|(member, _)| member.handle != kept)) {
            return Ok(None);
        }
        let mut ended = 0;
        for (member, _) in members.into_iter().filter(|(member, _)| sweep.except != Some(member.handle)) {
            let departure = Departure { member, expected: None, marker: sweep.marker.clone(), news: None };
            ended += u64::from(self.inner.depart(owner, &departure).await? == Outcome::Applied);
        }
        let news = sweep.news(owner, Epoch::default());
        self.inner.publish(owner.realm(), &news).await?;
        Ok(Some(Swept { ended, news }))
    }
}

impl LastingStore for Flawed {
    forward!(self => self.inner; load_both, load_several, renew, full_outboxes, due, put_off, retire, sent);

    async fn replace(&self, key: &Key, replacement: &Replacement<'_>) -> Answer<Replaced> {
        let asked_by = replacement.asked_by.filter(|_| self.flaw != Flaw::ReplacesUnasked);
        self.inner.replace(key, &Replacement { asked_by, ..*replacement }).await
    }

    async fn outbox(&self, realm: &'static str, shard: u8, limit: usize) -> Answer<Vec<Outgoing>> {
        let some = self.inner.outbox(realm, shard, limit).await?;
        if self.flaw == Flaw::OutboxForgets {
            let ids: Vec<Uuid> = some.iter().map(|outgoing| outgoing.id).collect();
            self.inner.sent(realm, shard, &ids).await?;
        }
        Ok(some)
    }
}

/// One with its time.
pub(super) struct FlawedBench {
    store: Flawed,
    clock: Clock,
}

impl Bench for FlawedBench {
    type Store = Flawed;

    async fn start() -> Self {
        let clock = Clock::manual();
        let inner = MemoryStore::new().with_clock(clock.clone()).into();
        Self { store: Flawed { inner, flaw: FLAW.get() }, clock }
    }

    fn store(&self) -> &Self::Store {
        &self.store
    }

    async fn wait(&self, time: Duration) {
        self.clock.advance(time);
    }

    fn clock(&self) -> Clock {
        self.clock.clone()
    }
}

impl LastingBench for FlawedBench {}
