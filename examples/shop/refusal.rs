//! What the shop says no to, in plain words.

use crate::cart::Cart;
use std::fmt;

/// Why something is not done. Not an error: the customer can do something about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A product that is not on sale.
    Unknown,
    /// Fewer are left than were asked for.
    Short { product: &'static str, left: u32 },
    /// More of one thing than a cart takes.
    TooMany,
    /// More different things than a cart takes.
    Full,
    /// What is ordered is not what was on the page.
    Changed,
    /// The memory of this shop is full.
    Closed,
    /// Something in a form, and how it should have been.
    Form(&'static str),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => write!(f, "We do not have that (any more)."),
            Self::Short { product, left: 0 } => write!(f, "We are sorry: “{product}” is sold out."),
            Self::Short { product, left: 1 } => write!(f, "We are sorry: of “{product}” only one is left."),
            Self::Short { product, left } => write!(f, "We are sorry: of “{product}” only {left} are left."),
            Self::TooMany => write!(f, "A cart takes at most {} of each thing.", Cart::MAX_AMOUNT),
            Self::Full => write!(f, "A cart takes at most {} different things.", Cart::MAX_LINES),
            Self::Changed => {
                write!(f, "Your cart, or a price, has changed since you last looked. Is this still right?")
            }
            Self::Closed => write!(f, "We cannot take more today. Please come back tomorrow."),
            Self::Form(words) => f.write_str(words),
        }
    }
}
