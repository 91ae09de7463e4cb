//! With a file, everything outlives the bank.

use crate::customer::Customer as _;
use crate::{IPHONE, UNDER_WAY, at};
use std::path::PathBuf;
use testbed::{Example, RedisServer};

/// A folder of a test's own; gone when this is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("transfer-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        Self(folder)
    }

    pub(crate) fn data(&self) -> String {
        self.0.join("transfer.db").display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The steps of a transfer, and a restart between any two.
async fn everything_outlives_the_bank(args: &[&str]) {
    let bank = Example::start("transfer", args);
    let mut phone = at(&bank, IPHONE, "Ada").await;
    phone.address().await.leads_to("/transfer/amount");
    assert!(bank.interrupt().success(), "ctrl-c is no failure");

    let bank = Example::start("transfer", args);
    let mut phone = phone.at(bank.addr());
    phone.open("/").await.has_status(200).says(UNDER_WAY).says("Page 2 of this visit");
    phone.pay("12.50").await.leads_to("/transfer/note");
    phone.write("").await.leads_to("/transfer/confirm");
    let page = phone.open("/transfer/confirm").await;
    let sent = phone.send(&page).await;
    let receipt = sent.has_status(303).header("location").expect("it leads on").to_owned();
    assert!(bank.interrupt().success(), "ctrl-c is no failure");

    let bank = Example::start("transfer", args);
    let mut phone = phone.at(bank.addr());
    phone.open("/").await.says("9,987.50").does_not_say(UNDER_WAY);
    phone.open(&receipt).await.has_status(200).says("12.50");
    phone.send(&page).await.leads_to(&receipt);
    phone.open("/history").await.says("12.50 to Charles").says("Sent");
}

#[tokio::test]
async fn with_a_file_everything_outlives_the_bank() {
    let folder = Folder::new("file");
    everything_outlives_the_bank(&["--data", &folder.data()]).await;
}

#[tokio::test]
async fn with_redis_what_has_ended_is_in_the_file() {
    let (folder, server) = (Folder::new("redis"), RedisServer::start());
    everything_outlives_the_bank(&["--data", &folder.data(), "--redis", &server.url()]).await;
}
