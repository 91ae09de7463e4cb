//! Headless Chromium, driven through WebDriver.

use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use std::net::TcpStream;
use std::process::Command;
use tempfile::TempDir;
use testbed::{Process, free_port, wait_until};

/// A browser with a profile of its own; gone when this is dropped.
#[derive(Debug)]
pub struct Chromium {
    _driver: Process,
    profile: TempDir,
    /// To steer it by.
    pub client: Client,
}

impl Chromium {
    /// Starts a browser with an empty profile.
    pub async fn start() -> Self {
        let port = free_port();
        let profile = tempfile::tempdir().expect("a temporary folder");
        let log = std::fs::File::create(profile.path().join("driver.log")).expect("a file can be created");
        let driver = Process::spawn("chromedriver", &[format!("--port={port}")], log);
        wait_until("the browser's driver", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        let arguments = [
            "--headless=new".to_owned(),
            // Needed as root; the only pages that it opens are the shop's.
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-gpu".to_owned(),
            "--window-size=1280,900".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let capabilities: Capabilities =
            [("goog:chromeOptions".to_owned(), json!({ "args": arguments }))].into_iter().collect();
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await
            .expect("the browser starts");
        Self { _driver: driver, profile, client }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // The driver is killed, and leaves the browser behind; its profile tells it from any other.
        let profile = format!("--user-data-dir={}", self.profile.path().display());
        let _ = Command::new("pkill").args(["-KILL", "-f", "--", &profile]).status();
    }
}
