//! The shop as a person sees it, in headless Chromium; and as visitors get it from a shared cache, behind nginx.
//!
//! Where a program cannot be installed, its test is counted as ignored, and says why.

use browser::{Chromium, Nginx, missing};
use fantoccini::{Client, Locator};
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use testbed::{Example, Http};

fn main() -> ExitCode {
    let trials = vec![
        trial("shopping_in_a_browser", &["chromium", "chromedriver"], shopping_in_a_browser),
        trial("what_ada_did_bob_does_not_see", &["chromium", "chromedriver"], what_ada_did_bob_does_not_see),
        trial("one_user_at_two_browsers", &["chromium", "chromedriver"], one_user_at_two_browsers),
        trial("nothing_personal_comes_from_a_cache", &["nginx"], nothing_personal_comes_from_a_cache),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial<F>(name: &str, programs: &[&str], test: fn() -> F) -> Trial
where
    F: Future<Output = ()> + 'static,
{
    let lacking = missing(programs);
    if let Some(program) = lacking {
        eprintln!("{name} is skipped: {program} is not installed");
    }
    let run = move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.expect("a runtime can be built").block_on(test());
        Ok::<_, Failed>(())
    };
    Trial::test(name, run).with_ignored_flag(lacking.is_some())
}

/// A window of a browser, on the shop.
struct Window<'a> {
    client: &'a Client,
    shop: String,
}

impl Window<'_> {
    async fn open(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.shop)).await.expect("the page opens");
    }

    async fn text(&self) -> String {
        let body = self.client.wait().for_element(Locator::Css("body")).await.expect("a page has a body");
        body.text().await.expect("it has a text")
    }

    /// The last line of a page, which says what it cost.
    async fn footer(&self) -> String {
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

    async fn fill(&self, field: &str, value: &str) {
        let selector = format!("[name={field}]");
        let field = self.client.wait().for_element(Locator::Css(&selector)).await.expect("the field is there");
        field.clear().await.expect("it can be cleared");
        field.send_keys(value).await.expect("it can be filled in");
    }

    /// Presses the first button with such a caption.
    async fn press(&self, caption: &str) {
        self.click(&format!("//button[contains(normalize-space(.), '{caption}')]")).await;
    }

    /// Follows the first link with such words.
    async fn follow(&self, words: &str) {
        self.click(&format!("//a[contains(normalize-space(.), '{words}')]")).await;
    }

    /// Waits for a page with these words.
    async fn sees(&self, words: &str) {
        let path = format!("//body[contains(normalize-space(.), '{words}')]");
        let found = self.client.wait().for_element(Locator::XPath(&path)).await;
        assert!(found.is_ok(), "no {words:?} in: {}", self.text().await);
    }

    async fn sign_in(&self, name: &str, password: &str) {
        self.open("/sign-in").await;
        self.fill("name", name).await;
        self.fill("password", password).await;
        self.press("Sign in").await;
        self.sees(&format!("Good morning, {name}")).await;
    }

    async fn sign_out(&self) {
        self.open("/my").await;
        self.press("Sign out").await;
        self.sees("Sign in").await;
    }

    async fn check_out(&self) {
        self.open("/checkout").await;
        self.fill("name", "Ada Lovelace").await;
        self.fill("street", "12 St James's Square").await;
        self.fill("city", "London").await;
        self.press("Go on").await;
        self.sees("How?").await;
        self.press("Go on").await;
        self.sees("Is this right?").await;
        self.press("Order for").await;
        self.sees("Your orders").await;
    }
}

async fn shopping_in_a_browser() {
    let shop = Example::start("shop", &[]);
    let chromium = Chromium::start().await;
    let window = Window { client: &chromium.client, shop: shop.url() };

    window.open("/").await;
    window.sees("asks for no session, and costs none").await;
    take_picture(&window).await;

    // Two tabs of one visitor, both opened before either adds.
    window.press("Add").await;
    let first_tab = chromium.client.window().await.expect("there is a tab");
    let second_tab = chromium.client.new_window(true).await.expect("a second one opens").handle;
    chromium.client.switch_to_window(second_tab).await.expect("it can be looked at");
    window.open("/").await;
    let both = "const add = product => fetch('/cart/add', { method: 'POST', body: new URLSearchParams({ product, back: '/' }) }); \
                const done = arguments[arguments.length - 1]; \
                Promise.all([1, 2, 3, 1, 2, 3].map(add)).then(answers => done(answers.every(answer => answer.ok)));";
    let all_kept = chromium.client.execute_async(both, Vec::new()).await.expect("the script runs");
    assert_eq!(all_kept, true);
    chromium.client.switch_to_window(first_tab).await.expect("the first tab is there");

    // The script that no page depends on: seven things in the cart.
    window.open("/").await;
    let badge =
        chromium.client.wait().for_element(Locator::Css("#badge:not([hidden])")).await.expect("the badge shows");
    assert_eq!(badge.text().await.expect("it has a text"), "7");

    window.open("/cart").await;
    assert!(window.footer().await.starts_with("1 store call, "), "{}", window.footer().await);

    window.sign_in("Ada", "analytical-engine").await;
    assert!(window.footer().await.starts_with("0 store calls, "), "{}", window.footer().await);

    window.check_out().await;
    window.sees("London").await;
    window.open("/cart").await;
    window.sees("There is nothing in it yet.").await;
    window.sign_out().await;
    window.open("/orders").await;
    window.sees("Sign in").await;
    assert!(!window.text().await.contains("London"));
}

