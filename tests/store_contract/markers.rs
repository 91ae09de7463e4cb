//! Markers as the crate makes them: only it can, so they are caught on their way into a store.

use axum::Router;
use axum::routing::post;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use testbed::Client;
use thin_session::store::{Answer, Entry, Key, Marker, Outcome, Store, Timestamp, WriteId};
use thin_session::{Keyring, MemoryStore, SessionError, SessionLayer, UserId, Visitor};

/// What a session leaves that was signed out.
pub(crate) fn ended() -> &'static Marker {
    &MARKERS[1]
}

/// What a session leaves that goes on under another id, with some tens of random bytes.
pub(crate) fn moved() -> &'static Marker {
    &MARKERS[0]
}

static MARKERS: LazyLock<[Marker; 2]> = LazyLock::new(|| {
    let caught = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime can be built").block_on(catch())
    });
    caught.join().expect("two markers are caught")
});

/// Signs in, proves who it is again, which moves the session, and signs out.
async fn catch() -> [Marker; 2] {
    let store = Arc::new(Catching::default());
    let app = Router::new()
        .route("/in", post(sign_in))
        .route("/again", post(again))
        .route("/out", post(sign_out))
        .layer(SessionLayer::new(store.clone(), Keyring::generate()));
    let mut browser = Client::new(app);
    for path in ["/in", "/again", "/out"] {
        browser.post(path).await;
    }
    let markers = store.markers.lock().unwrap().clone();
    markers.try_into().expect("one move and one end")
}

async fn sign_in(mut visitor: Visitor) -> Result<(), SessionError> {
    visitor.sign_in(UserId::new("ada")?).await.map(drop)
}

async fn again(mut visitor: Visitor) -> Result<(), SessionError> {
    visitor.reauthenticated().await.map(drop)
}

async fn sign_out(mut visitor: Visitor) -> Result<(), SessionError> {
    visitor.sign_out().await
}

#[derive(Default)]
struct Catching {
    inner: MemoryStore,
    markers: Mutex<Vec<Marker>>,
}

impl Store for Catching {
    async fn load(&self, key: &Key) -> Answer<Option<Entry>> {
        self.inner.load(key).await
    }

    async fn create(&self, key: &Key, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        self.inner.create(key, entry, keep_for).await
    }

    async fn commit(&self, key: &Key, expected: WriteId, entry: &Entry, keep_for: Duration) -> Answer<Outcome> {
        self.inner.commit(key, expected, entry, keep_for).await
    }

    async fn touch(&self, key: &Key, seen: Timestamp, now: Timestamp, keep_for: Duration) -> Answer<bool> {
        self.inner.touch(key, seen, now, keep_for).await
    }

    async fn end(&self, key: &Key, expected: Option<WriteId>, marker: &Marker) -> Answer<Outcome> {
        self.markers.lock().unwrap().push(marker.clone());
        self.inner.end(key, expected, marker).await
    }
}

#[test]
fn they_are_what_they_are_taken_for() {
    assert_eq!((moved().state(), ended().state()), (crate::entries::MOVED, crate::entries::ENDED));
    assert!(moved().tail().len() > 30 && ended().tail().len() == 1);
}
