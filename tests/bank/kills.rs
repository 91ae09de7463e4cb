//! Sessions that end in every way, users' and browsers', while processes are killed at any moment, and SQL is restarted.

use crate::apps::Crew;
use crate::lives::{Life, Told, WAYS, all};
use crate::places::{Place, in_each_place};
use crate::{forms, rounds, until};
use std::sync::Arc;
use std::time::Duration;
use thin_session::UserId;
use tokio::time::sleep;

/// How many each user ends: one in each way.
const EACH: usize = WAYS.len();

/// Of many users: each is in the archive once, as it ended, and the store has nothing of it but markers.
async fn however_they_end_each_is_there_once(place: Place) {
    // The short version is about the places where SQL is a server, which can be killed as well.
    if rounds(0, 1) == 0 && !place.has_sql_server() {
        return;
    }
    let (place, users) = (Arc::new(place), rounds(200, 1000) / EACH);
    let crew = Crew::start(&place.site, 3).await;
    let killer = tokio::spawn(Arc::clone(&crew).is_killed_again_and_again());
    let mut lives = all(users, |user| {
        let crew = Arc::clone(&crew);
        async move { Life::begin(&crew, &format!("user{user}")).await }
    })
    .await;
    for round in 0..EACH {
        let restart = tokio::spawn({
            let place = Arc::clone(&place);
            async move {
                if round % 2 == 1 {
                    place.stop_sql().await;
                    sleep(Duration::from_millis(rand::random_range(0..500))).await;
                    place.start_sql().await;
                }
            }
        });
        let mut left = lives.into_iter();
        lives = all(users, |user| {
            let mut life = left.next().expect("one of each user");
            async move {
                WAYS[(user + round) % EACH](&mut life).await;
                if (user + round) % EACH == 0 {
                    life.signs_out_and_in().await;
                }
                life
            }
        })
        .await;
        restart.await.expect("it starts again");
        // What was left runs out. Whether its user begins the next first, or somebody who sweeps is faster: that is luck.
        place.idles(2 * forms::IDLE).await;
    }
    until("all is archived", async || place.left_to_do().await == 0).await;
    killer.abort();
    assert!(crew.kills() >= 3, "{} were killed", crew.kills());

    for life in &lives {
        let found: Vec<_> = place.archived(&life.user).await.iter().map(Told::of).collect();
        assert_eq!(found, life.told, "of {}", life.user);
    }
    let [forms, signed_out, others] = place.counts().await;
    assert_eq!(forms, i64::try_from(users * EACH).expect("not so many"), "and nothing else");
    // Each has signed out once, and been told that it was done.
    assert_eq!((signed_out, others), (i64::try_from(users).expect("not so many"), 0));

    // Browsers are still signed in, some twice where the first answer was lost.
    let signed_in = place.live().await;
    let sessions = place.site.layer().await.sessions();
    for life in &lives {
        sessions.end_all(&UserId::new(&*life.user).expect("it is an id")).await.expect("the store answers");
    }
    assert_eq!(place.live().await, 0, "markers, which go by themselves");
    until("those are archived as well", async || place.left_to_do().await == 0).await;
    assert_eq!(place.counts().await, [forms, signed_out, signed_in]);
    assert_eq!(place.copies().await, 0);
}

in_each_place! {
    however_they_end_each_is_there_once,
}
