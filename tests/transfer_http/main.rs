//! The bank of `examples/transfer` by plain HTTP: a phone and a desktop as two jars of cookies, on one running process.

mod customer;
mod kills;
mod restarts;

use customer::{Customer as _, IBAN};
use std::collections::BTreeSet;
use std::time::Duration;
use testbed::{Example, Http, HttpAnswer};
use tokio::task::JoinSet;

const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                      Version/26.0 Mobile/15E148 Safari/604.1";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

const UNDER_WAY: &str = "A transfer is under way";

fn open() -> Example {
    Example::start("transfer", &["--memory"])
}

/// A browser of this kind, with somebody signed in.
async fn at(bank: &Example, kind: &str, name: &str) -> Http {
    let mut browser = Http::new(bank.addr());
    browser.headers.push(("User-Agent", kind.to_owned()));
    browser.sign_in(name, "/").await.leads_to("/");
    browser
}

/// A browser, the address of a form, and what is in it.
type Form = (Http, &'static str, Vec<(&'static str, String)>);

/// Sends forms at the same time, each with the cookies of the browser that it comes from.
async fn at_once(forms: Vec<Form>) -> Vec<HttpAnswer> {
    let mut under_way = JoinSet::new();
    for (browser, path, fields) in forms {
        under_way.spawn(async move {
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            browser.ask("POST", path, &fields).await
        });
    }
    under_way.join_all().await
}

/// How often the transfer of a page has been changed.
fn revision(page: &HttpAnswer) -> u32 {
    let (_, revision) = page.hidden("seen").split_once('.').expect("there is a transfer");
    revision.parse().expect("it is a number")
}

#[tokio::test]
async fn begun_on_the_phone_and_finished_on_the_desktop() {
    let bank = open();
    let mut phone = at(&bank, IPHONE, "Ada").await;
    let home = phone.open("/").await;
    home.has_status(200)
        .says("Good morning, Ada")
        .says("10,000.00")
        .says("Page 1 of this visit")
        .does_not_say(UNDER_WAY);
    assert_eq!(home.all("cache-control"), ["private, no-store"]);
    phone.open("/transfer").await.says("To whom?").says("3 store calls, ").says("Page 2 of this visit");
    phone.address().await.leads_to("/transfer/amount");
    phone.pay("12.50").await.leads_to("/transfer/note");

    // Signing out leaves it, and whoever signs in elsewhere goes on with it.
    phone.sign_out().await;
    phone.ask("GET", "/transfer/note", &[]).await.leads_to("/sign-in?back=/transfer/note");
    let mut desktop = Http::new(bank.addr());
    desktop.headers.push(("User-Agent", FIREFOX.to_owned()));
    desktop.open("/transfer").await.says("To try it").says("name=\"back\" value=\"/transfer\"").says("0 store calls");
    desktop.sign_in("Ada", "/transfer").await.leads_to("/transfer");
    let home = desktop.open("/").await;
    home.says(UNDER_WAY)
        .says("12.50 to Charles")
        .says("Last changed from Safari on iPhone")
        .says("Page 5 of this visit");
    desktop.open("/transfer").await.says("What for?");
    desktop.write("Engine oil <b>").await.leads_to("/transfer/confirm");
    let last_look = desktop.open("/transfer/confirm").await;
    last_look.says("Charles").says(IBAN).says("12.50").says("Engine oil &lt;b&gt;").says("3 store calls, ");
    desktop.open("/").await.says("Last changed from Firefox on Linux");

    let receipt = desktop.send(&last_look).await;
    receipt.has_status(303);
    let receipt = receipt.header("location").expect("it leads on").to_owned();
    desktop.open(&receipt).await.has_status(200).says("Sent").says("12.50").says("9,987.50").says("2 store calls, ");
    desktop.send(&last_look).await.leads_to(&receipt);
    desktop.open("/").await.says("9,987.50").does_not_say(UNDER_WAY);
    desktop.open("/history").await.has_status(200).says("12.50 to Charles").says("3 changes").says("Sent");

    // Nobody else's.
    let mut bob = at(&bank, FIREFOX, "Bob").await;
    bob.open("/").await.says("10,000.00").does_not_say("Charles").says("Page 1 of this visit");
    bob.open(&receipt).await.has_status(404).does_not_say("Charles");
    bob.open("/history").await.says("A visit of ").says("still open").does_not_say("Charles");
    bob.open("/history?kind=transfer").await.says("There is nothing yet");
}