/// For the README: `SHOP_PICTURE=docs/shop.png cargo test -p browser`.
async fn take_picture(window: &Window<'_>) {
    let Ok(file) = std::env::var("SHOP_PICTURE") else { return };
    let picture = window.client.screenshot().await.expect("a picture can be taken");
    std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file), picture).expect("it can be kept");
}

async fn what_ada_did_bob_does_not_see() {
    let shop = Example::start("shop", &[]);
    let chromium = Chromium::start().await;
    let window = Window { client: &chromium.client, shop: shop.url() };
    window.open("/").await;
    window.press("Add").await;
    window.sign_in("Ada", "analytical-engine").await;
    window.open("/checkout").await;
    window.fill("name", "Ada Lovelace").await;
    window.fill("street", "12 St James's Square").await;
    window.fill("city", "London").await;
    window.press("Go on").await;
    window.sees("How?").await;
    window.sign_out().await;

    window.sign_in("Bob", "bricks-and-mortar").await;
    window.open("/cart").await;
    window.sees("There is nothing in it yet.").await;
    for path in ["/my", "/cart", "/orders", "/checkout", "/checkout/address", "/checkout/delivery", "/checkout/confirm"]
    {
        window.open(path).await;
        let (page, source) = (window.text().await, chromium.client.source().await.expect("a page has a source"));
        for hers in ["Ada", "Lovelace", "St James", "London"] {
            assert!(!page.contains(hers) && !source.contains(hers), "{hers} on {path}");
        }
    }
}

async fn one_user_at_two_browsers() {
    let shop = Example::start("shop", &[]);
    let (home, office) = (Chromium::start().await, Chromium::start().await);
    let home = Window { client: &home.client, shop: shop.url() };
    let office = Window { client: &office.client, shop: shop.url() };
    home.sign_in("Ada", "analytical-engine").await;
    office.sign_in("Ada", "analytical-engine").await;

    // From the link in the header to the button of the other.
    home.follow("Account").await;
    home.sees("You are Ada, signed in on:").await;
    home.sees("Chrome on Linux").await;
    home.sees("Last seen just now").await;
    home.sees("Sign out all others").await;
    home.press("Sign out").await;
    home.sees("This one").await;
    assert!(!home.text().await.contains("Sign out all others"), "{}", home.text().await);
    office.open("/orders").await;
    office.sees("To try it").await;
    home.open("/orders").await;
    home.sees("You have not ordered anything yet.").await;

    office.sign_in("Ada", "analytical-engine").await;
    home.follow("Account").await;
    home.follow("Change the password").await;
    home.fill("old", "analytical-engine").await;
    home.fill("password", "difference-engine").await;
    home.press("Change it").await;
    home.sees("One other device was signed out.").await;
    home.follow("Your account").await;
    home.sees("This one").await;
    office.open("/account").await;
    office.fill("name", "Ada").await;
    office.fill("password", "analytical-engine").await;
    office.press("Sign in").await;
    office.sees("not the right password").await;
    office.sign_in("Ada", "difference-engine").await;

    // Whoever is asked for the password once more may press Enter.
    office.open("/confirm-it-is-you?back=/orders").await;
    office.fill("password", "difference-engine\n").await;
    office.sees("You have not ordered anything yet.").await;
}

async fn nothing_personal_comes_from_a_cache() {
    let shop = Example::start("shop", &[]);
    let nginx = Nginx::start(shop.addr());
    let mut visitors = [(); 3].map(|()| Http::new(nginx.addr()));
    for (number, visitor) in visitors.iter_mut().enumerate() {
        for _ in 0..=number {
            visitor.submit("/cart/add", &[("product", "1"), ("back", "/")]).await.leads_to("/");
        }
    }
    visitors[0].submit("/sign-in", &[("name", "Ada"), ("password", "analytical-engine"), ("back", "/my")]).await;
    visitors[1].submit("/sign-in", &[("name", "Bob"), ("password", "bricks-and-mortar"), ("back", "/my")]).await;

    // Each page once by each visitor, twice over: whatever can be kept is kept by then.
    let mut from_cache = Vec::new();
    for _ in 0..2 {
        for (number, visitor) in visitors.iter_mut().enumerate() {
            for path in ["/", "/style.css", "/my", "/cart", "/cart.json", "/orders", "/sign-in"] {
                let answer = visitor.open(path).await;
                if answer.header("x-cache") == Some("HIT") {
                    assert_eq!(answer.header("set-cookie"), None, "{path}");
                    from_cache.push(path);
                }
                let name = ["Ada", "Bob", "nobody"][number];
                match path {
                    "/cart.json" => assert_eq!(answer.body, format!("{{\"items\":{}}}", number + 1)),
                    "/my" if number < 2 => {
                        answer.says(&format!("Good morning, {name}"));
                    }
                    "/my" => {
                        answer.does_not_say("Ada").does_not_say("Bob");
                    }
                    _ => {}
                }
            }
        }
    }
    from_cache.sort_unstable();
    from_cache.dedup();
    assert_eq!(from_cache, ["/", "/style.css"], "the catalogue comes from the cache, and nothing else");
}
