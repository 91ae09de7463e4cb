//! The shop of `examples/shop` by plain HTTP, embedded and with Redis: what it promises to its customers.

mod devices;
mod numbers;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use testbed::{Example, Fault, Http, HttpAnswer, LIMIT, Proxy, RedisServer, Request};

const ASSAM: &str = "1";
const TEAPOT: &str = "2";
const KETTLE: &str = "5";
const HONEY: &str = "7";
const CUP: &str = "8";

/// How often a page shows a line that can be changed.
const LINE: &str = "action=\"/cart/change\"";
const RECEIPT: &str = "class=\"receipt\"";

/// The steps of a customer.
trait Shopper {
    async fn add(&mut self, product: &str) -> HttpAnswer;
    async fn sign_in(&mut self, name: &str, back: &str) -> HttpAnswer;
    async fn sign_out(&mut self);
    async fn check_out(&mut self, street: &str) -> HttpAnswer;
    async fn confirm(&mut self, page: &HttpAnswer) -> HttpAnswer;
}

impl Shopper for Http {
    async fn add(&mut self, product: &str) -> HttpAnswer {
        self.submit("/cart/add", &[("product", product), ("back", "/")]).await
    }

    async fn sign_in(&mut self, name: &str, back: &str) -> HttpAnswer {
        let password = if name == "Ada" { "analytical-engine" } else { "bricks-and-mortar" };
        self.submit("/sign-in", &[("name", name), ("password", password), ("back", back)]).await
    }

    async fn sign_out(&mut self) {
        self.submit("/sign-out", &[]).await.leads_to("/my");
    }

    /// Up to the page that has only to be confirmed.
    async fn check_out(&mut self, street: &str) -> HttpAnswer {
        let address = [("name", "A. Customer"), ("street", street), ("city", "London")];
        self.submit("/checkout/address", &address).await.leads_to("/checkout/delivery");
        self.submit("/checkout/delivery", &[("delivery", "bicycle")]).await.leads_to("/checkout/confirm");
        self.open("/checkout").await
    }

    async fn confirm(&mut self, page: &HttpAnswer) -> HttpAnswer {
        self.submit("/checkout/confirm", &[("total", page.hidden("total"))]).await
    }
}

/// Whether it is of the connection on which a shop waits for news, which no visitor has asked for.
fn is_of_the_feed(request: &Request) -> bool {
    request.name() == "XREAD" || request.words.iter().any(|word| word.ends_with(b":mark"))
}

fn with_redis() -> (RedisServer, Example) {
    let server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let shop = Example::start("shop", &["--redis", &server.url()]);
    (server, shop)
}

