//! Where one RESP message ends and the next begins.

use std::error::Error;
use std::fmt;

/// The longest blob and the largest collection that Redis itself allows.
const MOST: usize = 512 * 1024 * 1024;

/// How long the first RESP2 or RESP3 message in `bytes` is, request or reply;
/// `None` while its end has not arrived.
///
/// An attribute (`|`) belongs to the value that follows it, so both are one.
///
/// # Errors
///
/// [`Malformed`] when this can be no message, whatever follows.
pub fn frame_len(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    let mut at = 0;
    let mut missing = 1;
    while missing > 0 {
        let Some(line) = bytes.get(at..).and_then(Line::first) else {
            return Ok(None);
        };
        at += line.len();
        missing -= 1;
        match line.kind {
            b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => {}
            b'$' | b'!' | b'=' => at += line.count()?.map_or(0, |blob| blob + CRLF.len()),
            b'*' | b'~' | b'>' => missing += line.count()?.unwrap_or(0),
            b'%' => missing += line.count()?.unwrap_or(0) * 2,
            b'|' => missing += line.count()?.unwrap_or(0) * 2 + 1,
            _ => return Err(Malformed),
        }
    }
    Ok((at <= bytes.len()).then_some(at))
}

const CRLF: &[u8] = b"\r\n";

/// The line a value starts with: `$5` of `$5\r\nhello\r\n`.
pub(super) struct Line<'a> {
    /// The first byte, which says what kind of value this is.
    pub(super) kind: u8,
    /// What stands between that and the end of the line.
    pub(super) text: &'a [u8],
}

impl<'a> Line<'a> {
    /// The first line, once its end is there.
    pub(super) fn first(bytes: &'a [u8]) -> Option<Self> {
        let end = bytes.windows(CRLF.len()).position(|two| two == CRLF)?;
        let (&kind, text) = bytes[..end].split_first().unwrap_or((&0, &[]));
        Some(Self { kind, text })
    }

    /// How many bytes it takes up, its end included.
    pub(super) fn len(&self) -> usize {
        1 + self.text.len() + CRLF.len()
    }

    /// The number it says: of a `:`, the value.
    pub(super) fn number(&self) -> Result<i64, Malformed> {
        let text = str::from_utf8(self.text).map_err(|_| Malformed)?;
        text.parse().map_err(|_| Malformed)
    }

    /// How many bytes or values it announces; `None` where RESP2 says nil, -1.
    pub(super) fn count(&self) -> Result<Option<usize>, Malformed> {
        match self.number()? {
            -1 => Ok(None),
            number => match usize::try_from(number) {
                Ok(count) if count <= MOST => Ok(Some(count)),
                _ => Err(Malformed),
            },
        }
    }
}

/// These bytes are not RESP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("these bytes are not RESP")
    }
}

impl Error for Malformed {}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAMES: [&[u8]; 24] = [
        b"+OK\r\n",
        b"-ERR no\r\n",
        b":-12\r\n",
        b"$5\r\nhello\r\n",
        b"$4\r\n\r\n\r\n\r\n",
        b"$0\r\n\r\n",
        b"$-1\r\n",
        b"*-1\r\n",
        b"*0\r\n",
        b"*2\r\n$4\r\nINCR\r\n$1\r\nk\r\n",
        b"*3\r\n:1\r\n*2\r\n+a\r\n$-1\r\n$1\r\nb\r\n",
        b"_\r\n",
        b"#t\r\n",
        b",1.5\r\n",
        b"(3492890328409238509324850943850943825024385\r\n",
        b"!5\r\nERR x\r\n",
        b"=7\r\ntxt:abc\r\n",
        b"%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n",
        b"%0\r\n",
        b"~2\r\n:1\r\n:2\r\n",
        b">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n",
        b"|1\r\n+ttl\r\n:3600\r\n$1\r\nv\r\n",
        b"|0\r\n_\r\n",
        b"*1\r\n|1\r\n+a\r\n+b\r\n:7\r\n",
    ];

    #[test]
    fn a_frame_is_whole_at_its_last_byte_and_not_before() {
        for frame in FRAMES {
            let name = frame.escape_ascii();
            for cut in 0..frame.len() {
                assert_eq!(frame_len(&frame[..cut]), Ok(None), "{name} cut at {cut}");
            }
            assert_eq!(frame_len(frame), Ok(Some(frame.len())), "{name}");
        }
    }

    #[test]
    fn what_follows_a_frame_does_not_count() {
        for frame in FRAMES {
            for next in FRAMES {
                let both = [frame, next].concat();
                assert_eq!(frame_len(&both), Ok(Some(frame.len())));
            }
        }
    }

    #[test]
    fn what_is_not_resp_is_said_to_be_so() {
        let wrong: [&[u8]; 6] = [b"PING\r\n", b"\r\n", b"$x\r\n", b"*-2\r\n", b"$99999999999\r\n", b"*1\r\nPING\r\n"];
        for bytes in wrong {
            assert_eq!(frame_len(bytes), Err(Malformed), "{}", bytes.escape_ascii());
        }
    }
}
