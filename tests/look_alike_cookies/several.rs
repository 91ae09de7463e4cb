//! Many cookies under our name: a sibling domain can plant some, and nobody can tell from the request which are whose.

use super::common::{Call, log, log_of_this_thread};
use super::site::{SESSION, Site, VISITOR, junk, pair};
use axum::http::Method;

#[tokio::test]
async fn the_same_cookie_twice_is_one() {
    let site = Site::new();
    let mine = pair(&site.visitor_with("mine").await, SESSION);
    for cookies in [vec![format!("{mine}; {mine}").into()], vec![mine.clone().into(), mine.clone().into()]] {
        assert_eq!(site.note(&cookies).await, ("mine".into(), vec![Call::Load]));
    }
}

/// Of four values under our name, the most that are looked at.
#[tokio::test]
async fn junk_beside_the_good_one_does_no_harm() {
    let site = Site::new();
    let mine = pair(&site.visitor_with("mine").await, SESSION);
    let junk: Vec<_> = ['A', 'x', '-'].map(|letter| format!("{SESSION}={}", junk(letter))).into();
    for place in 0..=junk.len() {
        let mut pairs = junk.clone();
        pairs.insert(place, mine.clone());
        let headers: Vec<Vec<u8>> = pairs.iter().map(|pair| pair.clone().into()).collect();
        let expected = ("mine".into(), vec![Call::Load]);
        assert_eq!(site.note(&[pairs.join("; ").into()]).await, expected, "place {place} of one header");
        assert_eq!(site.note(&headers).await, expected, "header {place}");
    }
}

#[tokio::test]
async fn what_is_not_as_long_as_ours_takes_no_place() {
    let site = Site::new();
    let mine = pair(&site.visitor_with("mine").await, SESSION);
    let lengths = (0..200).filter(|length| *length != junk('A').len());
    let others: Vec<_> = lengths.map(|length| format!("{SESSION}={}", "A".repeat(length))).collect();
    let cookies = format!("{}; {mine}", others.join("; "));
    assert_eq!(site.note(&[cookies.into()]).await, ("mine".into(), vec![Call::Load]));
}

#[tokio::test]
async fn two_that_open_are_none() {
    log_of_this_thread();
    let site = Site::new();
    let [mine, planted] = [site.visitor_with("mine").await, site.visitor_with("planted").await];
    let both = [format!("{}; {}", pair(&planted, SESSION), pair(&mine, SESSION)).into_bytes()];
    log();
    assert_eq!(site.note(&both).await, (String::new(), vec![]), "no session is read");
    let log = log();
    assert_eq!(
        log.lines().filter(|line| line.contains("WARN thin_session: two different cookies")).count(),
        1,
        "{log}"
    );

    let (refused, calls) = site.send(Method::POST, "/note/more", &both).await;
    assert_eq!((refused.status.as_u16(), refused.text(), calls), (400, "Bad Request", vec![]));
    assert_eq!(refused.set_cookies(), Vec::<&str>::new(), "and none is begun");
    for (browser, note) in [(mine, "mine"), (planted, "planted")] {
        assert_eq!(site.note(&[pair(&browser, SESSION).into()]).await.0, note, "alone each is what it was");
    }
}

/// A planted login cookie must not make way for the anonymous one either: both sessions may be foreign.
#[tokio::test]
async fn two_logins_that_open_are_none_whatever_else_there_is() {
    let site = Site::new();
    let anonymous = site.visitor_with("mine").await;
    let [ada, eve] = [site.signed_in("ada").await, site.signed_in("eve").await];
    let cookies = [&ada, &eve, &anonymous].map(|browser| browser.cookie_header().into_bytes());
    assert_eq!(site.note(&cookies).await, (String::new(), vec![]));
    let (who, calls) = site.send(Method::GET, "/who", &cookies).await;
    assert_eq!((who.text(), calls), ("", vec![]));
    let (refused, _) = site.send(Method::POST, "/note/more", &cookies).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn two_visitors_are_none() {
    let site = Site::new();
    let [ada, eve] = [site.signed_in("ada").await, site.signed_in("eve").await].map(|browser| pair(&browser, VISITOR));
    let hello = async |cookies: &str| {
        let (answer, calls) = site.send(Method::GET, "/hello", &[cookies.into()]).await;
        assert_eq!(calls, []);
        answer.text().to_owned()
    };
    assert_eq!(hello(&ada).await, "ada");
    assert_eq!(hello(&format!("{ada}; {ada}")).await, "ada");
    assert_eq!(hello(&format!("{ada}; {eve}")).await, "");
}

#[tokio::test]
async fn signing_out_ends_every_session_that_is_named() {
    let site = Site::new();
    let browsers = [
        site.visitor_with("mine").await,
        site.visitor_with("planted").await,
        site.signed_in("ada").await,
        site.signed_in("eve").await,
    ];
    let all = browsers.each_ref().map(|browser| browser.cookie_header().into_bytes());
    let (answer, _) = site.send(Method::POST, "/sign-out", &all).await;
    assert_eq!(answer.status, 200);
    assert_eq!(site.store.live().await.len(), 0);
}

/// The way out for a browser that has two: the id changes at sign-in in any case.
#[tokio::test]
async fn signing_in_works_and_carries_nothing_over() {
    let site = Site::new();
    let [mine, planted] = [site.visitor_with("mine").await, site.visitor_with("planted").await];
    let both = [mine, planted].map(|browser| browser.cookie_header().into_bytes());
    let (answer, calls) = site.send(Method::POST, "/sign-in/ada", &both).await;
    assert_eq!((answer.status.as_u16(), calls), (200, vec![Call::Admit]));
    let mut browser = site.newcomer();
    browser.take(&answer);
    assert_eq!((browser.get("/who").await.text(), browser.get("/note").await.text()), ("ada", ""));
}