/// Browse, add, sign in, check out, sign out; then the next customer at the same browser.
async fn a_morning_at(shop: &Example) {
    let mut browser = Http::new(shop.addr());
    browser.open("/").await.has_status(200).says("Teapot");
    browser.open("/cart").await.has_status(200).says("There is nothing in it yet").says("0 store calls");
    assert!(browser.cookies.is_empty(), "looking around sets no cookie");

    // Two tabs at once, each with the cookies of the browser.
    browser.add(TEAPOT).await.leads_to("/");
    let (one, other) = (browser.clone(), browser.clone());
    let add = [("product", ASSAM), ("back", "/")];
    let add_honey = [("product", HONEY), ("back", "/")];
    let tabs = tokio::join!(
        one.ask("POST", "/cart/add", &add),
        other.ask("POST", "/cart/add", &add_honey),
        one.ask("POST", "/cart/add", &add),
        other.ask("POST", "/cart/add", &add_honey),
        one.ask("POST", "/cart/add", &add),
        other.ask("POST", "/cart/add", &add_honey),
    );
    for tab in [tabs.0, tabs.1, tabs.2, tabs.3, tabs.4, tabs.5] {
        tab.leads_to("/");
    }
    browser.open("/cart.json").await.says("{\"items\":7}");
    assert_eq!(browser.open("/cart").await.says("1 store call,").count(LINE), 3);

    // Amounts.
    browser.submit("/cart/change", &[("product", HONEY), ("amount", "1")]).await.leads_to("/cart");
    browser.submit("/cart/change", &[("product", ASSAM), ("amount", "10")]).await.has_status(409).says("at most 9");
    browser.submit("/cart/remove", &[("product", ASSAM), ("amount", "3")]).await.leads_to("/cart");
    browser.open("/cart.json").await.says("{\"items\":2}");

    // Signing in on the way to the checkout keeps the cart, and so does signing in again.
    browser.open("/checkout").await.says("Sign in").says("name=\"back\" value=\"/checkout\"");
    browser.submit("/checkout/address", &[("name", "x")]).await.leads_to("/sign-in?back=/checkout/address");
    browser.sign_in("Ada", "/checkout").await.leads_to("/checkout");
    browser.open("/cart.json").await.says("{\"items\":2}");
    browser.sign_in("Ada", "/checkout").await.leads_to("/checkout");
    browser.open("/cart.json").await.says("{\"items\":2}");
    browser.open("/my").await.says("Good morning, Ada").says("0 store calls,");

    // Checkout.
    browser.open("/checkout").await.says("Where to?");
    browser.open("/checkout/confirm").await.says("Where to?");
    let blank = [("name", "Ada"), ("street", " "), ("city", "London")];
    browser.submit("/checkout/address", &blank).await.has_status(422).says("a street and a town");
    let page = browser.check_out("12 St James’s Square").await;
    page.says("12 St James’s Square").says("Teapot").says("Honey").says("1 store call,");

    // The first click is hung up on, the next two come at once.
    let total = [("total", page.hidden("total"))];
    browser.hang_up_on("POST", "/checkout/confirm", &total).await;
    let clicks = (browser.clone(), browser.clone());
    let clicks = tokio::join!(
        clicks.0.ask("POST", "/checkout/confirm", &total),
        clicks.1.ask("POST", "/checkout/confirm", &total)
    );
    clicks.0.leads_to("/orders");
    clicks.1.leads_to("/orders");
    let orders = browser.open("/orders").await;
    orders.says("12 St James’s Square").says("Teapot").says("€\u{a0}68.00");
    assert_eq!(orders.count(RECEIPT), 1, "{}", orders.body);
    browser.open("/cart.json").await.says("{\"items\":0}");

    // Something unfinished, then the next customer.
    browser.add(CUP).await;
    browser.check_out("A secret hideaway").await.says("A secret hideaway");
    browser.sign_out().await;
    nothing_of_adas_is_seen(&mut browser).await;
    browser.sign_in("Bob", "/my").await.leads_to("/my");
    browser.open("/my").await.says("Good morning, Bob");
    nothing_of_adas_is_seen(&mut browser).await;
    browser.open("/orders").await.says("You have not ordered anything yet");
    browser.add(CUP).await;
    browser.open("/checkout").await.says("Where to?");

    // Bob signs in right over Ada, who has forgotten to sign out.
    browser.sign_in("Ada", "/my").await.leads_to("/my");
    browser.add(CUP).await;
    browser.check_out("A secret hideaway").await;
    browser.sign_in("Bob", "/my").await.leads_to("/my");
    nothing_of_adas_is_seen(&mut browser).await;
}

async fn nothing_of_adas_is_seen(browser: &mut Http) {
    browser.open("/cart").await.says("There is nothing in it yet");
    for path in ["/", "/my", "/cart", "/cart.json", "/checkout", "/checkout/address", "/checkout/confirm", "/orders"] {
        let page = browser.open(path).await;
        page.has_status(200).does_not_say("hideaway").does_not_say("St James").does_not_say("Good morning, Ada");
        assert_eq!(page.count(RECEIPT) + page.count(LINE), 0, "{path}: {}", page.body);
    }
}

