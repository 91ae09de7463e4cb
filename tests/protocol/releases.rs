//! Two releases of an application on one store, as in every rolling deploy. Protocol 6.

use super::gate::Op;
use super::shop::{Shop, ok, on_each_store, refused, see};
use axum::Router;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use testbed::Client;
use thin_session::{IfUndecodable, LazySession, Old, Session, SessionData, SessionError};

/// The type of a release, its slot and its pages: one that shows it, one that changes it, one that replaces it.
macro_rules! release {
    ($release:ident { $($field:ident: $type:ty),* } as $version:literal $({ $($rest:tt)* })?) => {
        #[derive(Clone, Default, Serialize, Deserialize)]
        struct $release { $($field: $type),* }

        impl SessionData for $release {
            const NAME: &'static str = "basket";
            const VERSION: u32 = $version;
            $($($rest)*)?
        }
    };
}

release!(First { items: u32 } as 1);
release!(Second { items: u32, gift: bool } as 2 {
    fn migrate(old: Old<'_>) -> Option<Self> {
        let First { items } = old.decode()?;
        Some(Self { items, gift: false })
    }
});
// The same version, and yet of another shape: a mistake.
release!(Broken { items: String } as 1);
release!(Carefree { items: String } as 1 {
    const IF_UNDECODABLE: IfUndecodable = IfUndecodable::StartOver;
});

async fn add_first(mut basket: Session<First>) -> Result<(), SessionError> {
    basket.update(|basket| basket.items += 1).await
}

async fn add_second(mut basket: Session<Second>) -> Result<(), SessionError> {
    let add = |basket: &mut Second| {
        basket.items += 1;
        basket.gift = true;
    };
    basket.update(add).await
}

async fn replace<T: SessionData>(basket: LazySession<T>) -> Result<(), SessionError> {
    basket.replace(T::default()).await.map(drop)
}

async fn write_blindly(basket: LazySession<First>) -> Result<(), SessionError> {
    add_first(basket.load().await?).await
}

/// A browser's view of each release.
struct Releases {
    first: Client,
    second: Client,
    broken: Client,
    carefree: Client,
}

impl Releases {
    fn of(shop: &Shop) -> Self {
        let release = |routes: Router| Client::new(shop.layered(routes, Duration::from_secs(20)));
        Self {
            first: release(
                Router::new()
                    .route("/", get(async |basket: Session<First>| basket.items.to_string()).post(add_first))
                    .route("/blindly", post(write_blindly))
                    .route("/replace", post(replace::<First>)),
            ),
            second: release(
                Router::new()
                    .route("/", get(async |basket: Session<Second>| format!("{} {}", basket.items, basket.gift)))
                    .route("/add", post(add_second)),
            ),
            broken: release(
                Router::new()
                    .route("/", get(async |basket: Session<Broken>| basket.items.clone()))
                    .route("/replace", post(replace::<Broken>)),
            ),
            carefree: release(Router::new().route("/", get(async |basket: Session<Carefree>| basket.items.clone()))),
        }
    }

    /// All with the cookies of this one.
    fn share(&mut self, cookies: impl Fn(&Self) -> &Client) {
        let cookies = cookies(self).cookies.clone();
        for client in [&mut self.first, &mut self.second, &mut self.broken, &mut self.carefree] {
            client.cookies.clone_from(&cookies);
        }
    }
}

async fn what_a_newer_release_wrote_is_an_error_and_never_overwritten(shop: Shop) {
    let mut of = Releases::of(&shop);
    ok(of.second.post("/add").await);
    of.share(|of| &of.second);
    let written = shop.gate.count(Op::Commit);
    for path in ["/", "/blindly", "/replace"] {
        let answer = refused(of.first.post(path).await, "Newer");
        assert_eq!(answer.status, 503);
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    refused(of.first.get("/").await, "Newer");
    assert_eq!(shop.gate.count(Op::Commit), written);
    assert_eq!(see(&of.second, "/").await, "1 true");
}

async fn what_an_older_release_wrote_is_migrated(shop: Shop) {
    let mut of = Releases::of(&shop);
    ok(of.first.post("/").await);
    of.share(|of| &of.first);
    assert_eq!(see(&of.second, "/").await, "1 false");
    assert_eq!(see(&of.first, "/").await, "1", "reading it writes nothing");
    ok(of.second.post("/add").await);
    assert_eq!(see(&of.second, "/").await, "2 true");
}

async fn what_does_not_decode_is_an_error_that_only_replacing_overwrites(shop: Shop) {
    let mut of = Releases::of(&shop);
    ok(of.first.post("/").await);
    of.share(|of| &of.first);
    assert_eq!(refused(of.broken.get("/").await, "Undecodable").status, 500);
    assert_eq!(see(&of.first, "/").await, "1");
    assert_eq!(see(&of.carefree, "/").await, "", "unless its type says otherwise");
    ok(of.broken.post("/replace").await);
    assert_eq!(see(&of.broken, "/").await, "");
    refused(of.first.get("/").await, "Undecodable");
}

/// A release that does not know a type at all carries its values along.
async fn slots_of_unknown_types_stay(shop: Shop) {
    let mut of = Releases::of(&shop);
    ok(of.second.post("/add").await);
    let mut browser = of.second.at(shop.server());
    ok(browser.post("/cart/tea").await);
    ok(browser.post("/sign-in/ada").await);
    of.second.cookies.clone_from(&browser.cookies);
    assert_eq!(see(&of.second, "/").await, "1 true");
    assert_eq!(see(&browser, "/cart").await, "tea");
}

on_each_store! {
    what_a_newer_release_wrote_is_an_error_and_never_overwritten,
    what_an_older_release_wrote_is_migrated,
    what_does_not_decode_is_an_error_that_only_replacing_overwrites,
    slots_of_unknown_types_stay,
}
