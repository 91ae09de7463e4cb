//! How those that have ended come into the archive.

use super::{Transfer, step, user};
use std::time::Duration;
use thin_session::archive::{Answer, Archive, EndedSession, StoreError};
use thin_session::testing::forward;
use thin_session::{HistoryPage, Keyring, MemoryStore, SessionLayer};
use tokio::time::{sleep, timeout};

/// An archive that does not take what Ada had.
struct WithoutAda(MemoryStore);

impl Archive for WithoutAda {
    async fn add(&self, layer: &'static str, ended: &[EndedSession]) -> Answer<()> {
        if ended.iter().any(|ended| ended.user == Some(user("ada"))) {
            return Err(StoreError::refused("not hers"));
        }
        self.0.add(layer, ended).await
    }

    forward!(self => self.0; complete, settle, history, counts, add_dead, dead, remove_dead, forget, erase);
}

/// What the archive refuses waits, and does not stand in the way of what is in other shards.
#[tokio::test]
async fn what_cannot_be_archived_does_not_hold_up_the_rest() {
    let archive = std::sync::Arc::new(WithoutAda(MemoryStore::new()));
    let layer = SessionLayer::with_user_sessions(MemoryStore::new(), Keyring::generate());
    let sessions = layer.archive(std::sync::Arc::clone(&archive)).sessions();
    let others: Vec<_> = (0..30).map(|number| user(&format!("user{number}"))).collect();
    for user in std::iter::once(&user("ada")).chain(&others) {
        let mut transfer = sessions.user_session::<Transfer>(user).await.unwrap();
        step(&mut transfer, 1).await;
        transfer.complete().await.unwrap();
    }
    // Some may be in the shard that Ada's are in.
    let most_are_there = async {
        loop {
            let mut there = 0;
            for user in &others {
                there += archive.history("", user, &HistoryPage::of(1)).await.unwrap().len();
            }
            if there + 3 >= others.len() {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), most_are_there).await.expect("they come into the archive");
    assert!(archive.history("", &user("ada"), &HistoryPage::of(1)).await.unwrap().is_empty());
}
