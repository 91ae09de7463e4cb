//! One command and its reply, on a connection of their own.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::{Reply, frame_len};
use crate::wait::LIMIT;

/// Sends a command to the server at `addr`, and waits for its reply.
pub(crate) fn call(addr: SocketAddr, args: &[&[u8]]) -> io::Result<Reply> {
    let mut stream = TcpStream::connect_timeout(&addr, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.write_all(&encode(args))?;

    let mut bytes = Vec::new();
    let mut part = [0; 8 * 1024];
    loop {
        if let Some(len) = frame_len(&bytes).map_err(io::Error::other)? {
            return Reply::read(&bytes[..len]).map_err(io::Error::other);
        }
        match stream.read(&mut part)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            len => bytes.extend_from_slice(&part[..len]),
        }
    }
}

fn encode(args: &[&[u8]]) -> Vec<u8> {
    let mut frame = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        frame.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        frame.extend_from_slice(arg);
        frame.extend_from_slice(b"\r\n");
    }
    frame
}
