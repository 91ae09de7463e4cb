//! What must not appear anywhere, in every spelling in which it might.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::{BTreeMap, HashMap};

/// Things to search for, and what they are.
#[derive(Default)]
pub(crate) struct Canaries(BTreeMap<String, String>);

impl Canaries {
    /// Adds bytes in all spellings, whole and, if they are long, in pieces of sixteen.
    pub(crate) fn add(&mut self, what: &str, bytes: &[u8]) {
        let pieces = bytes.chunks_exact(16).filter(|piece| piece.len() < bytes.len());
        for bytes in std::iter::once(bytes).chain(pieces) {
            self.0.extend(spellings(bytes).into_iter().map(|spelling| (spelling, what.to_owned())));
        }
    }

    /// Adds a text as it is.
    pub(crate) fn add_text(&mut self, what: &str, text: String) {
        self.0.insert(text, what.to_owned());
    }

    /// Fails if one of them is in `place`.
    #[track_caller]
    pub(crate) fn assert_absent(&self, place: &str, bytes: &[u8]) {
        assert!(!self.0.is_empty(), "there is something to search for");
        if let Some((found, what)) = self.find(bytes) {
            let text = comparable(bytes);
            let at = text.find(found).unwrap_or_default();
            let around: String = text.chars().skip(text[..at].chars().count().saturating_sub(200)).take(400).collect();
            panic!("{what} is in {place}, as {found:?}: …{around}…");
        }
    }

    fn find(&self, bytes: &[u8]) -> Option<(&String, &String)> {
        const START: usize = 8;
        let start = |text: &[u8]| text.first_chunk::<START>().copied().map(u64::from_ne_bytes);
        let mut starting: HashMap<u64, Vec<_>> = HashMap::new();
        for (spelling, what) in &self.0 {
            let start = start(spelling.as_bytes()).expect("what is so short is found by chance");
            starting.entry(start).or_default().push((spelling, what));
        }
        let text = comparable(bytes).into_bytes();
        text.windows(START).enumerate().find_map(|(at, window)| {
            let mut begun = starting.get(&start(window)?)?.iter();
            begun.find(|(spelling, _)| text[at..].starts_with(spelling.as_bytes())).copied()
        })
    }
}

/// Bytes as text, one character for each, so that bytes and text are found in each other. Without white space, which
/// `{:#?}` puts between the elements of a list.
fn comparable(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).filter(|char| !char.is_ascii_whitespace()).collect()
}

fn spellings(bytes: &[u8]) -> Vec<String> {
    let joined = |spell: fn(&u8) -> String, by: &str| bytes.iter().map(spell).collect::<Vec<_>>().join(by);
    let mut all = vec![
        comparable(bytes),
        joined(|byte| format!("{byte:02x}"), ""),
        joined(|byte| format!("{byte:02X}"), ""),
        joined(|byte| byte.to_string(), ","),
        joined(|byte| format!("{byte:02x}"), ","),
        joined(|byte| format!("0x{byte:02x}"), ","),
        joined(|byte| format!("%{byte:02X}"), ""),
        comparable(bytes.escape_ascii().to_string().as_bytes()),
    ];
    // In the middle of something longer base64 has three forms; what depends on the neighbours is left out.
    for before in 0..3 {
        let shifted = [&[0; 2][..before], bytes].concat();
        for engine in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let text = engine.encode(&shifted);
            let (start, end) = ((before * 8).div_ceil(6), shifted.len() * 8 / 6);
            all.push(text[start..end].to_owned());
        }
    }
    all
}

#[test]
fn every_spelling_is_found() {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    let secret: [u8; 20] = std::array::from_fn(|i| (i * 13 + 200) as u8);
    let mut canaries = Canaries::default();
    canaries.add("it", &secret);
    let around = |before: &[u8]| [before, &secret, b"after"].concat();
    let texts = [
        String::from_utf8_lossy(b"nothing here").into_owned(),
        format!("{secret:?}"),
        format!("{secret:#?}"),
        format!("{secret:02x?}"),
        secret.iter().map(|byte| format!("{byte:02x}")).collect(),
        format!("{:?}", secret.escape_ascii().to_string()).replace("\\\\", "\\"),
        STANDARD.encode(secret),
        URL_SAFE_NO_PAD.encode(around(b"")),
        URL_SAFE.encode(around(b"1")),
        STANDARD.encode(around(b"12")),
        STANDARD.encode(around(b"123")),
    ];
    for (i, text) in texts.iter().enumerate() {
        assert_eq!(canaries.find(text.as_bytes()).is_some(), i > 0, "{text}");
    }
    assert!(canaries.find(&around(b"raw ")).is_some());
    assert!(canaries.find(&secret[..16]).is_some(), "a piece");
}
