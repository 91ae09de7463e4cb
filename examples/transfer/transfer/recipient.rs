//! To whom.

use crate::refusal::Refusal;
use crate::text;
use serde::{Deserialize, Serialize};

/// Somebody, and the number of their account. Short enough for a session of 4 KiB, however it is filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recipient {
    name: String,
    iban: String,
}

impl Recipient {
    pub(super) const MAX_NAME: usize = 70;
    /// With blanks.
    pub(super) const MAX_IBAN: usize = 42;

    /// What was typed, if it can be somebody.
    pub(crate) fn typed(name: &str, iban: &str) -> Result<Self, Refusal> {
        let name = text::line(name, Self::MAX_NAME).filter(|name| !name.is_empty());
        let name = name.ok_or(Refusal::Form("A name has 1 to 70 characters."))?;
        let iban: String = iban.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
        if !is_iban(&iban) {
            return Err(Refusal::Form("That is no IBAN. Is there a digit wrong?"));
        }
        Ok(Self { name, iban })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// In groups of four, as on paper.
    pub(crate) fn iban(&self) -> String {
        let letters: Vec<char> = self.iban.chars().collect();
        let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
        groups.join(" ")
    }
}

/// Whether it has the form of an IBAN, and its check digits are right.
fn is_iban(text: &str) -> bool {
    let bytes = text.as_bytes();
    let [a, b, c, d, ..] = bytes else { return false };
    let begins = a.is_ascii_uppercase() && b.is_ascii_uppercase() && c.is_ascii_digit() && d.is_ascii_digit();
    let is_plain = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    if !begins || !(15..=34).contains(&bytes.len()) || !bytes.iter().all(is_plain) {
        return false;
    }
    // The first four go to the end, letters count from 10, and the whole is 1 modulo 97.
    let turned = bytes[4..].iter().chain(&bytes[..4]);
    let rest = turned.fold(0u32, |rest, byte| match byte {
        b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
        letter => (rest * 100 + u32::from(letter - b'A') + 10) % 97,
    });
    rest == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_digit_is_found() {
        for iban in ["GB82 WEST 1234 5698 7654 32", "de89370400440532013000", "NL91 ABNA 0417 1643 00"] {
            assert!(Recipient::typed("Charles", iban).is_ok(), "{iban}");
        }
        for iban in
            ["", "GB82", "GB82 WEST 1234 5698 7654 33", "82GB WEST 1234 5698 7654 32", "DE89-3704-0044-0532-0130-00"]
        {
            assert!(Recipient::typed("Charles", iban).is_err(), "{iban}");
        }
        let charles = Recipient::typed(" Charles ", "gb82west12345698765432").expect("somebody");
        assert_eq!((charles.name(), charles.iban().as_str()), ("Charles", "GB82 WEST 1234 5698 7654 32"));
        assert!(Recipient::typed(" ", "GB82 WEST 1234 5698 7654 32").is_err());
    }
}
