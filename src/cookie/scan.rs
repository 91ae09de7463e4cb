//! Finding cookies in the bytes of `Cookie` headers.
//!
//! Nothing is decoded, neither names nor values, and only space and tab are trimmed (RFC 6265bis, section 5.6): whatever
//! looks like one of our names after some decoding is not one of them. Bytes of other cookies cannot matter, since they
//! are not looked at.

use memchr::memchr;

/// The values found under one name, in the order of the request: one after the other, since all have the same length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidates {
    bytes: Vec<u8>,
    length: usize,
}

impl Candidates {
    /// More are not kept: each costs a decryption.
    pub(crate) const MAX: usize = 4;

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.chunks_exact(self.length)
    }

    fn push(&mut self, value: &[u8]) {
        if self.bytes.len() < Self::MAX * self.length {
            self.bytes.extend_from_slice(value);
        }
    }
}

/// A cookie that is looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a str,
    /// The length of its value, which is not empty. Ours have a fixed one; anything else needs no candidate's place.
    pub(crate) length: usize,
}

/// Goes once through the values of all `Cookie` headers; takes time in proportion to their bytes.
pub(crate) fn scan<'h, const N: usize>(
    headers: impl Iterator<Item = &'h [u8]>,
    wanted: [Wanted<'_>; N],
) -> [Candidates; N] {
    let mut found = wanted.map(|wanted| Candidates { bytes: Vec::new(), length: wanted.length });
    for mut rest in headers {
        loop {
            let end = memchr(b';', rest).unwrap_or(rest.len());
            let pair = trim(&rest[..end]);
            for (wanted, found) in wanted.iter().zip(&mut found) {
                if let Some(value) = wanted.value_of(pair) {
                    found.push(value);
                }
            }
            match rest.get(end + 1..) {
                Some(next) => rest = next,
                None => break,
            }
        }
    }
    found
}

impl Wanted<'_> {
    fn value_of<'a>(&self, pair: &'a [u8]) -> Option<&'a [u8]> {
        if pair.len() != self.name.len() + 1 + self.length {
            return None;
        }
        pair.strip_prefix(self.name.as_bytes())?.strip_prefix(b"=")
    }
}

fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "__Host-Http-session";

    fn found(headers: &[&[u8]]) -> Vec<String> {
        let [found] = scan(headers.iter().copied(), [Wanted { name: NAME, length: 4 }]);
        found.iter().map(|value| String::from_utf8(value.to_vec()).unwrap()).collect()
    }

    #[test]
    fn what_is_ours() {
        for header in [
            &b"__Host-Http-session=good"[..],
            b"a=b; __Host-Http-session=good; c=d",
            b"__Host-Http-session=good;a=b",
            b"\t __Host-Http-session=good \t",
            b";;=;a;__Host-Http-session=good;",
            b"umlaut=\xc3\xa4; __Host-Http-session=good; raw=\xff\xfe",
        ] {
            assert_eq!(found(&[header]), ["good"], "{header:?}");
        }
        assert_eq!(found(&[b"a=b", b"__Host-Http-session=good"]), ["good"]);
    }

    #[test]
    fn look_alikes_are_not() {
        for header in [
            "%5F%5FHost-Http-session=evil",
            "__host-http-session=evil",
            "\u{2000}__Host-Http-session=evil",
            "\u{a0}__Host-Http-session=evil",
            "=__Host-Http-session=evil",
            "x__Host-Http-session=evil",
            "__Host-Http-session =evil",
            "__Host-Http-session= evil",
            "__Host-Http-session",
            "__Host-Http-session=\"evil\"",
            "__Host-Http-session=evil2",
            "$Version=1, __Host-Http-session=evil",
            "a=\"; b=__Host-Http-session=evil; c=\"",
        ] {
            assert_eq!(found(&[header.as_bytes()]), Vec::<String>::new(), "{header:?}");
        }
    }

    #[test]
    fn a_quoted_neighbour_swallows_nothing() {
        assert_eq!(found(&[b"a=\"x; __Host-Http-session=good; b=\""]), ["good"]);
    }

    #[test]
    fn four_candidates_and_no_more() {
        let header = "__Host-Http-session=evil; ".repeat(100);
        assert_eq!(found(&[header.as_bytes()]).len(), Candidates::MAX);
    }
}
