//! How far a transfer has come: what is kept in the user session, and the rules for it.

use super::recipient::Recipient;
use crate::money::Money;
use crate::refusal::Refusal;
use crate::text;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use thin_session::UserSessionData;

/// A transfer that is under way. Each step sets a field of its own, so that two devices get in each other's way only where they
/// answer the same question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Transfer {
    recipient: Option<Recipient>,
    amount: Option<Money>,
    note: Option<String>,
    /// From where it was changed last.
    device: Option<String>,
    /// How often it was changed: whoever confirms it says what they have seen.
    revision: u32,
}

impl UserSessionData for Transfer {
    const KIND: &'static str = "transfer";
    const IDLE: Duration = Duration::from_secs(7 * 86_400);
    const LIFETIME: Duration = Duration::from_secs(30 * 86_400);
}

/// A transfer that lacks nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) recipient: Recipient,
    pub(crate) amount: Money,
    pub(crate) note: String,
}

impl Transfer {
    /// As much as one may be of.
    pub(crate) const MOST: Money = Money::euros(5_000);
    pub(super) const MAX_NOTE: usize = 140;

    pub(super) fn send_to(&mut self, recipient: Recipient, device: &str) {
        self.recipient = Some(recipient);
        self.changed(device);
    }

    /// Sets how much, if so much is there.
    pub(super) fn set_amount(&mut self, amount: Money, balance: Money, device: &str) -> Result<(), Refusal> {
        check(amount, balance)?;
        self.amount = Some(amount);
        self.changed(device);
        Ok(())
    }

    /// Sets the note; none is fine.
    pub(super) fn set_note(&mut self, typed: &str, device: &str) -> Result<(), Refusal> {
        let note = text::line(typed, Self::MAX_NOTE);
        self.note = Some(note.ok_or(Refusal::Form("A note is one line of at most 140 characters."))?);
        self.changed(device);
        Ok(())
    }

    fn changed(&mut self, device: &str) {
        self.device = Some(device.to_owned());
        self.revision = self.revision.saturating_add(1);
    }

    pub(super) fn recipient(&self) -> Option<&Recipient> {
        self.recipient.as_ref()
    }

    pub(super) fn amount(&self) -> Option<Money> {
        self.amount
    }

    pub(super) fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    pub(crate) fn device(&self) -> Option<&str> {
        self.device.as_deref()
    }

    pub(super) fn revision(&self) -> u32 {
        self.revision
    }

    /// The page of the first step that is not done.
    pub(super) fn next_page(&self) -> &'static str {
        match (&self.recipient, self.amount, &self.note) {
            (None, ..) => "/transfer/recipient",
            (_, None, _) => "/transfer/amount",
            (.., None) => "/transfer/note",
            _ => "/transfer/confirm",
        }
    }

    /// What confirming sends; none if a step is missing.
    pub(crate) fn order(&self) -> Option<Order> {
        let Self { recipient, amount, note, .. } = self;
        Some(Order { recipient: recipient.clone()?, amount: (*amount)?, note: note.clone()? })
    }

    /// Such as "€ 12.50 to Charles".
    pub(crate) fn so_far(&self) -> String {
        match (self.amount, &self.recipient) {
            (Some(amount), Some(recipient)) => format!("{amount} to {}", recipient.name()),
            (None, Some(recipient)) => format!("To {}", recipient.name()),
            (Some(amount), None) => format!("{amount} to somebody"),
            (None, None) => "To somebody".to_owned(),
        }
    }
}

/// Whether so much can be sent.
pub(super) fn check(amount: Money, balance: Money) -> Result<(), Refusal> {
    if amount.is_none() {
        return Err(Refusal::Form("Something has to be sent."));
    }
    if amount > Transfer::MOST {
        return Err(Refusal::TooMuch);
    }
    if amount > balance {
        return Err(Refusal::Short { left: balance });
    }
    Ok(())
}
