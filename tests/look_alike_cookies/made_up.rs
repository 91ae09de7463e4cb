//! Values that we did not seal, or not for this: an id that somebody chose never becomes a session's.

use super::common::Call;
use super::site::{LOGIN, SESSION, Site, junk, pair, value};
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::time::Duration;
use thin_session::Keyring;

/// Sends a first write with this cookie, and checks that the session that begins owes nothing to it.
async fn assert_not_adopted(site: &Site, cookie: &str, looked_up: &[Call]) {
    let cookies = [cookie.as_bytes().to_vec()];
    let before: Vec<_> = site.store.live().await.into_iter().map(|(key, _)| key).collect();
    assert_eq!(site.note(&cookies).await, (String::new(), looked_up.to_vec()), "{cookie}");

    let (answer, calls) = site.send(Method::POST, "/note/own", &cookies).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "own"), "{cookie}");
    assert_eq!(calls, [looked_up, &[Call::Create]].concat(), "{cookie}");
    let mut browser = site.newcomer();
    browser.take(&answer);
    assert_ne!(pair(&browser, SESSION), cookie, "a cookie of our own");
    let (begun, _) = site.store.live().await.pop().expect("a session has begun");
    assert!(!before.contains(&begun), "under a key of its own: {cookie}");
}

#[tokio::test]
async fn nothing_that_we_did_not_seal_reaches_the_store() {
    let site = Site::new();
    let genuine = site.visitor_with("mine").await;
    let bytes = URL_SAFE_NO_PAD.decode(value(&genuine, SESSION)).expect("cookies are base64url");
    let (head, sealed) = bytes.split_at(5);
    let changed = |sealed: Vec<u8>| URL_SAFE_NO_PAD.encode([head, &sealed].concat());
    let key = site.store.live().await[0].0;
    let digest = URL_SAFE_NO_PAD.encode(key.digest());
    for value in [
        junk('A'),
        junk('_'),
        "0123456789abcdef0123456789abcdef".into(),
        "1".into(),
        String::new(),
        // Our version and key, and nothing else of ours.
        changed(vec![0; sealed.len()]),
        changed(vec![0xff; sealed.len()]),
        changed(sealed.iter().rev().copied().collect()),
        // What who has seen the store knows of the session.
        key.to_string(),
        digest.clone(),
        digest.repeat(5)[..92].to_owned(),
        changed(key.digest().repeat(4)),
    ] {
        assert_not_adopted(&site, &format!("{SESSION}={value}"), &[]).await;
        assert_eq!(site.note(&[format!("{LOGIN}={value}").into()]).await, (String::new(), vec![]), "{value}");
    }
}

#[tokio::test]
async fn what_another_application_sealed_reaches_no_store_of_ours() {
    let ours = Site::new();
    let elsewhere = Site::new().visitor_with("theirs").await;
    assert_not_adopted(&ours, &pair(&elsewhere, SESSION), &[]).await;

    // The same keys, for another part of the host: a name is part of the seal, not of the cookie's name alone.
    let admin = Site::build(ours.keys.clone(), |layer| layer.named("admin").expect("it is a name"));
    let inside = admin.visitor_with("theirs").await;
    let moved = value(&inside, "__Host-Http-admin-session");
    assert_not_adopted(&ours, &format!("{SESSION}={moved}"), &[]).await;
}

#[tokio::test]
async fn an_id_whose_session_is_gone_is_not_taken_up_again() {
    let first = Site::new();
    let browser = first.visitor_with("lost").await;
    let lost = first.store.live().await[0].0;
    let flushed = Site::with_keys(first.keys.clone());
    assert_not_adopted(&flushed, &pair(&browser, SESSION), &[Call::Load]).await;
    assert_ne!(flushed.store.live().await[0].0, lost);
}

/// Who planted a session in somebody's browser gets nothing of what that somebody does after signing in.
#[tokio::test]
async fn a_planted_session_ends_when_its_victim_signs_in() {
    let site = Site::new();
    let planter = site.visitor_with("planted").await;
    let mut victim = planter.clone();
    assert_eq!(victim.post("/sign-in/ada").await.status, 200);
    assert_eq!(victim.post("/note/-secret").await.text(), "planted-secret");
    assert_eq!(planter.ask(Method::GET, "/note").await.text(), "");
    assert_eq!(planter.ask(Method::GET, "/who").await.text(), "");
    assert_eq!(planter.ask(Method::POST, "/note/more").await.status, 409, "it has ended, and begins nothing");
    assert_eq!(victim.get("/note").await.text(), "planted-secret");
}

#[tokio::test]
async fn a_cookie_past_its_absolute_limit_costs_no_call() {
    for (browser, name, limit) in [
        (Browser::Anonymous, SESSION, Duration::from_secs(7 * 86_400)),
        (Browser::SignedIn, LOGIN, Duration::from_secs(12 * 3_600)),
    ] {
        let site = Site::new();
        let cookie = pair(&browser.of(&site).await, name);
        site.clock.advance(limit - Duration::from_millis(1));
        assert_eq!(site.note(&[cookie.clone().into()]).await, (String::new(), vec![Call::Load]), "{name}");
        site.clock.advance(Duration::from_millis(1));
        assert_not_adopted(&site, &cookie, &[]).await;
    }
}

#[tokio::test]
async fn a_session_that_has_idled_out_costs_one() {
    for (browser, name, limit) in [
        (Browser::Anonymous, SESSION, Duration::from_secs(86_400)),
        (Browser::SignedIn, LOGIN, Duration::from_secs(30 * 60)),
    ] {
        let site = Site::new();
        let cookie = pair(&browser.of(&site).await, name);
        site.clock.advance(limit);
        assert_not_adopted(&site, &cookie, &[Call::Load]).await;
    }
}

enum Browser {
    Anonymous,
    SignedIn,
}

impl Browser {
    async fn of(&self, site: &Site) -> testbed::Client {
        match self {
            Self::Anonymous => site.visitor_with("mine").await,
            Self::SignedIn => site.signed_in("ada").await,
        }
    }
}

#[tokio::test]
async fn a_cookie_of_a_refused_key_is_none() {
    let [lasting, leaked, next] = std::array::from_fn(|_| thin_session::Secret::generate());
    let before = Site::with_keys(Keyring::new(lasting.clone(), leaked.clone()).expect("two secrets"));
    let cookie = pair(&before.visitor_with("mine").await, SESSION);
    let ring = || Keyring::new(lasting.clone(), next.clone()).expect("two secrets");
    for keys in [ring(), ring().refusing(leaked).expect("a third")] {
        assert_not_adopted(&Site::with_keys(keys), &cookie, &[]).await;
    }
}
