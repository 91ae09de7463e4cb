//! Where a bank keeps things, and the secrets of its servers, which are processes of their own.

use crate::shop::{self, tell_kind};
use crate::transfer;
use axum::Router;
use axum::middleware::map_response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::time::Duration;
use thin_session::store::StoreError;
use thin_session::{Keyring, RedisStore, Secret, SessionLayer, SqlStore};
use tokio::time::{Instant, sleep};

/// What a child is told.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// Where sessions live: `redis://…`, `postgres://…`, or a file.
    pub(crate) store: String,
    /// Where they go.
    pub(crate) archive: String,
    secrets: [String; 2],
}

impl Site {
    pub(crate) fn new(store: &str, archive: &str) -> Self {
        let secrets = [(); 2].map(|()| STANDARD.encode(rand::random::<[u8; 32]>()));
        Self { store: store.to_owned(), archive: archive.to_owned(), secrets }
    }

    /// What was [told](Self::told).
    pub(crate) fn heard<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let words: Vec<_> = words.into_iter().map(str::to_owned).collect();
        let [store, archive, lasting, current] = words.try_into().expect("four words");
        Self { store, archive, secrets: [lasting, current] }
    }

    /// In four words.
    pub(crate) fn told(&self) -> String {
        let [lasting, current] = &self.secrets;
        [&self.store, &self.archive, lasting, current].map(String::as_str).join(" ")
    }

    pub(crate) fn is_on_redis(&self) -> bool {
        self.store.starts_with("redis")
    }

    /// Sessions as they are unless configured.
    pub(crate) async fn layer(&self) -> SessionLayer {
        self.layer_on(|sql| sql).await
    }

    async fn layer_on(&self, configured: impl Fn(SqlStore) -> SqlStore) -> SessionLayer {
        if self.is_on_redis() {
            let store = opened(|| RedisStore::connect(&self.store)).await;
            SessionLayer::with_user_sessions(store, self.keys()).archive(configured(sql(&self.archive).await))
        } else {
            let store = configured(sql(&self.store).await);
            SessionLayer::with_user_sessions(store.clone(), self.keys()).archive(store)
        }
    }

    pub(crate) fn keys(&self) -> Keyring {
        let [lasting, current] = self.secrets.each_ref().map(|text| Secret::from_base64(text).expect("a secret"));
        Keyring::new(lasting, current).expect("two secrets")
    }

    pub(crate) async fn server(&self) -> Router {
        // No test is right by being fast.
        let layer = self.layer_on(|sql| sql.with_timeout(Duration::from_secs(5))).await;
        let layer = layer.store_deadline(Duration::from_secs(20)).expect("it is in bounds");
        shop::routes().merge(transfer::pages()).layer(layer).layer(map_response(tell_kind))
    }
}

/// The database at this place.
pub(crate) async fn sql(place: &str) -> SqlStore {
    match place.starts_with("postgres") {
        true => opened(|| SqlStore::postgres(place)).await,
        false => opened(|| SqlStore::sqlite(place)).await,
    }
}

/// As soon as it is up: servers are away for some time, or late on a busy machine.
async fn opened<T, F: Future<Output = Result<T, StoreError>>>(open: impl Fn() -> F) -> T {
    let give_up = Instant::now() + Duration::from_secs(60);
    loop {
        match open().await {
            Ok(store) => return store,
            Err(error) => assert!(Instant::now() < give_up, "{error}"),
        }
        sleep(Duration::from_millis(50)).await;
    }
}