#[tokio::test]
async fn steps_of_both_at_once_lose_nothing() {
    let bank = open();
    let (mut phone, mut desktop) = (at(&bank, IPHONE, "Ada").await, at(&bank, FIREFOX, "Ada").await);
    phone.fill_in("1").await;
    let page = desktop.open("/transfer/confirm").await;
    let (before, seen) = (revision(&page), page.hidden("seen").to_owned());
    let form = |number: usize| {
        let browser = if number.is_multiple_of(2) { &phone } else { &desktop };
        let (path, mut fields) = match number % 3 {
            0 => ("/transfer/recipient", vec![("name", format!("Charles {number}")), ("iban", IBAN.to_owned())]),
            1 => ("/transfer/amount", vec![("amount", number.to_string())]),
            _ => ("/transfer/note", vec![("note", number.to_string())]),
        };
        fields.push(("seen", seen.clone()));
        (browser.clone(), path, fields)
    };
    for answer in at_once((0..32).map(form).collect()).await {
        answer.leads_to("/transfer/confirm");
    }
    let page = phone.open("/transfer/confirm").await;
    assert_eq!(revision(&page), before + 32);
    phone.send(&page).await.has_status(303);
    phone.open("/history").await.says(&format!("{} changes", before + 32));
}

#[tokio::test]
async fn both_begin_at_the_same_moment_and_share_one() {
    let bank = open();
    let (mut phone, mut desktop) = (at(&bank, IPHONE, "Ada").await, at(&bank, FIREFOX, "Ada").await);
    let seen = phone.open("/transfer/recipient").await.hidden("seen").to_owned();
    assert_eq!(seen, desktop.open("/transfer/amount").await.hidden("seen"), "neither has seen one");
    let recipient = vec![("name", "Charles".to_owned()), ("iban", IBAN.to_owned()), ("seen", seen.clone())];
    let forms = vec![
        (phone.clone(), "/transfer/recipient", recipient),
        (desktop.clone(), "/transfer/amount", vec![("amount", "7".to_owned()), ("seen", seen.clone())]),
        (phone.clone(), "/transfer/note", vec![("note", "Cards".to_owned()), ("seen", seen)]),
    ];
    for answer in at_once(forms).await {
        answer.has_status(303);
    }
    let (here, there) = (phone.open("/transfer").await, desktop.open("/transfer").await);
    here.says("Is this right?").says("Charles").says("7.00").says("Cards");
    assert_eq!(here.hidden("seen"), there.hidden("seen"));
    assert_eq!(revision(&here), 3);
}

#[tokio::test]
async fn what_the_other_device_changed_is_shown_before_it_is_sent() {
    let bank = open();
    let (mut phone, mut desktop) = (at(&bank, IPHONE, "Ada").await, at(&bank, FIREFOX, "Ada").await);
    phone.fill_in("10").await;
    let last_look = phone.open("/transfer/confirm").await;
    desktop.open("/transfer/amount").await.says("value=\"10.00\"");
    desktop.pay("1000").await.leads_to("/transfer/confirm");
    let asked = phone.send(&last_look).await;
    asked.has_status(409).says("changed since you looked, from Firefox on Linux").says("Send €\u{a0}1,000.00");
    phone.open("/").await.says("10,000.00").says(UNDER_WAY);
    phone.send(&asked).await.has_status(303);
    phone.open("/").await.says("9,000.00").does_not_say(UNDER_WAY);

    // What the desktop has left open is about a transfer that is over.
    desktop.submit("/transfer/amount", &[("amount", "5"), ("seen", last_look.hidden("seen"))]).await.has_status(409);
    desktop.open("/").await.does_not_say(UNDER_WAY);
}

#[tokio::test]
async fn both_click_at_once_and_it_is_sent_once() {
    let bank = open();
    let (mut phone, desktop) = (at(&bank, IPHONE, "Ada").await, at(&bank, FIREFOX, "Ada").await);
    phone.fill_in("10").await;
    let seen = phone.open("/transfer/confirm").await.hidden("seen").to_owned();
    phone.hang_up_on("POST", "/transfer/confirm", &[("seen", &seen)]).await;
    let click = |browser: &Http| (browser.clone(), "/transfer/confirm", vec![("seen", seen.clone())]);
    let clicks = (0..8).map(|number| click(if number % 2 == 0 { &phone } else { &desktop })).collect();
    let receipts: BTreeSet<String> = at_once(clicks)
        .await
        .iter()
        .map(|answer| answer.has_status(303).header("location").unwrap_or("").to_owned())
        .collect();
    assert_eq!(receipts.len(), 1, "{receipts:?}");
    assert!(receipts.iter().all(|receipt| receipt.starts_with("/transfer/sent?id=")), "{receipts:?}");
    phone.open("/").await.says("9,990.00").does_not_say(UNDER_WAY);
    assert_eq!(phone.open("/history").await.count("to Charles"), 1);
}

#[tokio::test]
async fn giving_up_is_for_both() {
    let bank = open();
    let (mut phone, mut desktop) = (at(&bank, IPHONE, "Ada").await, at(&bank, FIREFOX, "Ada").await);
    phone.fill_in("10").await;
    let seen = desktop.open("/").await.says(UNDER_WAY).hidden("seen").to_owned();
    desktop.submit("/transfer/abandon", &[("seen", &seen)]).await.leads_to("/");
    phone.open("/").await.does_not_say(UNDER_WAY).says("10,000.00");
    phone.open("/transfer").await.says("To whom?").does_not_say("value=\"Charles\"");
    phone.open("/history").await.says("Given up");
    desktop.submit("/transfer/abandon", &[("seen", &seen)]).await.leads_to("/");
}

