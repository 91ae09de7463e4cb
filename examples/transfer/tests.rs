//! The handlers, without HTTP: two devices of one user, with a clock that is turned by hand.

use crate::Office;
use crate::bank::{Account, Bank};
use crate::days::{Days, last_days};
use crate::device_name::DeviceName;
use crate::error::Failure;
use crate::history::{Asked, Shelf};
use crate::money::Money;
use crate::transfer::{AmountForm, NoteForm, QUOTA, RecipientForm, Seen, SeenForm, Transfer};
use crate::transfer::{abandon, send, set_amount, set_note, set_recipient};
use crate::users::Users;
use crate::visit::{Opened, Visit, count};
use axum::Form;
use axum::extract::{FromRequestParts as _, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use thin_session::testing::Browser;
use thin_session::{Cost, EndReason, HistoryEntry, HistoryPage, SessionErrorKind, UserId, UserSession};

const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1";
const LAPTOP: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
const DAY: Duration = Duration::from_secs(86_400);

/// A device of Ada's, and the bank where she is.
struct Device {
    browser: Browser,
    office: Arc<Office>,
    name: &'static str,
}

fn ada() -> UserId {
    UserId::new(1u64).expect("an id")
}

/// A phone and a laptop of hers.
fn devices() -> (Device, Device) {
    let office = Arc::new(Office { users: Users::new(), bank: Bank::new() });
    let phone = Device { browser: Browser::new().signed_in(ada()), office, name: IPHONE };
    let laptop = Device { name: LAPTOP, ..phone.signed_in_again() };
    (phone, laptop)
}

impl Device {
    /// The same device, with a session that has just begun.
    fn signed_in_again(&self) -> Self {
        let browser = self.browser.another().signed_in(ada());
        Self { browser, office: Arc::clone(&self.office), name: self.name }
    }

    fn transfer(&self) -> UserSession<Transfer> {
        self.browser.user_session()
    }

    /// What a page of this moment would carry in its form.
    fn look(&self) -> Seen {
        Seen::of(&self.transfer())
    }

    async fn cost(&self) -> Cost {
        Cost::of(&self.browser.request()).await.expect("the layer is there")
    }

    async fn address(&self, seen: Seen, transfer: UserSession<Transfer>) -> Response {
        let form = RecipientForm { name: "Charles".to_owned(), iban: "GB82 WEST 1234 5698 7654 32".to_owned(), seen };
        let answer = set_recipient(transfer, DeviceName::of(self.name), self.cost().await, Form(form)).await;
        answer.expect("it can be changed")
    }

    async fn pay(&self, seen: Seen, transfer: UserSession<Transfer>, amount: &str) -> Response {
        let who = self.browser.proof().expect("she is signed in");
        let (office, sessions) = (State(Arc::clone(&self.office)), self.browser.sessions());
        let form = Form(AmountForm { amount: amount.to_owned(), seen });
        let answer = set_amount(transfer, who, office, sessions, DeviceName::of(self.name), self.cost().await, form);
        answer.await.expect("it can be changed")
    }

    async fn write(&self, seen: Seen, transfer: UserSession<Transfer>, note: &str) -> Response {
        let form = Form(NoteForm { note: note.to_owned(), seen });
        let answer = set_note(transfer, DeviceName::of(self.name), self.cost().await, form).await;
        answer.expect("it can be changed")
    }

    /// All steps up to the last look.
    async fn fill_in(&self, amount: &str) {
        leads_to(&self.address(self.look(), self.transfer()).await, "/transfer/amount");
        leads_to(&self.pay(self.look(), self.transfer(), amount).await, "/transfer/note");
        leads_to(&self.write(self.look(), self.transfer(), "").await, "/transfer/confirm");
    }

    /// Clicks on "Send" under what was seen, in a request that loads this.
    async fn send(&self, seen: Seen, transfer: UserSession<Transfer>) -> Result<Response, Failure> {
        let who = self.browser.proof().expect("she is signed in");
        let (office, sessions) = (State(Arc::clone(&self.office)), self.browser.sessions());
        send(transfer, who, office, sessions, self.cost().await, Form(SeenForm { seen })).await
    }

    async fn sends(&self, seen: Seen) -> String {
        let answer = self.send(seen, self.transfer()).await.unwrap_or_else(|failure| failure.into_response());
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        location(&answer).to_owned()
    }

    async fn account(&self) -> Account {
        self.office.bank.account(&ada(), &self.browser.sessions()).await.expect("it can be read")
    }

    async fn balance(&self) -> String {
        self.account().await.balance().plain()
    }
}

fn location(answer: &Response) -> &str {
    answer.headers().get(header::LOCATION).and_then(|path| path.to_str().ok()).unwrap_or_default()
}

#[track_caller]
fn leads_to(answer: &Response, path: &str) {
    assert_eq!((answer.status(), location(answer)), (StatusCode::SEE_OTHER, path));
}

/// The page of a refusal.
async fn refused(answer: Response, status: StatusCode) -> String {
    assert_eq!(answer.status(), status);
    let page = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("it arrives");
    String::from_utf8(page.to_vec()).expect("it is text")
}

#[tokio::test]
async fn what_the_phone_began_the_laptop_sends() {
    let (phone, laptop) = devices();
    leads_to(&phone.address(phone.look(), phone.transfer()).await, "/transfer/amount");
    leads_to(&phone.pay(phone.look(), phone.transfer(), "12.50").await, "/transfer/note");
    phone.browser.visitor().sign_out().await.expect("she signs out");

    leads_to(&laptop.write(laptop.look(), laptop.transfer(), "Engine oil").await, "/transfer/confirm");
    let receipt = laptop.sends(laptop.look()).await;
    assert!(receipt.starts_with("/transfer/sent?id="), "{receipt}");
    assert_eq!(laptop.balance().await, "9987.50");
    assert!(UserSession::id(&laptop.transfer()).is_none());
}

#[tokio::test]
async fn what_is_wrong_is_asked_again_and_changes_nothing() {
    let (phone, _) = devices();
    phone.fill_in("12.50").await;
    let seen = phone.look();
    for (amount, why) in [
        ("a lot", "written like 12.50"),
        ("0", "Something has to be sent"),
        ("5000.01", "5,000.00 at most"),
        ("1e9\" autofocus=\"", "written like 12.50"),
    ] {
        let page = refused(phone.pay(seen, phone.transfer(), amount).await, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert!(page.contains(why), "{page}");
        assert!(!page.contains("autofocus=\"\""), "what was typed is quoted: {page}");
    }
    let note = "x".repeat(141);
    refused(phone.write(seen, phone.transfer(), &note).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(phone.look(), seen);
}

#[tokio::test]
async fn two_devices_at_once_lose_nothing() {
    let (phone, laptop) = devices();
    // Both look before either begins, and all requests are under way before the first writes.
    let (here, there) = (phone.look(), laptop.look());
    let (first, second, third) = (phone.transfer(), laptop.transfer(), laptop.transfer());
    phone.address(here, first).await;
    laptop.pay(there, second, "7").await;
    laptop.write(there, third, "Punched cards").await;
    let transfer = phone.transfer();
    assert_eq!(transfer.so_far(), "€\u{a0}7.00 to Charles");
    assert_eq!(transfer.device(), Some("Firefox on Linux"));
    assert!(transfer.order().is_some_and(|order| order.note == "Punched cards"));
    assert_eq!(UserSession::id(&transfer), UserSession::id(&laptop.transfer()));
}

#[tokio::test]
async fn what_has_changed_since_it_was_seen_is_not_sent() {
    let (phone, laptop) = devices();
    phone.fill_in("10").await;
    let seen = phone.look();
    laptop.pay(laptop.look(), laptop.transfer(), "1000").await;
    for _ in 0..2 {
        let answer = phone.send(seen, phone.transfer()).await.unwrap_or_else(|failure| failure.into_response());
        let page = refused(answer, StatusCode::CONFLICT).await;
        assert!(page.contains("was changed since you looked, from Firefox on Linux"), "{page}");
        assert!(page.contains("Send €\u{a0}1,000.00") && page.contains(&laptop.look().to_string()), "{page}");
    }
    assert_eq!(phone.balance().await, "10000.00");
    phone.sends(phone.look()).await;
    assert_eq!(phone.balance().await, "9000.00");
}

#[tokio::test]
async fn what_changes_while_it_is_being_sent_is_not_sent() {
    let (phone, laptop) = devices();
    phone.fill_in("10").await;
    let (seen, request) = (phone.look(), phone.transfer());
    laptop.pay(laptop.look(), laptop.transfer(), "1000").await;
    let answer = phone.send(seen, request).await.unwrap_or_else(|failure| failure.into_response());
    let page = refused(answer, StatusCode::CONFLICT).await;
    assert!(page.contains("was changed since you looked") && page.contains("Send €\u{a0}1,000.00"), "{page}");
    assert_eq!(phone.balance().await, "10000.00");
}

#[tokio::test]
async fn a_second_click_leads_to_the_same_receipt() {
    let (phone, laptop) = devices();
    phone.fill_in("10").await;
    let (seen, second, third) = (phone.look(), phone.transfer(), laptop.transfer());
    let receipt = phone.sends(seen).await;
    for (device, request) in [(&phone, second), (&laptop, third)] {
        let answer = device.send(seen, request).await.unwrap_or_else(|failure| failure.into_response());
        leads_to(&answer, &receipt);
    }
    assert_eq!(phone.sends(seen).await, receipt);
    assert_eq!(phone.balance().await, "9990.00");
}

#[tokio::test]
async fn a_step_that_was_left_open_begins_no_new_transfer() {
    let (phone, laptop) = devices();
    phone.fill_in("10").await;
    let left_open = phone.look();
    laptop.sends(laptop.look()).await;
    let page = refused(phone.pay(left_open, phone.transfer(), "99").await, StatusCode::CONFLICT).await;
    assert!(page.contains("sent or given up meanwhile"), "{page}");
    assert!(UserSession::id(&phone.transfer()).is_none());
    // Nor does it change the next one.
    phone.browser.wait(Duration::from_millis(1));
    laptop.fill_in("20").await;
    refused(phone.write(left_open, phone.transfer(), "old").await, StatusCode::CONFLICT).await;
    let given_up = abandon(phone.transfer(), Form(SeenForm { seen: left_open })).await;
    leads_to(&given_up.into_response(), "/");
    assert_eq!(laptop.transfer().so_far(), "€\u{a0}20.00 to Charles");
}

#[tokio::test]
async fn what_is_open_is_in_the_history_and_so_is_what_was_given_up() {
    let (phone, laptop) = devices();
    phone.fill_in("10").await;
    let asked = Asked::default();
    let history = phone.browser.sessions().history(&ada(), &asked.page()).await.expect("it can be read");
    let page = Shelf::of(&asked, history).page().into_string();
    assert!(page.contains("€\u{a0}10.00 to Charles") && page.contains("href=\"/transfer\">Go on</a>"), "{page}");
    let given_up = abandon(laptop.transfer(), Form(SeenForm { seen: laptop.look() })).await;
    leads_to(&given_up.into_response(), "/");
    assert!(UserSession::id(&phone.transfer()).is_none());
    let history = phone.browser.sessions().history(&ada(), &HistoryPage::of(10)).await.expect("it can be read");
    let [past] = &history[..] else { panic!("{history:?}") };
    assert_eq!((past.reason(), past.updates), (Some(EndReason::Abandoned), 3));
    assert_eq!(phone.balance().await, "10000.00");
}

/// The pages of the history of this kind: how many lines each has, following its links.
async fn pages(phone: &Device, kind: &str, link: &str) -> Vec<usize> {
    let mut asked = Asked { kind: kind.to_owned(), ..Asked::default() };
    let mut lines = Vec::new();
    loop {
        let ended = phone.browser.sessions().history(&ada(), &asked.page()).await.expect("it can be read");
        let page = Shelf::of(&asked, ended).page().into_string();
        lines.push(page.matches("<li").count());
        let kind_in_link = if kind.is_empty() { "?".to_owned() } else { format!("?kind={kind}&amp;") };
        let Some((_, rest)) = page.split_once(&format!("/history{kind_in_link}{link}=")) else { break };
        let id = rest.split('"').next().unwrap_or_default().to_owned();
        (asked.before, asked.after) = (String::new(), String::new());
        if link == "before" { asked.before = id } else { asked.after = id }
    }
    lines
}

#[tokio::test]
async fn the_history_comes_in_pages_of_all_kinds_or_of_one() {
    let (phone, _) = devices();
    assert_eq!(pages(&phone, "", "before").await, [0]);
    for _ in 0..45 {
        phone.fill_in("1").await;
        let given_up = abandon(phone.transfer(), Form(SeenForm { seen: phone.look() })).await;
        leads_to(&given_up.into_response(), "/");
        phone.browser.wait(Duration::from_millis(1));
    }
    phone.browser.user_session::<Visit>().update(|visit| visit.pages = 7).await.expect("it is counted");
    let asked = Asked::default();
    let history = phone.browser.sessions().history(&ada(), &asked.page()).await.expect("it can be read");
    let page = Shelf::of(&asked, history).page().into_string();
    assert!(page.contains("A visit of 7 pages") && page.contains("still open"), "{page}");
    phone.browser.user_session::<Visit>().abandon().await.expect("it ends");
    assert_eq!(pages(&phone, "", "before").await, [20, 20, 6]);
    assert_eq!(pages(&phone, "transfer", "before").await, [20, 20, 5]);
    assert_eq!(pages(&phone, "visit", "before").await, [1]);
    assert_eq!(pages(&phone, "made up", "before").await.len(), 1);

    // And back, from the last page on: what is not there leads nowhere.
    let first = phone.browser.sessions().history(&ada(), &HistoryPage::of(1).after(uuid::Uuid::nil())).await;
    let first = first.expect("it can be read")[0].id;
    let asked = Asked { after: first.to_string(), ..Asked::default() };
    let ended = phone.browser.sessions().history(&ada(), &asked.page()).await.expect("it can be read");
    let page = Shelf::of(&asked, ended).page().into_string();
    assert_eq!(page.matches("<li").count(), 20);
    assert!(page.contains("Newer") && page.contains("Older"), "{page}");
    assert_eq!(pages(&phone, "", "after").await, [20], "the first page is the latest");
}

#[tokio::test]
async fn what_ended_is_counted_by_day() {
    let (phone, laptop) = devices();
    for _ in 0..3 {
        phone.fill_in("1").await;
        phone.sends(phone.look()).await;
        phone.browser.wait(Duration::from_millis(1));
    }
    phone.fill_in("1").await;
    let given_up = abandon(laptop.transfer(), Form(SeenForm { seen: laptop.look() })).await;
    leads_to(&given_up.into_response(), "/");
    // By then, if it has become midnight meanwhile.
    let now = SystemTime::now() + Duration::from_secs(60);
    // The one that was given up waits for a moment before it is in the archive.
    let counted = async {
        loop {
            let counts = phone.browser.sessions().counts(None, last_days(now)).await.expect("they can be counted");
            if counts.iter().map(|count| count.sessions).sum::<u64>() == 4 {
                return (Days::of(last_days(now), &counts).page(None).into_string(), counts);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let (page, counts) = tokio::time::timeout(Duration::from_secs(10), counted).await.expect("all are counted");
    let sent = counts.iter().filter(|count| count.reason == EndReason::Completed).map(|count| count.sessions);
    assert_eq!(sent.sum::<u64>(), 3);
    assert!(page.contains("class=\"completed\"") && page.contains("1 given up"), "{page}");
}

#[tokio::test]
async fn the_twenty_first_is_refused_until_the_first_is_a_month_old() {
    let (phone, _) = devices();
    for _ in 0..QUOTA.limit() {
        phone.fill_in("1").await;
        phone.sends(phone.look()).await;
        phone.browser.wait(Duration::from_secs(1));
    }
    let history = phone.browser.sessions().history(&ada(), &HistoryPage::of(100)).await.expect("it can be read");
    let first = history.last().and_then(HistoryEntry::ended).expect("twenty were sent");

    phone.fill_in("1").await;
    let seen = phone.look();
    let Err(Failure::Quota(refusal)) = phone.send(seen, phone.transfer()).await else { panic!("it is refused") };
    assert_eq!(refusal.next_at(), first + 30 * DAY);
    let answer = Failure::from(refusal).into_response();
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(answer.headers().contains_key(header::RETRY_AFTER));
    assert_eq!(phone.look(), seen, "what was entered stays");
    assert_eq!(phone.balance().await, "9980.00");

    phone.browser.wait(30 * DAY - Duration::from_secs(21));
    let phone = phone.signed_in_again();
    phone.fill_in("1").await;
    assert!(phone.send(phone.look(), phone.transfer()).await.is_err());
    phone.browser.wait(Duration::from_secs(1));
    phone.sends(phone.look()).await;
    assert_eq!(phone.balance().await, "9979.00");
}

#[tokio::test]
async fn more_than_there_is_cannot_be_sent() {
    let (phone, _) = devices();
    for _ in 0..2 {
        phone.fill_in("4000").await;
        phone.sends(phone.look()).await;
        phone.browser.wait(Duration::from_millis(1));
    }
    phone.address(phone.look(), phone.transfer()).await;
    let answer = phone.pay(phone.look(), phone.transfer(), "2000.01").await;
    let page = refused(answer, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert!(page.contains("€\u{a0}2,000.00 are left"), "{page}");
}

#[tokio::test]
async fn a_bank_that_was_restarted_reads_its_books_again() {
    let (phone, _) = devices();
    for _ in 0..3 {
        phone.fill_in("1").await;
        phone.sends(phone.look()).await;
        phone.browser.wait(Duration::from_millis(1));
    }
    let (_, elsewhere) = devices();
    let restarted = Device { office: elsewhere.office, ..phone };
    assert_eq!(restarted.balance().await, "9997.00");
    assert_eq!(restarted.account().await.bookings().count(), 3);
    assert!(restarted.account().await.bookings().all(|(_, booking)| booking.order.amount == Money::euros(1)));
}

#[tokio::test]
async fn what_was_hung_up_on_while_it_was_sent_is_booked_by_who_looks_next() {
    let (phone, laptop) = devices();
    phone.fill_in("10").await;
    let mut transfer = phone.transfer();
    phone.office.bank.expect(&ada(), UserSession::id(&transfer).expect("one is under way"));
    assert_eq!(laptop.balance().await, "10000.00");
    transfer.complete_within(QUOTA).await.expect("it can be sent").expect("it is the first");
    for _ in 0..2 {
        assert_eq!(laptop.balance().await, "9990.00");
    }
    assert!(laptop.account().await.is_up_to_date());
}

#[tokio::test]
async fn while_the_store_is_down_nothing_is_sent_and_nothing_lost() {
    let (phone, _) = devices();
    phone.fill_in("10").await;
    let (seen, transfer) = (phone.look(), phone.transfer());
    let (who, sessions, cost) = (phone.browser.proof(), phone.browser.sessions(), phone.cost().await);
    phone.browser.store_down(true);
    let office = State(Arc::clone(&phone.office));
    let answer = send(transfer, who.expect("she is signed in"), office, sessions, cost, Form(SeenForm { seen })).await;
    let Err(Failure::Session(error)) = answer else { panic!("it is refused") };
    assert!(matches!(error.kind(), SessionErrorKind::Unavailable { .. } | SessionErrorKind::Unknown), "{error}");
    phone.browser.store_down(false);
    assert_eq!(phone.balance().await, "10000.00");
    phone.sends(seen).await;
    assert_eq!(phone.balance().await, "9990.00");
}

#[tokio::test]
async fn an_hour_without_a_page_begins_a_new_visit_and_the_old_one_is_in_the_history() {
    let (phone, laptop) = devices();
    for pages in [1, 3, 5] {
        assert_eq!(count(&mut phone.browser.user_session::<Visit>()).await, Some(pages));
        assert_eq!(count(&mut laptop.browser.user_session::<Visit>()).await, Some(pages + 1));
        phone.browser.wait(Duration::from_secs(20 * 60));
    }
    phone.browser.wait(Duration::from_secs(40 * 60));
    let phone = phone.signed_in_again();
    assert_eq!(count(&mut phone.browser.user_session::<Visit>()).await, Some(1));
    let history = phone.browser.sessions().history(&ada(), &HistoryPage::of(10)).await.expect("it can be read");
    let [now, past] = &history[..] else { panic!("{history:?}") };
    assert!(now.is_active());
    assert_eq!(past.reason(), Some(EndReason::Expired));
    assert_eq!(past.decode::<Visit>().expect("it was one"), Visit { pages: 6 });
}

#[tokio::test]
async fn pages_that_are_opened_at_once_are_all_counted() {
    let (phone, laptop) = devices();
    let visits: Vec<_> = [&phone, &laptop, &phone, &laptop].map(|device| device.browser.user_session()).into();
    for mut visit in visits {
        assert!(count(&mut visit).await.is_some());
    }
    let (mut parts, ()) = phone.browser.request().into_parts();
    let opened = Opened::from_request_parts(&mut parts, &()).await.expect("she is signed in");
    let page = opened.page("Account", maud::html! {}).into_string();
    assert!(page.contains("2 store calls, ") && page.contains("Page 5 of this visit"), "{page}");
}
