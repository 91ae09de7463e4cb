//! A store that collects all that it is given, and fails when it is told to.

use super::evidence::{note, note_error, note_stored};
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use thin_session::store::{
    Admission, Admitted, Answer, Departure, Entry, Key, LastingStore, Marker, Member, Outcome, Outgoing, Owner,
    Replaced, Replacement, Revocation, Store, StoreError, Sweep, Swept, Timestamp, WriteId,
};
use thin_session::testing::forward;
use uuid::Uuid;

/// Stands before another store.
pub(crate) struct Witness<S> {
    inner: S,
    mode: Mutex<Mode>,
    calls: AtomicUsize,
}

#[derive(Clone, Copy)]
pub(crate) enum Mode {
    Up,
    /// Refuses everything.
    Down,
    /// Never says what became of it.
    Silent,
}

impl<S> Witness<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self { inner, mode: Mutex::new(Mode::Up), calls: AtomicUsize::new(0) }
    }

    pub(crate) fn set_mode(&self, mode: Mode) {
        *self.mode.lock().expect("nobody panics with it") = mode;
    }

    /// How often anything was asked of it.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn begin(&self, key: &Key) -> Answer<&S> {
        note_key(key);
        self.up()
    }

    fn begin_for(&self, owner: &Owner) -> Answer<&S> {
        note(owner);
        note_stored(owner.to_string().as_bytes());
        note_stored(owner.user().as_bytes());
        self.up()
    }

    fn up(&self) -> Answer<&S> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.uncounted()
    }

    /// For what goes on beside the requests.
    fn uncounted(&self) -> Answer<&S> {
        match *self.mode.lock().expect("nobody panics with it") {
            Mode::Up => Ok(&self.inner),
            Mode::Down => Err(StoreError::not_applied(io::Error::from(io::ErrorKind::ConnectionRefused))),
            Mode::Silent => Err(StoreError::unknown(io::Error::from(io::ErrorKind::TimedOut))),
        }
    }
}

fn note_key(key: &Key) {
    note(key);
    note_stored(key.to_string().as_bytes());
    note_stored(key.digest());
}

fn note_marker(marker: &Marker) {
    note(marker);
    note_stored(marker.tail());
}

fn note_news(news: &Revocation) {
    note(news);
    note_stored(&news.to_bytes());
}

fn note_departure(departure: &Departure) {
    note(departure);
    note_key(&departure.member.key);
    note_marker(&departure.marker);
    note_stored(&departure.member.to_bytes());
    departure.news.iter().for_each(note_news);
}

fn note_entry(entry: &Entry) {
    note(entry);
    note(&entry.write_id());
    note(&entry.touched());
    note_stored(entry.as_bytes());
}

fn noted<T: std::fmt::Debug>(answer: Answer<T>) -> Answer<T> {
    note(&answer);
    answer.inspect_err(|error| note_error(error))
}

impl<S: Store> Store for Witness<S> {
    async fn load(&self, key: &Key) -> Answer<Option<Entry>> {
        let answer = noted(self.begin(key)?.load(key).await);
        if let Ok(Some(entry)) = &answer {
            note_entry(entry);
        }
        answer
    }

    async fn create(&self, key: &Key, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        note_entry(entry);
        noted(self.begin(key)?.create(key, entry, keep_for).await)
    }

    async fn commit(&self, key: &Key, expected: WriteId, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        note_entry(entry);
        noted(self.begin(key)?.commit(key, expected, entry, keep_for).await)
    }

    async fn touch(&self, key: &Key, seen: Timestamp, now: Timestamp, keep_for: Duration) -> Answer<bool> {
        noted(self.begin(key)?.touch(key, seen, now, keep_for).await)
    }

    async fn end(&self, key: &Key, expected: Option<WriteId>, marker: &Marker) -> Answer<Outcome> {
        note_marker(marker);
        noted(self.begin(key)?.end(key, expected, marker).await)
    }

