//! Cookies that somebody planted in a browser before its user signed in there, or has copied since.

use crate::shop::{ok, see};
use crate::site::{LOGIN, Place, SESSION, Server, VISITOR, in_each_place, with_only};
use axum::http::Method;
use testbed::Client;

/// What the planter has: the cookies that the browser held before its user signed in, each alone and all together.
fn replays(planted: &Client) -> Vec<Client> {
    let names: Vec<_> = planted.cookies.keys().map(String::as_str).collect();
    let alone = names.iter().map(|name| with_only(planted, &[name]));
    alone.chain([planted.clone()]).collect()
}

/// The user does what nobody else must see.
async fn shop_in_secret(browser: &mut Client) {
    ok(browser.post("/cart/secret").await);
    ok(browser.post("/address/Elm+Street").await);
    ok(browser.post("/count").await);
}

/// Nothing of hers is seen or changed by whoever has these cookies.
async fn gives_nothing(servers: &[Server; 2], planted: &Client, victim: &Client) {
    for server in servers {
        for thief in replays(planted).into_iter().map(|replay| server.seen_by(&replay)) {
            let cookies = thief.cookies.keys().cloned().collect::<Vec<_>>().join(", ");
            for path in ["/who", "/hello", "/session", "/address", "/count", "/cart"] {
                let told = thief.ask(Method::GET, path).await;
                for secret in ["ada", "secret", "Elm", "1", &see(victim, "/session").await] {
                    assert!(!told.text().contains(secret) || told.status != 200, "{path} with {cookies}");
                }
            }
            assert_ne!(thief.ask(Method::POST, "/reauthenticate").await.status, 200, "{cookies}");
            assert_ne!(thief.ask(Method::POST, "/end-others").await.status, 200, "{cookies}");
            // Who signs in with them as somebody else finds nothing of hers either.
            let mut mallory = thief.clone();
            ok(mallory.post("/sign-in/mallory").await);
            assert_eq!(see(&mallory, "/who").await, "mallory");
            assert!(!see(&mallory, "/cart").await.contains("secret"));
            assert_eq!(see(&mallory, "/address").await, "");
        }
        let victim = server.seen_by(victim);
        assert_eq!(see(&victim, "/who").await, "ada");
        assert_eq!(see(&victim, "/hello").await, "ada");
        assert_eq!(see(&victim, "/count").await, "1");
        assert_eq!(server.listed("ada").await.len(), 1);
    }
}

/// Signs in, and proves it again, in a browser with planted cookies.
async fn life_after(servers: &[Server; 2], planted: Client) {
    let mut victim = planted.clone();
    ok(victim.post("/sign-in/ada").await);
    shop_in_secret(&mut victim).await;
    gives_nothing(servers, &planted, &victim).await;
    // Her own id from before the proof is worth no more than the planted one.
    let before = with_only(&victim, &[LOGIN]);
    ok(victim.post("/reauthenticate").await);
    assert_ne!(before.cookies[LOGIN], victim.cookies[LOGIN]);
    gives_nothing(servers, &planted, &victim).await;
    gives_nothing(servers, &before, &victim).await;

    ok(victim.post("/sign-in/ada").await);
    gives_nothing(servers, &before, &victim).await;
}

async fn an_anonymous_session_that_was_planted_gives_nothing(place: Place) {
    let site = place.site().await;
    let servers = [site.server(), site.elsewhere().await];
    let planted = servers[0].browser_with_tea().await;
    assert_eq!(planted.cookies.keys().collect::<Vec<_>>(), [SESSION]);
    life_after(&servers, planted).await;
}

async fn a_session_of_somebody_else_that_was_planted_gives_nothing(place: Place) {
    let site = place.site().await;
    let servers = [site.server(), site.elsewhere().await];
    let mut planted = servers[0].signed_in("bob").await;
    ok(planted.post("/cart/tea").await);
    assert_eq!(planted.cookies.keys().collect::<Vec<_>>(), [LOGIN, VISITOR]);
    life_after(&servers, planted).await;
}

async fn all_three_that_were_planted_give_nothing(place: Place) {
    let site = place.site().await;
    let servers = [site.server(), site.elsewhere().await];
    let mut planted = servers[0].signed_in("bob").await;
    planted.cookies.extend(servers[0].browser_with_tea().await.cookies);
    assert_eq!(planted.cookies.len(), 3);
    life_after(&servers, planted).await;
}

/// The cookies of before, put back into her browser beside or over her own.
async fn planted_again_after_the_sign_in_they_let_nobody_in(place: Place) {
    let site = place.site().await;
    let server = site.server();
    let mut planted = server.signed_in("bob").await;
    let anonymous = server.browser_with_tea().await;
    planted.cookies.extend(anonymous.cookies.clone());
    let mut victim = planted.clone();
    ok(victim.post("/sign-in/ada").await);

    let mut beside = victim.clone();
    beside.cookies.extend(anonymous.cookies);
    assert_eq!(see(&beside, "/who").await, "ada", "the signed-in one wins");
    for name in [LOGIN, VISITOR] {
        let mut over = victim.clone();
        over.cookies.insert(name.to_owned(), planted.cookies[name].clone());
        assert_eq!(see(&over, "/who").await, "", "{name}");
        assert_ne!(over.ask(Method::POST, "/count").await.status, 200, "{name}: and nothing begins");
    }
}

in_each_place! {
    an_anonymous_session_that_was_planted_gives_nothing,
    a_session_of_somebody_else_that_was_planted_gives_nothing,
    all_three_that_were_planted_give_nothing,
    planted_again_after_the_sign_in_they_let_nobody_in,
}