#[tokio::test]
async fn the_twenty_first_in_a_month_is_refused_with_the_time_of_the_next() {
    let bank = open();
    let mut phone = at(&bank, IPHONE, "Ada").await;
    for _ in 0..20 {
        phone.fill_in("1").await;
        let page = phone.open("/transfer/confirm").await;
        phone.send(&page).await.has_status(303);
    }
    phone.fill_in("1").await;
    let page = phone.open("/transfer/confirm").await;
    let refused = phone.send(&page).await;
    refused.has_status(429).says("You have sent 20 transfers in 30 days").says(" UTC").says("store calls, ");
    assert_eq!(refused.all("cache-control"), ["private, no-store"]);
    let wait = refused.header("retry-after").and_then(|wait| wait.parse().ok()).map(Duration::from_secs);
    let month = Duration::from_secs(30 * 86_400);
    assert!(wait.is_some_and(|wait| wait <= month && wait > month - testbed::LIMIT * 10), "{wait:?}");
    assert_eq!(phone.open("/transfer/confirm").await.hidden("seen"), page.hidden("seen"), "what was entered stays");
    phone.open("/").await.says("9,980.00").says(UNDER_WAY);
    let click = || (phone.clone(), "/transfer/confirm", vec![("seen", page.hidden("seen").to_owned())]);
    for answer in at_once((0..4).map(|_| click()).collect()).await {
        answer.has_status(429);
    }

    // The history comes in pages: all twenty are there, and before them what is open.
    let all = phone.open("/history").await;
    all.says(">Go on</a>").says("Sent").does_not_say("Newer");
    phone.open(&all.link("/history?before=")).await.says("Sent").says("A visit of ").does_not_say("Go on");
    let page = phone.open("/transfer/confirm").await;
    phone.submit("/transfer/abandon", &[("seen", page.hidden("seen"))]).await.leads_to("/");
    let latest = phone.open("/history?kind=transfer").await;
    latest.has_status(200).does_not_say("Newer");
    let older = latest.link("/history?kind=transfer&amp;before=");
    let last = phone.open(&older).await;
    last.says("Sent").does_not_say("Given up").does_not_say("Older");
    let newer = last.link("/history?kind=transfer&amp;after=");
    phone.open(&newer).await.says("Given up").says("Older").does_not_say("Newer");
    phone.open("/history?kind=visit").await.says("still open").does_not_say("Ran out");
    phone.open("/history?kind=made-up&before=made-up").await.has_status(200).says("Older");

    // What was sent is in the archive; what was given up comes there in a moment.
    let by_day = phone.open("/days").await;
    by_day.has_status(200).says(" completed").says("<rect class=\"completed\"").says("3 store calls, ");
    phone.open("/days?kind=visit").await.says("Ran out").does_not_say("<rect");

    let mut bob = at(&bank, FIREFOX, "Bob").await;
    bob.fill_in("1").await;
    let page = bob.open("/transfer/confirm").await;
    bob.send(&page).await.has_status(303);
}

#[tokio::test]
async fn another_site_changes_nothing_and_there_is_no_such_page() {
    let bank = open();
    let mut phone = at(&bank, IPHONE, "Ada").await;
    phone.fill_in("10").await;
    let page = phone.open("/transfer/confirm").await;
    let mut lured = phone.clone();
    lured.headers.push(("Sec-Fetch-Site", "cross-site".to_owned()));
    lured.send(&page).await.has_status(403).says("came from another site");
    lured.submit("/transfer/abandon", &[("seen", page.hidden("seen"))]).await.has_status(403);
    phone.open("/").await.says(UNDER_WAY).says("10,000.00");

    phone.open("/nowhere").await.has_status(404).says("There is no such page");
    phone.submit("/transfer/confirm", &[("seen", "made up")]).await.has_status(422).says("We did not understand that");
    phone.open("/transfer/sent?id=made-up").await.has_status(404);
    let style = Http::new(bank.addr()).open("/style.css").await;
    assert_eq!((style.header("cache-control"), style.header("set-cookie")), (Some("public, max-age=60"), None));
    let mut stranger = Http::new(bank.addr());
    for path in ["/", "/transfer", "/transfer/confirm", "/transfer/sent", "/history", "/days"] {
        let answer = stranger.ask("GET", path, &[]).await;
        answer.leads_to(&format!("/sign-in?back={path}"));
        assert_eq!(answer.all("cache-control"), ["private, no-store"]);
    }
    let wrong = [("name", "Ada"), ("password", "engine-analytical"), ("back", "/")];
    stranger.submit("/sign-in", &wrong).await.has_status(422).says("not the right password");
    stranger.open("/sign-in?back=//evil.example").await.has_status(400).says("We did not understand that");
    assert!(stranger.cookies.is_empty());
}
