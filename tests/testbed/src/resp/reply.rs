//! What a RESP2 message says.

use super::frame::{Line, Malformed};

/// A reply of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Nothing, as for a key that is not there.
    Nil,
    /// A number.
    Int(i64),
    /// A value.
    Bytes(Vec<u8>),
    /// The server refused; its words, such as `ERR unknown command`.
    Error(String),
    /// Several replies in one.
    Array(Vec<Reply>),
    /// A word on how it went, such as `OK`.
    Status(String),
}

impl Reply {
    /// The number.
    ///
    /// # Panics
    ///
    /// When it is something else.
    #[track_caller]
    #[must_use]
    pub fn int(self) -> i64 {
        match self {
            Self::Int(number) => number,
            other => panic!("expected a number, not {other:?}"),
        }
    }

    /// The bytes of a value or a status.
    ///
    /// # Panics
    ///
    /// When it is something else.
    #[track_caller]
    #[must_use]
    pub fn bytes(self) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Status(text) => text.into_bytes(),
            other => panic!("expected bytes, not {other:?}"),
        }
    }

    /// The text of a value or a status.
    ///
    /// # Panics
    ///
    /// When it is something else, or not UTF-8.
    #[track_caller]
    #[must_use]
    pub fn text(self) -> String {
        match String::from_utf8(self.bytes()) {
            Ok(text) => text,
            Err(error) => panic!("expected text: {error}"),
        }
    }

    /// The replies in an array.
    ///
    /// # Panics
    ///
    /// When it is something else.
    #[track_caller]
    #[must_use]
    pub fn items(self) -> Vec<Reply> {
        match self {
            Self::Array(items) => items,
            other => panic!("expected an array, not {other:?}"),
        }
    }

    /// Reads a frame that [`frame_len`](super::frame_len) found to be whole.
    pub(crate) fn read(mut frame: &[u8]) -> Result<Self, Malformed> {
        Self::take(&mut frame)
    }

    /// Reads one value off the front of `bytes`.
    fn take(bytes: &mut &[u8]) -> Result<Self, Malformed> {
        let line = Line::first(bytes).ok_or(Malformed)?;
        *bytes = &bytes[line.len()..];
        let words = || String::from_utf8_lossy(line.text).into_owned();
        Ok(match line.kind {
            b'+' => Self::Status(words()),
            b'-' => Self::Error(words()),
            b':' => Self::Int(line.number()?),
            b'$' => match line.count()? {
                None => Self::Nil,
                Some(len) => {
                    let (value, rest) = bytes.split_at_checked(len).ok_or(Malformed)?;
                    *bytes = rest.strip_prefix(b"\r\n").ok_or(Malformed)?;
                    Self::Bytes(value.to_vec())
                }
            },
            b'*' => match line.count()? {
                None => Self::Nil,
                Some(len) => Self::Array((0..len).map(|_| Self::take(bytes)).collect::<Result<_, _>>()?),
            },
            _ => return Err(Malformed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_kind() {
        let frame = b"*6\r\n+OK\r\n-ERR no\r\n:-3\r\n$2\r\n\r\n\r\n$-1\r\n*1\r\n*-1\r\n";
        let expected = Reply::Array(vec![
            Reply::Status("OK".into()),
            Reply::Error("ERR no".into()),
            Reply::Int(-3),
            Reply::Bytes(b"\r\n".to_vec()),
            Reply::Nil,
            Reply::Array(vec![Reply::Nil]),
        ]);
        assert_eq!(Reply::read(frame), Ok(expected));
    }

    #[test]
    fn reads_no_frame_that_is_cut() {
        let frame = b"*2\r\n$2\r\nab\r\n:1\r\n";
        for cut in 0..frame.len() {
            assert_eq!(Reply::read(&frame[..cut]), Err(Malformed), "cut at {cut}");
        }
    }
}