#[tokio::test]
async fn a_morning_embedded() {
    a_morning_at(&Example::start("shop", &[])).await;
}

#[tokio::test]
async fn a_morning_with_redis() {
    let (_server, shop) = with_redis();
    a_morning_at(&shop).await;
}

#[tokio::test]
async fn the_catalogue_is_the_same_for_everybody_and_any_cache_may_keep_it() {
    let shop = Example::start("shop", &[]);
    let stranger = Http::new(shop.addr());
    let mut ada = Http::new(shop.addr());
    ada.add(TEAPOT).await;
    ada.sign_in("Ada", "/my").await;
    let mut bob = Http::new(shop.addr());
    bob.sign_in("Bob", "/my").await;
    assert!(ada.cookies.len() > 1 && bob.cookies.len() > 1);

    for path in ["/", "/style.css", "/badge.js", "/icon.svg"] {
        let first = stranger.ask("GET", path, &[]).await;
        for visitor in [&stranger, &ada, &bob] {
            let page = visitor.ask("GET", path, &[]).await;
            page.has_status(200);
            assert_eq!(page.body, first.body, "{path}");
            assert_eq!(page.all("set-cookie"), Vec::<&str>::new(), "{path}");
            assert_eq!(page.all("vary"), Vec::<&str>::new(), "{path}");
            assert_eq!(page.all("cache-control"), ["public, max-age=60"], "{path}");
        }
        let mut again = ada.clone();
        again.headers.push(("If-None-Match", first.header("etag").expect("an ETag").to_owned()));
        let unchanged = again.ask("GET", path, &[]).await;
        assert!(unchanged.has_status(304).body.is_empty());
    }
    let personal = ada.ask("GET", "/my", &[]).await;
    assert_eq!(personal.all("cache-control"), ["private, no-store"]);
    assert_eq!(personal.all("vary"), ["Cookie"]);
}

#[tokio::test]
async fn what_is_not_there_cannot_be_bought() {
    let shop = Example::start("shop", &[]);
    let (mut ada, mut bob) = (Http::new(shop.addr()), Http::new(shop.addr()));
    ada.sign_in("Ada", "/my").await;
    bob.sign_in("Bob", "/my").await;

    // There are three kettles.
    for _ in 0..3 {
        ada.add(KETTLE).await.leads_to("/");
        bob.add(KETTLE).await.leads_to("/");
    }
    ada.add(KETTLE).await.has_status(409).says("of “Kettle” only 3 are left").says(LINE);
    ada.submit("/cart/change", &[("product", KETTLE), ("amount", "2")]).await.leads_to("/cart");
    let adas = ada.check_out("Here").await;
    let bobs = bob.check_out("There").await;
    ada.confirm(&adas).await.leads_to("/orders");

    bob.confirm(&bobs).await.has_status(409).says("of “Kettle” only one is left");
    assert_eq!(bob.open("/orders").await.count(RECEIPT), 0);
    bob.open("/cart").await.says("only 1 left").says("value=\"3\"");
    bob.submit("/cart/change", &[("product", KETTLE), ("amount", "1")]).await.leads_to("/cart");
    // What he confirms is not what the page has shown.
    bob.confirm(&bobs).await.has_status(409).says("has changed since you last looked");
    let bobs = bob.open("/checkout").await;
    bob.confirm(&bobs).await.leads_to("/orders");
    ada.add(KETTLE).await.has_status(409).says("“Kettle” is sold out");

    bob.submit("/cart/add", &[("product", "999"), ("back", "/")]).await.has_status(409).says("We do not have that");
}

