//! A store that collects all that it is given, and fails when it is told to.

use super::evidence::{note, note_bytes, note_error};
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use thin_session::store::{Answer, Entry, Key, Marker, Outcome, Store, StoreError, Timestamp, WriteId};

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
        self.calls.fetch_add(1, Ordering::SeqCst);
        note(key);
        note_bytes(key.to_string().as_bytes());
        note_bytes(key.digest());
        match *self.mode.lock().expect("nobody panics with it") {
            Mode::Up => Ok(&self.inner),
            Mode::Down => Err(StoreError::not_applied(io::Error::from(io::ErrorKind::ConnectionRefused))),
            Mode::Silent => Err(StoreError::unknown(io::Error::from(io::ErrorKind::TimedOut))),
        }
    }
}

fn note_entry(entry: &Entry) {
    note(entry);
    note(&entry.write_id());
    note(&entry.touched());
    note_bytes(entry.as_bytes());
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
        note(marker);
        note_bytes(marker.tail());
        noted(self.begin(key)?.end(key, expected, marker).await)
    }
}
