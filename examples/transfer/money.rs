//! Amounts of money: whole cents, never fractions.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::iter::Sum;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Money {
    cents: u64,
}

impl Money {
    pub(crate) const fn euros(euros: u64) -> Self {
        Self { cents: euros * 100 }
    }

    /// What somebody typed, such as "12", "12.5" or "12,50"; none if it is no amount.
    pub(crate) fn typed(text: &str) -> Option<Self> {
        let text = text.trim().trim_start_matches('€').trim_start();
        let (euros, rest) = text.split_once(['.', ',']).unwrap_or((text, "00"));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if euros.is_empty() || !matches!(rest.len(), 1 | 2) || !is_digits(euros) || !is_digits(rest) {
            return None;
        }
        let tenths: u64 = rest.parse().ok()?;
        let cents = if rest.len() == 1 { tenths * 10 } else { tenths };
        Some(Self { cents: euros.parse::<u64>().ok()?.checked_mul(100)?.checked_add(cents)? })
    }

    /// As it is typed.
    pub(crate) fn plain(self) -> String {
        format!("{}.{:02}", self.cents / 100, self.cents % 100)
    }

    pub(crate) fn is_none(self) -> bool {
        self.cents == 0
    }

    /// What is left of it, which is nothing if it was not enough.
    pub(crate) fn less(self, other: Self) -> Self {
        Self { cents: self.cents.saturating_sub(other.cents) }
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        Self { cents: all.fold(0, |sum, money| sum.saturating_add(money.cents)) }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let euros = (self.cents / 100).to_string();
        f.write_str("€\u{a0}")?;
        for (place, digit) in euros.chars().enumerate() {
            if place > 0 && (euros.len() - place).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        write!(f, ".{:02}", self.cents % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::Money;

    #[test]
    fn amounts_are_read_to_the_cent_and_nothing_else_is() {
        for (typed, cents) in [("12", 1200), ("12.5", 1250), (" 12,50 ", 1250), ("€ 0.07", 7), ("0", 0)] {
            assert_eq!(Money::typed(typed), Some(Money { cents }), "{typed}");
        }
        let too_much = "99999999999999999999";
        for typed in
            ["", ".5", "12.", "12.345", "1,234.50", "-3", "1e3", "+1", "twelve", too_much, "184467440737095517"]
        {
            assert_eq!(Money::typed(typed), None, "{typed}");
        }
    }

    #[test]
    fn thousands_are_set_apart() {
        for (cents, shown) in [(7, "0.07"), (12_345, "123.45"), (100_000, "1,000.00"), (1_234_567_890, "12,345,678.90")]
        {
            assert_eq!(Money { cents }.to_string(), format!("€\u{a0}{shown}"));
        }
    }
}
