//! The shop as a person sees it, in headless Chromium; and as visitors get it from a shared cache, behind nginx.
//!
//! Where a program cannot be installed, its test is counted as ignored, and says why.

use browser::{Chromium, Nginx, Window, trial};
use fantoccini::Locator;
use libtest_mimic::Arguments;
use std::path::Path;
use std::process::ExitCode;
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

/// The steps of a customer.
trait Shopper {
    async fn sign_in(&self, name: &str, password: &str);
    async fn sign_out(&self);
    async fn check_out(&self);
}

impl Shopper for Window<'_> {
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
    let window = Window { client: &chromium.client, site: shop.url() };

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
    let window = Window { client: &chromium.client, site: shop.url() };
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
    let home = Window { client: &home.client, site: shop.url() };
    let office = Window { client: &office.client, site: shop.url() };
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
