//! A byte stream, read message by message.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::resp::frame_len;

/// The RESP messages of one direction of a connection.
pub(super) struct Frames<R> {
    source: R,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    pub(super) fn of(source: R) -> Self {
        let buffer = Vec::new();
        Self { source, buffer }
    }

    /// The next message; `None` at the end of the stream.
    ///
    /// Safe to cancel: what has been read stays in the buffer.
    pub(super) async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(len) = frame_len(&self.buffer).map_err(io::Error::other)? {
                return Ok(Some(self.buffer.drain(..len).collect()));
            }
            if self.source.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }
}