/// One tab orders while another goes on shopping: what was not on the page is not ordered, and not lost.
#[tokio::test]
async fn what_another_tab_adds_meanwhile_stays_in_the_cart() {
    let shop = Example::start("shop", &[]);
    let mut ada = Http::new(shop.addr());
    ada.sign_in("Ada", "/my").await;
    ada.add(TEAPOT).await;
    let page = ada.check_out("Here").await;
    let total = [("total", page.hidden("total"))];
    let add = [("product", CUP), ("back", "/")];
    let (tab, other) = (ada.clone(), ada.clone());
    let (confirmed, added) =
        tokio::join!(tab.ask("POST", "/checkout/confirm", &total), other.ask("POST", "/cart/add", &add));
    added.leads_to("/");
    let items = ada.open("/cart.json").await.body;
    match confirmed.status {
        303 => assert_eq!(items, "{\"items\":1}", "ordered, and the cup stays"),
        409 => assert_eq!(items, "{\"items\":2}", "the cup came first, and she is asked again"),
        status => panic!("{status}: {}", confirmed.body),
    }
    assert_eq!(ada.open("/orders").await.count(RECEIPT), usize::from(confirmed.status == 303));
}

#[tokio::test]
async fn accounts_have_bounds_and_lead_nowhere_else() {
    let shop = Example::start("shop", &[]);
    let mut browser = Http::new(shop.addr());
    let wrong = [("name", "Ada"), ("password", "engine-analytical"), ("back", "/my")];
    browser.submit("/sign-in", &wrong).await.has_status(422).says("not the right password");
    for back in ["//evil.example", "https://evil.example/", "/\\evil.example", "/\t/evil.example", "evil"] {
        let form = [("name", "Ada"), ("password", "analytical-engine"), ("back", back)];
        browser.submit("/sign-in", &form).await.has_status(422).says("We did not understand that");
    }
    browser.open("/sign-in?back=//evil.example").await.has_status(400).says("We did not understand that");
    assert!(browser.cookies.is_empty());

    let carol = |name, password| [("name", name), ("password", password), ("taste", "desk"), ("back", "/my")];
    for (name, password, why) in [
        ("Carol", "short", "8 to 100 characters"),
        (" ", "long enough", "1 to 30 characters"),
        ("aDA", "long enough", "is here already"),
    ] {
        browser.submit("/sign-up", &carol(name, password)).await.has_status(422).says(why);
    }
    browser.add(TEAPOT).await;
    browser.submit("/sign-up", &carol("<Carol>", "long enough")).await.leads_to("/my");
    browser.open("/my").await.says("Good morning, &lt;Carol&gt;").says("Notebook").does_not_say("Sencha");
    browser.open("/cart").await.says("Teapot");
    browser.sign_out().await;
    assert!(browser.cookies.is_empty());
}

#[tokio::test]
async fn another_site_changes_nothing_and_there_is_no_such_page() {
    let shop = Example::start("shop", &[]);
    let mut browser = Http::new(shop.addr());
    browser.add(TEAPOT).await;
    let mut lured = browser.clone();
    lured.headers.push(("Sec-Fetch-Site", "cross-site".to_owned()));
    lured.add(TEAPOT).await.has_status(403).says("came from another site");
    lured.submit("/sign-out", &[]).await.has_status(403);
    browser.open("/cart.json").await.says("{\"items\":1}");

    let missing = browser.open("/nowhere").await;
    missing.has_status(404).says("There is no such page");
    assert_eq!(missing.header("set-cookie"), None);
    browser.open("/cart/add").await.has_status(405).says("We did not understand that");
}

