//! An application of one process that is killed, and started again when much has run out.

use crate::apps::{App, Crew};
use crate::lives::{Life, Told};
use crate::places::{Place, in_each_place};
use crate::{forms, until};

/// No process runs when they run out. The one that starts is asked nothing, and archives them with what they held.
async fn what_ran_out_while_no_process_ran_is_archived_when_one_starts(place: Place) {
    let crew = Crew::start(&place.site, 1).await;
    let mut lives = Vec::new();
    for user in ["ada", "bob", "eve"] {
        let mut life = Life::begin(&crew, user).await;
        life.fills_in_and_leaves().await;
        lives.push(life);
    }
    crew.is_gone();
    place.idles(2 * forms::IDLE).await;
    assert_eq!((place.count().await, place.left_to_do().await), (0, 3), "nobody is there who could");

    let site = place.site.clone();
    let _app = tokio::task::spawn_blocking(move || App::start(&site)).await.expect("it starts");
    until("they are archived", async || place.left_to_do().await == 0).await;
    for life in &lives {
        let found = place.archived(&life.user).await;
        assert_eq!(found.iter().map(Told::of).collect::<Vec<_>>(), life.told, "of {}", life.user);
    }
    assert_eq!(place.count().await, 3);
}

in_each_place! {
    what_ran_out_while_no_process_ran_is_archived_when_one_starts,
}
