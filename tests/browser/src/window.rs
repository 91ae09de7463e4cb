//! What a person does at a window.

use fantoccini::{Client, Locator};
use std::time::Duration;

/// A window of a browser, on a site.
#[derive(Debug)]
pub struct Window<'a> {
    /// To steer it by.
    pub client: &'a Client,
    /// Where the site is.
    pub site: String,
}

impl Window<'_> {
    /// Opens a page.
    ///
    /// # Panics
    ///
    /// As all methods: if there is no such thing, or it takes too long.
    pub async fn open(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.site)).await.expect("the page opens");
    }

    /// All that is to be read.
    pub async fn text(&self) -> String {
        let body = self.client.wait().for_element(Locator::Css("body")).await.expect("a page has a body");
        body.text().await.expect("it has a text")
    }

    /// The last line of a page, which says what it cost.
    pub async fn footer(&self) -> String {
        let footer = self.client.wait().for_element(Locator::Css("footer")).await.expect("a page has a footer");
        footer.text().await.expect("it has a text")
    }

    /// Clicks on what leads to another page, and waits until this one has gone: words that stand on both must not be found
    /// on this one.
    async fn click(&self, path: &str) {
        let page = self.client.find(Locator::Css("html")).await.expect("there is a page");
        let element = self.client.wait().for_element(Locator::XPath(path)).await.expect("it is there");
        element.click().await.expect("it can be clicked on");
        let gone = async {
            while page.tag_name().await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(testbed::LIMIT, gone).await.expect("the page goes");
    }

    /// Fills in the field of this name.
    pub async fn fill(&self, field: &str, value: &str) {
        let selector = format!("[name={field}]");
        let field = self.client.wait().for_element(Locator::Css(&selector)).await.expect("the field is there");
        field.clear().await.expect("it can be cleared");
        field.send_keys(value).await.expect("it can be filled in");
    }

    /// Presses the first button with such a caption.
    pub async fn press(&self, caption: &str) {
        self.click(&format!("//button[contains(normalize-space(.), '{caption}')]")).await;
    }

    /// Follows the first link with such words.
    pub async fn follow(&self, words: &str) {
        self.click(&format!("//a[contains(normalize-space(.), '{words}')]")).await;
    }

    /// Waits for a page with these words.
    pub async fn sees(&self, words: &str) {
        let path = format!("//body[contains(normalize-space(.), '{words}')]");
        let found = self.client.wait().for_element(Locator::XPath(&path)).await;
        assert!(found.is_ok(), "no {words:?} in: {}", self.text().await);
    }
}