#[tokio::test]
async fn while_redis_is_down_the_shop_is_open_and_the_cart_is_safe() {
    let (mut server, shop) = with_redis();
    let mut ada = Http::new(shop.addr());
    ada.add(TEAPOT).await;
    ada.sign_in("Ada", "/my").await;
    ada.add(HONEY).await;
    let page = ada.check_out("Here").await;
    for _ in 0..2 {
        server.kill();
        ada.open("/").await.has_status(200).says("Teapot");
        ada.open("/my").await.has_status(200).says("Good morning, Ada").says("0 store calls,");
        Http::new(shop.addr()).open("/cart").await.has_status(200).says("There is nothing in it yet");
        for answer in [
            ada.open("/cart").await,
            ada.open("/cart.json").await,
            ada.open("/orders").await,
            ada.open("/checkout").await,
            ada.add(TEAPOT).await,
            ada.confirm(&page).await,
            ada.submit("/sign-out", &[]).await,
        ] {
            answer.has_status(503).says("Your cart is unavailable right now; what is in it is safe").says("µs in the");
            assert!(answer.header("retry-after").is_some(), "{:?}", answer.headers);
            assert_eq!(answer.all("set-cookie"), Vec::<&str>::new());
            assert_eq!(answer.all("cache-control"), ["private, no-store"]);
        }
        server.restart();
        let deadline = Instant::now() + LIMIT;
        while ada.open("/cart").await.status != 200 {
            assert!(Instant::now() < deadline, "the cart is not back after {LIMIT:?}");
        }
        assert_eq!(ada.open("/cart").await.says("Teapot").says("Honey").count(LINE), 2);
    }
    ada.confirm(&page).await.leads_to("/orders");
    assert_eq!(ada.open("/orders").await.count(RECEIPT), 1);
}

#[tokio::test]
async fn with_keys_of_ones_own_a_cart_outlives_the_shop() {
    let server = RedisServer::start();
    let secret = || STANDARD.encode(rand::random::<[u8; 32]>());
    let (lasting, current) = (secret(), secret());
    let keys = [("SESSION_LASTING_SECRET", lasting.as_str()), ("SESSION_SECRET", current.as_str())];
    let url = server.url();
    let open = || Example::start_with("shop", &["--redis", &url], &keys);

    let shop = open();
    let (mut ada, mut carol) = (Http::new(shop.addr()), Http::new(shop.addr()));
    ada.add(TEAPOT).await;
    ada.sign_in("Ada", "/my").await;
    carol.add(HONEY).await;
    let account = [("name", "Carol"), ("password", "long enough"), ("taste", "tea"), ("back", "/my")];
    carol.submit("/sign-up", &account).await.leads_to("/my");
    assert!(shop.interrupt().success(), "ctrl-c is no failure");

    let shop = open();
    let (mut ada, mut carol) = (ada.at(shop.addr()), carol.at(shop.addr()));
    ada.open("/my").await.says("Good morning, Ada");
    ada.open("/cart").await.says("Teapot");
    // Users are in the memory of a shop: this one knows no Carol, and takes her for nobody else.
    carol.open("/my").await.says("Good morning").does_not_say("Good morning,");
    carol.open("/cart").await.says("Honey");
    let dave = [("name", "Dave"), ("password", "long enough"), ("taste", "tea"), ("back", "/my")];
    Http::new(shop.addr()).submit("/sign-up", &dave).await.leads_to("/my");
    carol.open("/my").await.does_not_say("Dave");
}

#[tokio::test]
async fn the_catalogue_and_the_greeting_put_nothing_on_the_wire() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.addr());
    let shop = Example::start("shop", &["--redis", &proxy.url()]);
    let mut ada = Http::new(shop.addr());
    ada.add(TEAPOT).await;
    ada.sign_in("Ada", "/my").await.leads_to("/my");
    let commands = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&commands);
    proxy.on_request(move |request| {
        if !is_of_the_feed(request) {
            log.lock().expect("nobody panics with it").push(request.name());
        }
        Fault::Pass
    });
    let seen = || commands.lock().expect("nobody panics with it").clone();
    ada.open("/").await.has_status(200);
    ada.open("/style.css").await.has_status(200);
    ada.open("/my").await.says("Good morning, Ada").says("0 store calls");
    assert_eq!(seen(), Vec::<String>::new());
    ada.open("/cart").await.says("Teapot").says("1 store call,");
    assert_eq!(seen(), ["GET"]);
}
