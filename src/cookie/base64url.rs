//! base64url without padding (RFC 4648, section 5): each cookie is read from it before it is opened.

/// What a character stands for in each place of four, shifted to where it belongs; [`NONE`] if it is not of the alphabet.
static VALUES: [[u32; 256]; 4] = [values(18), values(12), values(6), values(0)];
const NONE: u32 = 1 << 31;

const fn values(shift: u32) -> [u32; 256] {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < 64 {
        values[ALPHABET[value as usize] as usize] = value << shift;
        value += 1;
    }
    values
}

/// The bytes that `text` stands for, written to the front of `room`.
///
/// None if it is not the one text that stands for them, or there is no room.
pub(super) fn decode<'a>(text: &[u8], room: &'a mut [u8]) -> Option<&'a mut [u8]> {
    let (quads, rest) = text.as_chunks::<4>();
    // What is missing of the last four stands for nothing.
    let (count, mut last) = (text.len() * 3 / 4, [b'A'; 4]);
    last[..rest.len()].copy_from_slice(rest);
    let room = room.get_mut(..count)?;
    let (triples, end) = room.as_chunks_mut::<3>();
    let mut seen = bits_of(last);
    let last = bytes_of(seen);
    let (kept, spare) = last.split_at(end.len());
    end.copy_from_slice(kept);
    let is_whole = rest.len() != 1 && spare.iter().all(|bits| *bits == 0);
    for (quad, triple) in quads.iter().zip(triples) {
        let bits = bits_of(*quad);
        *triple = bytes_of(bits);
        seen |= bits;
    }
    (is_whole && seen & NONE == 0).then_some(room)
}

fn bits_of([a, b, c, d]: [u8; 4]) -> u32 {
    let [first, second, third, fourth] = &VALUES;
    first[usize::from(a)] | second[usize::from(b)] | third[usize::from(c)] | fourth[usize::from(d)]
}

fn bytes_of(bits: u32) -> [u8; 3] {
    let [_, bytes @ ..] = bits.to_be_bytes();
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

    fn decoded(text: &[u8]) -> Option<Vec<u8>> {
        decode(text, &mut [0; 300]).map(|bytes| bytes.to_vec())
    }

    #[test]
    fn bits_to_spare_are_zero_and_no_text_ends_with_one_character() {
        assert_eq!(decoded(b"Zg").as_deref(), Some(&b"f"[..]));
        assert_eq!(decoded(b"Zm8").as_deref(), Some(&b"fo"[..]));
        assert_eq!(decoded(b"").as_deref(), Some(&b""[..]));
        for text in [&b"Zh"[..], b"Zm9", b"Z", b"Zm9vY", b"Zg==", b"Zm+v", b"Zm/v", b" Zm8", b"Zm8\n", b"Zm\xff8"] {
            assert_eq!(decoded(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_has_no_room_is_refused() {
        assert!(decode(b"Zm9v", &mut [0; 2]).is_none());
        assert!(decode(b"Zm8", &mut [0; 1]).is_none());
    }

    proptest! {
        #[test]
        fn it_is_what_the_library_says(text in "[A-Za-z0-9_-]{0,240}", at in any::<prop::sample::Index>(), byte: u8) {
            prop_assert_eq!(decoded(text.as_bytes()), URL_SAFE_NO_PAD.decode(&text).ok());
            let mut changed = text.into_bytes();
            if !changed.is_empty() {
                let at = at.index(changed.len());
                changed[at] = byte;
            }
            prop_assert_eq!(decoded(&changed), URL_SAFE_NO_PAD.decode(&changed).ok());
        }
    }
}
