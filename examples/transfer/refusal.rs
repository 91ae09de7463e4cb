//! What the bank says no to, in plain words.

use crate::money::Money;
use crate::transfer::Transfer;
use std::fmt;

/// Why something is not done. Not an error: the customer can do something about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// More than is there.
    Short { left: Money },
    /// More than one transfer may be.
    TooMuch,
    /// What is confirmed is not what was on the page.
    Changed { device: Option<String> },
    /// Something in a form, and how it should have been.
    Form(&'static str),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { left } => write!(f, "That is more than you have: {left} are left."),
            Self::TooMuch => write!(f, "One transfer is of {} at most.", Transfer::MOST),
            Self::Changed { device: Some(device) } => {
                write!(
                    f,
                    "This was changed since you looked, from {device}, and nothing was sent. Is it right like this?"
                )
            }
            Self::Changed { device: None } => {
                write!(f, "This was changed since you looked, and nothing was sent. Is it right like this?")
            }
            Self::Form(words) => f.write_str(words),
        }
    }
}
