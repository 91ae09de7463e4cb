//! What a store can do besides, so that sessions can belong to a user.

use super::{Answer, Entry, Key, Marker, Store, Timestamp, WriteId};
use crate::record::{EndReason, Parted};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// What a store can do besides: keep sessions that belong to a user, and what has ended until an archive has it.
///
/// A user session's entry lives in the user's shard, under a key that is used again and again: when one has ended the next
/// begins in its place. It may be kept for longer than it lives, so that it can be archived; whether it still lives the store
/// decides by its own clock, since processes differ.
pub trait LastingStore: Store {
    /// Reads a browser's session and a user session as [`load`](Store::load) does, in one round trip.
    fn load_both(&self, session: &Key, user_session: &Key) -> impl Future<Output = Answer<[Option<Entry>; 2]>> + Send;

    /// Reads entries of one shard as [`load`](Store::load) does, in one round trip: what is under each key, in their order.
    fn load_several(&self, keys: &[Key]) -> impl Future<Output = Answer<Vec<Option<Entry>>>> + Send;

    /// Puts an entry in the place of another, in one step. The first of these that applies is the answer, and only the last
    /// changes anything:
    ///
    /// 1. Another entry than the expected one is there, or one where none is expected: [`Replaced::Found`].
    /// 2. None is there, where one is expected: [`Replaced::Absent`].
    /// 3. The browser's session is not live: [`Replaced::Unasked`].
    /// 4. What is there is not as [`Standing`] says: [`Replaced::Untimely`].
    /// 5. Otherwise [`Replaced::Applied`]: the entry is there for `keep_for` from now, with the store's time as that of its last
    ///    touch, unless what it replaces was touched later; what goes out is in the outbox of the shard; and it is
    ///    [due](Self::due) as [`look_in`](Replacement::look_in) says.
    ///
    /// An entry whose time has run out is absent here as well. A full store may refuse it, but never a marker: ending needs no
    /// room.
    fn replace(&self, key: &Key, replacement: &Replacement<'_>) -> impl Future<Output = Answer<Replaced>> + Send;

    /// Notes activity, by the store's clock, in a live entry that was last touched at `seen` and has not idled out; keeps it for
    /// `keep_for` from now. Answers whether it did.
    fn renew(
        &self,
        key: &Key,
        seen: Timestamp,
        idle: Duration,
        keep_for: Duration,
    ) -> impl Future<Output = Answer<bool>> + Send;

    /// Some of what waits in a shard's outbox, at most `limit`; all of it is named sooner or later if what was named is taken
    /// out.
    fn outbox(
        &self,
        realm: &'static str,
        shard: u8,
        limit: usize,
    ) -> impl Future<Output = Answer<Vec<Outgoing>>> + Send;

    /// The shards in whose outboxes something waits, each once and in order, and how much: exactly, or where it would take long to count,
    /// at least so much.
    fn full_outboxes(&self, realm: &'static str) -> impl Future<Output = Answer<Vec<(u8, usize)>>> + Send;

    /// At most `limit` of the entries at which it is time to look, by the store's clock: what is there. What has gone, or has
    /// left a marker, is not due any more, and not named.
    fn due(&self, realm: &'static str, limit: usize) -> impl Future<Output = Answer<Vec<(Key, Entry)>>> + Send;

    /// Has an entry that is due be so again after this time from now. Nothing happens if it is not due any more.
    fn put_off(&self, key: &Key, look_in: Duration) -> impl Future<Output = Answer<()>> + Send;

    /// Sees to it that browsers' sessions whose time has run out go out, as [`Outgoing::expired`] says, if they
    /// [go to the archive](Entry::goes_to_archive): some of them at once, or all of them soon. Answers whether there may be more.
    ///
    /// All that ends such a session, here and in [`Store`], puts it into the outbox of its shard in the same step, by
    /// [`Outgoing::of`]. For the archive it is kept for as long as that takes, or for 90 days.
    fn retire(&self, realm: &'static str, limit: usize) -> impl Future<Output = Answer<bool>> + Send;

    /// Takes out of a shard's outbox what the archive has. Names that are not there are passed over.
    fn sent(&self, realm: &'static str, shard: u8, ids: &[Uuid]) -> impl Future<Output = Answer<()>> + Send;
}

/// An entry that takes the place of another.
#[derive(Debug)]
pub struct Replacement<'a> {
    /// The browser's session that asks for it, which must be live. It is in the same shard. None for work outside of requests.
    pub asked_by: Option<Key>,
    /// The write id of what is there, live or a marker; none if nothing is.
    pub expected: Option<WriteId>,
    /// Whether what is there must still live.
    pub standing: Standing,
    /// What comes in its place.
    pub entry: &'a Entry,
    /// How long to keep it.
    pub keep_for: Duration,
    /// What goes to the archive.
    pub outgoing: Option<&'a Outgoing>,
    /// When it is time to look at the entry, if it is to be looked at, from now on. With a live one it does not change what was said
    /// before; with a marker, that is forgotten.
    pub look_in: Option<Duration>,
}

impl Replacement<'_> {
    /// Why it cannot go ahead, if it cannot: told from what is there, and whether the browser's session is live.
    pub(crate) fn refusal(
        &self,
        there: Option<&Entry>,
        is_live: impl FnOnce(&Key) -> bool,
        now: Timestamp,
    ) -> Option<Replaced> {
        match (there, self.expected) {
            (Some(there), expected) if expected != Some(there.write_id()) => {
                return Some(Replaced::Found(there.clone()));
            }
            (None, Some(_)) => return Some(Replaced::Absent),
            _ => {}
        }
        if !self.asked_by.as_ref().is_none_or(is_live) {
            return Some(Replaced::Unasked);
        }
        there.filter(|there| !self.standing.holds(there, now)).map(|_| Replaced::Untimely(now))
    }
}

/// Whether an entry must still live, by the store's clock: it does until it has not been touched for its idle limit, or its
/// [deadline](Entry::deadline) has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does not matter.
    Any,
    /// It must, with this idle limit.
    Lives(Duration),
    /// It must not any more, with this idle limit.
    Lapsed(Duration),
}

/// What became of a replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Replaced {
    /// It was applied.
    Applied,
    /// It was not, because of the entry that is there.
    Found(Entry),
    /// It was not, because nothing is there.
    Absent,
    /// It was not: the browser's session has ended.
    Unasked,
    /// It was not: what is there still lives, or does not any more, at this moment by the store's clock.
    Untimely(Timestamp),
}

/// An ended session on its way to the archive, sealed.
///
/// Of a user session the layer has made it. Of a browser's session the store does, with what stood under its key, in the step that
/// ends it: by [`of`](Self::of) or [`expired`](Self::expired), or in a script, which [`crate::store`] describes.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The session's id.
    pub id: Uuid,
    /// What the archive will have of it.
    pub sealed: Vec<u8>,
}

