//! What a list of devices calls one of them.

/// Text of at most 64 bytes without control characters; what is longer is cut. A browser's name often is longer than
/// anybody wants to read, and nothing depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Label(Box<str>);

impl Label {
    const MAX_LEN: usize = 64;

    pub(crate) fn new(text: &str) -> Self {
        let mut label = String::new();
        for character in
            text.chars().filter(|character| !character.is_control()).skip_while(|first| first.is_whitespace())
        {
            if label.len() + character.len_utf8() > Self::MAX_LEN {
                break;
            }
            label.push(character);
        }
        Self(label.trim_end().into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_cut_between_characters_and_has_no_control_characters() {
        assert_eq!(Label::new(" Firefox\r\n\0 on Debian\t").as_str(), "Firefox on Debian");
        assert_eq!(Label::new(&"é".repeat(40)).as_str(), "é".repeat(32));
        assert_eq!(Label::new(&format!("x{}", "é".repeat(40))).as_str().len(), 63);
        assert_eq!(Label::new("\n").as_str(), "");
    }
}
