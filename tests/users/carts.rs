//! What is put into the cart while its visitor signs in, once or twice: there, or visibly failed.

use crate::shop::{ok, refused, see};
use crate::site::{Place, in_each_place, rounds};
use axum::http::{Method, StatusCode};
use testbed::{Answer, Client};
use tokio::task::JoinSet;

const ITEMS: [&str; 4] = ["milk", "honey", "bread", "salt"];

/// What a cart must hold: tea, and what was acknowledged.
fn expected(answers: Vec<(&'static str, Answer)>) -> Vec<&'static str> {
    let mut expected = vec!["tea"];
    for (item, answer) in answers {
        match answer.status {
            StatusCode::OK => expected.push(item),
            _ => drop(refused(answer, "Ended")),
        }
    }
    expected.sort_unstable();
    expected
}

async fn cart(browser: &Client) -> Vec<String> {
    let mut cart: Vec<_> = see(browser, "/cart").await.split(' ').map(str::to_owned).collect();
    cart.sort_unstable();
    cart
}

async fn what_is_added_while_signing_in_is_there_or_failed(place: Place) {
    let site = place.site().await;
    let servers = [site.server(), site.elsewhere().await];
    let (mut added, rounds) = (0, rounds(50, 500));
    for round in 0..rounds {
        let mut browser = servers[0].browser_with_tea().await;
        let mut all = JoinSet::new();
        for (number, item) in ITEMS.into_iter().enumerate() {
            let browser = servers[number % 2].seen_by(&browser);
            all.spawn(async move { (item, browser.ask(Method::POST, &format!("/cart/{item}")).await) });
        }
        ok(browser.post(&format!("/sign-in/user-{round}")).await);
        let found = cart(&browser).await;
        let expected = expected(all.join_all().await);
        added += expected.len() - 1;
        assert_eq!(found, expected, "round {round}");
        assert_eq!(cart(&browser).await, expected, "round {round}: nothing came later");
    }
    assert!(0 < added, "some came in time");
}

/// With things added meanwhile; whichever of the two responses the browser keeps.
async fn a_double_click_keeps_the_cart(place: Place) {
    let site = place.site().await;
    let servers = [site.server(), site.elsewhere().await];
    for round in 0..rounds(50, 500) {
        let (browser, user) = (servers[0].browser_with_tea().await, format!("user-{round}"));
        let (mut clicks, mut adding) = (JoinSet::new(), JoinSet::new());
        for number in 0..2 {
            let here = servers[number].seen_by(&browser);
            let (click, path) = (here.clone(), format!("/sign-in/{user}"));
            clicks.spawn(async move { ok(click.ask(Method::POST, &path).await) });
            let item = ITEMS[number];
            adding.spawn(async move { (item, here.ask(Method::POST, &format!("/cart/{item}")).await) });
        }
        let (clicks, expected) = (clicks.join_all().await, expected(adding.join_all().await));
        for order in [[0, 1], [1, 0]] {
            let mut browser = browser.clone();
            order.iter().for_each(|click| browser.take(&clicks[*click]));
            assert_eq!(see(&browser, "/who").await, user, "round {round}");
            assert_eq!(cart(&browser).await, expected, "round {round}");
        }
        assert_eq!(servers[1].listed(&user).await.len(), 1, "round {round}: two clicks are one sign-in");
    }
}

in_each_place! {
    what_is_added_while_signing_in_is_there_or_failed,
    a_double_click_keeps_the_cart,
}
