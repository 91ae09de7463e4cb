//! What sessions hold: some hundred bytes, as a form in steps has them.

use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use thin_session::{UserId, UserSessionData};

const A_DAY: Duration = Duration::from_secs(86_400);

/// What was filled in.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Form {
    to: String,
    account: String,
    cents: u64,
    reference: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Step {
    page: String,
    millis: u64,
}

/// What each user has open, and updates.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Transfer(pub(crate) Form);

impl UserSessionData for Transfer {
    const KIND: &'static str = "transfer";
    const IDLE: Duration = A_DAY;
}

/// What begins and ends all the while.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Payment(pub(crate) Form);

impl UserSessionData for Payment {
    const KIND: &'static str = "payment";
    const IDLE: Duration = A_DAY;
}

impl Form {
    /// One filled in by chance, so that no two are alike. Always of about the same size.
    pub(crate) fn any() -> Self {
        let mut chance = rand::rng();
        let mut letters = |many: u32| (0..many).map(|_| chance.random_range('a'..='z')).collect::<String>();
        let (to, account, reference) = (letters(16), letters(22), letters(60));
        let mut number = || chance.random_range(100_000..1_000_000);
        let cents = number();
        let steps = ["recipient", "amount", "reference", "review"];
        let steps = steps.map(|page| Step { page: page.to_owned(), millis: number() }).into();
        Self { to, account, cents, reference, steps }
    }
}

/// The name of a user. Those of old sessions are the same.
pub(crate) fn user(number: usize) -> UserId {
    UserId::new(format!("user-{number:06}")).expect("it is short")
}
