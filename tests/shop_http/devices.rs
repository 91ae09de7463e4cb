//! One user at several browsers: the list of them, ending one from another, and another password.

use crate::{Shopper as _, TEAPOT, is_of_the_feed, with_redis};
use std::time::Instant;
use testbed::{Example, Fault, Http, HttpAnswer, LIMIT, Proxy, RedisServer};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                      Version/26.0 Mobile/15E148 Safari/604.1";
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 \
                      Safari/537.36";

const END_OTHERS: &str = "action=\"/account/devices/end-others\"";
const OLD: &str = "analytical-engine";
const NEW: &str = "difference-engine";

/// A browser of this kind, with somebody signed in.
async fn at(shop: &Example, kind: &str, name: &str) -> Http {
    let mut browser = Http::new(shop.addr());
    browser.headers.push(("User-Agent", kind.to_owned()));
    browser.sign_in(name, "/my").await.leads_to("/my");
    browser
}

/// What the list says of each device.
fn devices(page: &HttpAnswer) -> Vec<&str> {
    page.has_status(200).says("signed in on:");
    page.body.split("<li>").skip(1).map(|line| line.split("</li>").next().unwrap_or_default()).collect()
}

/// The handle of the one of this name, by which its button ends it.
fn handle(page: &HttpAnswer, name: &str) -> String {
    let line = devices(page).into_iter().find(|line| line.contains(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in {}", page.body));
    let (_, rest) = line.split_once("name=\"session\" value=\"").expect("it has a button");
    rest.split('"').next().unwrap_or_default().to_owned()
}

async fn end(browser: &mut Http, handle: &str) -> HttpAnswer {
    browser.submit("/account/devices/end", &[("session", handle)]).await
}

async fn change_password(browser: &mut Http, old: &str, new: &str) -> HttpAnswer {
    browser.submit("/account/password", &[("old", old), ("password", new)]).await
}

async fn is_signed_in(browser: &mut Http) {
    browser.open("/orders").await.has_status(200).says("Your orders").does_not_say("Sign in");
}

/// The next page that needs it leads to sign-in, and none greets by name.
async fn is_signed_out(browser: &mut Http) {
    browser.ask("GET", "/orders", &[]).await.leads_to("/sign-in?back=/orders");
    browser.open("/my").await.has_status(200).does_not_say("Ada");
}

async fn one_device_ends_another_at(shop: &Example) {
    let mut laptop = at(shop, FIREFOX, "Ada").await;
    let mut phone = at(shop, IPHONE, "Ada").await;
    let mut bob = at(shop, CHROME, "Bob").await;

    let list = laptop.open("/account").await;
    list.says("You are <strong>Ada</strong>").says("2 store calls,").does_not_say("Chrome on Windows");
    for device in devices(&list) {
        let (name, is_this) = (device.contains("Firefox on Linux"), device.contains("This one"));
        assert!(name || device.contains("Safari on iPhone"), "{device}");
        assert_eq!(name, is_this, "this one is the laptop: {device}");
        assert_ne!(is_this, device.contains("<button"), "the others have a button: {device}");
        assert!(device.contains("Signed in just now") && device.contains("Last seen just now") != is_this, "{device}");
    }
    assert_eq!(devices(&list).len(), 2);
    let phones = handle(&list, "Safari on iPhone");
    let laptops = handle(&phone.open("/account").await, "Firefox on Linux");
    assert_ne!(laptops, phones);

    // A stranger's handle does nothing, and what is none is not understood.
    assert_eq!(devices(&bob.open("/account").await).len(), 1);
    end(&mut bob, &phones).await.leads_to("/account");
    end(&mut bob, "0123").await.has_status(422).says("We did not understand that");
    end(&mut Http::new(shop.addr()), &phones).await.leads_to("/sign-in?back=/account/devices/end");
    is_signed_in(&mut phone).await;
    is_signed_in(&mut bob).await;

    end(&mut laptop, &phones).await.leads_to("/account");
    is_signed_out(&mut phone).await;
    is_signed_in(&mut laptop).await;
    let list = laptop.open("/account").await;
    assert_eq!(devices(list.does_not_say(END_OTHERS)).len(), 1, "{}", list.body);
    end(&mut laptop, &phones).await.leads_to("/account");

    // Whoever comes back from signing in, from a button's address, gets the list.
    phone.sign_in("Ada", "/account/devices/end").await.leads_to("/account/devices/end");
    let list = phone.open("/account/devices/end").await;
    assert_eq!(devices(list.says(END_OTHERS)).len(), 2);
    assert_ne!(handle(&laptop.open("/account").await, "Safari on iPhone"), phones, "a session of its own");

    let mut desk = at(shop, CHROME, "Ada").await;
    assert_eq!(devices(&desk.open("/account").await).len(), 3);
    desk.submit("/account/devices/end-others", &[]).await.leads_to("/account");
    is_signed_out(&mut phone).await;
    is_signed_out(&mut laptop).await;
    is_signed_in(&mut desk).await;
    is_signed_in(&mut bob).await;
    assert_eq!(devices(&desk.open("/account").await).len(), 1);

    desk.open("/account").await.says("Chrome on Windows").says("This one");
    desk.sign_out().await;
    desk.ask("GET", "/account", &[]).await.leads_to("/sign-in?back=/account");
}

async fn another_password_at(shop: &Example) {
    let mut laptop = at(shop, FIREFOX, "Ada").await;
    let mut phone = at(shop, IPHONE, "Ada").await;
    let mut bob = at(shop, CHROME, "Bob").await;
    laptop.add(TEAPOT).await.leads_to("/");

    laptop.open("/account/password").await.has_status(200).says("new-password").says("1 store call,");
    change_password(&mut laptop, NEW, NEW).await.has_status(422).says("not the right password");
    change_password(&mut laptop, OLD, "short").await.has_status(422).says("8 to 100 characters");
    is_signed_in(&mut phone).await;
    change_password(&mut Http::new(shop.addr()), OLD, NEW).await.leads_to("/sign-in?back=/account/password");

    change_password(&mut laptop, OLD, NEW)
        .await
        .has_status(200)
        .says("One other device was signed out")
        .says("2 store calls,");
    is_signed_out(&mut phone).await;
    is_signed_in(&mut laptop).await;
    laptop.open("/cart").await.says("Teapot");
    is_signed_in(&mut bob).await;

    let sign_in = |password| [("name", "Ada"), ("password", password), ("back", "/my")];
    phone.submit("/sign-in", &sign_in(OLD)).await.has_status(422).says("not the right password");
    change_password(&mut phone, NEW, OLD).await.leads_to("/sign-in?back=/account/password");
    phone.submit("/sign-in", &sign_in(NEW)).await.leads_to("/my");
    phone.open("/cart").await.says("There is nothing in it yet");

    phone.sign_out().await;
    change_password(&mut laptop, NEW, OLD).await.says("You were signed in nowhere else");
}

#[tokio::test]
async fn one_device_ends_another_embedded() {
    one_device_ends_another_at(&Example::start("shop", &[])).await;
}

#[tokio::test]
async fn one_device_ends_another_with_redis() {
    let (_server, shop) = with_redis();
    one_device_ends_another_at(&shop).await;
}

/// Of two that change the same password at once, a thief with a stolen session perhaps, one is told.
#[tokio::test]
async fn of_two_new_passwords_at_once_one_holds_and_the_other_is_refused() {
    let shop = Example::start("shop", &[]);
    let mut owner = at(&shop, FIREFOX, "Ada").await;
    let mut thief = owner.clone();
    let answers = tokio::join!(change_password(&mut owner, OLD, NEW), change_password(&mut thief, OLD, "another one"));
    let mut statuses = [answers.0.status, answers.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422]);
}

#[tokio::test]
async fn another_password_embedded() {
    another_password_at(&Example::start("shop", &[])).await;
}

#[tokio::test]
async fn another_password_with_redis() {
    let (_server, shop) = with_redis();
    another_password_at(&shop).await;
}

/// The new password is stored, then the store fails: the page says what holds and what does not.
#[tokio::test]
async fn while_others_cannot_be_ended_the_new_password_holds() {
    let server = RedisServer::start();
    let proxy = Proxy::start(server.addr());
    let shop = Example::start("shop", &["--redis", &proxy.url()]);
    let mut laptop = at(&shop, FIREFOX, "Ada").await;
    let mut phone = at(&shop, IPHONE, "Ada").await;
    proxy.on_request(|request| {
        let is_read = request.name() == "GET" || is_of_the_feed(request);
        if is_read { Fault::Pass } else { Fault::LoseRequest }
    });
    let changed = change_password(&mut laptop, OLD, NEW).await;
    changed.has_status(200).says("Your new password holds").says("could not sign out your other devices");
    proxy.no_faults();

    let sign_in = [("name", "Ada"), ("password", OLD), ("back", "/my")];
    phone.clone().submit("/sign-in", &sign_in).await.has_status(422);
    let deadline = Instant::now() + LIMIT;
    while phone.open("/orders").await.status == 503 {
        assert!(Instant::now() < deadline, "the store is not back after {LIMIT:?}");
    }
    is_signed_in(&mut phone).await;
    laptop.submit("/account/devices/end-others", &[]).await.leads_to("/account");
    is_signed_out(&mut phone).await;
    is_signed_in(&mut laptop).await;
}