impl Outgoing {
    /// What stands first in one that a store has made.
    pub(crate) const PARTED: u8 = 1;

    /// What goes out if a marker takes an entry's place at this time. None if the session does not
    /// [go to the archive](Entry::goes_to_archive), or goes on under another key.
    pub fn of(key: &Key, entry: &Entry, marker: &Marker, now: Timestamp) -> Option<Self> {
        let reason = marker.is_end().then(|| marker.tail().first().copied()).flatten()?;
        Self::parted(key, entry, EndReason::from_byte(reason).ok()?, now)
    }

    /// What goes out if an entry's time ran out then.
    pub fn expired(key: &Key, entry: &Entry, then: Timestamp) -> Option<Self> {
        Self::parted(key, entry, EndReason::Expired, then)
    }

    /// The session under this key as it goes out, for tests of stores: why it ended, when, and the entry.
    #[cfg(feature = "testing")]
    pub(crate) fn unparted(&self, key: &Key) -> Option<(EndReason, Timestamp, Entry)> {
        let (_, parted) = self.sealed.split_first().filter(|(form, _)| **form == Self::PARTED)?;
        let Parted { reason, ended, digest, entry } = Parted::decode(parted).ok()?;
        (digest.as_bytes() == key.digest()).then_some((reason, ended, entry))
    }

    fn parted(key: &Key, entry: &Entry, reason: EndReason, ended: Timestamp) -> Option<Self> {
        let id = entry.archival().filter(|_| entry.is_live())?.id;
        let parted = Parted { reason, ended, digest: key.session_digest(), entry: entry.clone() };
        Some(Self { id, sealed: [&[Self::PARTED][..], &parted.encode()].concat() })
    }
}

impl Standing {
    /// Whether an entry is as this says.
    pub fn holds(self, entry: &Entry, now: Timestamp) -> bool {
        match self {
            Self::Any => true,
            Self::Lives(idle) => lives_until(entry, idle) > now,
            Self::Lapsed(idle) => lives_until(entry, idle) <= now,
        }
    }
}

/// When an entry has idled out, or has reached its deadline.
pub(crate) fn lives_until(entry: &Entry, idle: Duration) -> Timestamp {
    entry.touched().plus(idle).min(entry.deadline())
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").finish_non_exhaustive()
    }
}

impl<S: LastingStore> LastingStore for Arc<S> {
    async fn load_both(&self, session: &Key, user_session: &Key) -> Answer<[Option<Entry>; 2]> {
        (**self).load_both(session, user_session).await
    }

    async fn load_several(&self, keys: &[Key]) -> Answer<Vec<Option<Entry>>> {
        (**self).load_several(keys).await
    }

    async fn replace(&self, key: &Key, replacement: &Replacement<'_>) -> Answer<Replaced> {
        (**self).replace(key, replacement).await
    }

    async fn renew(&self, key: &Key, seen: Timestamp, idle: Duration, keep_for: Duration) -> Answer<bool> {
        (**self).renew(key, seen, idle, keep_for).await
    }

    async fn outbox(&self, realm: &'static str, shard: u8, limit: usize) -> Answer<Vec<Outgoing>> {
        (**self).outbox(realm, shard, limit).await
    }

    async fn full_outboxes(&self, realm: &'static str) -> Answer<Vec<(u8, usize)>> {
        (**self).full_outboxes(realm).await
    }

    async fn due(&self, realm: &'static str, limit: usize) -> Answer<Vec<(Key, Entry)>> {
        (**self).due(realm, limit).await
    }

    async fn put_off(&self, key: &Key, look_in: Duration) -> Answer<()> {
        (**self).put_off(key, look_in).await
    }

    async fn retire(&self, realm: &'static str, limit: usize) -> Answer<bool> {
        (**self).retire(realm, limit).await
    }

    async fn sent(&self, realm: &'static str, shard: u8, ids: &[Uuid]) -> Answer<()> {
        (**self).sent(realm, shard, ids).await
    }
}