    async fn admit(&self, owner: &Owner, admission: &Admission<'_>) -> Answer<Admitted> {
        note(admission);
        note_key(&admission.member.key);
        note_stored(&admission.member.to_bytes());
        note_entry(admission.entry);
        admission.predecessor.into_iter().chain(admission.evicted).for_each(note_departure);
        noted(self.begin_for(owner)?.admit(owner, admission).await)
    }

    async fn depart(&self, owner: &Owner, departure: &Departure) -> Answer<Outcome> {
        note_departure(departure);
        noted(self.begin_for(owner)?.depart(owner, departure).await)
    }

    async fn members(&self, owner: &Owner) -> Answer<Vec<(Member, Entry)>> {
        let answer = noted(self.begin_for(owner)?.members(owner).await);
        for (member, entry) in answer.iter().flatten() {
            note_key(&member.key);
            note_entry(entry);
        }
        answer
    }

    async fn end_all(&self, owner: &Owner, sweep: &Sweep) -> Answer<Option<Swept>> {
        note(sweep);
        note_marker(&sweep.marker);
        let answer = noted(self.begin_for(owner)?.end_all(owner, sweep).await);
        answer.iter().flatten().for_each(|swept| note_news(&swept.news));
        answer
    }

    async fn publish(&self, realm: &'static str, news: &Revocation) -> Answer<()> {
        note_news(news);
        noted(self.up()?.publish(realm, news).await)
    }

    forward!(self => self.inner; follow);
}

impl<S: LastingStore> LastingStore for Witness<S> {
    async fn load_both(&self, session: &Key, user_session: &Key) -> Answer<[Option<Entry>; 2]> {
        note_key(session);
        let answer = noted(self.begin(user_session)?.load_both(session, user_session).await);
        answer.iter().flatten().flatten().for_each(note_entry);
        answer
    }

    async fn load_several(&self, keys: &[Key]) -> Answer<Vec<Option<Entry>>> {
        keys.iter().for_each(note_key);
        let answer = noted(self.up()?.load_several(keys).await);
        answer.iter().flatten().flatten().for_each(note_entry);
        answer
    }

    async fn replace(&self, key: &Key, replacement: &Replacement<'_>) -> Answer<Replaced> {
        note(replacement);
        note_entry(replacement.entry);
        if let Some(outgoing) = replacement.outgoing {
            note_stored(outgoing.id.as_bytes());
            note_stored(&outgoing.sealed);
        }
        noted(self.begin(key)?.replace(key, replacement).await)
    }

    async fn renew(&self, key: &Key, seen: Timestamp, idle: Duration, keep_for: Duration) -> Answer<bool> {
        noted(self.begin(key)?.renew(key, seen, idle, keep_for).await)
    }

    async fn outbox(&self, realm: &'static str, shard: u8, limit: usize) -> Answer<Vec<Outgoing>> {
        noted(self.uncounted()?.outbox(realm, shard, limit).await)
    }

    async fn full_outboxes(&self, realm: &'static str) -> Answer<Vec<(u8, usize)>> {
        noted(self.uncounted()?.full_outboxes(realm).await)
    }

    async fn due(&self, realm: &'static str, limit: usize) -> Answer<Vec<(Key, Entry)>> {
        let answer = noted(self.uncounted()?.due(realm, limit).await);
        for (key, entry) in answer.iter().flatten() {
            note_key(key);
            note_entry(entry);
        }
        answer
    }

    async fn put_off(&self, key: &Key, look_in: Duration) -> Answer<()> {
        note_key(key);
        noted(self.uncounted()?.put_off(key, look_in).await)
    }

    async fn retire(&self, realm: &'static str, limit: usize) -> Answer<bool> {
        noted(self.uncounted()?.retire(realm, limit).await)
    }

    async fn sent(&self, realm: &'static str, shard: u8, ids: &[Uuid]) -> Answer<()> {
        noted(self.uncounted()?.sent(realm, shard, ids).await)
    }
}
