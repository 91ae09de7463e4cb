//! A command on its way to the server.

use crate::resp::{Malformed, Reply};

/// A request, as a rule of the proxy sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Which one it is since the start or the last reset of the proxy, over all
    /// connections; the first is 1.
    pub number: u64,
    /// By which connection it came, as they were accepted; the first is 1.
    pub connection: u64,
    /// The command and its arguments.
    pub words: Vec<Vec<u8>>,
}

impl Request {
    /// The command in upper case, such as `EVALSHA`.
    #[must_use]
    pub fn name(&self) -> String {
        let name = self.words.first().map_or(&[][..], Vec::as_slice);
        String::from_utf8_lossy(name).to_uppercase()
    }

    /// How many bytes it has on the wire.
    #[must_use]
    pub fn size(&self) -> usize {
        let header = |mark: &str, number: usize| format!("{mark}{number}\r\n").len();
        let words = self.words.iter().map(|word| header("$", word.len()) + word.len() + 2);
        header("*", self.words.len()) + words.sum::<usize>()
    }

    /// Takes a frame apart, which looks like a reply that is an array of bytes.
    pub(super) fn words(frame: &[u8]) -> Result<Vec<Vec<u8>>, Malformed> {
        let Reply::Array(items) = Reply::read(frame)? else {
            return Err(Malformed);
        };
        let word = |item| match item {
            Reply::Bytes(word) => Ok(word),
            _ => Err(Malformed),
        };
        items.into_iter().map(word).collect()
    }
}
