//! The transfer as a person sees it: begun in one browser, and finished in another.

use browser::{Chromium, Window, trial};
use libtest_mimic::Arguments;
use std::path::Path;
use std::process::ExitCode;
use testbed::Example;

const IBAN: &str = "GB82 WEST 1234 5698 7654 32";

fn main() -> ExitCode {
    let programs = ["chromium", "chromedriver"];
    let trials = vec![
        trial("begun_in_one_window_and_finished_in_another", &programs, begun_in_one_window_and_finished_in_another),
        trial("what_the_other_window_changed_is_shown_first", &programs, what_the_other_window_changed_is_shown_first),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// The steps of a customer.
trait Customer {
    async fn sign_in(&self);
    async fn address(&self, name: &str);
    async fn pay(&self, amount: &str);
    async fn write(&self, note: &str);
    async fn picture(&self, name: &str);
}

impl Customer for Window<'_> {
    async fn sign_in(&self) {
        self.open("/").await;
        self.fill("name", "Ada").await;
        self.fill("password", "analytical-engine").await;
        self.press("Sign in").await;
        self.sees("Good morning, Ada").await;
    }

    async fn address(&self, name: &str) {
        self.sees("To whom?").await;
        self.fill("name", name).await;
        self.fill("iban", IBAN).await;
        self.press("Go on").await;
        self.sees("How much?").await;
    }

    async fn pay(&self, amount: &str) {
        self.fill("amount", amount).await;
        self.press("Go on").await;
    }

    async fn write(&self, note: &str) {
        self.sees("What for?").await;
        self.fill("note", note).await;
        self.press("Go on").await;
        self.sees("Is this right?").await;
    }

    /// To look at: `TRANSFER_PICTURES=target cargo test -p browser --test transfer`.
    async fn picture(&self, name: &str) {
        let Ok(folder) = std::env::var("TRANSFER_PICTURES") else { return };
        let picture = self.client.screenshot().await.expect("a picture can be taken");
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder).join(format!("{name}.png"));
        std::fs::write(file, picture).expect("it can be kept");
    }
}

async fn begun_in_one_window_and_finished_in_another() {
    let bank = Example::start("transfer", &["--memory"]);
    let (phone, desktop) = (Chromium::start().await, Chromium::start().await);
    phone.client.set_window_size(500, 850).await.expect("a window has a size");
    let phone = Window { client: &phone.client, site: bank.url() };
    let desktop = Window { client: &desktop.client, site: bank.url() };

    phone.sign_in().await;
    assert!(phone.footer().await.ends_with("Page 1 of this visit."), "{}", phone.footer().await);
    phone.follow("New transfer").await;
    phone.fill("name", "Charles Babbage").await;
    phone.fill("iban", "GB82 WEST 1234 5698 7654 33").await;
    phone.press("Go on").await;
    phone.sees("That is no IBAN.").await;
    phone.address("Charles Babbage").await;
    phone.pay("1250.50").await;
    phone.sees("What for?").await;
    phone.picture("phone").await;
    phone.press("Sign out").await;
    phone.sees("To try it").await;

    desktop.sign_in().await;
    desktop.sees("A transfer is under way").await;
    desktop.sees("1,250.50 to Charles Babbage").await;
    desktop.picture("account").await;
    desktop.follow("Go on").await;
    desktop.write("Cogs and wheels").await;
    desktop.sees(IBAN).await;
    assert!(desktop.footer().await.starts_with("3 store calls, "), "{}", desktop.footer().await);
    desktop.picture("confirm").await;
    desktop.press("Send").await;
    desktop.sees("In your account: €\u{a0}8,749.50").await;
    desktop.follow("Your account").await;
    desktop.sees("− €\u{a0}1,250.50").await;
    desktop.sees("New transfer").await;
    desktop.follow("History").await;
    desktop.sees("1,250.50 to Charles Babbage").await;
    desktop.picture("history").await;

    phone.sign_in().await;
    phone.sees("8,749.50").await;
}

async fn what_the_other_window_changed_is_shown_first() {
    let bank = Example::start("transfer", &["--memory"]);
    let (phone, desktop) = (Chromium::start().await, Chromium::start().await);
    let phone = Window { client: &phone.client, site: bank.url() };
    let desktop = Window { client: &desktop.client, site: bank.url() };
    phone.sign_in().await;
    desktop.sign_in().await;
    phone.follow("New transfer").await;
    phone.address("Charles Babbage").await;
    phone.pay("12.50").await;
    phone.write("").await;

    desktop.open("/transfer/amount").await;
    desktop.pay("980").await;
    desktop.sees("Is this right?").await;
    phone.press("Send €\u{a0}12.50").await;
    phone.sees("This was changed since you looked").await;
    phone.picture("changed").await;
    phone.press("Send €\u{a0}980.00").await;
    phone.sees("In your account: €\u{a0}9,020.00").await;

    // The desktop still shows it: whoever clicks there finds it sent, and nothing is sent twice.
    desktop.press("Send €\u{a0}980.00").await;
    desktop.sees("In your account: €\u{a0}9,020.00").await;

    // One that is given up is gone everywhere.
    desktop.follow("Another transfer").await;
    desktop.address("Mary Somerville").await;
    phone.open("/").await;
    phone.sees("To Mary Somerville").await;
    phone.press("Give it up").await;
    phone.sees("New transfer").await;
    desktop.pay("5").await;
    desktop.sees("sent or given up meanwhile").await;
    desktop.follow("History").await;
    desktop.sees("Given up").await;
}
